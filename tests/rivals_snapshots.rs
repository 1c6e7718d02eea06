//! What other databases were seen to fail at, as sequences with snapshots that must end well here.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{Operation, ScriptedStorage, Verdict, assert_filled, fill, last_file, open, small_segments, with_last};
use selkie::storage::MemoryStorage;
use selkie::{Corruption, ErrorKind, Options};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn half_a_snapshot_or_one_without_its_last_ten_bytes_is_refused() {
    let storage = MemoryStorage::new();
    let db = open(&storage).unwrap();
    fill(&db, 0..1000);
    db.snapshot().unwrap();
    db.close().unwrap();
    let name = last_file(&storage, ".snapshot");
    let length = storage.files()[&name].len();
    for left in [length - 10, length / 2, length - 1, 16, 0] {
        let damaged = with_last(&storage, ".snapshot", |bytes| bytes.truncate(left));
        let before = damaged.files();
        let refused = open(&damaged).unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::Corrupted { file, .. } if *file == name), "{refused}");
        assert_eq!(damaged.files(), before);
    }
}

#[test]
fn a_damaged_snapshot_is_passed_over_where_an_older_one_and_the_log_are_kept() {
    let storage = MemoryStorage::new();
    let db = Options::new().retained_snapshots(2).open_storage(Arc::new(storage.clone())).unwrap();
    fill(&db, 0..10);
    db.snapshot().unwrap();
    fill(&db, 10..20);
    db.snapshot().unwrap();
    fill(&db, 20..30);
    let damaged = with_last(&storage, ".snapshot", |bytes| bytes.truncate(bytes.len() - 10));
    let db = open(&damaged).unwrap();
    assert_filled(&db, 0..30);
    assert_eq!(db.recovery().ignored_files, [last_file(&storage, ".snapshot")]);
    assert_ne!(last_file(&damaged, ".snapshot"), last_file(&storage, ".snapshot"), "it is removed");
    fill(&db, 30..40);
    assert_filled(&open(&damaged.copy()).unwrap(), 0..40);
    db.snapshot().unwrap();
    assert_filled(&open(&damaged.copy()).unwrap(), 0..40);
}

/// Refuses one kind of operation on snapshots, and nothing else.
fn no_snapshots(operation: Operation, verdict: Verdict) -> Arc<ScriptedStorage> {
    ScriptedStorage::new(
        move |asked, file| {
            if asked == operation && file.ends_with(".snapshot") { verdict } else { Verdict::Go }
        },
    )
}

#[test]
fn a_snapshot_that_cannot_be_written_leaves_the_log() {
    for (operation, verdict) in [
        (Operation::Create, Verdict::Fail),
        (Operation::Write, Verdict::Fail),
        (Operation::Write, Verdict::Short),
        (Operation::Sync, Verdict::Fail),
    ] {
        let storage = no_snapshots(operation, verdict);
        let db = small_segments().open_storage(storage.clone()).unwrap();
        fill(&db, 0..50);
        for failures in 1..3 {
            assert!(matches!(db.snapshot().unwrap_err().kind(), ErrorKind::Io { .. }));
            let stats = db.stats();
            assert_eq!(stats.snapshot_failures, failures);
            assert!(matches!(stats.snapshot_error.unwrap().kind(), ErrorKind::Io { .. }));
            assert!(stats.snapshot.is_none() && stats.poisoned.is_none());
        }
        fill(&db, 50..60);
        assert_filled(&open(&storage.crash()).unwrap(), 0..60);
        storage.heal();
        db.snapshot().unwrap();
        assert!(db.stats().snapshot_error.is_none());
        fill(&db, 60..70);
        let reopened = open(&storage.crash()).unwrap();
        assert!(reopened.recovery().snapshot.is_some());
        assert_filled(&reopened, 0..70);
    }
}

#[test]
fn a_snapshot_whose_remains_cannot_be_removed_does_no_harm() {
    let storage = ScriptedStorage::new(|asked, file| match (asked, file.ends_with(".snapshot")) {
        (Operation::Write, true) => Verdict::Short,
        (Operation::Remove, _) => Verdict::Fail,
        _ => Verdict::Go,
    });
    let db = small_segments().open_storage(storage.clone()).unwrap();
    fill(&db, 0..50);
    assert!(db.snapshot().is_err());
    fill(&db, 50..60);
    let crashed = storage.crash();
    assert!(last_file(&crashed, ".snapshot").ends_with(".snapshot"));
    let reopened = open(&crashed).unwrap();
    assert_eq!(reopened.recovery().ignored_files.len(), 1);
    assert_filled(&reopened, 0..60);
    storage.heal();
    db.snapshot().unwrap();
    assert_filled(&open(&storage.crash()).unwrap(), 0..60);
}

#[test]
fn a_database_that_lost_a_file_is_not_taken_for_a_new_one() {
    let storage = MemoryStorage::new();
    let db = open(&storage).unwrap();
    fill(&db, 0..10);
    db.snapshot().unwrap();
    fill(&db, 10..20);
    db.close().unwrap();
    let mut files = storage.files();
    while files.len() > 1 {
        files.pop_first();
        let refused = open(&MemoryStorage::from_files(files.clone())).unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::Corrupted { kind: Corruption::Missing, .. }), "{refused}");
    }
}
