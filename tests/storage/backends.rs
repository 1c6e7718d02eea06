//! The backends: a function each that makes ways to open a new place again.

use std::future::ready;

use selkie::storage::{MemoryStorage, Storage};

use crate::Opening;

pub(crate) fn memory() -> impl Fn() -> Opening {
    let storage = MemoryStorage::new();
    move || Box::pin(ready(Box::new(storage.clone()) as Box<dyn Storage>))
}

#[cfg(feature = "testing")]
pub(crate) fn simulated() -> impl Fn() -> Opening {
    let storage = selkie::storage::sim::SimStorage::new();
    move || Box::pin(ready(Box::new(storage.clone()) as Box<dyn Storage>))
}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn file() -> impl Fn() -> Opening {
    let directory = tempfile::tempdir().unwrap();
    move || {
        let storage = selkie::storage::FileStorage::new(directory.path().join("database"));
        Box::pin(ready(Box::new(storage) as Box<dyn Storage>))
    }
}

/// In a page through a worker, in a dedicated worker directly.
#[cfg(all(target_arch = "wasm32", feature = "web"))]
pub(crate) fn opfs() -> impl Fn() -> Opening {
    let name = new_name();
    move || {
        let name = name.clone();
        Box::pin(async move { Box::new(selkie::storage::web::opfs(&name).await.unwrap()) as Box<dyn Storage> })
    }
}

#[cfg(all(target_arch = "wasm32", feature = "web"))]
pub(crate) fn indexed_db() -> impl Fn() -> Opening {
    let name = new_name();
    move || {
        let name = name.clone();
        Box::pin(async move { Box::new(selkie::storage::web::indexed_db(&name).await.unwrap()) as Box<dyn Storage> })
    }
}

#[cfg(all(target_arch = "wasm32", feature = "js", not(feature = "web")))]
pub(crate) fn node_files() -> impl Fn() -> Opening {
    let directory = crate::node::new_directory();
    move || Box::pin(crate::node::open(directory.clone()))
}

/// A name that no other test has, with characters that a directory cannot have.
#[cfg(all(target_arch = "wasm32", feature = "web"))]
pub(crate) fn new_name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("../a:b*/\u{e9}? {}", NEXT.fetch_add(1, Ordering::Relaxed))
}
