//! Every asynchronous method does what its synchronous twin does, over a storage that answers later.

use std::sync::Arc;

use bytes::Bytes;
use selkie::storage::MemoryStorage;
use selkie::{Database, Error, ErrorKind, Options, Readable, Retention, SnapshotPolicy, Writable};

use crate::common::events::{async_tests, turn};
use crate::common::pending::PendingStorage;
use crate::common::{Random, assert_filled, contents, keys, open, small_segments};

async fn opened(options: Options) -> (MemoryStorage, Database) {
    let files = MemoryStorage::new();
    let db = options.open_storage_async(PendingStorage::by_itself(Arc::new(files.clone()))).await.unwrap();
    (files, db)
}

async fn fill(db: &Database, keys: std::ops::Range<u32>) {
    let commits: Vec<_> = keys.map(|key| db.insert_async(format!("{key:06}"), format!("value {key}"))).collect();
    for commit in commits {
        commit.await.unwrap();
    }
}

async_tests! {
    async fn what_was_written_is_there_when_it_is_opened_again() {
        let (files, db) = opened(small_segments().history(Retention::Forever)).await;
        assert_eq!(db.retention(), Retention::Forever);
        fill(&db, 0..200).await;
        assert_eq!(db.snapshot_async().await.unwrap().entries, 200);
        fill(&db, 200..300).await;
        db.close_async().await.unwrap();
        let reopened = PendingStorage::by_itself(Arc::new(files.clone()));
        let db = small_segments().open_storage_async(reopened).await.unwrap();
        assert_eq!((db.recovery().snapshot_entries, db.recovery().frames_replayed), (200, 100));
        assert_filled(&db, 0..300);
        db.close_async().await.unwrap();
    }

    async fn keyspaces_come_and_go() {
        let (files, db) = opened(Options::new().history(Retention::Forever)).await;
        let users = db.keyspace_async("users").await.unwrap();
        assert_eq!(db.durable_version(), db.version());
        users.insert_async("ada", "1815").await.unwrap();
        users.remove_async("ada").await.unwrap();
        assert!(users == db.keyspace_async("users").await.unwrap());
        db.keyspace_async("passing").await.unwrap();
        db.drop_keyspace_async("passing").await.unwrap();
        assert!(matches!(db.drop_keyspace_async("passing").await.unwrap_err().kind(), ErrorKind::KeyspaceNotFound { .. }));
        assert_eq!(db.durable_version(), db.version());
        let before = contents(&db);
        db.close_async().await.unwrap();
        assert_eq!(contents(&open(&files).unwrap()), before);
    }

    async fn whoever_opens_the_same_new_keyspace_waits_for_it_as_well() {
        let files = MemoryStorage::new();
        let storage = PendingStorage::over(Arc::new(files));
        let db = storage.drive(Options::new().open_storage_async(storage.clone())).await.unwrap();
        let mut first = Box::pin(db.keyspace_async("users"));
        let mut second = Box::pin(db.keyspace_async("users"));
        assert!(poll_once(first.as_mut()).is_none() && poll_once(second.as_mut()).is_none());
        let created = storage.drive(first).await.unwrap();
        assert!(storage.drive(second).await.unwrap() == created);
        storage.drive(db.close_async()).await.unwrap();
    }

    async fn an_update_is_tried_again_until_nothing_interferes() {
        let (_files, db) = opened(Options::new()).await;
        let mut attempts = 0;
        let count = db.update_async(async |tx| {
            let count = tx.get("count")?.map_or(0, |value| value[0]) + 1;
            attempts += 1;
            if attempts < 4 {
                db.insert_async("count", [attempts * 10]).await?;
            }
            turn().await;
            tx.insert("count", [count])?;
            Ok(count)
        });
        assert_eq!(count.await.unwrap(), 31);
        assert_eq!(attempts, 4);
        let refused = db.update_async::<()>(async |_| Err(Error::aborted("enough"))).await;
        assert!(matches!(refused.unwrap_err().kind(), ErrorKind::Aborted { .. }));
        db.close_async().await.unwrap();
    }

    async fn commits_are_durable_when_asked_for() {
        let (_files, db) = opened(Options::new().durability(selkie::Durability::None)).await;
        let commit = db.insert_async("a", "1").await.unwrap();
        assert_eq!(db.durable_version(), 0);
        commit.durable().await.unwrap();
        assert_eq!(db.durable_version(), 1);
        db.insert_async("b", "2").await.unwrap();
        db.sync_async().await.unwrap();
        assert_eq!(db.durable_version(), 2);
        db.close_async().await.unwrap();
    }

    async fn changes_come_from_the_log_and_from_the_history() {
        let (_files, db) = opened(small_segments().history(Retention::Forever)).await;
        let mut watch = db.watch_async::<&str>(..).await.unwrap();
        let since = db.version();
        fill(&db, 0..150).await;
        for snapshot in [false, true] {
            if snapshot {
                // From here on the log does not reach back.
                db.snapshot_async().await.unwrap();
            }
            let mut changes = db.changes_since_async(since).await.unwrap();
            for key in 0..150 {
                let next = changes.next_async().await.unwrap().unwrap();
                assert_eq!(next.changes[0].key, format!("{key:06}"));
            }
            assert_eq!(changes.next_async().await.unwrap(), None);
        }
        for key in 0..150 {
            assert_eq!(watch.next_async().await.unwrap().changes[0].key, format!("{key:06}"));
        }
        drop(watch);
        db.close_async().await.unwrap();
    }

    async fn a_backup_goes_through_pieces_of_any_length() {
        let (_files, db) = opened(Options::new().history(Retention::Forever)).await;
        let mut random = Random(1);
        for key in 0..80_u32 {
            let incompressible: Vec<u8> = (0..5_000).flat_map(|_| random.next().to_le_bytes()).collect();
            db.insert_async(key.to_be_bytes(), incompressible).await.unwrap();
        }
        let mut pieces: Vec<Bytes> = Vec::new();
        let info = db.backup_async(async |piece| {
            turn().await;
            pieces.push(piece);
            Ok(())
        });
        let info = info.await.unwrap();
        assert!(pieces.len() > 2, "{} pieces", pieces.len());
        assert_eq!(info.bytes, pieces.iter().map(|piece| piece.len() as u64).sum::<u64>());
        let whole = pieces.concat();
        for length in [1_000, 70_001, whole.len()] {
            let mut rest = whole.chunks(length).map(Bytes::copy_from_slice);
            let files = PendingStorage::by_itself(Arc::new(MemoryStorage::new()));
            let restoring = Options::new().restore_pieces_async(async || Ok(rest.next()), files);
            let restored = restoring.await.unwrap();
            assert_eq!(contents(&restored), contents(&db));
            restored.close_async().await.unwrap();
        }
        let copy = MemoryStorage::new();
        let storage = PendingStorage::by_itself(Arc::new(copy.clone()));
        assert_eq!(db.checkpoint_storage_async(storage).await.unwrap().version, db.version());
        assert_eq!(contents(&open(&copy).unwrap()), contents(&db));
        db.close_async().await.unwrap();
    }

    async fn an_error_of_a_sink_or_a_source_comes_out() {
        let (_files, db) = opened(Options::new()).await;
        fill(&db, 0..10).await;
        let refused = db.backup_async(async |_| Err(Error::aborted("no room"))).await;
        assert!(matches!(refused.unwrap_err().kind(), ErrorKind::Aborted { .. }));
        db.close_async().await.unwrap();
        let files = MemoryStorage::new();
        let storage = PendingStorage::by_itself(Arc::new(files.clone()));
        let restored = Options::new().restore_pieces_async(async || Err(Error::aborted("lost")), storage).await;
        assert!(matches!(restored.unwrap_err().kind(), ErrorKind::Aborted { .. }));
        assert!(files.files().is_empty());
        assert!(keys(&open(&files).unwrap()).is_empty());
    }

    async fn a_close_that_is_given_up_is_finished_by_the_next() {
        let files = MemoryStorage::new();
        let storage = PendingStorage::over(Arc::new(files.clone()));
        let options = Options::new().snapshots(SnapshotPolicy::Never);
        let db = storage.drive(options.open_storage_async(storage.clone())).await.unwrap();
        let commit = db.insert_async("a", "1");
        let mut closing = Box::pin(db.clone().close_async());
        assert!(poll_once(closing.as_mut()).is_none());
        drop(closing);
        assert!(matches!(open(&files).unwrap_err().kind(), ErrorKind::Locked { .. }));
        storage.drive(db.close_async()).await.unwrap();
        storage.drive(commit).await.unwrap();
        assert_eq!(keys(&open(&files).unwrap()), ["a"]);
    }
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}
