//! A storage that fails: the first error of the log stops all writing, and nothing acknowledged is lost.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use common::{Operation, ScriptedStorage, Verdict, keys};
use selkie::storage::MemoryStorage;
use selkie::{Database, Durability, Error, ErrorKind, Options, SnapshotPolicy};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const OPERATIONS: [Operation; 6] = [
    Operation::Create,
    Operation::Write,
    Operation::Truncate,
    Operation::Sync,
    Operation::SyncDirectory,
    Operation::Remove,
];

fn options() -> Options {
    Options::new().snapshots(SnapshotPolicy::Never).segment_bytes(4096)
}

/// A storage over the files that gives a verdict on the n-th call of an operation, and goes on working after it.
fn fail_once(files: &MemoryStorage, operation: Operation, nth: usize, verdict: Verdict) -> Arc<ScriptedStorage> {
    let seen = AtomicUsize::new(0);
    ScriptedStorage::over(files.clone(), move |asked, _| {
        let hit = asked == operation && seen.fetch_add(1, Ordering::Relaxed) == nth;
        if hit { verdict } else { Verdict::Go }
    })
}

fn failed(storage: &ScriptedStorage) -> Option<usize> {
    storage.calls().iter().position(|(_, _, verdict)| *verdict != Verdict::Go)
}

/// Commits, with segment changes and a snapshot on the way. Returns the keys that were acknowledged.
fn work(db: &Database) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut ended = None;
    for number in 0..12 {
        if number == 8 {
            // Whether it succeeds makes no difference to the commits.
            let _snapshot = db.snapshot();
        }
        let key = format!("key {number:02}");
        match (db.insert(&key, vec![7; 1000]), &ended) {
            (Ok(_), None) => acknowledged.push(key),
            (Err(error), None) if ends_writing(&error) => ended = Some(error),
            (Err(error), Some(_)) if matches!(error.kind(), ErrorKind::Poisoned { .. }) => {}
            (outcome, _) => panic!("{outcome:?} after {ended:?}"),
        }
        let seen = keys(db);
        assert!(seen.starts_with(&acknowledged), "{seen:?} instead of {acknowledged:?}");
    }
    acknowledged
}

fn ends_writing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::DurabilityUnknown { .. } | ErrorKind::Poisoned { .. })
}

/// What the reopened database holds: all that was acknowledged, and at most the one commit that was in flight.
fn check(files: &MemoryStorage, acknowledged: &[String], what: &str) {
    for _ in 0..2 {
        let db = common::open(&files.copy()).unwrap_or_else(|error| panic!("{what}: {error}"));
        let found = keys(&db);
        assert!(found.starts_with(acknowledged), "{what}: {found:?} instead of {acknowledged:?}");
        assert!(found.len() <= acknowledged.len() + 1, "{what}: {found:?} instead of {acknowledged:?}");
    }
}

/// One run with one failure. Returns whether the failure came about.
fn run(operation: Operation, nth: usize, verdict: Verdict, durability: Durability) -> bool {
    let what = format!("{verdict:?} of {operation:?} {nth}");
    let files = MemoryStorage::new();
    let storage = fail_once(&files, operation, nth, verdict);
    let acknowledged = match options().durability(durability).open_storage(storage.clone()) {
        Ok(db) => {
            let acknowledged = work(&db);
            let poisoned = db.stats().poisoned.is_some();
            let crashed = storage.crash();
            check(&crashed, &acknowledged, &what);
            let closed = db.close();
            assert!(closed.is_ok() || poisoned || failed(&storage).is_some(), "{what}: {closed:?}");
            acknowledged
        }
        Err(error) if matches!(error.kind(), ErrorKind::Io { .. }) => Vec::new(),
        Err(error) => panic!("{what}: {error}"),
    };
    check(&files, &acknowledged, &what);
    failed(&storage).is_some()
}

#[test]
fn whichever_call_fails_nothing_acknowledged_is_lost() {
    let mut runs = 0;
    for durability in [Durability::Immediate, Durability::Buffered] {
        for operation in OPERATIONS {
            let mut nth = 0;
            while run(operation, nth, Verdict::Fail, durability) {
                nth += 1;
            }
            assert!(nth > 0, "{operation:?} never happened");
            runs += nth;
        }
        let mut nth = 0;
        while run(Operation::Write, nth, Verdict::Short, durability) {
            nth += 1;
        }
        runs += nth;
    }
    println!("{runs} runs with one failure each");
}

