//! Drawing schedules, and what programs have in common.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use bytes::Bytes;
use selkie::storage::sim::SimStorage;
use selkie::{
    Database, Durability, Isolation, Options, Readable, Result, SnapshotPolicy, Transaction, TransactionOptions,
};
use shuttle::scheduler::{PctScheduler, RandomScheduler, UncontrolledNondeterminismCheckScheduler};
use shuttle::{Config, FailurePersistence, Runner, thread};

use crate::campaign::{Campaign, count, say, variable};

/// How many schedules have the same seed.
const BATCH: usize = 20;
/// How many schedules a program has where no time is set.
const SCHEDULES: u64 = 100;
/// How often a schedule changes threads against their priorities, when it has any.
const CHANGES: usize = 3;
const STACK_BYTES: usize = 1 << 20;

/// Runs a program in many schedules: one half of them drawn freely, the other with priorities of threads that change
/// a few times ([probabilistic concurrency testing](https://doi.org/10.1145/1736020.1736040)), which
/// finds what takes few changes at the right moments.
pub(crate) fn explore(program: impl Fn() + Send + Sync + 'static) {
    let program = Arc::new(program);
    let campaign = Campaign::of(SCHEDULES);
    let first_seed = variable("SELKIE_SEED", 1);
    let mut done = 0;
    while campaign.goes_on(done) {
        let seed = first_seed.wrapping_add(done / BATCH as u64);
        let batch = catch_unwind(AssertUnwindSafe(|| run(seed, Arc::clone(&program))));
        done += batch.unwrap_or_else(|panic| {
            say(&format!("SELKIE_SEED={seed} repeats it"));
            resume_unwind(panic)
        });
    }
    count(done, "schedules of whole transactions");
}

fn run(seed: u64, program: Arc<impl Fn() + Send + Sync + 'static>) -> u64 {
    let done = if seed % 2 == 0 {
        Runner::new(RandomScheduler::new_from_seed(seed, BATCH), config()).run(move || program())
    } else {
        Runner::new(PctScheduler::new_from_seed(seed, CHANGES, BATCH), config()).run(move || program())
    };
    done as u64
}

/// The seed is enough to repeat a schedule.
fn config() -> Config {
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.failure_persistence = FailurePersistence::None;
    config
}

/// No work in the background but what a program asks for.
pub(crate) fn options() -> Options {
    Options::new().snapshots(SnapshotPolicy::Never)
}

/// A database whose commits are synced before they return.
pub(crate) fn stored(options: &Options) -> (Arc<Database>, SimStorage) {
    let storage = SimStorage::new();
    let db = options.clone().durability(Durability::Immediate).open_storage(Arc::new(storage.clone())).unwrap();
    (Arc::new(db), storage)
}

/// What a loss of power leaves at this moment when nothing has reached the medium but what was synced.
pub(crate) fn after_power_loss(storage: &SimStorage) -> Database {
    let mut files = None;
    storage.recording().last_crash_point(|point| files = Some(point.nothing_unsynced()));
    options().open_storage(Arc::new(SimStorage::from_files(files.unwrap()))).unwrap()
}

pub(crate) fn number(value: Option<Bytes>) -> u64 {
    value.map_or(0, |value| u64::from_le_bytes(value[..].try_into().unwrap()))
}

pub(crate) fn read(reader: &impl Readable, key: &str) -> u64 {
    number(reader.get(key).unwrap())
}

/// One attempt: what it returned and its version, or nothing when it conflicted with another.
pub(crate) fn attempt<T>(
    db: &Database,
    isolation: Isolation,
    change: impl FnOnce(&mut Transaction) -> Result<T>,
) -> Option<(T, u64)> {
    let mut transaction = db.begin_with(TransactionOptions::new().isolation(isolation)).unwrap();
    let outcome = change(&mut transaction).and_then(|value| Ok((value, transaction.commit()?.version())));
    match outcome {
        Ok(done) => Some(done),
        Err(error) if error.is_retryable() => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_same_seed_draws_the_same_schedule() {
    let scheduler = UncontrolledNondeterminismCheckScheduler::new(RandomScheduler::new_from_seed(1, BATCH));
    Runner::new(scheduler, config()).run(|| {
        let (db, _storage) = stored(&options());
        let writers = [1_u8, 2].map(|key| {
            let db = Arc::clone(&db);
            thread::spawn(move || db.insert([key], "value").map(drop).unwrap())
        });
        db.snapshot().unwrap();
        for writer in writers {
            writer.join().unwrap();
        }
    });
}
