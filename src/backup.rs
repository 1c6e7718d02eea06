//! Backups to a stream, databases made from them, and checkpoints.

use std::io::{Read, Write};
use std::sync::Arc;

use bytes::Bytes;

#[cfg(doc)]
use crate::ErrorKind;
use crate::codec::SnapshotHeader;
use crate::database::Database;
use crate::engine::Engine;
use crate::options::Options;
use crate::recovery::restore;
use crate::runtime::{SystemTime, block_on, from_ns, random};
use crate::snapshot::{ChunkSink, ChunkSource, ReadSource, Source, Summary, WriteSink};
use crate::storage::Storage;
use crate::{Error, Result, Version};

/// What errors call the stream of a backup.
const STREAM: &str = "backup";

/// A backup or a checkpoint that was written.
///
/// # Examples
///
/// ```
/// # let db = selkie::Database::in_memory();
/// let commit = db.insert("key", "value")?;
/// let backup = db.backup(std::io::sink())?;
/// assert_eq!((backup.version, backup.entries), (commit.version(), 1));
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupInfo {
    /// It holds everything committed up to this version, and nothing later.
    pub version: Version,
    /// When that was committed.
    pub time: SystemTime,
    /// Its length in bytes.
    pub bytes: u64,
    /// How many keys it holds, removed ones with history included.
    pub entries: u64,
}

impl Database {
    /// Writes everything that is committed to a stream, with the history that is kept, while commits go on.
    ///
    /// It is one consistent point of the history: all keyspaces as of [`BackupInfo::version`]. What the database
    /// holds at that point is kept in memory until the backup is written. [`Options::restore`] makes a database of it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use selkie::{Database, Options, storage::MemoryStorage};
    ///
    /// let db = Database::in_memory();
    /// db.insert("key", "value")?;
    /// let mut backup = Vec::new();
    /// db.backup(&mut backup)?;
    ///
    /// let restored = Options::new().restore_storage(&backup[..], Arc::new(MemoryStorage::new()))?;
    /// assert_eq!(restored.get("key")?.unwrap(), "value");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] of the writer, [`ErrorKind::Closed`], and [`ErrorKind::Poisoned`] or
    /// [`ErrorKind::DurabilityUnknown`] when commits that are under way cannot be finished. What was written until then
    /// is no valid backup.
    pub fn backup(&self, writer: impl Write) -> Result<BackupInfo> {
        block_on(async {
            let plan = self.handle().plan_backup().await?;
            let mut writer = writer;
            let summary = plan.write(&mut WriteSink::new(&mut writer, STREAM)).await?;
            writer.flush().map_err(|error| Error::io("write", STREAM, error))?;
            Ok(info(&plan.header, summary))
        })
    }

    /// Hands everything that is committed to `sink`, piece by piece, with the history that is kept.
    ///
    /// It is what [`backup`](Self::backup) writes, in pieces of about 1 MiB. The next piece is made once `sink` is done
    /// with the one before, so that whoever takes them slowly does not have them pile up.
    ///
    /// ```
    /// use selkie::{BackupInfo, Database};
    ///
    /// async fn save(db: &Database, stream: &mut Vec<u8>) -> selkie::Result<BackupInfo> {
    ///     db.backup_async(async |piece| {
    ///         stream.extend_from_slice(&piece);
    ///         Ok(())
    ///     })
    ///     .await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// What `sink` returns, and otherwise as for [`backup`](Self::backup).
    pub async fn backup_async(&self, sink: impl AsyncFnMut(Bytes) -> Result<()>) -> Result<BackupInfo> {
        let plan = self.handle().plan_backup().await?;
        let summary = plan.write(&mut ChunkSink(sink)).await?;
        Ok(info(&plan.header, summary))
    }

    /// Makes a copy of the database in another directory, ready to be opened, while commits go on.
    ///
    /// The copy is a database of its own, as if restored from a [`backup`](Self::backup).
    ///
    /// ```
    /// use selkie::Database;
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("copy");
    /// let db = Database::in_memory();
    /// db.insert("key", "value")?;
    /// db.checkpoint(&path)?;
    /// assert_eq!(Database::open(&path)?.get("key")?.unwrap(), "value");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`backup`](Self::backup); [`ErrorKind::Io`] of kind `AlreadyExists` when the directory is not empty,
    /// [`ErrorKind::Locked`] when a database is open there. After an error no database is left there.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn checkpoint(&self, path: impl AsRef<std::path::Path>) -> Result<BackupInfo> {
        self.checkpoint_storage(Arc::new(crate::storage::FileStorage::new(path.as_ref())))
    }

    /// Makes a copy of the database in another storage, where the storage answers at once.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use selkie::{Database, Options, storage::MemoryStorage};
    ///
    /// let db = Database::in_memory();
    /// db.insert("key", "value")?;
    /// let storage = Arc::new(MemoryStorage::new());
    /// db.checkpoint_storage(storage.clone())?;
    /// assert!(Options::new().open_storage(storage)?.contains_key("key")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`backup`](Self::backup); [`ErrorKind::Io`] of kind `AlreadyExists` when the storage is not empty.
    pub fn checkpoint_storage(&self, storage: Arc<dyn Storage>) -> Result<BackupInfo> {
        block_on(self.checkpoint_storage_async(storage))
    }

    /// Makes a copy of the database in another storage.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use selkie::{BackupInfo, Database, storage::Storage};
    ///
    /// async fn copy(db: &Database, storage: Arc<dyn Storage>) -> selkie::Result<BackupInfo> {
    ///     db.checkpoint_storage_async(storage).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`checkpoint_storage`](Self::checkpoint_storage).
    pub async fn checkpoint_storage_async(&self, storage: Arc<dyn Storage>) -> Result<BackupInfo> {
        storage.lock().await?;
        let copied = copy(self.handle(), &storage).await;
        storage.unlock();
        copied
    }
}

