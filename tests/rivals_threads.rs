//! What other databases were seen to fail at, as sequences with threads, directories and processes.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use common::{Operation, ScriptedStorage, Verdict, keys, open};
use selkie::storage::MemoryStorage;
use selkie::{
    Database, Durability, ErrorKind, Isolation, Options, Readable, SnapshotPolicy, TransactionOptions, Writable,
};

const SECOND_OPENER: &str = "SELKIE_TEST_SECOND_OPENER";

fn number(value: Option<bytes::Bytes>) -> u64 {
    value.map_or(0, |value| u64::from_le_bytes(value[..].try_into().unwrap()))
}

fn small_segments() -> Options {
    Options::new().segment_bytes(16 << 10).snapshots(SnapshotPolicy::Never)
}

/// Runs `work` in several threads that begin together, and gives the sum of what they return.
fn in_threads(count: u64, work: impl Fn(u64) -> u64 + Sync) -> u64 {
    let barrier = Barrier::new(count as usize);
    thread::scope(|scope| {
        let run = |thread| {
            let (barrier, work) = (&barrier, &work);
            scope.spawn(move || {
                barrier.wait();
                work(thread)
            })
        };
        let threads: Vec<_> = (0..count).map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

/// Increments a counter until the time is up. Returns how often that was acknowledged.
fn increments(db: &Database, isolation: Isolation) -> u64 {
    let end = Instant::now() + Duration::from_millis(500);
    let mut acknowledged = 0;
    while Instant::now() < end {
        let mut tx = db.begin_with(TransactionOptions::new().isolation(isolation)).unwrap();
        let count = number(tx.get("count").unwrap());
        tx.insert("count", (count + 1).to_le_bytes()).unwrap();
        match tx.commit() {
            Ok(_) => acknowledged += 1,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
    acknowledged
}

#[test]
fn concurrent_increments_by_hand_lose_none() {
    for durability in [Durability::None, Durability::Buffered, Durability::Immediate] {
        for isolation in [Isolation::Serializable, Isolation::Snapshot] {
            let storage = MemoryStorage::new();
            let db = small_segments().durability(durability).open_storage(Arc::new(storage.clone())).unwrap();
            let acknowledged = in_threads(8, |_| increments(&db, isolation));
            assert!(acknowledged > 0);
            assert_eq!(number(db.get("count").unwrap()), acknowledged, "{durability:?}, {isolation:?}");
            db.close().unwrap();
            assert_eq!(number(open(&storage).unwrap().get("count").unwrap()), acknowledged);
        }
    }
}

#[test]
fn concurrent_increments_by_update_lose_none_and_always_succeed() {
    let storage = MemoryStorage::new();
    let db = small_segments().open_storage(Arc::new(storage.clone())).unwrap();
    let increment = |tx: &mut selkie::Transaction| {
        let count = number(tx.get("count")?);
        tx.insert("count", (count + 1).to_le_bytes())
    };
    let acknowledged = in_threads(8, |_| (0..300).map(|_| db.update(increment).map(|()| 1).unwrap()).sum());
    assert_eq!(acknowledged, 2400);
    assert_eq!(number(db.get("count").unwrap()), acknowledged);
    assert_eq!(number(open(&storage.copy()).unwrap().get("count").unwrap()), acknowledged);
}

#[test]
fn everything_of_eight_writers_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let open = || small_segments().durability(Durability::Buffered).open(directory.path()).unwrap();
    for round in 0..3 {
        let db = open();
        in_threads(8, |thread| {
            let users = db.keyspace(&format!("keyspace {thread}")).unwrap();
            for number in 0..200 {
                db.insert(format!("{round} {thread} {number:04}"), "value").unwrap();
                users.insert(format!("{round} {number:04}"), "value").unwrap();
            }
            0
        });
        drop(db);
        let db = open();
        assert_eq!(keys(&db).len(), (round + 1) * 1600);
        for thread in 0..8 {
            let keyspace = db.keyspace(&format!("keyspace {thread}")).unwrap();
            assert_eq!(db.begin_read().unwrap().keyspace(&keyspace).iter().count(), (round + 1) * 200);
        }
    }
}

#[test]
fn commits_go_on_while_snapshots_are_written() {
    let storage = MemoryStorage::new();
    let db = small_segments().open_storage(Arc::new(storage.clone())).unwrap();
    let stop = AtomicBool::new(false);
    let pair = |tx: &mut selkie::Transaction, key: &str| {
        let count = number(tx.get(format!("a {key}"))?) + 1;
        tx.insert(format!("a {key}"), count.to_le_bytes())?;
        tx.insert(format!("z {key}"), count.to_le_bytes())
    };
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|thread| {
                let (db, stop) = (&db, &stop);
                scope.spawn(move || {
                    let mut number = 0;
                    while !stop.load(Ordering::Relaxed) {
                        db.update(|tx| pair(tx, &format!("{thread} {}", number % 50))).unwrap();
                        number += 1;
                    }
                })
            })
            .collect();
        let mut versions = Vec::new();
        for _ in 0..30 {
            versions.push(db.snapshot().unwrap().version);
            // A crash now: pairs are whole, and the snapshot is one of a single version.
            let acknowledged = db.version();
            let crashed = open(&storage.copy()).unwrap();
            assert!(crashed.version() >= acknowledged);
            let view = crashed.begin_read().unwrap();
            let values = |prefix| view.prefix(prefix).map(|entry| entry.unwrap().1).collect::<Vec<_>>();
            assert_eq!(values("a "), values("z "));
            thread::sleep(Duration::from_millis(5));
        }
        stop.store(true, Ordering::Relaxed);
        assert!(versions.is_sorted());
        drop(writers);
    });
    let acknowledged = db.version();
    assert!(db.stats().snapshot.unwrap().version < acknowledged || acknowledged > 0);
    drop(db);
    assert_eq!(open(&storage).unwrap().version(), acknowledged);
}

#[test]
fn parallel_snapshots_all_succeed() {
    let directory = tempfile::tempdir().unwrap();
    let db = small_segments().durability(Durability::Buffered).open(directory.path()).unwrap();
    let done = in_threads(6, |thread| {
        for number in 0..10 {
            db.insert(format!("{thread} {number}"), vec![1; 500]).unwrap();
            let info = db.snapshot().unwrap();
            assert!(info.version > 0 && info.bytes > 0);
        }
        10
    });
    assert_eq!((done, db.stats().snapshot_failures), (60, 0));
    drop(db);
    let db = Database::open(directory.path()).unwrap();
    assert_eq!(keys(&db).len(), 60);
    let snapshots = files_ending(directory.path(), ".snapshot");
    assert_eq!(snapshots, 1);
}

fn files_ending(directory: &Path, suffix: &str) -> usize {
    let names = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(suffix)).count()
}

