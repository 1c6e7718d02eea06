//! Places in the storages of browsers, and the raw files that are there.

#![allow(unused_macros, unused_imports, reason = "not every suite has cases on both")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use selkie::storage::{Flush, HostStorage, Storage, web};

/// Makes two tests of each case: on OPFS and on IndexedDB.
macro_rules! on_both_storages {
    ($($case:ident)*) => {
        mod opfs {$(
            #[wasm_bindgen_test::wasm_bindgen_test]
            async fn $case() {
                super::$case(crate::common::web::Place::new(true)).await.unwrap();
            }
        )*}
        mod indexed_db {$(
            #[wasm_bindgen_test::wasm_bindgen_test]
            async fn $case() {
                super::$case(crate::common::web::Place::new(false)).await.unwrap();
            }
        )*}
    };
}

pub(crate) use on_both_storages;

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Where a database is, to open it as often as a test wants.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    name: String,
    is_opfs: bool,
}

impl Place {
    /// A place that no other test has.
    pub(crate) fn new(is_opfs: bool) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self { name: format!("place {}", NEXT.fetch_add(1, Ordering::Relaxed)), is_opfs }
    }

    /// Another place in the same storage.
    pub(crate) fn another(&self) -> Self {
        Self::new(self.is_opfs)
    }

    pub(crate) async fn storage(&self) -> Arc<HostStorage> {
        let opened = if self.is_opfs { web::opfs(&self.name).await } else { web::indexed_db(&self.name).await };
        Arc::new(opened.unwrap())
    }

    /// Puts the raw files there.
    pub(crate) async fn write(&self, files: &Files) {
        let storage = self.storage().await;
        storage.lock().await.unwrap();
        for (name, bytes) in files {
            storage.create(name).await.unwrap();
            storage.write(name, 0, bytes.clone().into(), Flush::Yes).await.unwrap();
        }
        storage.sync_directory().await.unwrap();
    }

    /// The raw files that are there, while no database is.
    pub(crate) async fn files(&self) -> Files {
        let storage = self.storage().await;
        storage.lock().await.unwrap();
        files_of(&*storage).await
    }
}

/// The raw files of a storage that is locked, as they are at one moment: the reads are submitted at once.
pub(crate) async fn files_of(storage: &dyn Storage) -> Files {
    let listed = storage.list().await.unwrap();
    let reads: Vec<_> = listed.into_iter().map(|entry| (storage.read(&entry.name, 0, usize::MAX), entry)).collect();
    let mut files = Files::new();
    for (read, entry) in reads {
        let bytes = read.await.unwrap();
        assert!(bytes.len() as u64 >= entry.length, "{} was cut", entry.name);
        files.insert(entry.name, bytes.to_vec());
    }
    files
}
