//! What transactions promise beside isolation: savepoints, limits, durability, retries, and leaving no trace.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use common::events::async_tests;
use selkie::storage::MemoryStorage;
use selkie::{
    Database, Durability, Error, ErrorKind, Keyspace, Limits, Options, Outcome, Readable, Result, Retention,
    Transaction, TransactionOptions, View, Visibility, Writable,
};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn stored(options: Options) -> (Database, Arc<MemoryStorage>) {
    let storage = Arc::new(MemoryStorage::new());
    (options.open_storage(storage.clone()).unwrap(), storage)
}

fn limited(change: impl FnOnce(&mut Limits)) -> Options {
    let mut limits = Limits::default();
    change(&mut limits);
    Options::new().limits(limits)
}

fn keys(reader: &impl Readable) -> Vec<String> {
    reader.keys::<&str>(..).map(|key| String::from_utf8(key.unwrap().to_vec()).unwrap()).collect()
}

#[track_caller]
fn assert_limit<T: std::fmt::Debug>(outcome: Result<T>, name: &str, expected: u64) {
    let error = outcome.unwrap_err();
    let ErrorKind::Limit { what, limit, actual } = error.kind() else { panic!("{error}") };
    assert_eq!((*what, *limit), (name, expected));
    assert!(actual > limit);
}

#[track_caller]
fn assert_invalid<T: std::fmt::Debug>(outcome: Result<T>) {
    assert!(matches!(outcome.unwrap_err().kind(), ErrorKind::InvalidArgument { .. }));
}

#[test]
fn handles_go_between_threads() {
    fn send<T: Send>() {}
    fn share<T: Send + Sync>() {}
    send::<Transaction>();
    share::<(Database, View, Keyspace, Error)>();
}

#[test]
fn a_savepoint_can_be_returned_to_again_and_again() {
    let db = Database::in_memory();
    let mut tx = db.begin_write().unwrap();
    tx.insert("a", "1").unwrap();
    let savepoint = tx.savepoint();
    for turn in 0..3 {
        tx.insert("a", turn.to_string()).unwrap();
        tx.remove("a").unwrap();
        tx.insert("b", "").unwrap();
        tx.rollback_to(savepoint).unwrap();
        assert_eq!((keys(&tx), tx.size_bytes()), (vec!["a".to_owned()], 2));
    }
    tx.commit().unwrap();
    assert_eq!(db.get("a").unwrap().unwrap(), "1");
}

#[test]
fn returning_to_an_outer_savepoint_ends_the_inner_ones() {
    let db = Database::in_memory();
    let mut tx = db.begin_write().unwrap();
    let outer = tx.savepoint();
    tx.insert("a", "").unwrap();
    let inner = tx.savepoint();
    tx.insert("b", "").unwrap();
    tx.rollback_to(outer).unwrap();
    assert_invalid(tx.rollback_to(inner));
    assert_invalid(tx.release(inner));
    assert!(keys(&tx).is_empty());
}

#[test]
fn releasing_an_inner_savepoint_leaves_its_writes_to_the_outer_one() {
    let db = Database::in_memory();
    let mut tx = db.begin_write().unwrap();
    let outer = tx.savepoint();
    tx.insert("a", "").unwrap();
    let inner = tx.savepoint();
    tx.insert("b", "").unwrap();
    tx.release(inner).unwrap();
    assert_eq!(keys(&tx), ["a", "b"]);
    tx.rollback_to(outer).unwrap();
    assert!(keys(&tx).is_empty());
    tx.release(outer).unwrap();
    assert_invalid(tx.release(outer));
}

#[test]
fn a_savepoint_is_of_no_use_in_another_transaction() {
    let db = Database::in_memory();
    let (mut one, mut two) = (db.begin_write().unwrap(), db.begin_write().unwrap());
    let (savepoint, _) = (one.savepoint(), two.savepoint());
    two.insert("a", "").unwrap();
    assert_invalid(two.rollback_to(savepoint));
    assert_eq!(keys(&two), ["a"]);
}

