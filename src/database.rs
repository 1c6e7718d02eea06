//! The database handle.

use std::ops::RangeBounds;
use std::sync::Arc;

use bytes::Bytes;

#[cfg(doc)]
use crate::ErrorKind;
use crate::engine::Engine;
use crate::handle::Handle;
use crate::index::{ReadPoint, Record};
use crate::keyspace::{self, Keyspace};
use crate::options::{Options, Retention, TransactionOptions};
use crate::recovery::Recovery;
use crate::runtime::{SystemTime, backoff, block_on, to_ns};
use crate::source::to_bounds;
use crate::stats::Stats;
use crate::transaction::{CommitInfo, Transaction};
use crate::view::{Snapshot, View};
use crate::watch::Watch;
use crate::{Error, KeyVersion, Result, SnapshotInfo, Version};

/// An ordered, transactional, versioned key-value database.
///
/// A handle is cheap to clone and can be used from any number of threads. The database closes when its last
/// handle is dropped; transactions, views and keyspaces are handles too. The methods without a keyspace act on the
/// default one.
///
/// # Examples
///
/// ```
/// use selkie::{Database, Writable};
///
/// # fn main() -> selkie::Result<()> {
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("notes");
/// let db = Database::open(&path)?;
/// db.insert("title", "Selkie")?;
/// db.update(|tx| {
///     tx.insert("a", "1")?;
///     tx.insert("b", "2")
/// })?;
/// db.close()?;
///
/// let db = Database::open(&path)?;
/// assert_eq!(db.get("b")?.unwrap(), "2");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Database {
    handle: Arc<Handle>,
}