#[test]
fn two_databases_in_one_process_write_snapshots_at_the_same_time() {
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let open = |index: u64| {
        small_segments().durability(Durability::Buffered).open(directories[index as usize].path()).unwrap()
    };
    in_threads(2, |index| {
        let db = open(index);
        for number in 0..200 {
            db.insert(format!("{index} {number:03}"), vec![index as u8; 300]).unwrap();
            if number % 10 == 0 {
                db.snapshot().unwrap();
            }
        }
        0
    });
    for index in 0..2 {
        let db = open(index);
        let found = keys(&db);
        assert_eq!(found.len(), 200);
        assert!(found.iter().all(|key| key.starts_with(&index.to_string())));
    }
}

#[test]
fn a_second_opener_is_told_which_directory_is_locked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    let db = Database::open(&path).unwrap();
    db.insert("key", "value").unwrap();
    for _ in 0..2 {
        let refused = Database::open(&path).unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::Locked { path: named } if Path::new(named) == path), "{refused}");
    }
    assert!(opened_by_another_process(&path).contains(&format!("LOCKED {}", path.display())));
    db.insert("key", "still writable").unwrap();
    drop(db);
    assert!(opened_by_another_process(&path).contains("OPENED still writable"));
    assert_eq!(Database::open(&path).unwrap().get("key").unwrap().unwrap(), "still writable");
}

