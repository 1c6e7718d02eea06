//! Commits while the storage is at work: their order, their groups, and what they may take of memory.

use std::sync::Arc;

use selkie::storage::MemoryStorage;
use selkie::{
    CommitFuture, Durability, ErrorKind, Limits, Options, SnapshotPolicy, Transaction, TransactionOptions, Visibility,
    Writable,
};

use crate::common::events::{async_tests, turn};
use crate::common::pending::PendingStorage;
use crate::common::{Random, assert_filled, keys, open, small_segments};

fn options(visibility: Visibility) -> Options {
    Options::new().visibility(visibility).snapshots(SnapshotPolicy::Never)
}

fn key(number: u32) -> String {
    format!("{number:06}")
}

fn insert_and_commit(mut tx: Transaction, key: &str) -> CommitFuture {
    tx.insert(key, "").unwrap();
    tx.commit_async()
}

async_tests! {
    async fn what_is_committed_while_a_write_is_in_flight_is_the_next_group() {
        for visibility in [Visibility::Applied, Visibility::Durable] {
            let storage = PendingStorage::over(Arc::new(MemoryStorage::new()));
            let db = storage.drive(options(visibility).open_storage_async(storage.clone())).await.unwrap();
            storage.take_log();
            let first = db.insert_async("first", "");
            storage.until_waiting(1).await;
            let others: Vec<_> = (0..100).map(|number| db.insert_async(key(number), "")).collect();
            for _ in 0..20 {
                turn().await;
            }
            assert_eq!(storage.waiting(), 1, "the second group waits for the first");
            assert_eq!(db.version(), if visibility == Visibility::Applied { 101 } else { 0 });
            assert_eq!(db.durable_version(), 0);
            assert_eq!(storage.drive(first).await.unwrap().version(), 1);
            for (number, commit) in others.into_iter().enumerate() {
                assert_eq!(storage.drive(commit).await.unwrap().version(), number as u64 + 2);
            }
            let calls: Vec<_> = storage.take_log().into_iter().map(|(what, _)| what).collect();
            assert_eq!(calls, ["write and sync"; 2], "a group is one call");
            assert_eq!((db.version(), db.durable_version()), (101, 101));
            storage.drive(db.close_async()).await.unwrap();
        }
    }

    async fn a_write_begins_beside_another_where_the_storage_keeps_the_order() {
        for keeps_order in [false, true] {
            let most = if keeps_order && cfg!(target_arch = "wasm32") { 2 } else { 1 };
            let files = MemoryStorage::new();
            let storage = PendingStorage::telling(Arc::new(files.clone()), keeps_order);
            let options = options(Visibility::Applied).durability(Durability::Buffered);
            let db = storage.drive(options.open_storage_async(storage.clone())).await.unwrap();
            storage.take_log();
            let mut commits: Vec<_> = (0..40).map(|number| db.insert_async(key(number), "")).collect();
            if most == 2 {
                assert_eq!(storage.waiting(), 1, "many commits of one turn are worth a write before it is over");
            }
            storage.until_waiting(most).await;
            let strict = db.begin_with(TransactionOptions::new().durability(Durability::Immediate)).unwrap();
            commits.extend((40..80).map(|number| db.insert_async(key(number), "")));
            commits.push(insert_and_commit(strict, &key(80)));
            for _ in 0..20 {
                turn().await;
            }
            assert_eq!(storage.waiting(), most, "what is synced waits for all before it");
            for (number, commit) in (1..).zip(commits) {
                assert_eq!(storage.drive(commit).await.unwrap().version(), number);
            }
            let calls: Vec<_> = storage.take_log().into_iter().map(|(what, _)| what).collect();
            assert_eq!(calls.last(), Some(&"write and sync"));
            if cfg!(target_arch = "wasm32") {
                assert_eq!(calls[..calls.len() - 1], vec!["write"; most]);
            }
            assert_eq!(db.durable_version(), 81);
            storage.drive(db.close_async()).await.unwrap();
            assert_eq!(keys(&open(&files).unwrap()).len(), 81);
        }
    }

    async fn thousands_of_commits_that_nobody_waits_for_stay_in_their_order() {
        const COMMITS: u32 = 10_000;
        let files = MemoryStorage::new();
        let storage = PendingStorage::by_itself(Arc::new(files.clone()));
        let db = small_segments().open_storage_async(storage).await.unwrap();
        let limit = Limits::default().queue_bytes;
        for number in 0..COMMITS {
            drop(db.insert_async(key(number), format!("value {number}")));
            assert!(db.stats().queued_bytes <= limit);
        }
        let last = db.insert_async(key(COMMITS), format!("value {COMMITS}")).await.unwrap();
        assert_eq!(last.version(), u64::from(COMMITS) + 1);
        assert!(db.durable_version() >= last.version());
        assert_eq!(db.stats().queued_bytes, 0);
        db.close_async().await.unwrap();
        assert_filled(&open(&files).unwrap(), 0..COMMITS + 1);
    }

    async fn a_queue_that_is_full_refuses_commits_or_has_them_wait() {
        let mut limits = Limits::default();
        limits.queue_bytes = 4 << 10;
        let files = MemoryStorage::new();
        let storage = PendingStorage::by_itself(Arc::new(files.clone()));
        let options = options(Visibility::Applied).limits(limits).durability(Durability::None);
        let db = options.open_storage_async(storage).await.unwrap();
        let mut refused = 0;
        for number in 0..500 {
            while let Err(error) = db.insert_async(key(number), [7; 100]).await {
                assert!(matches!(error.kind(), ErrorKind::Limit { what: "bytes in the queue of the log", limit: 4096, .. }));
                refused += 1;
                turn().await;
            }
            assert!(db.stats().queued_bytes <= limits.queue_bytes + 200, "{}", db.stats().queued_bytes);
        }
        assert!(db.stats().stalls > 0);
        assert_eq!(refused > 0, cfg!(target_arch = "wasm32"));
        db.close_async().await.unwrap();
        assert_eq!(keys(&open(&files).unwrap()).len(), 500);
    }

    async fn closing_drains_what_is_queued() {
        for durability in [Durability::None, Durability::Queued, Durability::Buffered, Durability::Immediate] {
            let files = MemoryStorage::new();
            let storage = PendingStorage::by_itself(Arc::new(files.clone()));
            let db = small_segments().durability(durability).open_storage_async(storage).await.unwrap();
            for number in 0..300 {
                drop(db.insert_async(key(number), format!("value {number}")));
            }
            let other = db.clone();
            db.close_async().await.unwrap();
            assert!(matches!(other.get("0").unwrap_err().kind(), ErrorKind::Closed));
            assert!(matches!(other.insert_async("0", "").await.unwrap_err().kind(), ErrorKind::Closed));
            assert_filled(&open(&files).unwrap(), 0..300);
        }
    }

    async fn the_last_handle_drains_in_the_background() {
        let files = MemoryStorage::new();
        let storage = PendingStorage::by_itself(Arc::new(files.clone()));
        let db = small_segments().durability(Durability::Queued).open_storage_async(storage).await.unwrap();
        for number in 0..300 {
            drop(db.insert_async(key(number), format!("value {number}")));
        }
        drop(db);
        let reopened = loop {
            match open(&files) {
                Err(error) if matches!(error.kind(), ErrorKind::Locked { .. }) => turn().await,
                reopened => break reopened.unwrap(),
            }
        };
        assert_filled(&reopened, 0..300);
    }

    async fn calls_on_different_files_may_be_answered_in_any_order() {
        for seed in 0..8 {
            let mut random = Random(seed);
            let files = MemoryStorage::new();
            let storage = PendingStorage::over(Arc::new(files.clone()));
            let opening = small_segments().open_storage_async(storage.clone());
            let db = storage.drive(opening).await.unwrap();
            let mut commits = Vec::new();
            for number in 0..200 {
                commits.push(db.insert_async(key(number), format!("value {number}")));
                if random.below(3) == 0 {
                    storage.pump_any(&mut random);
                }
            }
            let snapshot = storage.drive_with(db.snapshot_async(), |storage| storage.pump_any(&mut random)).await;
            assert_eq!(snapshot.unwrap().version, 200);
            for commit in commits {
                storage.drive_with(commit, |storage| storage.pump_any(&mut random)).await.unwrap();
            }
            storage.drive_with(db.close_async(), |storage| storage.pump_any(&mut random)).await.unwrap();
            assert_filled(&open(&files).unwrap(), 0..200);
        }
    }
}

/// A burst of one task of the event loop is one group.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen_test::wasm_bindgen_test]
async fn a_burst_is_one_group() {
    let storage = PendingStorage::over(Arc::new(MemoryStorage::new()));
    let opening = options(Visibility::Applied).open_storage_async(storage.clone());
    let db = storage.drive(opening).await.unwrap();
    storage.take_log();
    let commits: Vec<_> = (0..50).map(|number| db.insert_async(key(number), "")).collect();
    assert_eq!(storage.waiting(), 0, "nothing is written while the burst goes on");
    for commit in commits {
        storage.drive(commit).await.unwrap();
    }
    assert_eq!(storage.take_log().len(), 1);
    assert_eq!(keys(&db).len(), 50);
    storage.drive(db.close_async()).await.unwrap();
}