#[test]
fn whichever_call_of_a_recovery_fails_the_next_one_has_everything() {
    let files = MemoryStorage::new();
    let db = options().open_storage(Arc::new(files.clone())).unwrap();
    let acknowledged = work(&db);
    let mut crashed = files.files();
    let last = common::last_file(&files, ".log");
    crashed.get_mut(&last).unwrap().extend_from_slice(&[7; 30]);
    let mut runs = 0;
    for operation in OPERATIONS {
        for verdict in [Verdict::Fail, Verdict::Short] {
            for nth in 0.. {
                let files = MemoryStorage::from_files(crashed.clone());
                let storage = fail_once(&files, operation, nth, verdict);
                let opened = options().open_storage(storage.clone());
                assert_eq!(opened.is_err(), failed(&storage).is_some());
                drop(opened);
                check(&files, &acknowledged, "after a failed recovery");
                if failed(&storage).is_none() {
                    break;
                }
                runs += 1;
            }
        }
    }
    println!("{runs} recoveries with one failure each");
    assert!(runs >= 5);
}

#[test]
fn after_the_first_error_commits_say_poisoned_and_reads_go_on() {
    for operation in [Operation::Write, Operation::Sync] {
        let files = MemoryStorage::new();
        let storage = fail_once(&files, operation, 4, Verdict::Fail);
        let db = options().open_storage(storage).unwrap();
        let mut last = db.version();
        let error = loop {
            match db.insert(format!("key {last}"), "value") {
                Ok(info) => last = info.version(),
                Err(error) => break error,
            }
        };
        assert!(
            matches!(error.kind(), ErrorKind::DurabilityUnknown { version, .. } if *version == last + 1),
            "{error}"
        );
        assert!(matches!(db.insert("later", "").unwrap_err().kind(), ErrorKind::Poisoned { .. }));
        assert!(matches!(db.begin_write().map(drop).unwrap_err().kind(), ErrorKind::Poisoned { .. }));
        assert!(matches!(db.sync().unwrap_err().kind(), ErrorKind::Poisoned { .. }));
        assert!(matches!(db.snapshot().unwrap_err().kind(), ErrorKind::Poisoned { .. }));
        assert!(matches!(db.keyspace("new").unwrap_err().kind(), ErrorKind::Poisoned { .. }));
        assert!(db.stats().poisoned.is_some());
        assert_eq!(db.version(), last, "a commit of unknown durability is not visible");
        assert_eq!(keys(&db).len() as u64, last);
        assert!(matches!(db.close().unwrap_err().kind(), ErrorKind::Poisoned { .. }));
        assert!(keys(&common::open(&files).unwrap()).len() as u64 >= last);
    }
}

#[test]
fn a_failed_sync_is_not_retried() {
    let storage = ScriptedStorage::new(|_, _| Verdict::Go);
    let db = options().open_storage(storage.clone()).unwrap();
    db.insert("before", "").unwrap();
    drop(db);
    let storage = fail_once(&storage.crash(), Operation::Sync, 5, Verdict::Fail);
    let db = options().open_storage(storage.clone()).unwrap();
    while db.insert("key", "value").is_ok() {}
    // Neither of these may report success, and no further byte goes to the log.
    assert!(db.sync().is_err());
    assert!(db.insert("key", "value").is_err());
    assert!(db.close().is_err());
    let calls = storage.calls();
    let failure = failed(&storage).unwrap();
    assert_eq!(calls[failure..].len(), 1, "after the failed sync: {:?}", &calls[failure..]);
}

#[test]
fn close_reports_that_what_was_queued_could_not_be_written() {
    for durability in [Durability::None, Durability::Queued] {
        let broken = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&broken);
        let storage =
            ScriptedStorage::new(move |_, _| if asked.load(Ordering::Relaxed) { Verdict::Fail } else { Verdict::Go });
        let db = options().durability(durability).open_storage(storage).unwrap();
        broken.store(true, Ordering::Relaxed);
        db.insert("key", "value").unwrap();
        assert!(matches!(db.close().unwrap_err().kind(), ErrorKind::Poisoned { .. }));
    }
}
