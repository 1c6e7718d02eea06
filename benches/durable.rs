//! Synced commits beside the raw rate of the disk, and opening a database, on the file system.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a benchmark stops at the first surprise"
)]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use common::{VALUE, key, load, records, spread};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use selkie::storage::{Completion, FileStorage, Flush, Storage};
use selkie::{Compression, Durability, Options, SnapshotPolicy};

fn done<T>(completion: Completion<T>) -> T {
    completion.try_take().unwrap_or_else(|_| panic!("a file system answers at once")).unwrap()
}

/// How long `count` syncs take, each after a write of one frame's size into prepared space.
fn raw_syncs(directory: &Path, count: u64) -> Duration {
    let storage = FileStorage::new(directory);
    done(storage.create("raw"));
    done(storage.reserve("raw", 64 << 20));
    let frame = Bytes::from(vec![1; 176]);
    let start = Instant::now();
    for turn in 0..count {
        done(storage.write("raw", turn * 176, frame.clone(), Flush::Yes));
    }
    let elapsed = start.elapsed();
    done(storage.remove("raw"));
    elapsed
}

fn synced_commits(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let db = Options::new().snapshots(SnapshotPolicy::Never).open(directory.path().join("db")).unwrap();
    let insert = |random, _thread| drop(db.insert(key(random % 100_000), VALUE).unwrap());
    let mut group = criterion.benchmark_group("synced commit");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    group.bench_function("raw prepared write and sync", |bencher| {
        bencher.iter_custom(|count| raw_syncs(directory.path(), count));
    });
    for threads in [1, 16, 64] {
        group.bench_function(BenchmarkId::new("threads", threads), |bencher| {
            bencher.iter_custom(|count| spread(threads, count, insert));
        });
    }
    group.finish();
}

fn open(directory: &Path) -> Duration {
    let start = Instant::now();
    let db = Options::new().snapshots(SnapshotPolicy::Never).open(directory).unwrap();
    let elapsed = start.elapsed();
    assert_eq!(db.stats().keys, records());
    elapsed
}

fn opening(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let (log, snapshot, plain) =
        (directory.path().join("log"), directory.path().join("snapshot"), directory.path().join("plain"));
    let options = || Options::new().durability(Durability::Queued).snapshots(SnapshotPolicy::Never);
    let db = options().open(&log).unwrap();
    for number in 0..records() {
        db.insert(key(number), VALUE).unwrap();
    }
    db.close().unwrap();
    for (path, compression) in [(&snapshot, Compression::Lz4), (&plain, Compression::None)] {
        let db = options().compression(compression).open(path).unwrap();
        load(&db, records());
        db.snapshot().unwrap();
        db.close().unwrap();
    }
    let mut group = criterion.benchmark_group("open");
    group.throughput(Throughput::Elements(records())).sample_size(10);
    for (name, path) in [
        ("from the log, one record per commit", &log),
        ("from a snapshot", &snapshot),
        ("from a snapshot without compression", &plain),
    ] {
        group.bench_function(name, |bencher| bencher.iter_custom(|count| (0..count).map(|_| open(path)).sum()));
    }
    group.finish();
}

criterion_group!(benches, synced_commits, opening);
criterion_main!(benches);
