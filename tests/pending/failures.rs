//! A storage that answers later, and with an error: it stops all writing, and nothing acknowledged is lost.

use std::sync::atomic::{AtomicUsize, Ordering};

use selkie::storage::MemoryStorage;
use selkie::{Database, ErrorKind, Visibility};

use crate::common::events::async_tests;
use crate::common::pending::PendingStorage;
use crate::common::{Operation, ScriptedStorage, Verdict, keys, open, small_segments};

/// Commits in bursts, with changes of segment. Returns the keys that were acknowledged.
async fn work(db: &Database, storage: &PendingStorage) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut failed = false;
    for burst in 0..5 {
        let burst_keys = (0..4).map(|number| format!("key {burst} {number}"));
        let commits: Vec<_> = burst_keys.map(|key| (db.insert_async(&key, [7; 500]), key)).collect();
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

/// One run with one failure. Returns whether it came about.
async fn run(operation: Operation, nth: usize, verdict: Verdict, visibility: Visibility) -> bool {
    let files = MemoryStorage::new();
    let seen = AtomicUsize::new(0);
    let failing = ScriptedStorage::over(files.clone(), move |asked, _| {
        let hit = asked == operation && seen.fetch_add(1, Ordering::Relaxed) == nth;
        if hit { verdict } else { Verdict::Go }
    });
    let storage = PendingStorage::over(failing.clone());
    let opening = small_segments().visibility(visibility).open_storage_async(storage.clone());
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
                for visibility in [Visibility::Applied, Visibility::Durable] {
                    let mut nth = 0;
                    while run(operation, nth, verdict, visibility).await {
                        nth += 1;
                    }
                    failures += nth;
                    assert!(nth > 0, "{operation:?} never happened");
                }
            }
        }
        assert!(failures > 100, "{failures} failures");
    }
}
