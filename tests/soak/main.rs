//! A soak: a database in real files is kept busy with everything that takes memory, files or a place in a queue, and comes
//! to rest now and then. Whatever keeps growing from rest to rest fails it. Natively only: it takes threads and files.
//!
//! At rest the contents are the same each time, so that what is measured differs by what was left behind.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod churn;
#[path = "../common/mod.rs"]
mod common;
mod judge;
mod measures;

use std::alloc::System;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use churn::{Churn, KEYS, key};
use common::campaign::{count, variable};
use measures::{Measures, heap_bytes, of_process};
use selkie::{Database, Durability, Options, Retention, SnapshotPolicy, Writable};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Memory is measured for the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

const AGE: Duration = Duration::from_millis(20);
const RETENTIONS: [Retention; 3] = [Retention::None, Retention::Versions(2), Retention::Age(AGE)];
const THREADS: u64 = 2;
/// What each thread does before the database comes to rest.
const STEPS: u64 = 150;

fn options(retention: Retention) -> Options {
    let mut limits = selkie::Limits::default();
    limits.watch_bytes = 256 << 10;
    Options::new()
        .limits(limits)
        .history(retention)
        .durability(Durability::Buffered)
        .snapshots(SnapshotPolicy::LogSize(512 << 10))
        .segment_bytes(128 << 10)
}

/// Keeps the database busy for a round. Returns how many operations that were.
fn work(db: &Database, place: &Path, seed: u64) -> u64 {
    thread::scope(|scope| {
        for number in 0..THREADS {
            scope.spawn(move || {
                let mut churn = Churn::new(db, place, number, seed);
                (0..STEPS).for_each(|_| churn.step());
                churn.rest();
            });
        }
    });
    THREADS * STEPS
}

/// Brings the contents to what they are at every rest, as often as versions of a key are kept, and waits until nothing is
/// left to be done.
fn rest(db: &Database) {
    for _ in 0..2 {
        let mut tx = db.begin_with(selkie::TransactionOptions::new().write_only()).unwrap();
        (0..KEYS).for_each(|number| tx.insert(key(number), [1; 100]).unwrap());
        tx.remove("copied").unwrap();
        tx.commit().unwrap();
    }
    if db.retention() == Retention::Age(AGE) {
        thread::sleep(AGE * 2);
    }
    db.sync().unwrap();
    db.collect_garbage().unwrap();
    db.snapshot().unwrap();
}

/// Works and rests until the time is over. Returns how many operations that were.
fn soak(retention: Retention, time: Duration, seed: u64) -> u64 {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("db");
    let end = Instant::now() + time;
    let mut measures = Measures::new();
    let (mut operations, mut rounds) = (0, 0);
    let db = options(retention).open(&directory).unwrap();
    while rounds < judge::FEWEST as u64 || Instant::now() < end {
        operations += work(&db, root.path(), seed + rounds);
        rest(&db);
        measures.take(&db, &directory);
        rounds += 1;
    }
    let growing = measures.growing();
    assert!(growing.is_empty(), "SELKIE_SEED={seed} {retention:?}: {}", growing.join("; "));
    println!("{retention:?}: {rounds} rounds; {}", measures.summary());
    drop(db);
    let db = options(retention).open(&directory).unwrap();
    assert_eq!((db.stats().keys, db.get(key(0)).unwrap().unwrap()), (KEYS, [1; 100][..].into()));
    db.close().unwrap();
    operations
}

#[test]
fn nothing_keeps_growing() {
    let _alone = ALONE.lock().unwrap();
    let (seconds, seed) = (variable("SELKIE_SECONDS", 9), variable("SELKIE_SEED", 1));
    let share = Duration::from_secs(seconds) / RETENTIONS.len() as u32;
    let warm = RETENTIONS.map(|retention| soak(retention, Duration::ZERO, seed)).iter().sum::<u64>();
    let (heap, process) = (heap_bytes(), of_process());
    let operations = RETENTIONS.map(|retention| soak(retention, share, seed)).iter().sum::<u64>();
    // The databases are closed: what they held is given back.
    assert_eq!(of_process(), process, "threads and open files");
    assert!(heap_bytes() <= heap + (256 << 10), "{} bytes of memory instead of {heap}", heap_bytes());
    count(warm + operations, "soak operations");
}

/// What the documentation of `Database::begin_read` says that a reader costs: its figures are the bounds here.
#[test]
fn a_reader_that_stays_costs_what_it_holds_and_no_more() {
    const VERSIONS: u64 = 10_000;
    let _alone = ALONE.lock().unwrap();
    for value_bytes in [8, 22, 100, 1_000] {
        let db = Database::in_memory();
        let value = vec![1; value_bytes as usize];
        let write = || (0..VERSIONS).for_each(|_| drop(db.insert("key", &value).unwrap()));
        write();
        let view = db.begin_read().unwrap();
        let before = heap_bytes();
        write();
        let stats = db.stats();
        assert_eq!(stats.history_bytes, VERSIONS * value_bytes);
        assert_eq!((stats.oldest_reader, stats.version), (VERSIONS, 2 * VERSIONS));
        let each = (heap_bytes() - before) / VERSIONS;
        println!("{each} bytes for each version of {value_bytes} bytes that a reader holds");
        assert!(each <= 80 + value_bytes + "key".len() as u64, "{each} of {value_bytes}");
        drop(view);
        db.collect_garbage().unwrap();
        assert!(heap_bytes() < before + (64 << 10));
    }
}

const LARGE: usize = 10_000;

fn heap_comes_down_to(limit: u64) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while heap_bytes() > limit && Instant::now() < end {
        thread::sleep(Duration::from_millis(10));
    }
    heap_bytes() <= limit
}

#[test]
fn old_values_go_while_somebody_writes() {
    let _alone = ALONE.lock().unwrap();
    for retention in RETENTIONS {
        let db = Options::new().history(retention).in_memory().unwrap();
        for _ in 0..4 {
            let mut tx = db.begin_write().unwrap();
            (0..KEYS).for_each(|number| tx.insert(key(number), [0; LARGE]).unwrap());
            tx.commit().unwrap();
        }
        let kept = if retention == Retention::Versions(2) { KEYS * LARGE as u64 } else { 0 };
        let end = Instant::now() + Duration::from_secs(20);
        while db.stats().history_bytes > kept + 100 && Instant::now() < end {
            db.insert("beat", "").unwrap();
            thread::sleep(Duration::from_millis(5));
        }
        assert!(db.stats().history_bytes <= kept + 100, "{retention:?}: {} bytes", db.stats().history_bytes);
    }
}

#[test]
fn an_idle_database_keeps_no_old_values() {
    let _alone = ALONE.lock().unwrap();
    let db = Database::in_memory();
    let other = db.keyspace("other").unwrap();
    let before = heap_bytes();
    let view = db.begin_read().unwrap();
    (0..2 * KEYS).for_each(|number| drop(db.insert(key(number % KEYS), [0; LARGE]).unwrap()));
    (0..2 * KEYS).for_each(|number| drop(other.insert(key(number % KEYS), [0; LARGE]).unwrap()));
    drop(other);
    db.drop_keyspace("other").unwrap();
    drop(view);
    assert!(heap_comes_down_to(before + (KEYS + 20) * LARGE as u64), "{} bytes", heap_bytes() - before);
}
