//! How a database is opened: durability, visibility, history, snapshots and limits.

use std::time::Duration;

use crate::Version;

use bincode::{BorrowDecode, Encode};

/// What a commit survives once it is acknowledged.
///
/// It is set for a database and can be overridden for a transaction. Each level is named by the crash that may
/// take the commit back.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use selkie::{Durability, Options};
///
/// let often = Durability::Interval { time: Duration::from_millis(100), commits: 1_000, bytes: 1 << 20 };
/// let options = Options::new().durability(often);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Survives nothing for certain: it is written when something else is, or when the database closes.
    None,
    /// Acknowledged before it is written. A process crash may take what is in the bounded queue; a close drains it.
    Queued,
    /// Handed to the operating system: survives a crash of the process, not a power loss.
    Buffered,
    /// Like `Buffered`, and synced in the background when any of three limits is reached, whichever comes first.
    Interval {
        /// A commit is synced at most so long after it was written.
        time: Duration,
        /// At most so many commits are written without a sync.
        commits: u32,
        /// At most so many bytes are written without a sync.
        bytes: u64,
    },
    /// Synced to the medium: survives a power loss. Commits that wait at the same time share one sync.
    #[default]
    Immediate,
}

/// When a commit becomes visible to other transactions.
///
/// # Examples
///
/// ```
/// use selkie::{Options, Visibility};
///
/// let options = Options::new().visibility(Visibility::Applied);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Visibility {
    /// When it has reached the durability of the database, or its own where a transaction asked for less: readers see
    /// what a crash of that kind could take back only of writers who accepted that.
    #[default]
    Durable,
    /// As soon as it is validated, ahead of its durability.
    Applied,
}

/// Which schedules of concurrent transactions are allowed.
///
/// # Examples
///
/// ```
/// use selkie::{Isolation, TransactionOptions};
///
/// let options = TransactionOptions::new().isolation(Isolation::Snapshot);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Isolation {
    /// As if the transactions ran one after the other: a commit fails when anything the transaction read has changed.
    #[default]
    Serializable,
    /// A commit fails when anything the transaction wrote has changed. Write skew is possible.
    Snapshot,
}

/// Which past versions of the data are kept, for reading as of a version or a time.
///
/// It is stored with the data: a database opened without naming a retention keeps the one it has.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use selkie::{Options, Retention};
///
/// let a_day = Retention::Age(Duration::from_secs(24 * 3600));
/// let db = Options::new().history(a_day).in_memory()?;
/// assert_eq!(db.retention(), a_day);
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, BorrowDecode)]
#[non_exhaustive]
pub enum Retention {
    /// Nothing beyond what live readers see.
    #[default]
    None,
    /// The newest versions of each key, at most so many, removals included.
    ///
    /// A removed key keeps its versions too, so a stream of ever new keys that come and go grows without end under
    /// more than one version: `Age` suits it better, and [`Limits::history_bytes`] bounds either.
    Versions(u32),
    /// Every version that was visible at any time within so long a past.
    Age(Duration),
    /// Every version for ever.
    Forever,
}

/// When a snapshot is written, so that the log before it can go.
///
/// One that is due when the database closes is written then. Opening that had to replay 256 segments of the log, as many
/// short sessions leave them, makes one due as well, unless the policy is [`Never`](Self::Never).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use selkie::{Options, SnapshotPolicy};
///
/// let options = Options::new().snapshots(SnapshotPolicy::Interval(Duration::from_secs(600)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotPolicy {
    /// Only when asked for with [`Database::snapshot`](crate::Database::snapshot).
    Never,
    /// At this interval, when anything was committed since.
    Interval(Duration),
    /// When the log has outgrown the last snapshot by so many bytes.
    LogSize(u64),
}

impl Default for SnapshotPolicy {
    fn default() -> Self {
        Self::LogSize(64 << 20)
    }
}

/// How the blocks of a snapshot are stored.
///
/// # Examples
///
/// ```
/// use selkie::{Compression, Options};
///
/// let options = Options::new().compression(Compression::None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// As they are.
    None,
    /// Compressed with LZ4, where that makes them smaller.
    #[default]
    Lz4,
}

