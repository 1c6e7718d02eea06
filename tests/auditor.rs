//! Threads that move money about while others add it all up. Natively only: it takes threads.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use selkie::storage::MemoryStorage;
use selkie::{Database, Durability, Isolation, Options, Readable, Result, TransactionOptions, Visibility, Writable};

const ACCOUNTS: u64 = 40;
const EACH: u64 = 100;
const TIME: Duration = Duration::from_millis(600);

fn account(number: u64) -> Vec<u8> {
    format!("account-with-a-long-name-{number:03}").into_bytes()
}

fn balance(reader: &impl Readable, number: u64) -> Result<u64> {
    let value = reader.get(account(number))?;
    Ok(value.map_or(0, |value| u64::from_le_bytes(value[..].try_into().unwrap())))
}

/// Moves one unit; an account that becomes empty is removed, so that there is garbage of every kind.
fn transfer(db: &Database, from: u64, to: u64, isolation: Isolation) -> Result<bool> {
    let mut tx = db.begin_with(TransactionOptions::new().isolation(isolation))?;
    let (left, right) = (balance(&tx, from)?, balance(&tx, to)?);
    if left == 0 || from == to {
        return Ok(false);
    }
    match left - 1 {
        0 => tx.remove(account(from))?,
        rest => tx.insert(account(from), rest.to_le_bytes())?,
    }
    tx.insert(account(to), (right + 1).to_le_bytes())?;
    match tx.commit() {
        Ok(_) => Ok(true),
        Err(error) if error.is_retryable() => Ok(false),
        Err(error) => Err(error),
    }
}

fn sum(reader: &impl Readable) -> u64 {
    reader.iter().map(|entry| u64::from_le_bytes(entry.unwrap().1[..].try_into().unwrap())).sum()
}

fn move_money(db: &Database, seed: u64, isolation: Isolation, end: Instant) -> u64 {
    let (mut state, mut moved) = (seed, 0);
    while Instant::now() < end {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (from, to) = ((state >> 33) % ACCOUNTS, (state >> 45) % ACCOUNTS);
        moved += u64::from(transfer(db, from, to, isolation).unwrap());
    }
    moved
}

fn audit(db: &Database, done: &AtomicBool, audits: &AtomicU64) {
    let mut last = 0;
    while !done.load(Ordering::Relaxed) {
        let view = db.begin_read().unwrap();
        assert!(view.version() >= last);
        last = view.version();
        assert_eq!(sum(&view), ACCOUNTS * EACH, "at {last}");
        let backward = view.iter().rev().map(|entry| u64::from_le_bytes(entry.unwrap().1[..].try_into().unwrap()));
        assert_eq!(backward.sum::<u64>(), ACCOUNTS * EACH, "at {last}, backward");
        audits.fetch_add(1, Ordering::Relaxed);
    }
}

fn run(db: &Database, isolation: Isolation) {
    let open = |tx: &mut selkie::Transaction| {
        (0..ACCOUNTS).try_for_each(|number| tx.insert(account(number), EACH.to_le_bytes()))
    };
    db.update(open).unwrap();
    let before = db.version();
    let (done, audits) = (AtomicBool::new(false), AtomicU64::new(0));
    let end = Instant::now() + TIME;
    let moved: u64 = thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| audit(db, &done, &audits));
        }
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                db.collect_garbage().unwrap();
            }
        });
        let movers: Vec<_> = (1..=4).map(|seed| scope.spawn(move || move_money(db, seed, isolation, end))).collect();
        let moved = movers.into_iter().map(|mover| mover.join().unwrap()).sum();
        done.store(true, Ordering::Relaxed);
        moved
    });
    assert!(moved > 0 && audits.load(Ordering::Relaxed) > 0);
    assert_eq!(db.version() - before, moved);
    assert_eq!(sum(&db.begin_read().unwrap()), ACCOUNTS * EACH);
}

fn stored(visibility: Visibility, durability: Durability) -> (Database, Arc<MemoryStorage>) {
    let storage = Arc::new(MemoryStorage::new());
    let options = Options::new().visibility(visibility).durability(durability);
    (options.open_storage(storage.clone()).unwrap(), storage)
}

#[test]
fn no_money_is_made_or_lost_in_memory() {
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        run(&Database::in_memory(), isolation);
    }
}

#[test]
fn no_money_is_made_or_lost_with_either_visibility() {
    for visibility in [Visibility::Durable, Visibility::Applied] {
        for durability in [Durability::Immediate, Durability::Queued] {
            let (db, storage) = stored(visibility, durability);
            run(&db, Isolation::Serializable);
            let version = db.version();
            db.close().unwrap();
            let db = Options::new().open_storage(storage).unwrap();
            assert_eq!((db.version(), sum(&db.begin_read().unwrap())), (version, ACCOUNTS * EACH));
        }
    }
}

#[test]
fn increments_from_many_threads_add_up() {
    for visibility in [Visibility::Durable, Visibility::Applied] {
        let (db, _storage) = stored(visibility, Durability::Buffered);
        let increment = |tx: &mut selkie::Transaction| {
            let value = balance(tx, 0)?;
            tx.insert(account(0), (value + 1).to_le_bytes())
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..250).for_each(|_| db.update(increment).unwrap()));
            }
        });
        assert_eq!(balance(&db.begin_read().unwrap(), 0).unwrap(), 1000);
    }
}
