//! The data that all benchmarks use: random 16-byte keys with 100-byte values.

#![allow(dead_code, clippy::cast_precision_loss, reason = "each benchmark uses a part of it")]

use std::sync::Barrier;
use std::time::{Duration, Instant};

use selkie::{Database, Options, TransactionOptions, Writable};

pub(crate) const VALUE: [u8; 100] = [7; 100];

/// How many records there are: a million, or what `SELKIE_BENCH_RECORDS` says.
pub(crate) fn records() -> u64 {
    std::env::var("SELKIE_BENCH_RECORDS").ok().and_then(|count| count.parse().ok()).unwrap_or(1_000_000)
}

/// A key that looks random and is the same in every run.
pub(crate) fn key(number: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&scramble(number).to_be_bytes());
    key[8..].copy_from_slice(&scramble(number ^ 0x5bd1_e995).to_be_bytes());
    key
}

pub(crate) fn scramble(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// How long it takes to do `work` `count` times, spread over threads. It is given a random number and the thread's.
pub(crate) fn spread(threads: u64, count: u64, work: impl Fn(u64, u64) + Sync) -> Duration {
    let each = count.div_ceil(threads);
    let all_are_there = Barrier::new(threads as usize + 1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let (work, all_are_there) = (&work, &all_are_there);
                scope.spawn(move || {
                    all_are_there.wait();
                    (0..each).for_each(|turn| work(scramble(turn * threads + thread), thread));
                })
            })
            .collect();
        all_are_there.wait();
        let start = Instant::now();
        for worker in workers {
            worker.join().unwrap();
        }
        start.elapsed().mul_f64(count as f64 / (each * threads) as f64)
    })
}

/// Loads records in transactions of a thousand.
pub(crate) fn load(db: &Database, records: u64) {
    for start in (0..records).step_by(1_000) {
        let mut tx = db.begin_with(TransactionOptions::new().write_only()).unwrap();
        for number in start..(start + 1_000).min(records) {
            tx.insert(key(number), VALUE).unwrap();
        }
        tx.commit().unwrap();
    }
}

/// A database in memory that holds the records.
pub(crate) fn loaded() -> Database {
    let db = Options::new().in_memory().unwrap();
    load(&db, records());
    db
}
