//! Crashes of the process and losses of power between any two operations on the storage.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use common::{Operation, ScriptedStorage, Verdict, open, small_segments};
use selkie::storage::MemoryStorage;
use selkie::{Database, Readable, Writable};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// What a loss of power at this moment would leave: of each file as much as was synced, in the directory as it was
/// when it was last synced.
#[derive(Debug, Default)]
struct Medium {
    synced: BTreeMap<String, usize>,
    listed: Vec<String>,
    removed: BTreeMap<String, Vec<u8>>,
}

impl Medium {
    /// Notes what is about to be done to the files.
    fn note(&mut self, files: &MemoryStorage, operation: Operation, file: &str) {
        let mut files = files.files();
        match operation {
            Operation::Sync => drop(self.synced.insert(file.to_owned(), files[file].len())),
            Operation::Remove => drop(self.removed.insert(file.to_owned(), files.remove(file).unwrap())),
            Operation::SyncDirectory => {
                self.removed.clear();
                self.listed = files.into_keys().collect();
            }
            Operation::Create | Operation::Write | Operation::Truncate => {}
        }
    }

    fn image(&self, files: &MemoryStorage) -> MemoryStorage {
        let mut files = files.files();
        files.extend(self.removed.clone());
        files.retain(|name, _| self.listed.contains(name));
        for (name, bytes) in &mut files {
            bytes.truncate(self.synced.get(name).copied().unwrap_or_default());
        }
        MemoryStorage::from_files(files)
    }
}

/// The files as a crash would leave them, with the number of commits that were acknowledged by then.
type Image = (u64, MemoryStorage);

/// Runs `work` and takes two images before each storage operation: of a crash of the process, and of a loss of power.
fn crash_images(work: impl FnOnce(&Database, &AtomicU64)) -> (Vec<Image>, Vec<Image>) {
    let files = MemoryStorage::new();
    let images = Arc::new(Mutex::new((Vec::new(), Vec::new(), Medium::default())));
    let acknowledged = Arc::new(AtomicU64::new(0));
    let (inner, seen, counter) = (files.clone(), Arc::clone(&images), Arc::clone(&acknowledged));
    let storage = ScriptedStorage::over(files, move |operation, file| {
        let acknowledged = counter.load(Ordering::Relaxed);
        let (crashes, losses, medium) = &mut *seen.lock().unwrap();
        crashes.push((acknowledged, inner.copy()));
        losses.push((acknowledged, medium.image(&inner)));
        medium.note(&inner, operation, file);
        Verdict::Go
    });
    let db = small_segments().open_storage(storage.clone()).unwrap();
    work(&db, &acknowledged);
    db.close().unwrap();
    storage.heal();
    let (crashes, losses, _) = std::mem::take(&mut *images.lock().unwrap());
    (crashes, losses)
}

#[test]
fn a_crash_between_any_two_storage_operations_loses_nothing_acknowledged() {
    let (crashes, losses) = crash_images(|db, acknowledged| {
        for number in 0..30_u64 {
            let change = |tx: &mut selkie::Transaction| {
                (0..20_u8).try_for_each(|key| tx.insert([key], [number.to_le_bytes().as_slice(), &[7; 40]].concat()))
            };
            db.update(change).unwrap();
            acknowledged.fetch_add(1, Ordering::Relaxed);
            if number % 10 == 9 {
                db.snapshot().unwrap();
            }
        }
    });
    assert!(crashes.len() > 150, "{}", crashes.len());
    println!("{} images of crashes, {} of losses of power", crashes.len(), losses.len());
    for (acknowledged, image) in crashes.into_iter().chain(losses) {
        let check = |db: &Database| {
            assert!((acknowledged..=acknowledged + 1).contains(&db.version()), "{acknowledged}, {}", db.version());
            let values: Vec<_> = db.begin_read().unwrap().iter().map(|entry| entry.unwrap().1).collect();
            assert_eq!(values.len(), if db.version() == 0 { 0 } else { 20 });
            assert!(values.iter().all(|value| value[..8] == (db.version() - 1).to_le_bytes()), "a torn transaction");
        };
        let db = open(&image).unwrap();
        check(&db);
        db.insert("more", "").unwrap();
        assert!(open(&image.copy()).unwrap().contains_key("more").unwrap());
    }
}
