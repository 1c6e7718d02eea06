//! A storage that answers later, and with an error: it stops all writing, and nothing acknowledged is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use selkie::storage::MemoryStorage;
use selkie::{Database, Durability, ErrorKind, Visibility};

use crate::common::events::{async_tests, turn};
use crate::common::pending::PendingStorage;
use crate::common::{Operation, ScriptedStorage, Verdict, keys, open, small_segments};

/// Commits in bursts of two turns, with changes of segment. Returns the keys that were acknowledged.
async fn work(db: &Database, storage: &PendingStorage) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut failed = false;
    for burst in 0..5 {
        let mut commits = Vec::new();
        for half in 0..2 {
            let keys = (0..2).map(|number| format!("key {burst} {half} {number}"));
            commits.extend(keys.map(|key| (db.insert_async(&key, [7; 500]), key)));
            turn().await;
        }
        for (commit, key) in commits {
            match storage.drive(commit).await {
                Ok(_) if !failed => acknowledged.push(key),
                Err(error)
                    if matches!(error.kind(), ErrorKind::DurabilityUnknown { .. } | ErrorKind::Poisoned { .. }) =>
                {
                    failed = true;
                }
                outcome => panic!("{outcome:?} of {key}"),
            }
        }
        let seen = keys(db);
        assert!(acknowledged.iter().all(|key| seen.contains(key)), "reads go on");
    }
    acknowledged
}

/// What the database promises, and its storage.
#[derive(Clone, Copy)]
struct Promises {
    visibility: Visibility,
    durability: Durability,
    keeps_order: bool,
}

/// Those that differ in what is under way at the same time.
fn promises() -> impl Iterator<Item = Promises> {
    let visibilities = [Visibility::Applied, Visibility::Durable];
    let levels = [(Durability::Immediate, false), (Durability::Buffered, false), (Durability::Buffered, true)];
    visibilities.into_iter().flat_map(move |visibility| {
        levels.map(|(durability, keeps_order)| Promises { visibility, durability, keeps_order })
    })
}

/// One run with one failure. Returns whether it came about.
async fn run(operation: Operation, nth: usize, verdict: Verdict, promises: Promises) -> bool {
    let Promises { visibility, durability, keeps_order } = promises;
    let files = MemoryStorage::new();
    let seen = AtomicUsize::new(0);
    let failing = ScriptedStorage::over(files.clone(), move |asked, _| {
        let hit = asked == operation && seen.fetch_add(1, Ordering::Relaxed) == nth;
        if hit { verdict } else { Verdict::Go }
    });
    let storage = PendingStorage::telling(failing.clone(), keeps_order);
    let options = small_segments().visibility(visibility).durability(durability);
    let opening = options.open_storage_async(storage.clone());
    let mut acknowledged = Vec::new();
    if let Ok(db) = storage.drive(opening).await {
        acknowledged = work(&db, &storage).await;
        let closed = storage.drive(db.close_async()).await;
        let failed = failing.calls().iter().any(|(_, _, verdict)| *verdict != Verdict::Go);
        assert_eq!(closed.is_err(), failed, "{operation:?} {nth}: {closed:?}");
    }
    let found = keys(&open(&files.copy()).unwrap());
    assert!(found.starts_with(&acknowledged), "{operation:?} {nth}: {found:?} instead of {acknowledged:?}");
    failing.calls().iter().any(|(_, _, verdict)| *verdict != Verdict::Go)
}

async_tests! {
    async fn the_first_error_stops_all_writing_and_loses_nothing_acknowledged() {
        let operations =
            [Operation::Create, Operation::Write, Operation::Truncate, Operation::Sync, Operation::SyncDirectory];
        let mut failures = 0;
        for operation in operations {
            for verdict in [Verdict::Fail, Verdict::Short] {
                for promises in promises() {
                    let mut nth = 0;
                    while run(operation, nth, verdict, promises).await {
                        nth += 1;
                    }
                    failures += nth;
                    assert!(nth > 0, "{operation:?} never happened");
                }
            }
        }
        assert!(failures > 100, "{failures} failures");
    }

    async fn what_follows_a_write_that_failed_is_not_acknowledged_whatever_the_storage_says() {
        let armed = Arc::new(AtomicBool::new(false));
        let (is_armed, seen) = (Arc::clone(&armed), AtomicUsize::new(0));
        let failing = ScriptedStorage::over(MemoryStorage::new(), move |asked, _| match asked {
            Operation::Write if is_armed.load(Ordering::Relaxed) => {
                if seen.fetch_add(1, Ordering::Relaxed) == 0 { Verdict::Fail } else { Verdict::Pretend }
            }
            _ => Verdict::Go,
        });
        let storage = PendingStorage::telling(failing, true);
        let options = small_segments().durability(Durability::Buffered);
        let db = storage.drive(options.open_storage_async(storage.clone())).await.unwrap();
        armed.store(true, Ordering::Relaxed);
        let mut commits = vec![db.insert_async("first", "")];
        storage.until_waiting(1).await;
        commits.push(db.insert_async("second", ""));
        storage.until_waiting(if cfg!(target_arch = "wasm32") { 2 } else { 1 }).await;
        while storage.pump() {}
        for commit in commits {
            storage.drive(commit).await.unwrap_err();
        }
        storage.drive(db.close_async()).await.unwrap_err();
    }
}
