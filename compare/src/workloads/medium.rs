//! The medium's own rate, beside which synced commits are to be seen: a small write into allocated space, then
//! `fdatasync`.
//!
//! It is measured on the same directory in the same process, just before the engine's commits, since it varies.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{FallocateFlags, fallocate};

use super::{Unit, Workload};
use crate::failure::Result;
use crate::pace::median;
use crate::recorder::Outcome;

pub(super) const MEDIUM: Workload =
    Workload { name: "the medium itself: write + fdatasync, median latency", unit: Unit::Microseconds };
const WRITES: u64 = 300;
/// About as much as a log needs for one of our entries.
const BYTES: usize = 160;

pub(super) fn measure(directory: &Path) -> Result<Outcome> {
    let path = directory.join("medium");
    let file = File::create(&path)?;
    fallocate(&file, FallocateFlags::empty(), 0, 1 << 20)?;
    file.sync_all()?;
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