impl Options {
    /// Makes a new database in a directory from a backup, and opens it.
    ///
    /// The stream is read to its end and checked in full before anything is written. The new database goes on with
    /// the versions, history and retention of the backup, but is not the same database: files of the two cannot be
    /// mixed.
    ///
    /// ```
    /// use selkie::{Database, Options};
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("restored");
    /// let db = Database::in_memory();
    /// db.insert("key", "value")?;
    /// let mut backup = Vec::new();
    /// db.backup(&mut backup)?;
    ///
    /// Options::new().restore(&backup[..], &path)?.close()?;
    /// assert_eq!(Database::open(&path)?.get("key")?.unwrap(), "value");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] of kind `AlreadyExists` when the directory holds anything; [`ErrorKind::Corrupted`] with the
    /// file `backup` and [`ErrorKind::UnsupportedFormat`] for what is no intact backup; [`ErrorKind::Locked`];
    /// [`ErrorKind::Io`]. After an error no database is left there. After a crash in the middle, opening and restoring
    /// there are refused until the files are removed.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn restore(self, reader: impl Read, path: impl AsRef<std::path::Path>) -> Result<Database> {
        self.restore_storage(reader, Arc::new(crate::storage::FileStorage::new(path.as_ref())))
    }

    /// Makes a new database in a storage from a backup, and opens it, where the storage answers at once.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use selkie::{Options, storage::MemoryStorage};
    ///
    /// let no_backup = &b"anything"[..];
    /// assert!(Options::new().restore_storage(no_backup, Arc::new(MemoryStorage::new())).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] of kind `AlreadyExists` when the storage holds anything, [`ErrorKind::Corrupted`] with the
    /// file `backup` and [`ErrorKind::UnsupportedFormat`] for what is no intact backup, [`ErrorKind::Io`].
    pub fn restore_storage(self, reader: impl Read, storage: Arc<dyn Storage>) -> Result<Database> {
        block_on(self.restore_storage_async(reader, storage))
    }

    /// Makes a new database in a storage from a backup, and opens it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use selkie::{Database, Options, storage::Storage};
    ///
    /// async fn restore(backup: &[u8], storage: Arc<dyn Storage>) -> selkie::Result<Database> {
    ///     Options::new().restore_storage_async(backup, storage).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`restore_storage`](Self::restore_storage).
    pub async fn restore_storage_async(self, reader: impl Read, storage: Arc<dyn Storage>) -> Result<Database> {
        restore_from(self, ReadSource::new(reader, STREAM), storage).await
    }

    /// Makes a new database in a storage from a backup that comes in pieces, and opens it.
    ///
    /// `next` returns the next piece of the backup, of any length, and none after the last. It is asked again once the
    /// piece before was read.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use selkie::{Database, Options, storage::Storage};
    ///
    /// async fn restore(backup: Vec<u8>, storage: Arc<dyn Storage>) -> selkie::Result<Database> {
    ///     let mut pieces = vec![backup.into()];
    ///     Options::new().restore_pieces_async(async || Ok(pieces.pop()), storage).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// What `next` returns, and otherwise as for [`restore_storage`](Self::restore_storage).
    pub async fn restore_pieces_async(
        self,
        next: impl AsyncFnMut() -> Result<Option<Bytes>>,
        storage: Arc<dyn Storage>,
    ) -> Result<Database> {
        restore_from(self, ChunkSource::new(next), storage).await
    }
}

async fn restore_from<S: Source>(options: Options, mut source: S, storage: Arc<dyn Storage>) -> Result<Database> {
    if options.read_only {
        return Err(Error::invalid("a database cannot be restored read-only"));
    }
    storage.lock().await?;
    let opened = match restore::restore(&storage, &mut source, STREAM, options.compression).await {
        Ok(recovered) => Engine::open(options, &storage, recovered).await,
        Err(error) => Err(error),
    };
    opened.map(Database::from_engine).inspect_err(|_| storage.unlock())
}

async fn copy(engine: &Engine, storage: &Arc<dyn Storage>) -> Result<BackupInfo> {
    restore::check_vacant(storage.as_ref()).await?;
    let mut plan = engine.plan_backup().await?;
    plan.header.database = random();
    plan.header.segment = restore::FIRST_SEGMENT;
    let (_, summary) = restore::establish(storage, &plan.header, async || plan.write_file(storage).await).await?;
    Ok(info(&plan.header, summary))
}

fn info(header: &SnapshotHeader, summary: Summary) -> BackupInfo {
    let Summary { bytes, entries, .. } = summary;
    BackupInfo { version: header.version, time: from_ns(header.time), bytes, entries }
}