impl Database {
    /// Opens the database in a directory, or creates it, with the default [`Options`].
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("notes");
    /// let db = selkie::Database::open(&path)?;
    /// assert!(db.recovery().created);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Options::open`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open(path: impl AsRef<std::path::Path>) -> Result<Self> {
        Options::new().open(path)
    }

    /// A database in memory with the default options.
    ///
    /// # Panics
    ///
    /// When no background thread can be started; [`Options::in_memory`] returns that as an error.
    ///
    /// ```
    /// let db = selkie::Database::in_memory();
    /// db.insert("key", "value")?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn in_memory() -> Self {
        match Options::new().in_memory() {
            Ok(db) => db,
            Err(error) => panic!("{error}"),
        }
    }

    /// A view of what is committed now.
    ///
    /// Whatever is overwritten or removed while it is open stays in memory. Each version that is superseded costs up to 80
    /// bytes beside its key and its value, and slows reads of the same key as of earlier moments. [`Stats`] has the bytes of
    /// the values, and the oldest reader; [`Limits`](crate::Limits) can end it by age or by those bytes.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// let db = Database::in_memory();
    /// let view = db.begin_read()?;
    /// db.insert("later", "")?;
    /// assert!(!view.contains_key("later")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn begin_read(&self) -> Result<View> {
        Ok(View::new(Snapshot::now(&self.handle)?))
    }

    /// A serializable transaction with the database's durability.
    ///
    /// ```
    /// # use selkie::{Database, Writable};
    /// let db = Database::in_memory();
    /// let mut tx = db.begin_write()?;
    /// tx.insert("key", "value")?;
    /// tx.commit()?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`], [`ErrorKind::Poisoned`], and [`ErrorKind::InvalidArgument`] for a database opened
    /// read-only.
    pub fn begin_write(&self) -> Result<Transaction> {
        self.begin_with(TransactionOptions::new())
    }

    /// A transaction with options of its own.
    ///
    /// ```
    /// # use selkie::{Database, Durability, TransactionOptions, Writable};
    /// let db = Database::in_memory();
    /// let mut tx = db.begin_with(TransactionOptions::new().durability(Durability::Queued))?;
    /// tx.insert("key", "value")?;
    /// tx.commit()?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`begin_write`](Self::begin_write).
    pub fn begin_with(&self, options: TransactionOptions) -> Result<Transaction> {
        Transaction::begin(&self.handle, options)
    }

    /// Runs `read` on a view of what is committed now.
    ///
    /// ```
    /// use selkie::{Database, Readable};
    ///
    /// let db = Database::in_memory();
    /// db.insert("a", "1")?;
    /// let both = db.view(|view| Ok((view.get("a")?, view.get("b")?)))?;
    /// assert_eq!(both, (Some("1".into()), None));
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What `read` returns, and [`ErrorKind::Closed`].
    pub fn view<T>(&self, read: impl FnOnce(&View) -> Result<T>) -> Result<T> {
        read(&self.begin_read()?)
    }

    /// Runs `change` in a transaction and commits it, again while it conflicts with others.
    ///
    /// It may be called several times, so its effects belong into the transaction. To leave with an error of your own,
    /// return [`Error::aborted`]; nothing is written then.
    ///
    /// ```
    /// use selkie::{Database, Readable, Writable};
    ///
    /// let db = Database::in_memory();
    /// let count = db.update(|tx| {
    ///     let count = tx.get("count")?.map_or(0, |value| value[0]) + 1;
    ///     tx.insert("count", [count])?;
    ///     Ok(count)
    /// })?;
    /// assert_eq!(count, 1);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What `change` returns; [`ErrorKind::Conflict`] after as many attempts as
    /// [`Limits::attempts`](crate::Limits::attempts) allows; the errors of [`Transaction::commit`].
    pub fn update<T>(&self, change: impl FnMut(&mut Transaction) -> Result<T>) -> Result<T> {
        self.update_with(TransactionOptions::new(), change)
    }

    /// Like [`update`](Self::update), in a transaction with options of its own.
    ///
    /// ```
    /// # use selkie::{Database, Isolation, TransactionOptions, Writable};
    /// let db = Database::in_memory();
    /// db.update_with(TransactionOptions::new().isolation(Isolation::Snapshot), |tx| tx.insert("key", "value"))?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`update`](Self::update).
    pub fn update_with<T>(
        &self,
        options: TransactionOptions,
        mut change: impl FnMut(&mut Transaction) -> Result<T>,
    ) -> Result<T> {
        let attempts = self.handle.options.limits.attempts.max(1);
        let mut attempt = 1;
        loop {
            let mut transaction = self.begin_with(options)?;
            let outcome = change(&mut transaction).and_then(|value| transaction.commit().map(|_| value));
            match outcome.as_ref().err().and_then(Error::conflict) {
                Some(version) if attempt < attempts => {
                    self.handle.wait_after_conflict(version)?;
                    backoff(attempt);
                    attempt += 1;
                }
                _ => return outcome,
            }
        }
    }

    /// The value of a key.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// db.insert("name", "Selkie")?;
    /// assert_eq!(db.get("name")?.unwrap(), "Selkie");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Bytes>> {
        keyspace::read(&self.handle, &self.handle.default_keyspace, key.as_ref(), Record::to_bytes)
    }

    /// Calls `reader` with the value of a key, without copying it.
    ///
    /// ```
    /// let db = selkie::Database::in_memory();
    /// db.insert("name", "Selkie")?;
    /// assert_eq!(db.get_with("name", |value| value.len())?, Some(6));
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn get_with<R>(&self, key: impl AsRef<[u8]>, reader: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        keyspace::read_with(&self.handle, &self.handle.default_keyspace, key.as_ref(), reader)
    }

    /// Whether a key has a value.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// assert!(!db.contains_key("name")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn contains_key(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        Ok(keyspace::read(&self.handle, &self.handle.default_keyspace, key.as_ref(), |_| ())?.is_some())
    }

    /// Sets the value of a key, in a transaction of its own.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let commit = db.insert("name", "Selkie")?;
    /// assert_eq!(commit.version(), db.version());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Transaction::commit`], except that it never conflicts.
    pub fn insert(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<CommitInfo> {
        keyspace::write(&self.handle, &self.handle.default_keyspace, key.as_ref(), Some(value.as_ref()))
    }

    /// Removes a key, in a transaction of its own. Removing a key that is not there is no error.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// db.insert("name", "Selkie")?;
    /// db.remove("name")?;
    /// assert_eq!(db.get("name")?, None);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`insert`](Self::insert).
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Result<CommitInfo> {
        keyspace::write(&self.handle, &self.handle.default_keyspace, key.as_ref(), None)
    }

    /// A view of the past, as of a commit: it sees that commit and all before it.
    ///
    /// ```
    /// use selkie::{Options, Readable, Retention};
    ///
    /// let db = Options::new().history(Retention::Versions(10)).in_memory()?;
    /// let first = db.insert("key", "one")?.version();
    /// db.insert("key", "two")?;
    /// assert_eq!(db.at(first)?.get("key")?.unwrap(), "one");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::HistoryCollected`] when keys that were there are forgotten; single reads return it where only the
    /// version they need is. [`ErrorKind::InvalidArgument`] for a version that is not yet committed.
    pub fn at(&self, version: Version) -> Result<View> {
        if version > self.version() {
            return Err(Error::invalid(format!("version {version} is not committed yet")));
        }
        Ok(View::new(Snapshot::past(&self.handle, ReadPoint::version(version))?))
    }

    /// A view of the past, as of a time: it sees what was committed until then.
    ///
    /// ```
    /// use selkie::{Options, Readable, Retention, SystemTime};
    ///
    /// let db = Options::new().history(Retention::Forever).in_memory()?;
    /// let before = SystemTime::now();
    /// # std::thread::sleep(std::time::Duration::from_millis(1));
    /// db.insert("key", "value")?;
    /// assert_eq!(db.as_of(before)?.get("key")?, None);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`at`](Self::at).
    pub fn as_of(&self, time: SystemTime) -> Result<View> {
        let point = ReadPoint { version: self.version(), time: to_ns(time) };
        Ok(View::new(Snapshot::past(&self.handle, point)?))
    }

    /// The versions of a key, newest first, removals included.
    ///
    /// ```
    /// use selkie::{Options, Retention};
    ///
    /// let db = Options::new().history(Retention::Versions(2)).in_memory()?;
    /// for value in ["one", "two", "three"] {
    ///     db.insert("key", value)?;
    /// }
    /// assert_eq!(db.history("key")?[0].value.as_deref(), Some(&b"three"[..]));
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn history(&self, key: impl AsRef<[u8]>) -> Result<Vec<KeyVersion>> {
        self.begin_read()?.history(key)
    }

    /// Opens a keyspace, or creates it.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let users = db.keyspace("users")?;
    /// users.insert("ada", "1815")?;
    /// assert_eq!(db.get("ada")?, None);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] for an empty name or one above 255 bytes, and those of a commit.
    pub fn keyspace(&self, name: &str) -> Result<Keyspace> {
        block_on(self.keyspace_async(name))
    }

    /// The names of all keyspaces in ascending order, that of the default one included.
    ///
    /// ```
    /// let db = selkie::Database::in_memory();
    /// db.keyspace("users")?;
    /// assert_eq!(db.keyspaces(), ["default", "users"]);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn keyspaces(&self) -> Vec<String> {
        self.handle.catalog.read().iter().map(|keyspace| keyspace.name.to_string()).collect()
    }

    /// Drops a keyspace with everything in it. Views that began before go on seeing it.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let users = db.keyspace("users")?;
    /// db.drop_keyspace("users")?;
    /// assert!(users.get("ada").is_err());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::KeyspaceNotFound`], [`ErrorKind::InvalidArgument`] for the default keyspace, and those of a commit.
    pub fn drop_keyspace(&self, name: &str) -> Result<()> {
        block_on(self.handle.drop_keyspace(name))
    }

    /// Watches the changes of the default keyspace within a range, from now on.
    ///
    /// ```
    /// let db = selkie::Database::in_memory();
    /// let mut watch = db.watch("user:".."user;")?;
    /// db.insert("user:1", "Ada")?;
    /// let seen = watch.try_next()?.unwrap();
    /// assert_eq!(seen.changes[0].key, "user:1");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn watch<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Result<Watch> {
        let keyspace = Arc::clone(&self.handle.default_keyspace);
        block_on(Watch::new(&self.handle, keyspace, to_bounds(&range)))
    }

    /// The newest commit that is visible.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let commit = db.insert("key", "value")?;
    /// assert_eq!(db.version(), commit.version());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn version(&self) -> Version {
        self.handle.progress.published()
    }

    /// The newest commit that survives a power loss, with all before it.
    ///
    /// ```
    /// # use selkie::{Durability, Options};
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("notes");
    /// let db = Options::new().durability(Durability::Buffered).open(&path)?;
    /// db.insert("key", "value")?;
    /// db.sync()?;
    /// assert_eq!(db.durable_version(), db.version());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn durable_version(&self) -> Version {
        self.handle.durable_version()
    }

    /// Which past versions are kept.
    ///
    /// ```
    /// # use selkie::{Options, Retention};
    /// let db = Options::new().history(Retention::Versions(3)).in_memory()?;
    /// assert_eq!(db.retention(), Retention::Versions(3));
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn retention(&self) -> Retention {
        *self.handle.retention.read()
    }

    /// Writes a snapshot now, unless nothing was committed since the last, and removes what it replaces.
    ///
    /// ```
    /// # use selkie::Database;
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("notes");
    /// let db = Database::open(&path)?;
    /// db.insert("key", "value")?;
    /// assert_eq!(db.snapshot()?.entries, 1);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] and [`ErrorKind::Corrupted`] when it could not be written or read back: the log stays as it
    /// was. [`ErrorKind::InvalidArgument`] for a database in memory.
    pub fn snapshot(&self) -> Result<SnapshotInfo> {
        block_on(self.handle.write_snapshot())
    }

    /// Makes everything committed so far survive a power loss.
    ///
    /// ```
    /// # use selkie::{Durability, Options};
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("notes");
    /// let db = Options::new().durability(Durability::Buffered).open(&path)?;
    /// let commit = db.insert("key", "value")?;
    /// db.sync()?;
    /// assert_eq!(commit.durability(), Durability::Immediate);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::DurabilityUnknown`] and [`ErrorKind::Poisoned`] when the storage failed, [`ErrorKind::Closed`].
    pub fn sync(&self) -> Result<()> {
        block_on(self.handle.sync())
    }

    /// Drops every version that neither a reader nor the retention needs. It happens by itself as well.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// db.insert("key", "old")?;
    /// let view = db.begin_read()?;
    /// db.insert("key", "new")?;
    /// assert_eq!(db.stats().versions, 2);
    /// drop(view);
    /// db.collect_garbage()?;
    /// assert_eq!(db.stats().versions, 1);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn collect_garbage(&self) -> Result<()> {
        self.handle.check_open()?;
        self.handle.collect_all();
        Ok(())
    }

    /// What opening the database found and did.
    ///
    /// ```
    /// # use selkie::Database;
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("notes");
    /// Database::open(&path)?.insert("key", "value")?;
    /// assert_eq!(Database::open(&path)?.recovery().frames_replayed, 1);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn recovery(&self) -> &Recovery {
        &self.handle.recovery
    }

    /// Numbers about the database, as of now.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// db.insert("key", "value")?;
    /// assert_eq!(db.stats().live_bytes, 8);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn stats(&self) -> Stats {
        Stats::of(&self.handle)
    }

    /// Closes the database for all of its handles: writes what is queued and the snapshot that is due, syncs, and gives
    /// the lock back. Where the snapshot cannot be written the log is enough, and closing succeeds.
    ///
    /// ```
    /// # use selkie::{Database, ErrorKind};
    /// let db = Database::in_memory();
    /// let other = db.clone();
    /// db.close()?;
    /// assert!(matches!(other.get("key").unwrap_err().kind(), ErrorKind::Closed));
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Poisoned`] when not everything could be written. The lock is given back in any case.
    pub fn close(self) -> Result<()> {
        block_on(self.handle.engine().close())
    }

    pub(crate) fn from_engine(engine: Arc<Engine>) -> Self {
        Self { handle: Handle::new(engine) }
    }

    pub(crate) fn handle(&self) -> &Arc<Handle> {
        &self.handle
    }
}
