//! What a loss of power leaves: of each file as much as was synced, in the directory as it was when it was synced.

use std::collections::{BTreeMap, BTreeSet};

use selkie::storage::{MemoryStorage, Storage};

use crate::common::Operation;

/// The medium under the files of a storage. It outlives the process: what one opening did not sync, the next has to.
#[derive(Debug, Default, Clone)]
pub(crate) struct Medium {
    synced_bytes: BTreeMap<String, u64>,
    listed: BTreeSet<String>,
    /// What may come back, because the directory was not synced since.
    removed: BTreeMap<String, Vec<u8>>,
}

impl Medium {
    /// One that has all of these files.
    pub(crate) fn with(files: &MemoryStorage) -> Self {
        let synced_bytes = lengths(files);
        let listed = synced_bytes.keys().cloned().collect();
        Self { synced_bytes, listed, removed: BTreeMap::new() }
    }

    /// Notes what is about to be done to the files.
    pub(crate) fn note(&mut self, files: &MemoryStorage, operation: Operation, file: &str) {
        match operation {
            Operation::Sync => {
                self.synced_bytes.insert(file.to_owned(), lengths(files)[file]);
            }
            Operation::Remove => {
                self.removed.insert(file.to_owned(), files.files().remove(file).unwrap());
            }
            Operation::SyncDirectory => {
                self.removed.clear();
                self.listed = lengths(files).into_keys().collect();
            }
            Operation::Create | Operation::Write | Operation::Truncate => {}
        }
    }

    /// What is there when the power comes back.
    pub(crate) fn image(&self, files: &MemoryStorage) -> MemoryStorage {
        let mut files = files.files();
        for (name, bytes) in &self.removed {
            files.entry(name.clone()).or_insert_with(|| bytes.clone());
        }
        files.retain(|name, _| self.listed.contains(name));
        for (name, bytes) in &mut files {
            bytes.truncate(self.synced_bytes.get(name).copied().unwrap_or_default() as usize);
        }
        MemoryStorage::from_files(files)
    }
}

fn lengths(files: &MemoryStorage) -> BTreeMap<String, u64> {
    let entries = files.list().try_take().unwrap().unwrap();
    entries.into_iter().map(|entry| (entry.name, entry.length)).collect()
}
