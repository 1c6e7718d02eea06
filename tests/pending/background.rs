//! What the background does by itself, where commits return before anything is written.

use std::sync::Arc;
use std::time::Duration;

use selkie::storage::MemoryStorage;
use selkie::{Database, Durability, Options, Readable, SnapshotPolicy};

use crate::common::events::{async_tests, sleep};
use crate::common::keys;
use crate::common::pending::PendingStorage;

/// Longer than anything here takes.
const PATIENCE_MS: u32 = 20_000;
const STEP_MS: u32 = 5;

async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..PATIENCE_MS / STEP_MS {
        if condition() {
            return;
        }
        sleep(STEP_MS).await;
    }
    panic!("{what} did not come about");
}

async fn opened(options: Options) -> (Arc<PendingStorage>, Database) {
    let storage = PendingStorage::by_itself(Arc::new(MemoryStorage::new()));
    let db = options.open_storage_async(storage.clone()).await.unwrap();
    (storage, db)
}

fn interval(time: Duration) -> Durability {
    Durability::Interval { time, commits: u32::MAX, bytes: u64::MAX }
}

async_tests! {
    async fn an_interval_syncs_by_itself() {
        let (_storage, db) = opened(Options::new().durability(interval(Duration::from_millis(30)))).await;
        let commit = db.insert_async("a", "1").await.unwrap();
        assert_eq!(commit.durability(), Durability::Buffered);
        until("a sync", || db.durable_version() == 1).await;
        db.insert_async("b", "2").await.unwrap();
        until("another sync", || db.durable_version() == 2).await;
        db.close_async().await.unwrap();
    }

    async fn an_interval_that_is_not_over_syncs_nothing() {
        let (storage, db) = opened(Options::new().durability(interval(Duration::from_secs(3600)))).await;
        db.insert_async("a", "1").await.unwrap();
        sleep(50).await;
        assert_eq!((db.version(), db.durable_version()), (1, 0));
        assert!(!storage.take_log().iter().any(|(what, _)| *what == "sync"));
        db.close_async().await.unwrap();
    }

    async fn garbage_is_collected_by_itself() {
        let (_storage, db) = opened(Options::new()).await;
        let view = db.begin_read().unwrap();
        for round in 0..10_u8 {
            for key in 0..200_u8 {
                drop(db.insert_async([key], [round]));
            }
        }
        db.sync_async().await.unwrap();
        assert_eq!(view.iter().count(), 0);
        drop(view);
        until("collection", || db.stats().versions == 200).await;
        db.close_async().await.unwrap();
    }

    async fn snapshots_are_written_by_their_policy() {
        let policies = [SnapshotPolicy::LogSize(10_000), SnapshotPolicy::Interval(Duration::from_millis(50))];
        for policy in policies {
            let (storage, db) = opened(Options::new().snapshots(policy)).await;
            for key in 0..100_u8 {
                drop(db.insert_async([key], [7; 200]));
            }
            db.sync_async().await.unwrap();
            until("a snapshot", || db.stats().snapshot.is_some()).await;
            assert_eq!(db.stats().snapshot_failures, 0);
            db.close_async().await.unwrap();
            let reopened = Options::new().open_storage_async(storage).await.unwrap();
            assert!(reopened.recovery().snapshot.is_some());
            assert_eq!(reopened.begin_read().unwrap().iter().count(), 100);
            reopened.close_async().await.unwrap();
        }
    }

    async fn nothing_is_done_after_closing() {
        let options = Options::new()
            .durability(interval(Duration::from_millis(20)))
            .snapshots(SnapshotPolicy::Interval(Duration::from_millis(20)));
        let (storage, db) = opened(options).await;
        db.insert_async("a", "1").await.unwrap();
        assert_eq!(keys(&db), ["a"]);
        db.close_async().await.unwrap();
        storage.take_log();
        sleep(100).await;
        assert_eq!(storage.take_log(), []);
    }
}
