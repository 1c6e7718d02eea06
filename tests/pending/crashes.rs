//! Crashes between any two operations on a storage that answers later, while much is in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use selkie::storage::MemoryStorage;
use selkie::{Database, Durability, Readable, TransactionOptions, Visibility, Writable};

use crate::common::events::async_tests;
use crate::common::pending::PendingStorage;
use crate::common::{Random, open, small_segments};

const KEYS: u8 = 5;

/// A commit of all keys together.
fn commit(db: &Database, number: u64) -> selkie::CommitFuture {
    let mut tx = db.begin_with(TransactionOptions::new().write_only()).unwrap();
    for key in 0..KEYS {
        tx.insert([key], [number.to_le_bytes().as_slice(), &[7; 60]].concat()).unwrap();
    }
    tx.commit_async()
}

/// What recovers holds all that was acknowledged and nothing that was not committed, and commits are whole.
fn check(image: &MemoryStorage, acknowledged: u64, committed: u64) {
    let db = open(image).unwrap();
    let version = db.version();
    assert!((acknowledged..=committed).contains(&version), "{version} of {acknowledged} to {committed}");
    let values: Vec<_> = db.begin_read().unwrap().iter().map(|entry| entry.unwrap().1).collect();
    assert_eq!(values.len(), if version == 0 { 0 } else { usize::from(KEYS) });
    assert!(values.iter().all(|value| value[..8] == version.to_le_bytes()), "a torn transaction");
    db.insert("more", "").unwrap();
    assert!(open(&image.copy()).unwrap().contains_key("more").unwrap());
}

async_tests! {
    async fn a_crash_with_commits_in_flight_loses_nothing_acknowledged() {
        let (applied, durable) = (Visibility::Applied, Visibility::Durable);
        let (immediate, buffered) = (Durability::Immediate, Durability::Buffered);
        for (seed, visibility, durability) in
            [(1, applied, immediate), (2, durable, immediate), (3, applied, buffered), (4, durable, buffered)]
        {
            let mut random = Random(seed);
            let files = MemoryStorage::new();
            let storage = PendingStorage::telling(Arc::new(files.clone()), durability == Durability::Buffered);
            let options = small_segments().visibility(visibility).durability(durability);
            let opening = options.open_storage_async(storage.clone());
            let db = storage.drive(opening).await.unwrap();
            let (acknowledged, committed) = (AtomicU64::new(0), AtomicU64::new(0));
            let mut images = Vec::new();
            let mut pump = |storage: &PendingStorage| {
                let pumped = storage.pump_any(&mut random);
                if pumped {
                    let counts = (acknowledged.load(Ordering::Relaxed), committed.load(Ordering::Relaxed));
                    images.push((files.copy(), counts));
                }
                pumped
            };
            for burst in 0..30 {
                let commits: Vec<_> = (1..=20).map(|number| commit(&db, burst * 20 + number)).collect();
                committed.fetch_add(20, Ordering::Relaxed);
                if burst % 10 == 5 {
                    storage.drive_with(db.snapshot_async(), &mut pump).await.unwrap();
                }
                for commit in commits {
                    let version = storage.drive_with(commit, &mut pump).await.unwrap().version();
                    acknowledged.fetch_max(version, Ordering::Relaxed);
                }
            }
            storage.drive_with(db.close_async(), &mut pump).await.unwrap();
            assert!(images.len() > 50, "{} images", images.len());
            for (image, (acknowledged, committed)) in images {
                check(&image, acknowledged, committed);
            }
        }
    }
}
