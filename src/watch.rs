//! Watching: the changes of a range as they are committed.

use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;

use crate::engine::catalog::KeyspaceState;
use crate::engine::feed::BufferedCommit;
use crate::handle::Handle;
use crate::index::{Blob, Record, as_ref, starts_within};
use crate::progress::Goal;
use crate::runtime::{self, SystemTime, block_on};
use crate::{Result, Version};

/// One change of a commit.
///
/// # Examples
///
/// ```
/// # let db = selkie::Database::in_memory();
/// let mut watch = db.watch::<&str>(..)?;
/// db.remove("key")?;
/// let change = &watch.next()?.changes[0];
/// assert_eq!((&change.keyspace[..], change.value.as_ref()), ("default", None));
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The keyspace of the key.
    pub keyspace: Arc<str>,
    /// The key.
    pub key: Bytes,
    /// Its new value; none where it was removed.
    pub value: Option<Bytes>,
}

impl Change {
    pub(crate) fn new(keyspace: &KeyspaceState, record: &Record) -> Self {
        let value = record.is_value().then(|| record.to_bytes());
        Self { keyspace: Arc::clone(&keyspace.name), key: record.key_to_bytes(), value }
    }
}

/// The changes of one commit, in the order of their keys within each keyspace.
///
/// # Examples
///
/// ```
/// # let db = selkie::Database::in_memory();
/// let mut watch = db.watch::<&str>(..)?;
/// let commit = db.insert("key", "value")?;
/// let changes = watch.next()?;
/// assert_eq!((changes.version, changes.changes.len()), (commit.version(), 1));
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// The number of the commit.
    pub version: Version,
    /// When it was committed.
    pub time: SystemTime,
    /// What it changed.
    pub changes: Vec<Change>,
}

/// The changes within a range, commit by commit, from when it was made.
///
/// Every change is seen, once and in order. The buffer behind it is bounded: a watch that falls too far behind gets
/// [`ErrorKind::Lagged`](crate::ErrorKind::Lagged) with the version it has seen, and
/// [`Database::changes_since`](crate::Database::changes_since) goes on from there.
///
/// # Examples
///
/// ```
/// use selkie::Database;
///
/// # fn main() -> selkie::Result<()> {
/// let db = Database::in_memory();
/// let mut watch = db.watch::<&str>(..)?;
/// let writer = db.clone();
/// let thread = std::thread::spawn(move || writer.insert("key", "value").map(drop));
/// assert_eq!(watch.next()?.changes[0].value.as_deref(), Some(&b"value"[..]));
/// thread.join().unwrap()?;
/// # Ok(())
/// # }
/// ```
pub struct Watch {
    handle: Arc<Handle>,
    keyspace: Arc<KeyspaceState>,
    low: Bound<Blob>,
    high: Bound<Blob>,
    seen: Version,
}

type Bounds = (Bound<Blob>, Bound<Blob>);

impl Watch {
    pub(crate) async fn new(handle: &Arc<Handle>, keyspace: Arc<KeyspaceState>, bounds: Bounds) -> Result<Self> {
        let watch = Self::begin(handle, keyspace, bounds)?;
        // Whoever reads after this sees everything that the watch will not report.
        handle.wait_until_published(watch.seen).await?;
        Ok(watch)
    }

    #[cfg(feature = "js")]
    pub(crate) fn progress(&self) -> &Arc<crate::progress::Progress> {
        &self.handle.progress
    }

    /// Begins after the last commit, which may not be visible yet.
    pub(crate) fn begin(handle: &Arc<Handle>, keyspace: Arc<KeyspaceState>, (low, high): Bounds) -> Result<Self> {
        handle.check_open()?;
        let seen = {
            let head = handle.head.lock();
            handle.feed.subscribe();
            head.version
        };
        Ok(Self { handle: Arc::clone(handle), keyspace, low, high, seen })
    }

    /// The version up to which changes were reported, or were there before the watch.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let mut watch = db.watch::<&str>(..)?;
    /// assert_eq!(watch.version(), db.version());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn version(&self) -> Version {
        self.seen
    }

    /// The changes of the next commit, if there is one already.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let mut watch = db.watch::<&str>(..)?;
    /// assert_eq!(watch.try_next()?, None);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Lagged`](crate::ErrorKind::Lagged), and [`ErrorKind::Closed`](crate::ErrorKind::Closed) after the
    /// last change.
    pub fn try_next(&mut self) -> Result<Option<Changes>> {
        loop {
            let published = self.handle.progress.published();
            let Some(commit) = self.handle.feed.next(self.seen, published)? else { return Ok(None) };
            self.seen = commit.version;
            let changes: Vec<Change> = self.matching(&commit);
            if !changes.is_empty() {
                return Ok(Some(Changes { version: commit.version, time: runtime::from_ns(commit.time), changes }));
            }
        }
    }

    /// The changes of the next commit, waiting for it.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let mut watch = db.watch::<&str>(..)?;
    /// db.insert("key", "value")?;
    /// assert_eq!(watch.next()?.changes[0].key, "key");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`try_next`](Self::try_next), and [`ErrorKind::Poisoned`](crate::ErrorKind::Poisoned) when there will be
    /// none.
    #[expect(clippy::should_implement_trait, reason = "a watch ends with an error, not by itself")]
    pub fn next(&mut self) -> Result<Changes> {
        block_on(self.next_async())
    }

    /// The changes of the next commit, as a future.
    ///
    /// ```
    /// async fn print(mut watch: selkie::Watch) -> selkie::Result<()> {
    ///     loop {
    ///         println!("{:?}", watch.next_async().await?);
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`next`](Self::next).
    pub async fn next_async(&mut self) -> Result<Changes> {
        loop {
            // A commit that comes after this was looked up ends the waiting below.
            let published = self.handle.progress.published();
            if let Some(changes) = self.try_next()? {
                return Ok(changes);
            }
            self.handle.progress.wait(Goal::Published(published + 1)).await?;
        }
    }

    fn matching(&self, commit: &BufferedCommit) -> Vec<Change> {
        let within = |key: &[u8]| {
            starts_within(key, as_ref(&self.high))
                && match &self.low {
                    Bound::Unbounded => true,
                    Bound::Included(low) => key >= &low[..],
                    Bound::Excluded(low) => key > &low[..],
                }
        };
        let changes = commit.changes.iter();
        changes
            .filter(|(keyspace, record)| Arc::ptr_eq(keyspace, &self.keyspace) && within(record.key()))
            .map(|(keyspace, record)| Change::new(keyspace, record))
            .collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.handle.feed.unsubscribe();
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("seen", &self.seen).finish_non_exhaustive()
    }
}