/// Bounds on what a database takes in. What exceeds one is refused with [`ErrorKind::Limit`](crate::ErrorKind::Limit).
///
/// Two limits are fixed: a key has at most [`Limits::KEY_BYTES`] and a value at most [`Limits::VALUE_BYTES`].
///
/// # Examples
///
/// ```
/// use selkie::{ErrorKind, Limits, Options};
///
/// let mut limits = Limits::default();
/// limits.transaction_bytes = 100;
/// let db = Options::new().limits(limits).in_memory()?;
/// assert!(matches!(db.insert("key", [0; 100]).unwrap_err().kind(), ErrorKind::Limit { limit: 100, actual: 103, .. }));
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How large the keys and values written by one transaction may be together.
    pub transaction_bytes: u64,
    /// How much may be queued for the log before writers wait. Where nothing can wait, as in a browser, a commit is
    /// refused then, and can be made once earlier ones are written.
    pub queue_bytes: u64,
    /// How many bytes of superseded values may be kept, with 64 more for each of them; a commit beyond that is refused.
    pub history_bytes: u64,
    /// How many of the same bytes may be kept before those views and transactions that hold them back are ended, oldest
    /// first: they fail with [`ErrorKind::ReaderEnded`](crate::ErrorKind::ReaderEnded) from then on. What the retention
    /// keeps counts as well, so that the limit belongs well above that. None is ended where a snapshot or a backup holds
    /// back as much.
    pub reader_bytes: u64,
    /// For how long a view or a transaction may hold back what is superseded; none is for ever. It is ended like that
    /// when commits or the collector find it and met it for the first time so long ago: not earlier, and at most as much
    /// later again, or 250 ms. Snapshots and backups are not ended.
    pub reader_time: Option<Duration>,
    /// How many bytes of recent changes are buffered for watches before a slow one lags.
    pub watch_bytes: u64,
    /// How often [`Database::update`](crate::Database::update) runs its closure before it gives up.
    pub attempts: u32,
}

impl Limits {
    /// The longest key, in bytes.
    pub const KEY_BYTES: u64 = 64 << 10;
    /// The longest value, in bytes.
    pub const VALUE_BYTES: u64 = 256 << 20;
    /// The largest transaction that can be asked for, in bytes.
    pub const TRANSACTION_BYTES: u64 = 512 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            transaction_bytes: Self::TRANSACTION_BYTES,
            queue_bytes: 16 << 20,
            history_bytes: u64::MAX,
            reader_bytes: u64::MAX,
            reader_time: None,
            watch_bytes: 16 << 20,
            attempts: 1_000,
        }
    }
}

/// How to open a database. The default is durable, serializable, and keeps no history.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use selkie::{Durability, Options, Retention};
///
/// # fn main() -> selkie::Result<()> {
/// # let directory = tempfile::tempdir().unwrap();
/// let db = Options::new()
///     .durability(Durability::Buffered)
///     .history(Retention::Age(Duration::from_secs(3600)))
///     .open(directory.path().join("notes"))?;
/// db.insert("title", "Selkie")?;
/// db.close()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) durability: Durability,
    pub(crate) visibility: Visibility,
    pub(crate) history: Option<Retention>,
    pub(crate) snapshots: SnapshotPolicy,
    pub(crate) retained_snapshots: usize,
    pub(crate) compression: Compression,
    pub(crate) limits: Limits,
    pub(crate) segment_bytes: u64,
    pub(crate) read_only: bool,
    pub(crate) read_until: Option<Version>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            visibility: Visibility::default(),
            history: None,
            snapshots: SnapshotPolicy::default(),
            retained_snapshots: 1,
            compression: Compression::default(),
            limits: Limits::default(),
            segment_bytes: 64 << 20,
            read_only: false,
            read_until: None,
        }
    }
}

impl Options {
    /// The default options.
    ///
    /// ```
    /// let db = selkie::Options::new().in_memory()?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// What commits survive, unless a transaction says otherwise. The default is [`Durability::Immediate`].
    ///
    /// ```
    /// # use selkie::{Options, Durability};
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("notes");
    /// let db = Options::new().durability(Durability::Buffered).open(&path)?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// When commits become visible. The default is [`Visibility::Durable`].
    ///
    /// ```
    /// # use selkie::{Options, Visibility};
    /// let db = Options::new().visibility(Visibility::Applied).in_memory()?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    #[must_use]
    pub fn visibility(mut self, visibility: Visibility) -> Self {
        self.visibility = visibility;
        self
    }

    /// Which past versions are kept. Without it, a database keeps the retention it was stored with.
    ///
    /// ```
    /// # use selkie::{Options, Retention};
    /// let db = Options::new().history(Retention::Versions(2)).in_memory()?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    #[must_use]
    pub fn history(mut self, retention: Retention) -> Self {
        self.history = Some(retention);
        self
    }

    /// When snapshots are written. The default is by log growth.
    ///
    /// ```
    /// # use selkie::{Options, SnapshotPolicy};
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("notes");
    /// let db = Options::new().snapshots(SnapshotPolicy::LogSize(16 << 20)).open(&path)?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    #[must_use]
    pub fn snapshots(mut self, policy: SnapshotPolicy) -> Self {
        self.snapshots = policy;
        self
    }

