//! What other databases were seen to fail at, as sequences that must end well here. These need no threads.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use common::events::async_tests;
use common::{
    Operation, ScriptedStorage, Verdict, assert_filled, contents, fill, keys, open, small_segments, with_last,
};
use selkie::storage::MemoryStorage;
use selkie::{
    Database, Durability, ErrorKind, Limits, Options, Outcome, Readable, Retention, SnapshotPolicy, Writable,
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn commits_after_a_torn_tail_survive_every_later_restart() {
    for cut in (1..=120).chain([200, 250]) {
        let live = MemoryStorage::new();
        let db = open(&live).unwrap();
        fill(&db, 0..5);
        let torn = with_last(&live, ".log", |bytes| bytes.truncate(bytes.len() - cut));
        let db = open(&torn).unwrap();
        let left = keys(&db).len() as u32;
        assert!(left < 5);
        assert_filled(&db, 0..left);
        fill(&db, left..left + 20);
        for crashed in [torn.copy(), torn.copy().copy()] {
            assert_filled(&open(&crashed).unwrap(), 0..left + 20);
            let again = open(&crashed).unwrap();
            assert_eq!(again.recovery().bytes_cut, 0);
            assert_filled(&again, 0..left + 20);
        }
        db.close().unwrap();
        assert_filled(&open(&torn).unwrap(), 0..left + 20);
    }
}

#[test]
fn a_torn_tail_of_garbage_or_zeros_is_cut() {
    for (tail, cut) in [(vec![0; 5000], 0), (vec![0xa5; 333], 333), ([vec![0; 99], vec![1], vec![0; 9]].concat(), 100)]
    {
        let live = MemoryStorage::new();
        let db = open(&live).unwrap();
        fill(&db, 0..5);
        let torn = with_last(&live, ".log", |bytes| bytes.extend_from_slice(&tail));
        let db = open(&torn).unwrap();
        assert_eq!(db.recovery().bytes_cut, cut);
        fill(&db, 5..9);
        assert_filled(&open(&torn.copy()).unwrap(), 0..9);
    }
}

#[test]
fn a_tail_torn_again_and_again_loses_only_what_was_torn() {
    let mut storage = MemoryStorage::new();
    for round in 0..10 {
        let db = open(&storage).unwrap();
        assert_filled(&db, 0..round * 3);
        fill(&db, round * 3..round * 3 + 3);
        storage = with_last(&storage, ".log", |bytes| bytes.extend_from_slice(&[1, 2, 3]));
    }
}

#[test]
fn values_larger_than_a_segment_are_stored() {
    let storage = MemoryStorage::new();
    let db = small_segments().open_storage(Arc::new(storage.clone())).unwrap();
    let sizes = [100, 4000, 4096, 5000, 100, 100_000, 3 << 20, 1];
    for (key, size) in sizes.into_iter().enumerate() {
        db.insert([key as u8], vec![key as u8; size]).unwrap();
    }
    for storage in [storage.copy(), { db.close().map(|()| storage.clone()).unwrap() }] {
        let db = open(&storage).unwrap();
        for (key, size) in sizes.into_iter().enumerate() {
            assert_eq!(db.get([key as u8]).unwrap().unwrap(), vec![key as u8; size]);
        }
        assert!(db.recovery().segments > 5);
    }
}

#[test]
fn everything_is_there_after_many_segment_changes() {
    let storage = MemoryStorage::new();
    let db = small_segments().open_storage(Arc::new(storage.clone())).unwrap();
    fill(&db, 0..3000);
    assert!(db.stats().log_rotations > 40);
    assert_filled(&open(&storage.copy()).unwrap(), 0..3000);
    db.close().unwrap();
    assert_filled(&open(&storage).unwrap(), 0..3000);
    assert_filled(&open(&storage).unwrap(), 0..3000);
}

#[test]
fn a_crash_right_after_a_segment_change_loses_nothing() {
    let live = MemoryStorage::new();
    let db = small_segments().open_storage(Arc::new(live.clone())).unwrap();
    let mut written = 0;
    for changes in 1..=5 {
        let mut before = written;
        while db.stats().log_rotations < changes {
            before = written;
            fill(&db, written..written + 1);
            written += 1;
        }
        // The new segment as it is, and with nothing but its header.
        let empty = with_last(&live, ".log", |bytes| bytes.truncate(72));
        for (crashed, least) in [(live.copy(), written), (empty, before)] {
            let db = open(&crashed).unwrap();
            let found = keys(&db).len() as u32;
            assert!((least..=written).contains(&found), "{found} of {written}");
            fill(&db, found..found + 3);
            assert_filled(&open(&crashed.copy()).unwrap(), 0..found + 3);
        }
    }
}

#[test]
fn a_refused_commit_leaves_no_trace() {
    let storage = MemoryStorage::new();
    let mut limits = Limits::default();
    limits.transaction_bytes = 10_000;
    let db = small_segments().limits(limits).open_storage(Arc::new(storage.clone())).unwrap();
    fill(&db, 0..10);
    let (before, files) = (contents(&db), storage.files());
    let is_limit = |result: selkie::Result<()>| assert!(matches!(result.unwrap_err().kind(), ErrorKind::Limit { .. }));
    is_limit(db.insert("large", vec![0; 20_000]).map(drop));
    is_limit(db.insert(vec![0; (64 << 10) + 1], "").map(drop));
    is_limit(db.update(|tx| (0..3).try_for_each(|key| tx.insert([key], [0; 4000]))));
    let mut tx = db.begin_write().unwrap();
    tx.insert("small", "").unwrap();
    is_limit(tx.insert("large", vec![0; 20_000]));
    drop(tx);
    assert_eq!((contents(&db), storage.files()), (before, files));
    assert_filled(&open(&storage.copy()).unwrap(), 0..10);
    fill(&db, 10..20);
    assert_filled(&open(&storage.copy()).unwrap(), 0..20);
}

#[test]
fn what_was_removed_stays_removed() {
    for with_snapshot in [false, true] {
        let storage = MemoryStorage::new();
        let db = small_segments().open_storage(Arc::new(storage.clone())).unwrap();
        fill(&db, 0..500);
        if with_snapshot {
            db.snapshot().unwrap();
        }
        db.update(|tx| tx.remove_range::<&[u8]>(..)).unwrap();
        assert!(keys(&open(&storage.copy()).unwrap()).is_empty());
        if with_snapshot {
            db.snapshot().unwrap();
        }
        db.collect_garbage().unwrap();
        db.close().unwrap();
        for _ in 0..2 {
            assert!(keys(&open(&storage).unwrap()).is_empty());
        }
    }
}

#[test]
fn a_key_removed_in_a_transaction_is_absent_in_it() {
    let db = Database::in_memory();
    db.insert("key", "old").unwrap();
    let outcome = db.update(|tx| {
        tx.remove("key")?;
        assert!(!tx.contains_key("key")?);
        assert_eq!(tx.get("key")?, None);
        assert_eq!(tx.iter().count(), 0);
        tx.insert_if_absent("key", "new")
    });
    assert_eq!(outcome.unwrap(), Outcome::Written);
    assert_eq!(db.get("key").unwrap().unwrap(), "new");
}

/// Gives all commits in a log another time.
fn move_in_time(bytes: &mut [u8], ns: i64) {
    let salt: [u8; 8] = bytes[40..48].try_into().unwrap();
    let mut offset = 72;
    while offset < bytes.len() {
        let frame = &mut bytes[offset..];
        let length = u32::from_le_bytes(frame[..4].try_into().unwrap()) as usize;
        let time = u64::from_le_bytes(frame[16..24].try_into().unwrap());
        frame[16..24].copy_from_slice(&time.saturating_add_signed(ns).to_le_bytes());
        let checksum = crc32fast::hash(&[&salt[..], &frame[..44]].concat());
        frame[44..48].copy_from_slice(&checksum.to_le_bytes());
        offset += 48 + length.next_multiple_of(8);
    }
}

#[test]
fn a_clock_set_back_hides_nothing() {
    let live = MemoryStorage::new();
    let db = Options::new().history(Retention::Forever).open_storage(Arc::new(live.clone())).unwrap();
    fill(&db, 0..3);
    let year_ns = 365 * 24 * 3600 * 1_000_000_000;
    let storage = with_last(&live, ".log", |bytes| move_in_time(bytes, year_ns));
    for round in 0..3 {
        let db = open(&storage).unwrap();
        assert_filled(&db, 0..3 + round);
        fill(&db, 3 + round..4 + round);
        assert_filled(&db, 0..4 + round);
        assert_eq!(db.at(db.version()).unwrap().iter().count() as u32, 4 + round);
        if round == 1 {
            db.snapshot().unwrap();
        }
    }
    let db = open(&storage).unwrap();
    let view = db.begin_read().unwrap();
    let versions = view.history_range::<&[u8]>(..).unwrap().map(Result::unwrap);
    let history: BTreeMap<_, _> = versions.map(|version| (version.version, version.time)).collect();
    assert_eq!(history.len(), 6);
    assert!(history.values().is_sorted(), "{history:?}");
    let latest = *history.values().last().unwrap();
    assert!(latest > selkie::SystemTime::now());
    assert_eq!(db.as_of(latest).unwrap().iter().count(), 6);
}

#[test]
fn dropping_one_of_several_handles_changes_nothing_for_the_others() {
    let storage = MemoryStorage::new();
    let db = open(&storage).unwrap();
    let users = db.keyspace("users").unwrap();
    drop(db.clone());
    drop(db.keyspace("users").unwrap());
    drop(db.begin_read().unwrap());
    drop(db.begin_write().unwrap());
    drop(db.watch::<&[u8]>(..).unwrap());
    drop(db.insert("0", "").unwrap());
    fill(&db, 1..5);
    let view = db.begin_read().unwrap();
    let mut tx = db.begin_write().unwrap();
    drop(db);
    users.insert("ada", "1815").unwrap();
    drop(users);
    assert_eq!(view.iter().count(), 5);
    tx.insert("last", "").unwrap();
    assert!(matches!(open(&storage).unwrap_err().kind(), ErrorKind::Locked { .. }));
    drop(view);
    drop(tx.commit().unwrap());
    let db = open(&storage).unwrap();
    assert_eq!(keys(&db).len(), 6);
    assert_eq!(db.keyspace("users").unwrap().get("ada").unwrap().unwrap(), "1815");
}

#[test]
fn reopening_over_and_over_keeps_everything_and_grows_nothing() {
    let storage = MemoryStorage::new();
    let db = open(&storage).unwrap();
    fill(&db, 0..10);
    drop(db);
    let db = open(&storage).unwrap();
    drop(db);
    let files = storage.files();
    let storage = ScriptedStorage::over(storage, |_, _| Verdict::Go);
    for _ in 0..10 {
        assert_filled(&Options::new().open_storage(storage.clone()).unwrap(), 0..10);
    }
    assert_eq!(storage.calls(), [], "there is nothing to write");
    assert_eq!(storage.crash().files(), files);
}

#[test]
fn the_space_of_a_torn_tail_is_given_back_before_anything_is_created() {
    let live = MemoryStorage::new();
    let db = open(&live).unwrap();
    fill(&db, 0..5);
    let torn = with_last(&live, ".log", |bytes| bytes.resize(bytes.len() + 5000, 0));
    let storage = ScriptedStorage::over(torn, |_, _| Verdict::Go);
    let _db = Options::new().open_storage(storage.clone()).unwrap();
    let calls: Vec<_> = storage.calls().into_iter().map(|(operation, ..)| operation).collect();
    assert!(calls.starts_with(&[Operation::Truncate, Operation::Sync, Operation::Create]), "{calls:?}");
}

#[test]
fn closing_drains_what_is_queued() {
    let hour = Duration::from_secs(3600);
    let interval = Durability::Interval { time: hour, commits: u32::MAX, bytes: u64::MAX };
    for durability in [Durability::None, Durability::Queued, Durability::Buffered, interval] {
        for close in [true, false] {
            let storage = MemoryStorage::new();
            let options = small_segments().durability(durability);
            let db = options.open_storage(Arc::new(storage.clone())).unwrap();
            fill(&db, 0..500);
            if close {
                db.close().unwrap();
            } else {
                drop(db);
            }
            assert_filled(&open(&storage).unwrap(), 0..500);
        }
    }
}

async_tests! {
    async fn a_session_too_short_for_the_background_leaves_the_snapshot_that_is_due() {
        let storage = MemoryStorage::new();
        for round in 1..=50_u32 {
            let options = small_segments().snapshots(SnapshotPolicy::LogSize(1000));
            let db = options.open_storage_async(Arc::new(storage.clone())).await.unwrap();
            db.insert(round.to_be_bytes(), vec![0; 100_000]).unwrap();
            db.close_async().await.unwrap();
            let db = small_segments().read_only(true).open_storage_async(Arc::new(storage.clone())).await.unwrap();
            assert!(db.recovery().snapshot.is_some());
            assert_eq!(db.recovery().frames_replayed, 0);
            assert_eq!(keys(&db).len(), round as usize);
        }
    }

    async fn the_log_of_earlier_sessions_counts_for_the_snapshot_that_is_due() {
        let storage = MemoryStorage::new();
        for session in 1..=3_u32 {
            let options = small_segments().snapshots(SnapshotPolicy::LogSize(2000));
            let db = options.open_storage_async(Arc::new(storage.clone())).await.unwrap();
            db.insert(session.to_be_bytes(), vec![0; 800]).unwrap();
            db.close_async().await.unwrap();
            let has_snapshot = storage.files().keys().any(|name| name.ends_with(".snapshot"));
            assert_eq!(has_snapshot, session == 3, "session {session}");
        }
    }

    async fn many_short_sessions_leave_few_files() {
        let storage = MemoryStorage::new();
        for session in 0..600_u32 {
            let db = open(&storage).unwrap();
            db.insert(session.to_be_bytes(), "value").unwrap();
            // At once: the background has had no time.
            db.close_async().await.unwrap();
        }
        let files = storage.files().len();
        assert!(files < 400, "{files} files");
        let db = open(&storage).unwrap();
        assert_eq!(db.begin_read().unwrap().iter().count(), 600);
    }
}