#[test]
fn a_savepoint_covers_all_keyspaces() {
    let db = Database::in_memory();
    let users = db.keyspace("users").unwrap();
    let mut tx = db.begin_write().unwrap();
    let savepoint = tx.savepoint();
    tx.keyspace_mut(&users).insert("ada", "").unwrap();
    tx.insert("count", "1").unwrap();
    tx.rollback_to(savepoint).unwrap();
    assert!(keys(&tx).is_empty() && keys(&tx.keyspace(&users)).is_empty());
    assert_eq!(tx.size_bytes(), 0);
    let before = db.version();
    assert_eq!(tx.commit().unwrap().version(), before);
}

#[test]
fn a_key_of_64_kib_fits_and_a_longer_one_does_not() {
    let db = Database::in_memory();
    let longest = vec![b'k'; Limits::KEY_BYTES as usize];
    let longer = vec![b'k'; longest.len() + 1];
    db.insert(&longest, "value").unwrap();
    assert_eq!(db.get(&longest).unwrap().unwrap(), "value");
    assert_limit(db.insert(&longer, ""), "key bytes", Limits::KEY_BYTES);
    assert_limit(db.remove(&longer), "key bytes", Limits::KEY_BYTES);
    let mut tx = db.begin_write().unwrap();
    assert_limit(tx.insert(&longer, ""), "key bytes", Limits::KEY_BYTES);
    assert_limit(tx.insert_if_absent(&longer, ""), "key bytes", Limits::KEY_BYTES);
    assert_eq!((db.get(&longer).unwrap(), tx.size_bytes()), (None, 0));
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn a_value_above_256_mib_does_not_fit() {
    let (db, storage) = stored(Options::new());
    let files = storage.files();
    let value = vec![0; Limits::VALUE_BYTES as usize + 1];
    assert_limit(db.insert("key", &value), "value bytes", Limits::VALUE_BYTES);
    let mut tx = db.begin_write().unwrap();
    assert_limit(tx.insert("key", &value), "value bytes", Limits::VALUE_BYTES);
    assert_eq!((tx.size_bytes(), db.version()), (0, 0));
    tx.commit().unwrap();
    assert_eq!(storage.files(), files);
}

#[test]
fn a_transaction_that_grows_too_large_stays_as_it_was() {
    let (db, storage) = stored(limited(|limits| limits.transaction_bytes = 100));
    let mut tx = db.begin_write().unwrap();
    tx.insert("a", [0; 90]).unwrap();
    let files = storage.files();
    assert_limit(tx.insert("b", [0; 9]), "bytes in one transaction", 100);
    assert_limit(tx.insert("a", [0; 100]), "bytes in one transaction", 100);
    assert_eq!((keys(&tx), tx.size_bytes()), (vec!["a".to_owned()], 91));
    tx.insert("a", [0; 99]).unwrap();
    assert_eq!(tx.size_bytes(), 100);
    assert_eq!(storage.files(), files);
    tx.commit().unwrap();
    assert_limit(db.insert("a", [0; 100]), "bytes in one transaction", 100);
    assert_eq!(db.version(), 1);
}

#[test]
fn removing_a_range_that_is_too_large_removes_nothing() {
    let db = limited(|limits| limits.transaction_bytes = 20).in_memory().unwrap();
    for number in 10..40 {
        db.insert(number.to_string(), "").unwrap();
    }
    let mut tx = db.begin_write().unwrap();
    tx.remove("10").unwrap();
    let outer = tx.savepoint();
    tx.remove("11").unwrap();
    assert_limit(tx.remove_range::<&str>(..), "bytes in one transaction", 20);
    assert_eq!((tx.count_range::<&str>(..).unwrap(), tx.size_bytes()), (28, 4));
    tx.rollback_to(outer).unwrap();
    assert_eq!(tx.remove_range("10".."20").unwrap(), 9);
    tx.commit().unwrap();
    assert_eq!(db.begin_read().unwrap().count_range::<&str>(..).unwrap(), 20);
}

#[test]
fn retained_history_is_limited() {
    let options = limited(|limits| limits.history_bytes = 1000).history(Retention::Forever);
    let (db, storage) = stored(options);
    let refused = (0..100).find_map(|_| db.insert("key", [0; 100]).err()).unwrap();
    let (version, files) = (db.version(), storage.files());
    assert_limit(Err::<(), _>(refused), "bytes of retained history", 1000);
    assert_limit(db.remove("key"), "bytes of retained history", 1000);
    assert_eq!((db.version(), storage.files()), (version, files));
    assert!(db.contains_key("key").unwrap());
}

#[test]
fn history_of_values_without_bytes_is_limited_too() {
    let (db, _) = stored(limited(|limits| limits.history_bytes = 1000).history(Retention::Forever));
    let refused = (0..100).find_map(|_| db.insert("key", "").err()).unwrap();
    assert_limit(Err::<(), _>(refused), "bytes of retained history", 1000);
}

#[test]
fn history_that_is_not_retained_never_reaches_its_limit() {
    let db = limited(|limits| limits.history_bytes = 1000).in_memory().unwrap();
    for _ in 0..100 {
        db.insert("key", [0; 100]).unwrap();
    }
    let view = db.begin_read().unwrap();
    let refused = (0..100).find_map(|_| db.insert("key", [0; 100]).err());
    assert_limit(refused.map_or(Ok(()), Err), "bytes of retained history", 1000);
    drop(view);
    db.insert("key", "").unwrap();
}

#[test]
fn a_write_only_transaction_refuses_to_read() {
    let db = Database::in_memory();
    let mut tx = db.begin_with(TransactionOptions::new().write_only()).unwrap();
    tx.insert("a", "1").unwrap();
    tx.remove("b").unwrap();
    assert_invalid(tx.get("a"));
    assert_invalid(tx.get_many(["a"]));
    assert_invalid(tx.contains_key("a"));
    assert_invalid(tx.get_for_update("a"));
    assert_invalid(tx.insert_if_absent("c", ""));
    assert_invalid(tx.compare_and_remove("a", "1"));
    assert_invalid(tx.remove_range::<&str>(..));
    assert_invalid(tx.count_range::<&str>(..));
    assert_invalid(tx.range("a"..).next().unwrap());
    assert_invalid(tx.iter().next_back().unwrap());
    assert_invalid(tx.first_key_value());
    assert_invalid(tx.cursor().first());
    db.insert("a", "0").unwrap();
    let savepoint = tx.savepoint();
    tx.insert("d", "").unwrap();
    tx.rollback_to(savepoint).unwrap();
    tx.commit().unwrap();
    assert_eq!(db.get("a").unwrap().unwrap(), "1");
    assert_eq!(keys(&db.begin_read().unwrap()), ["a"]);
}

#[test]
fn committing_nothing_leaves_no_trace() {
    let (db, storage) = stored(Options::new());
    db.insert("a", "1").unwrap();
    let tx = db.begin_write().unwrap();
    assert_eq!(tx.get("a").unwrap().unwrap(), "1");
    db.insert("a", "2").unwrap();
    let files = storage.files();
    assert_eq!(tx.commit().unwrap().version(), 1);
    assert_eq!(db.begin_with(TransactionOptions::new().write_only()).unwrap().commit().unwrap().version(), 2);
    assert_eq!((db.version(), storage.files()), (2, files));
}

#[test]
fn a_transaction_that_is_dropped_or_conflicts_leaves_no_trace() {
    let (db, storage) = stored(Options::new());
    let mut dropped = db.begin_write().unwrap();
    dropped.insert("a", "1").unwrap();
    let mut late = db.begin_write().unwrap();
    assert_eq!(late.insert_if_absent("b", "1").unwrap(), Outcome::Written);
    db.insert("b", "0").unwrap();
    let files = storage.files();
    drop(dropped);
    assert!(late.commit().is_err());
    assert_eq!((db.version(), storage.files()), (1, files));
    assert_eq!(keys(&db.begin_read().unwrap()), ["b"]);
}

async_tests! {
    async fn commit_async_is_ready_when_the_commit_is_durable() {
        for visibility in [Visibility::Durable, Visibility::Applied] {
            let (db, storage) = stored(Options::new().visibility(visibility));
            let mut tx = db.begin_write().unwrap();
            tx.insert("a", "1").unwrap();
            let info = tx.commit_async().await.unwrap();
            assert_eq!((info.version(), info.durability()), (1, Durability::Immediate));
            assert_eq!((db.version(), db.durable_version()), (1, 1));
            let copy = Options::new().open_storage(Arc::new(storage.copy())).unwrap();
            assert_eq!(copy.get("a").unwrap().unwrap(), "1");
        }
    }

    async fn many_async_commits_wait_for_each_other_in_no_particular_order() {
        let (db, _storage) = stored(Options::new());
        let mut commits: Vec<_> = (0..20)
            .map(|number| {
                let mut tx = db.begin_with(TransactionOptions::new().write_only()).unwrap();
                tx.insert(number.to_string(), "").unwrap();
                tx.commit_async()
            })
            .collect();
        commits.reverse();
        let mut versions = Vec::new();
        for commit in commits {
            versions.push(commit.await.unwrap().version());
        }
        assert_eq!(versions, (1..=20).rev().collect::<Vec<_>>());
    }

    async fn a_conflict_comes_out_of_the_future_and_dropping_it_takes_nothing_back() {
        let (db, _storage) = stored(Options::new());
        let (mut one, mut two) = (db.begin_write().unwrap(), db.begin_write().unwrap());
        for tx in [&mut one, &mut two] {
            assert!(tx.insert_if_absent("a", "1").unwrap().is_written());
        }
        drop(one.commit_async());
        assert!(matches!(two.commit_async().await.unwrap_err().kind(), ErrorKind::Conflict { .. }));
        db.sync().unwrap();
        assert_eq!(db.get("a").unwrap().unwrap(), "1");
    }

    async fn any_commit_can_be_made_durable_later() {
        for durability in [Durability::None, Durability::Queued, Durability::Buffered] {
            let (db, _storage) = stored(Options::new().durability(durability));
            let info = db.insert("a", "1").unwrap();
            let durable = info.durable();
            durable.await.unwrap();
            assert_eq!(info.durability(), Durability::Immediate);
            assert!(db.durable_version() >= info.version());
            info.durable().await.unwrap();
        }
    }

    async fn a_database_in_memory_is_never_durable() {
        let db = Database::in_memory();
        let info = db.insert("a", "1").unwrap();
        assert_eq!((info.durability(), db.durable_version()), (Durability::None, 0));
        assert_invalid(info.durable().await);
    }
}

#[test]
fn a_transaction_can_ask_for_more_than_its_database() {
    let (db, _storage) = stored(Options::new().durability(Durability::Queued));
    let mut tx = db.begin_with(TransactionOptions::new().durability(Durability::Immediate)).unwrap();
    tx.insert("a", "1").unwrap();
    let info = tx.commit().unwrap();
    assert_eq!((info.durability(), db.durable_version()), (Durability::Immediate, 1));
}

#[test]
fn update_tries_again_until_nothing_interferes() {
    let db = Database::in_memory();
    let mut attempts = 0;
    let seen = db.update(|tx| {
        attempts += 1;
        let seen = tx.get("contended")?;
        if attempts < 5 {
            db.insert("contended", attempts.to_string())?;
        }
        tx.insert("result", "")?;
        Ok(seen)
    });
    assert_eq!((seen.unwrap().unwrap(), attempts), ("4".into(), 5));
}

#[test]
fn update_gives_up_with_the_conflict() {
    let db = limited(|limits| limits.attempts = 3).in_memory().unwrap();
    let mut attempts = 0;
    let outcome = db.update(|tx| {
        attempts += 1;
        tx.get("contended")?;
        db.insert("contended", "")?;
        tx.insert("result", "")
    });
    assert!(matches!(outcome.unwrap_err().kind(), ErrorKind::Conflict { .. }));
    assert_eq!((attempts, db.contains_key("result").unwrap()), (3, false));
}

#[test]
fn update_leaves_at_once_with_an_error_of_its_own() {
    let db = Database::in_memory();
    let mut attempts = 0;
    let outcome: Result<()> = db.update(|tx| {
        attempts += 1;
        tx.insert("a", "1")?;
        Err(Error::aborted(std::io::Error::other("no more money")))
    });
    let error = outcome.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Aborted { .. }) && !error.is_retryable());
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "no more money");
    assert_eq!((attempts, db.version()), (1, 0));
}

