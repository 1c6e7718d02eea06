//! Where the database of a case is kept.

#![cfg_attr(
    not(all(target_arch = "wasm32", feature = "web")),
    allow(clippy::unused_async, reason = "only browsers have to be waited for")
)]

use std::sync::Arc;

use selkie::storage::{MemoryStorage, Storage};

use crate::common::pending::PendingStorage;
#[cfg(all(target_arch = "wasm32", feature = "web"))]
use crate::common::web;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nowhere,
    Memory,
    MemoryThatAnswersLater,
    #[cfg(all(target_arch = "wasm32", feature = "web"))]
    Opfs,
    #[cfg(all(target_arch = "wasm32", feature = "web"))]
    IndexedDb,
}

impl Kind {
    /// Whether nothing may wait for an answer here.
    pub(crate) fn needs_twins(self) -> bool {
        cfg!(target_arch = "wasm32") && !matches!(self, Self::Nowhere | Self::Memory)
    }
}

/// Files that can be opened again and copied meanwhile.
pub(crate) enum Place {
    Memory {
        files: MemoryStorage,
        answers_later: bool,
    },
    #[cfg(all(target_arch = "wasm32", feature = "web"))]
    Browser {
        place: web::Place,
        storage: Arc<selkie::storage::HostStorage>,
    },
}

impl Place {
    /// A new place, unless the database is to be nowhere.
    pub(crate) async fn new(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Nowhere => None,
            Kind::Memory => Some(Self::Memory { files: MemoryStorage::new(), answers_later: false }),
            Kind::MemoryThatAnswersLater => Some(Self::Memory { files: MemoryStorage::new(), answers_later: true }),
            #[cfg(all(target_arch = "wasm32", feature = "web"))]
            Kind::Opfs | Kind::IndexedDb => Some(Self::in_browser(web::Place::new(kind == Kind::Opfs)).await),
        }
    }

    #[cfg(all(target_arch = "wasm32", feature = "web"))]
    async fn in_browser(place: web::Place) -> Self {
        let storage = place.storage().await;
        Self::Browser { place, storage }
    }

    /// Another place of the same kind, with these files.
    pub(crate) async fn another(&self, files: MemoryStorage) -> Self {
        match self {
            Self::Memory { answers_later, .. } => Self::Memory { files, answers_later: *answers_later },
            #[cfg(all(target_arch = "wasm32", feature = "web"))]
            Self::Browser { place, .. } => {
                let another = place.another();
                another.write(&files.files()).await;
                Self::in_browser(another).await
            }
        }
    }

    /// The storage as a database gets it.
    pub(crate) fn storage(&self) -> Arc<dyn Storage> {
        match self {
            Self::Memory { files, answers_later: false } => Arc::new(files.clone()),
            Self::Memory { files, answers_later: true } => PendingStorage::by_itself(Arc::new(files.clone())),
            #[cfg(all(target_arch = "wasm32", feature = "web"))]
            Self::Browser { storage, .. } => storage.clone(),
        }
    }

    /// The files as a crash at this moment would leave them.
    pub(crate) async fn copy(&self) -> MemoryStorage {
        match self {
            Self::Memory { files, .. } => files.copy(),
            #[cfg(all(target_arch = "wasm32", feature = "web"))]
            Self::Browser { storage, .. } => {
                // A database that is open has the lock already, of this very handle.
                let taken = storage.lock().await.is_ok();
                let files = web::files_of(&**storage).await;
                if taken {
                    storage.unlock();
                }
                MemoryStorage::from_files(files)
            }
        }
    }
}
