//! A history goes on over several openings of one database, with crashes between them.
//!
//! While the clients run, garbage is collected, snapshots are written, and the log changes segment often. A crash is
//! a copy of the files at some moment, or a write that stops halfway; then the database is opened again from what is
//! there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use selkie::storage::MemoryStorage;
use selkie::{Database, Durability, Isolation, Options, SnapshotPolicy, Visibility};

use crate::client::{Client, Shared, read_all};
use crate::common::{Operation, Random, ScriptedStorage, Verdict};
use crate::history::{Attempt, cut, decide};

const CLIENTS: usize = 4;
const SEGMENT_BYTES: u64 = 16 << 10;
const LOOK: Duration = Duration::from_micros(100);
const REST: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Close,
    /// The process ends at some moment.
    Crash,
    /// The storage fails in the midst of a write, and the clients hear of it.
    TornWrite,
}

/// How a database is opened, and who uses it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) isolation: Isolation,
    pub(crate) durability: Durability,
    pub(crate) visibility: Visibility,
}

/// A history while it grows.
#[derive(Debug)]
pub(crate) struct Story {
    setup: Setup,
    random: Random,
    files: MemoryStorage,
    shared: Shared,
    attempts: Vec<Attempt>,
}

/// The moment of a crash, and the files that it leaves.
type Crash = (u64, MemoryStorage);

impl Story {
    pub(crate) fn new(setup: Setup, random: Random) -> Self {
        Self { setup, random, files: MemoryStorage::new(), shared: Shared::default(), attempts: Vec::new() }
    }

    /// Opens the database, lets clients commit so many transactions, and ends it.
    pub(crate) fn generation(&mut self, transactions: u64, ending: Ending) {
        let torn = Arc::new(AtomicBool::new(false));
        let storage = storage(&self.files, &torn);
        let db = self.open(Arc::clone(&storage));
        let seeds = [(); CLIENTS].map(|()| self.random.next());
        let goal = self.shared.committed.load(Ordering::Relaxed) + transactions;
        let (mut attempts, crash) = self.concurrently(&db, seeds, &torn, goal, |all_stopped| match ending {
            Ending::Close => None,
            Ending::Crash => Some((self.shared.clock.tick(), storage.crash())),
            Ending::TornWrite => {
                torn.store(true, Ordering::Relaxed);
                wait_until(all_stopped);
                None
            }
        });
        if ending == Ending::Close {
            db.close().unwrap();
        }
        self.files = match crash {
            Some((moment, files)) => {
                cut(&mut attempts, moment);
                files
            }
            None => storage.crash(),
        };
        self.attempts.extend(attempts);
    }

    /// The whole history, with what the database holds in the end.
    pub(crate) fn finish(mut self) -> Vec<Attempt> {
        self.open(storage(&self.files, &Arc::default())).close().unwrap();
        self.attempts
    }

    /// Opens the database, and decides by what is there what was unknown.
    fn open(&mut self, storage: Arc<ScriptedStorage>) -> Database {
        let Setup { durability, visibility, .. } = self.setup;
        let options = Options::new().durability(durability).visibility(visibility);
        let options = options.segment_bytes(SEGMENT_BYTES).snapshots(SnapshotPolicy::Never);
        let db = options.open_storage(storage).unwrap();
        let all = read_all(&db, &self.shared, &self.attempts);
        decide(&mut self.attempts, &all);
        self.attempts.push(all);
        db
    }

    /// Clients and the background run until the goal is reached; then comes `end`, and only then are they stopped.
    fn concurrently(
        &self,
        db: &Database,
        seeds: [u64; CLIENTS],
        torn: &AtomicBool,
        goal: u64,
        end: impl FnOnce(&dyn Fn() -> bool) -> Option<Crash>,
    ) -> (Vec<Attempt>, Option<Crash>) {
        let stop = &AtomicBool::new(false);
        thread::scope(|scope| {
            let clients = seeds.map(|seed| {
                let client = Client::new(db, &self.shared, self.setup.isolation, seed);
                scope.spawn(move || client.run(stop))
            });
            scope.spawn(move || again_and_again(stop, torn, || db.collect_garbage()));
            scope.spawn(move || again_and_again(stop, torn, || db.snapshot().map(drop)));
            let all_stopped = || clients.iter().all(ScopedJoinHandle::is_finished);
            wait_until(&|| all_stopped() || self.shared.committed.load(Ordering::Relaxed) >= goal);
            let crash = end(&all_stopped);
            stop.store(true, Ordering::Relaxed);
            (clients.into_iter().flat_map(|client| client.join().unwrap()).collect(), crash)
        })
    }
}

/// A storage that lets others come in between its operations. Once torn, it fails in the midst of every write.
fn storage(files: &MemoryStorage, torn: &Arc<AtomicBool>) -> Arc<ScriptedStorage> {
    let torn = Arc::clone(torn);
    ScriptedStorage::over(files.clone(), move |operation, _| {
        thread::yield_now();
        if operation == Operation::Write && torn.load(Ordering::Relaxed) { Verdict::Short } else { Verdict::Go }
    })
}

fn again_and_again(stop: &AtomicBool, torn: &AtomicBool, work: impl Fn() -> selkie::Result<()>) {
    while !stop.load(Ordering::Relaxed) {
        if let Err(error) = work() {
            assert!(torn.load(Ordering::Relaxed), "{error}");
        }
        thread::sleep(REST);
    }
}

fn wait_until(condition: &dyn Fn() -> bool) {
    while !condition() {
        thread::sleep(LOOK);
    }
}
