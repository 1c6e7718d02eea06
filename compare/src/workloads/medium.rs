//! The medium's own rate, beside which synced commits are to be seen: a small write into allocated space, then
//! `fdatasync`, by one thread, and by 64 that share them.
//!
//! Those 64 do nothing else: one writes for all who wait, wakes them, and leaves those who came meanwhile to one of them.
//! What they reach is what the medium and changing between threads allow, without any engine.
//!
//! It is measured on the same directory in the same process, just before the engine's commits, since it varies.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, Thread};
use std::time::Instant;

use rustix::fs::{FallocateFlags, fallocate};

use super::{Unit, Workload};
use crate::failure::Result;
use crate::pace::median;
use crate::recorder::Outcome;

pub(super) const MEDIUM: Workload =
    Workload { name: "the medium itself: write + fdatasync, median latency", unit: Unit::Microseconds };
pub(super) const SHARED: Workload = Workload::per_second("the medium itself: write + fdatasync, shared by 64 threads");
const WRITES: u64 = 300;
const THREADS: usize = 64;
/// As many as each of 64 writers commits.
const TURNS: usize = 500;
/// About as much as a log needs for one of our entries.
const BYTES: usize = 160;

fn allocated(path: &Path, bytes: u64) -> Result<File> {
    let file = File::create(path)?;
    fallocate(&file, FallocateFlags::empty(), 0, bytes)?;
    file.sync_all()?;
    Ok(file)
}

pub(super) fn measure(directory: &Path) -> Result<Outcome> {
    let path = directory.join("medium");
    let file = allocated(&path, 1 << 20)?;
    let mut latencies = Vec::new();
    for turn in 0..WRITES {
        let start = Instant::now();
        file.write_all_at(&[turn as u8; BYTES], turn * BYTES as u64)?;
        file.sync_data()?;
        latencies.push(start.elapsed().as_secs_f64() * 1e6);
    }
    std::fs::remove_file(path)?;
    Ok(Outcome::number(median(latencies).unwrap_or_default()))
}

/// Somebody whose write is to be on the medium.
struct Waiting {
    thread: Thread,
    call: AtomicU8,
}

/// What somebody who waits is called for.
const NOTHING: u8 = 0;
const TO_LEAD: u8 = 1;
const TO_GO_ON: u8 = 2;

impl Waiting {
    fn call(&self, what: u8) {
        self.call.store(what, Ordering::Release);
        self.thread.unpark();
    }
}

#[derive(Default)]
struct Group {
    waiting: Vec<Arc<Waiting>>,
    is_led: bool,
    written: usize,
}

pub(super) fn measure_shared(directory: &Path) -> Result<Outcome> {
    let path = directory.join("medium");
    let file = allocated(&path, (THREADS * TURNS * BYTES) as u64)?;
    let group = Mutex::new(Group::default());
    let start = Instant::now();
    thread::scope(|scope| {
        let work = || (0..TURNS).try_for_each(|_| share(&group, &file));
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err("a thread panicked".into())))
    })?;
    let seconds = start.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(Outcome::number((THREADS * TURNS) as f64 / seconds))
}

fn share(group: &Mutex<Group>, file: &File) -> Result {
    let own = Arc::new(Waiting { thread: thread::current(), call: AtomicU8::new(NOTHING) });
    let is_led = {
        let mut group = group.lock().map_err(|_| "a thread panicked")?;
        group.waiting.push(Arc::clone(&own));
        std::mem::replace(&mut group.is_led, true)
    };
    if !is_led {
        return lead(group, file);
    }
    loop {
        match own.call.load(Ordering::Acquire) {
            TO_LEAD => return lead(group, file),
            TO_GO_ON => return Ok(()),
            _ => thread::park(),
        }
    }
}

/// Writes for all who wait, himself among them, and leaves those who came meanwhile to one of them.
fn lead(group: &Mutex<Group>, file: &File) -> Result {
    let (waiting, written) = {
        let mut group = group.lock().map_err(|_| "a thread panicked")?;
        let waiting = std::mem::take(&mut group.waiting);
        group.written += waiting.len();
        (waiting, group.written)
    };
    let bytes = vec![written as u8; waiting.len() * BYTES];
    let place = (written - waiting.len()) * BYTES;
    let done = file.write_all_at(&bytes, place as u64).and_then(|()| file.sync_data());
    for one in &waiting {
        one.call(TO_GO_ON);
    }
    let mut group = group.lock().map_err(|_| "a thread panicked")?;
    match group.waiting.first() {
        Some(next) => next.call(TO_LEAD),
        None => group.is_led = false,
    }
    Ok(done?)
}