fn opened_by_another_process(path: &Path) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "second_opener", "--nocapture"]).env(SECOND_OPENER, path);
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// Does nothing unless it is the other process of the test above.
#[test]
fn second_opener() {
    let Some(path) = std::env::var_os(SECOND_OPENER) else { return };
    match Database::open(path) {
        Ok(db) => println!("\nOPENED {}", String::from_utf8_lossy(&db.get("key").unwrap().unwrap())),
        Err(error) => match error.kind() {
            ErrorKind::Locked { path } => println!("\nLOCKED {path}"),
            _ => println!("\nFAILED {error}"),
        },
    }
}

#[test]
fn a_directory_can_be_reopened_right_after_dropping_its_database() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..30_usize {
        let durability = if round.is_multiple_of(2) { Durability::Queued } else { Durability::Buffered };
        let db = small_segments().durability(durability).open(directory.path()).unwrap();
        assert_eq!(keys(&db).len(), round);
        db.insert(format!("{round:03}"), "value").unwrap();
        if round % 7 == 0 {
            db.snapshot().unwrap();
        }
        drop(db);
    }
}

/// A storage whose writes take their time.
fn slow() -> Arc<ScriptedStorage> {
    ScriptedStorage::new(|operation, _| {
        if matches!(operation, Operation::Write | Operation::Sync) {
            thread::sleep(Duration::from_millis(3));
        }
        Verdict::Go
    })
}

#[test]
fn closing_drains_the_queue_of_a_slow_storage() {
    let soon = Durability::Interval { time: Duration::from_millis(20), commits: 1000, bytes: 1 << 20 };
    for durability in [Durability::None, Durability::Queued, soon] {
        let storage = slow();
        let db = small_segments().durability(durability).open_storage(storage.clone()).unwrap();
        let acknowledged = in_threads(4, |thread| {
            let db = db.clone();
            (0..50).map(|number| db.insert(format!("{thread} {number}"), vec![0; 100]).map(|_| 1).unwrap()).sum()
        });
        assert_eq!(acknowledged, 200);
        drop(db);
        assert_eq!(keys(&open(&storage.crash()).unwrap()).len(), 200, "{durability:?}");
    }
}

#[test]
fn closing_while_others_commit_keeps_what_they_were_told() {
    for durability in [Durability::Queued, Durability::Buffered, Durability::Immediate] {
        let storage = slow();
        let db = small_segments().durability(durability).open_storage(storage.clone()).unwrap();
        let acknowledged = AtomicU64::new(0);
        thread::scope(|scope| {
            for thread in 0..4 {
                let (db, acknowledged) = (db.clone(), &acknowledged);
                scope.spawn(move || {
                    for number in 0.. {
                        match db.insert(format!("{thread} {number}"), "value") {
                            Ok(_) => acknowledged.fetch_add(1, Ordering::SeqCst),
                            Err(error) if matches!(error.kind(), ErrorKind::Closed) => break,
                            Err(error) => panic!("{error}"),
                        };
                    }
                });
            }
            thread::sleep(Duration::from_millis(60));
            db.close().unwrap();
        });
        let calls = storage.calls().len();
        let found = keys(&open(&storage.crash()).unwrap()).len() as u64;
        let acknowledged = acknowledged.into_inner();
        assert!((acknowledged..=acknowledged + 4).contains(&found), "{durability:?}: {acknowledged}, {found}");
        assert_eq!(storage.calls().len(), calls);
    }
}

