//! Opening a database as its options say.

use std::sync::Arc;

#[cfg(doc)]
use crate::ErrorKind;
use crate::Result;
use crate::database::Database;
use crate::engine::Engine;
use crate::options::{Durability, Options};
use crate::recovery::{Recovered, recover};
use crate::runtime::block_on;
use crate::storage::Storage;

impl Options {
    /// Opens the database in a directory, or creates it.
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("notes");
    /// let db = selkie::Options::new().open(&path)?;
    /// db.insert("title", "Selkie")?;
    /// db.close()?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Locked`] while it is open elsewhere, [`ErrorKind::Corrupted`] for damaged files,
    /// [`ErrorKind::UnsupportedFormat`] for those of a later version, [`ErrorKind::Io`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open(self, path: impl AsRef<std::path::Path>) -> Result<Database> {
        let path = path.as_ref();
        // Taking the lock creates the directory, which reading must not.
        if self.read_only && !path.is_dir() {
            return Err(crate::Error::io("open", path.display().to_string(), std::io::ErrorKind::NotFound.into()));
        }
        self.open_storage(Arc::new(crate::storage::FileStorage::new(path)))
    }

    /// Opens the database in a storage, or creates it, where the storage answers at once.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use selkie::{Options, storage::MemoryStorage};
    ///
    /// let storage = Arc::new(MemoryStorage::new());
    /// Options::new().open_storage(storage.clone())?.insert("key", "value")?;
    /// let db = Options::new().open_storage(storage)?;
    /// assert_eq!(db.get("key")?.unwrap(), "value");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn open_storage(self, storage: Arc<dyn Storage>) -> Result<Database> {
        block_on(self.open_storage_async(storage))
    }

    /// Opens the database in a storage, or creates it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use selkie::{Database, Options, storage::Storage};
    ///
    /// async fn open(storage: Arc<dyn Storage>) -> selkie::Result<Database> {
    ///     Options::new().open_storage_async(storage).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub async fn open_storage_async(self, storage: Arc<dyn Storage>) -> Result<Database> {
        storage.lock().await?;
        let opened = match recover(&storage, &self).await {
            Ok(recovered) => Engine::open(self, &storage, recovered).await,
            Err(error) => Err(error),
        };
        match opened {
            Ok(engine) => Ok(Database::from_engine(engine)),
            Err(error) => {
                storage.unlock();
                Err(error)
            }
        }
    }

    /// A database in memory: nothing is written anywhere, and it is gone with its last handle.
    ///
    /// ```
    /// use selkie::{Options, Retention};
    ///
    /// let db = Options::new().history(Retention::Forever).in_memory()?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when no background thread can be started.
    pub fn in_memory(self) -> Result<Database> {
        let recovered = Recovered::empty(self.history.unwrap_or_default());
        let engine = Engine::new(self.durability(Durability::None), None, recovered)?;
        Ok(Database::from_engine(engine))
    }
}
