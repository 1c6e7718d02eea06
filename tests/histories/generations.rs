//! A history goes on over several openings of one database, with crashes between them.
//!
//! While the clients run, garbage is collected, snapshots are written, and the log changes segment often. Then the
//! database is opened again from the files that the end of one opening left.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use selkie::storage::{MemoryStorage, Storage};
use selkie::{Database, Durability, Isolation, Options, Retention, SnapshotPolicy, Visibility};

use crate::client::{Client, Shared, read_all};
use crate::common::Random;
use crate::disk::Disk;
use crate::history::{Attempt, cut, decide};
use crate::medium::Medium;

const CLIENTS: RangeInclusive<u64> = 2..=6;
const SEGMENT_BYTES: u64 = 16 << 10;
const LOOK: Duration = Duration::from_micros(100);
const REST: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Close,
    /// The process ends at some moment.
    Crash,
    /// The power fails at some moment.
    PowerLoss,
    /// The storage fails in the midst of a write, and the clients hear of it.
    TornWrite,
}

/// How a database is opened, and who uses it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) isolation: Isolation,
    pub(crate) durability: Durability,
    pub(crate) visibility: Visibility,
    pub(crate) retention: Retention,
}

/// A history while it grows.
#[derive(Debug)]
pub(crate) struct Story {
    setup: Setup,
    random: Random,
    files: MemoryStorage,
    medium: Medium,
    shared: Shared,
    attempts: Vec<Attempt>,
    snapshots: AtomicU64,
}

/// What a crash left, and the moment from which on nobody heard of it.
struct Left {
    moment: u64,
    disk: (MemoryStorage, Medium),
}

impl Story {
    pub(crate) fn new(setup: Setup, random: Random) -> Self {
        Self {
            setup,
            random,
            files: MemoryStorage::new(),
            medium: Medium::default(),
            shared: Shared::default(),
            attempts: Vec::new(),
            snapshots: AtomicU64::new(0),
        }
    }

    /// Opens the database, lets clients commit so many transactions, and ends it.
    pub(crate) fn generation(&mut self, transactions: u64, ending: Ending) {
        let disk = Disk::new(self.files.clone(), self.medium.clone());
        let db = self.open(disk.storage());
        let clients = CLIENTS.start() + self.random.below(CLIENTS.end() - CLIENTS.start() + 1);
        let seeds = (0..clients).map(|_| self.random.next()).collect();
        let goal = self.shared.committed.load(Ordering::Relaxed) + transactions;
        let (mut attempts, left) = self.concurrently(&db, seeds, &disk, goal, |all_stopped| match ending {
            Ending::Close => None,
            Ending::Crash | Ending::PowerLoss => Some(self.leave(&disk, ending, all_stopped)),
            Ending::TornWrite => {
                disk.tear();
                wait_until(all_stopped);
                None
            }
        });
        if ending == Ending::Close {
            db.close().unwrap();
        }
        if let Some(left) = left {
            cut(&mut attempts, left.moment);
            (self.files, self.medium) = left.disk;
        } else {
            (self.files, self.medium) = disk.crash();
        }
        self.attempts.extend(attempts);
    }

    /// The storage stalls, so that clients come as far as they can without it, and then all ends.
    fn leave(&self, disk: &Disk, ending: Ending, all_stopped: &dyn Fn() -> bool) -> Left {
        disk.stall();
        wait_until(&|| disk.is_stalled() || all_stopped());
        thread::sleep(REST);
        let moment = self.shared.clock.tick();
        let left = if ending == Ending::PowerLoss { disk.lose_power() } else { disk.crash() };
        disk.go_on();
        Left { moment, disk: left }
    }

    /// The whole history, with what the database holds in the end, and how many snapshots were written on the way.
    pub(crate) fn finish(mut self) -> (Vec<Attempt>, u64) {
        self.open(Arc::new(self.files.clone())).close().unwrap();
        (self.attempts, self.snapshots.into_inner())
    }

    /// Opens the database, and decides by what is there what was unknown.
    fn open(&mut self, storage: Arc<dyn Storage>) -> Database {
        let Setup { durability, visibility, retention, .. } = self.setup;
        let options = Options::new().durability(durability).visibility(visibility).history(retention);
        let options = options.segment_bytes(SEGMENT_BYTES).snapshots(SnapshotPolicy::Never);
        let db = options.open_storage(storage).unwrap();
        let moment = self.shared.clock.tick();
        let all = read_all(&db, &self.shared, &self.attempts);
        decide(&mut self.attempts, moment, &all);
        self.attempts.push(all);
        db
    }

    /// Clients and the background run until the goal is reached; then comes `end`, and only then are they stopped.
    fn concurrently(
        &self,
        db: &Database,
        seeds: Vec<u64>,
        disk: &Disk,
        goal: u64,
        end: impl FnOnce(&dyn Fn() -> bool) -> Option<Left>,
    ) -> (Vec<Attempt>, Option<Left>) {
        let stop = &AtomicBool::new(false);
        thread::scope(|scope| {
            let start = |seed| {
                let client = Client::new(db, &self.shared, self.setup.isolation, seed);
                scope.spawn(move || client.run(stop))
            };
            let clients: Vec<_> = seeds.into_iter().map(start).collect();
            scope.spawn(move || again_and_again(stop, disk, || db.collect_garbage()));
            let snapshot = || {
                db.snapshot()?;
                self.snapshots.fetch_add(1, Ordering::Relaxed);
                Ok(())
            };
            scope.spawn(move || again_and_again(stop, disk, snapshot));
            let all_stopped = || clients.iter().all(ScopedJoinHandle::is_finished);
            wait_until(&|| all_stopped() || self.shared.committed.load(Ordering::Relaxed) >= goal);
            let left = end(&all_stopped);
            stop.store(true, Ordering::Relaxed);
            (clients.into_iter().flat_map(|client| client.join().unwrap()).collect(), left)
        })
    }
}

fn again_and_again(stop: &AtomicBool, disk: &Disk, work: impl Fn() -> selkie::Result<()>) {
    while !stop.load(Ordering::Relaxed) {
        if let Err(error) = work() {
            assert!(disk.is_torn(), "{error}");
        }
        thread::sleep(REST);
    }
}

fn wait_until(condition: &dyn Fn() -> bool) {
    while !condition() {
        thread::sleep(LOOK);
    }
}