    /// How many snapshots are kept, with the log that continues from the oldest of them. The default is 1.
    ///
    /// More than one lets a database open although its newest snapshot is damaged.
    ///
    /// ```
    /// # use selkie::Options;
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("notes");
    /// let db = Options::new().retained_snapshots(2).open(&path)?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    #[must_use]
    pub fn retained_snapshots(mut self, count: usize) -> Self {
        self.retained_snapshots = count.max(1);
        self
    }

    /// How the blocks of snapshots are stored. The default is LZ4.
    ///
    /// ```
    /// # use selkie::{Options, Compression};
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("notes");
    /// let db = Options::new().compression(Compression::None).open(&path)?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Bounds on transactions, queues and history.
    ///
    /// ```
    /// # use selkie::{Limits, Options};
    /// let mut limits = Limits::default();
    /// limits.attempts = 10;
    /// let db = Options::new().limits(limits).in_memory()?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The length in bytes at which a segment of the log is followed by the next. The default is 64 MiB.
    ///
    /// ```
    /// # use selkie::Options;
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("notes");
    /// let db = Options::new().segment_bytes(1 << 20).open(&path)?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    #[must_use]
    pub fn segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes.max(4096);
        self
    }

    /// Opens without changing anything but the lock: a torn tail is ignored rather than cut, and commits are refused.
    ///
    /// ```
    /// # use selkie::{Database, Options};
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("notes");
    /// Database::open(&path)?.insert("key", "value")?;
    /// let db = Options::new().read_only(true).open(&path)?;
    /// assert!(db.contains_key("key")? && db.remove("key").is_err());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Opens the database to be read, at most up to a version: what was committed later is left for
    /// [`Database::refresh`](crate::Database::refresh).
    ///
    /// A reader beside a writer shows only what is durable so, when the writer says how far that is. A snapshot that
    /// has replaced the log before it may reach further.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use selkie::{Options, storage::MemoryStorage};
    ///
    /// let storage = Arc::new(MemoryStorage::new());
    /// let db = Options::new().open_storage(storage.clone())?;
    /// let first = db.insert("a", "1")?.version();
    /// db.insert("b", "2")?;
    /// db.close()?;
    /// let reader = Options::new().read_until(first).open_storage(storage)?;
    /// assert!(reader.contains_key("a")? && !reader.contains_key("b")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    #[must_use]
    pub fn read_until(mut self, version: Version) -> Self {
        self.read_only = true;
        self.read_until = Some(version);
        self
    }
}

/// How a transaction runs, where it differs from the database's options.
///
/// # Examples
///
/// ```
/// use selkie::{Database, Isolation, TransactionOptions, Writable};
///
/// # fn main() -> selkie::Result<()> {
/// let db = Database::in_memory();
/// let mut tx = db.begin_with(TransactionOptions::new().isolation(Isolation::Snapshot))?;
/// tx.insert("key", "value")?;
/// tx.commit()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct TransactionOptions {
    pub(crate) isolation: Isolation,
    pub(crate) durability: Option<Durability>,
    pub(crate) write_only: bool,
}

impl TransactionOptions {
    /// Serializable, with the database's durability.
    ///
    /// ```
    /// # use selkie::{Database, TransactionOptions};
    /// let tx = Database::in_memory().begin_with(TransactionOptions::new())?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Which concurrent schedules are allowed. The default is [`Isolation::Serializable`].
    ///
    /// ```
    /// # use selkie::{Database, Isolation, TransactionOptions};
    /// let tx = Database::in_memory().begin_with(TransactionOptions::new().isolation(Isolation::Snapshot))?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    #[must_use]
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// What this transaction's commit survives, instead of the database's level.
    ///
    /// ```
    /// # use selkie::{Database, Durability, TransactionOptions};
    /// let tx = Database::in_memory().begin_with(TransactionOptions::new().durability(Durability::Queued))?;
    /// # Ok::<(), selkie::Error>(())
    /// ```
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = Some(durability);
        self
    }

    /// A transaction that reads nothing: it needs no snapshot and never conflicts. Its reading methods are refused.
    ///
    /// ```
    /// # use selkie::{Database, Readable, TransactionOptions, Writable};
    /// let mut tx = Database::in_memory().begin_with(TransactionOptions::new().write_only())?;
    /// tx.insert("key", "value")?;
    /// assert!(tx.get("key").is_err());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    #[must_use]
    pub fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }
}