#[test]
fn size_bytes_counts_what_waits_to_be_committed() {
    let db = Database::in_memory();
    let mut tx = db.begin_write().unwrap();
    assert_eq!(tx.size_bytes(), 0);
    tx.insert("key", "value").unwrap();
    assert_eq!(tx.size_bytes(), 8);
    tx.insert("key", "v").unwrap();
    assert_eq!(tx.size_bytes(), 4);
    tx.remove("key").unwrap();
    assert_eq!(tx.size_bytes(), 3);
    tx.remove("").unwrap();
    assert_eq!(tx.size_bytes(), 3);
}

#[test]
fn a_keyspace_of_another_database_is_refused_and_nothing_is_written_anywhere() {
    let ((one, _), (two, files)) = (stored(Options::new()), stored(Options::new()));
    let (mine, foreign) = (one.keyspace("users").unwrap(), two.keyspace("users").unwrap());
    let files_before = files.files();
    let mut tx = one.begin_write().unwrap();
    assert_invalid(tx.keyspace_mut(&foreign).insert("ada", "1815"));
    assert_invalid(tx.keyspace_mut(&foreign).remove("ada"));
    assert_invalid(tx.keyspace_mut(&foreign).get_for_update("ada"));
    assert_invalid(tx.keyspace_mut(&foreign).remove_range::<&str>(..));
    assert_invalid(tx.keyspace(&foreign).get("ada"));
    assert_invalid(tx.keyspace(&foreign).iter().next().unwrap());
    let view = one.begin_read().unwrap();
    assert_invalid(view.keyspace(&foreign).get("ada"));
    assert_invalid(view.keyspace(&foreign).history("ada"));
    tx.keyspace_mut(&mine).insert("bea", "1").unwrap();
    tx.commit().unwrap();
    assert!(mine.contains_key("bea").unwrap() && !mine.contains_key("ada").unwrap());
    assert!(!foreign.contains_key("ada").unwrap());
    assert_eq!(files.files(), files_before);
}

#[test]
fn a_keyspace_is_known_to_every_handle_of_its_database() {
    let db = Database::in_memory();
    let users = db.keyspace("users").unwrap();
    let mut tx = db.clone().begin_write().unwrap();
    tx.keyspace_mut(&users).insert("ada", "1815").unwrap();
    tx.commit().unwrap();
    assert_eq!(db.clone().keyspace("users").unwrap(), users);
    assert!(users.contains_key("ada").unwrap());
}

#[test]
fn everything_that_is_open_is_told_of_the_end() {
    let (db, _storage) = stored(Options::new());
    let users = db.keyspace("users").unwrap();
    let (view, mut tx) = (db.begin_read().unwrap(), db.begin_write().unwrap());
    tx.insert("a", "1").unwrap();
    db.clone().close().unwrap();
    assert!(matches!(view.get("a").unwrap_err().kind(), ErrorKind::Closed));
    assert!(matches!(users.get("a").unwrap_err().kind(), ErrorKind::Closed));
    assert!(matches!(tx.commit().unwrap_err().kind(), ErrorKind::Closed));
    assert!(matches!(db.begin_write().unwrap_err().kind(), ErrorKind::Closed));
    db.close().unwrap();
}