#[test]
fn closing_waits_for_a_snapshot_and_leaves_the_files_alone_afterwards() {
    let writing = Arc::new(Barrier::new(2));
    let (inner, begun) = (MemoryStorage::new(), Arc::clone(&writing));
    let storage = ScriptedStorage::over(inner.clone(), move |operation, file| {
        if operation == Operation::Write && file.ends_with(".snapshot") {
            begun.wait();
            thread::sleep(Duration::from_millis(100));
        }
        Verdict::Go
    });
    let db = small_segments().open_storage(storage.clone()).unwrap();
    for number in 0..100 {
        db.insert(format!("{number:03}"), vec![0; 200]).unwrap();
    }
    thread::scope(|scope| {
        let snapshots = db.clone();
        let queued = db.clone();
        scope.spawn(move || snapshots.snapshot());
        writing.wait();
        scope.spawn(move || queued.snapshot());
        db.close().unwrap();
        let (files, calls) = (inner.files(), storage.calls().len());
        let reopened = open(&inner).unwrap();
        assert_eq!(keys(&reopened).len(), 100);
        drop(reopened);
        thread::sleep(Duration::from_millis(200));
        assert_eq!(storage.calls().len(), calls);
        assert!(files.keys().all(|name| inner.files().contains_key(name)));
    });
    assert_eq!(keys(&open(&inner).unwrap()).len(), 100);
}

#[test]
fn a_background_snapshot_that_fails_shows_and_stops_nothing() {
    let storage = ScriptedStorage::new(|operation, file| {
        if operation == Operation::Sync && file.ends_with(".snapshot") { Verdict::Fail } else { Verdict::Go }
    });
    let options = Options::new().segment_bytes(16 << 10).snapshots(SnapshotPolicy::LogSize(10_000));
    let db = options.open_storage(storage.clone()).unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    let mut count = 0;
    while db.stats().snapshot_failures == 0 {
        assert!(Instant::now() < end);
        db.insert(format!("{count}"), vec![0; 500]).unwrap();
        count += 1;
    }
    for _ in 0..20 {
        db.insert(format!("{count}"), "").unwrap();
        count += 1;
    }
    assert!(matches!(db.stats().snapshot_error.unwrap().kind(), ErrorKind::Io { .. }));
    assert_eq!(keys(&open(&storage.crash()).unwrap()).len(), count);
    storage.heal();
    db.snapshot().unwrap();
    assert_eq!(keys(&open(&storage.crash()).unwrap()).len(), count);
}

#[cfg(target_os = "linux")]
fn open_files_in(directory: &Path) -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    open.filter(|file| std::fs::read_link(file.as_ref().unwrap().path()).is_ok_and(|path| path.starts_with(directory)))
        .count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_of_many_segments_keeps_few_files_open() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().canonicalize().unwrap();
    let options = || Options::new().segment_bytes(4096).snapshots(SnapshotPolicy::Never);
    let db = options().durability(Durability::Buffered).open(&path).unwrap();
    for key in 0..300_u32 {
        db.insert(key.to_be_bytes(), [7; 3000]).unwrap();
    }
    assert!(files_ending(&path, ".log") > 200);
    assert!(open_files_in(&path) < 100, "{} files after writing", open_files_in(&path));
    db.close().unwrap();
    let db = options().open(&path).unwrap();
    assert!(open_files_in(&path) < 100, "{} files after opening", open_files_in(&path));
    assert_eq!(db.begin_read().unwrap().iter().count(), 300);
}

#[test]
fn garbage_is_collected_by_itself_in_every_keyspace_of_a_commit() {
    let db = Database::in_memory();
    let users = db.keyspace("users").unwrap();
    users.insert("ada", "1").unwrap();
    // What opening expected to find is gone through by then.
    thread::sleep(Duration::from_millis(200));
    let mut tx = db.begin_write().unwrap();
    tx.keyspace_mut(&users).insert("ada", "2").unwrap();
    tx.insert("new", "1").unwrap();
    tx.commit().unwrap();
    let start = Instant::now();
    while db.stats().versions > db.stats().keys {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", db.stats());
        thread::sleep(Duration::from_millis(10));
    }
}
