//! Reads, scans and commits of a database in memory, one thread and many.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a benchmark stops at the first surprise")]

mod common;

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use common::{VALUE, key, load, loaded, records, scramble, spread};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use selkie::{Database, Readable, Writable};

fn reads(criterion: &mut Criterion) {
    let db = loaded();
    let view = db.begin_read().unwrap();
    let mut group = criterion.benchmark_group("point read");
    let (mut turn, count) = (0, records());
    let mut next = || {
        turn += 1;
        key(scramble(turn) % count)
    };
    group.bench_function("borrowed, in a view", |bencher| {
        bencher.iter(|| view.get_with(next(), |value| value[0]).unwrap().unwrap());
    });
    group.bench_function("owned, in a view", |bencher| bencher.iter(|| view.get(next()).unwrap().unwrap()));
    group.bench_function("borrowed, without a view", |bencher| {
        bencher.iter(|| db.get_with(next(), |value| value[0]).unwrap().unwrap());
    });
    group.bench_function("owned, in a view of its own", |bencher| {
        bencher.iter(|| db.begin_read().unwrap().get(next()).unwrap().unwrap());
    });
    group.bench_function("making the key only", |bencher| bencher.iter(&mut next));
    group.finish();

    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Elements(records())).sample_size(10);
    group.bench_function("closure, per entry", |bencher| {
        bencher.iter(|| {
            let mut bytes = 0;
            let add = |_: &[u8], value: &[u8]| {
                bytes += value.len();
                ControlFlow::Continue(())
            };
            view.scan::<&[u8]>(.., add).unwrap();
            black_box(bytes)
        });
    });
    group.bench_function("iterator, per entry", |bencher| {
        bencher.iter(|| view.iter().map(|entry| entry.unwrap().1.len()).sum::<usize>());
    });
    group.bench_function("reversed iterator, per entry", |bencher| {
        bencher.iter(|| view.iter().rev().map(|entry| entry.unwrap().1.len()).sum::<usize>());
    });
    group.bench_function("count, per entry", |bencher| bencher.iter(|| view.count_range::<&[u8]>(..).unwrap()));
    group.finish();
}

fn inserts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("insert");
    group.throughput(Throughput::Elements(records())).sample_size(10);
    group.bench_function("in transactions of 1000, per record", |bencher| {
        bencher.iter_custom(|rounds| {
            (0..rounds)
                .map(|_| {
                    let db = Database::in_memory();
                    let start = Instant::now();
                    load(&db, records());
                    start.elapsed()
                })
                .sum()
        });
    });
    group.finish();
}

/// Adds one to the first byte of a value, in a transaction of its own.
fn read_modify_write(db: &Database, key: &[u8]) {
    db.update(|tx| {
        let mut value: [u8; 100] = tx.get_with(key, |value| value.try_into().unwrap())?.unwrap_or(VALUE);
        value[0] = value[0].wrapping_add(1);
        tx.insert(key, value)
    })
    .unwrap();
}

fn commits(criterion: &mut Criterion) {
    let db = loaded();
    let mut group = criterion.benchmark_group("read-modify-write commit");
    group.throughput(Throughput::Elements(1));
    for threads in [1, 4, 64] {
        group.bench_function(BenchmarkId::new("threads", threads), |bencher| {
            // Each thread has keys of its own.
            let each = records() / threads;
            let change = |random, thread| read_modify_write(&db, &key(random % each * threads + thread));
            bencher.iter_custom(|count| spread(threads, count, change));
        });
    }
    group.finish();
}

criterion_group!(benches, reads, inserts, commits);
criterion_main!(benches);
