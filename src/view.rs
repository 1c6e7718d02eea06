//! Views: reading one point of the history, now or in the past.

use std::sync::Arc;

#[cfg(doc)]
use crate::ErrorKind;
use crate::engine::catalog::KeyspaceState;
use crate::engine::readers::{Pin, Place, Term};
use crate::handle::Handle;
use crate::history::History;
use crate::index::ReadPoint;
use crate::keyspace::Keyspace;
use crate::source::{HasSource, Source, to_bounds};
use crate::{Result, Version};

/// A place among the readers, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) handle: Arc<Handle>,
    pin: Pin,
}

impl Snapshot {
    pub(crate) fn now(handle: &Arc<Handle>) -> Result<Self> {
        handle.check_open()?;
        Ok(Self { pin: handle.pin_now(), handle: Arc::clone(handle) })
    }

    pub(crate) fn past(handle: &Arc<Handle>, point: ReadPoint) -> Result<Self> {
        handle.check_open()?;
        Ok(Self { pin: handle.pin_past(Term::Limited, point)?, handle: Arc::clone(handle) })
    }

    pub(crate) fn point(&self) -> ReadPoint {
        self.pin.point
    }

    pub(crate) fn place(&self) -> &Place {
        self.handle.readers.place(&self.pin)
    }

    /// The source of reads in a keyspace, when it stands at this point.
    pub(crate) fn source<'a>(&'a self, keyspace: &'a Arc<KeyspaceState>) -> Result<Source<'a>> {
        self.handle.check_open()?;
        keyspace.check(self.point())?;
        Ok(Source { keyspace, point: self.point(), place: self.place(), overlay: None, reads: None })
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.handle.readers.release(&self.pin);
    }
}

/// A consistent view of the database at one point of its history.
///
/// It never changes, never waits, and never fails because of others. While it lives, what it sees is kept in memory,
/// unless [`Limits::reader_time`](crate::Limits::reader_time) or [`Limits::reader_bytes`](crate::Limits::reader_bytes)
/// ends it: from then on all its reads are an [`ErrorKind::ReaderEnded`].
/// The reading methods are those of [`Readable`](crate::Readable).
///
/// # Examples
///
/// ```
/// use selkie::{Database, Readable};
///
/// # fn main() -> selkie::Result<()> {
/// let db = Database::in_memory();
/// db.insert("key", "old")?;
/// let view = db.begin_read()?;
/// db.insert("key", "new")?;
/// assert_eq!(view.get("key")?.unwrap(), "old");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct View(Snapshot);

/// A keyspace within a view.
///
/// # Examples
///
/// ```
/// # use selkie::{Options, Readable, Retention};
/// # let db = Options::new().history(Retention::Forever).in_memory()?;
/// let users = db.keyspace("users")?;
/// users.insert("ada", "1815")?;
/// let view = db.begin_read()?;
/// assert!(view.keyspace(&users).contains_key("ada")? && !view.contains_key("ada")?);
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug)]
pub struct KeyspaceView<'a> {
    snapshot: &'a Snapshot,
    keyspace: Result<Arc<KeyspaceState>>,
}

impl View {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self(snapshot)
    }

    #[cfg(feature = "js")]
    pub(crate) fn source_of<'a>(&'a self, keyspace: &'a Arc<KeyspaceState>) -> Result<Source<'a>> {
        self.0.source(keyspace)
    }

    /// The version that the view sees: this commit and all before it.
    ///
    /// For a view as of a time it is the newest commit when the view was made, of which it sees what was there then.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let commit = db.insert("key", "value")?;
    /// assert_eq!(db.begin_read()?.version(), commit.version());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn version(&self) -> Version {
        self.0.point().version
    }

    /// Another keyspace at the same point.
    ///
    /// Reading from a keyspace of another database is an [`ErrorKind::InvalidArgument`].
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// let db = Database::in_memory();
    /// let users = db.keyspace("users")?;
    /// users.insert("ada", "1815")?;
    /// assert!(db.begin_read()?.keyspace(&users).contains_key("ada")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn keyspace(&self, keyspace: &Keyspace) -> KeyspaceView<'_> {
        KeyspaceView { snapshot: &self.0, keyspace: keyspace.state_in(&self.0.handle) }
    }

    /// The versions of a key up to this view's point, newest first.
    ///
    /// ```
    /// # use selkie::{Database, Options, Retention};
    /// let db = Options::new().history(Retention::Forever).in_memory()?;
    /// db.insert("key", "one")?;
    /// db.remove("key")?;
    /// let values: Vec<_> = db.begin_read()?.history("key")?.into_iter().map(|version| version.value).collect();
    /// assert_eq!(values, [None, Some("one".into())]);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`] after the database was closed.
    pub fn history(&self, key: impl AsRef<[u8]>) -> Result<Vec<crate::KeyVersion>> {
        crate::history::of_key(self.source()?, key.as_ref())
    }

    /// The versions of all keys within a range: keys ascending, each with its versions newest first.
    ///
    /// ```
    /// # use selkie::{Database, Options, Retention};
    /// let db = Options::new().history(Retention::Forever).in_memory()?;
    /// db.insert("a", "1")?;
    /// db.insert("a", "2")?;
    /// db.insert("b", "3")?;
    /// assert_eq!(db.begin_read()?.history_range("a"..="b")?.count(), 3);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`] after the database was closed.
    pub fn history_range<K: AsRef<[u8]>>(&self, range: impl std::ops::RangeBounds<K>) -> Result<History<'_>> {
        let (low, high) = to_bounds(&range);
        Ok(History::new(self.source()?, low, high))
    }
}

impl HasSource for View {
    fn source(&self) -> Result<Source<'_>> {
        self.0.source(&self.0.handle.default_keyspace)
    }
}

impl KeyspaceView<'_> {
    /// The versions of a key up to the view's point, newest first.
    ///
    /// ```
    /// # use selkie::{Options, Retention};
    /// # let db = Options::new().history(Retention::Forever).in_memory()?;
    /// let users = db.keyspace("users")?;
    /// users.insert("ada", "1815")?;
    /// let view = db.begin_read()?;
    /// assert_eq!(view.keyspace(&users).history("ada")?.len(), 1);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`View::history`].
    pub fn history(&self, key: impl AsRef<[u8]>) -> Result<Vec<crate::KeyVersion>> {
        crate::history::of_key(self.source()?, key.as_ref())
    }

    /// The versions of all keys within a range: keys ascending, each with its versions newest first.
    ///
    /// ```
    /// # use selkie::{Options, Retention};
    /// # let db = Options::new().history(Retention::Forever).in_memory()?;
    /// let users = db.keyspace("users")?;
    /// users.insert("ada", "1815")?;
    /// let view = db.begin_read()?;
    /// assert_eq!(view.keyspace(&users).history_range("a"..)?.count(), 1);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`View::history_range`].
    pub fn history_range<K: AsRef<[u8]>>(&self, range: impl std::ops::RangeBounds<K>) -> Result<History<'_>> {
        let (low, high) = to_bounds(&range);
        Ok(History::new(self.source()?, low, high))
    }
}

impl HasSource for KeyspaceView<'_> {
    fn source(&self) -> Result<Source<'_>> {
        self.snapshot.source(self.keyspace.as_ref().map_err(Clone::clone)?)
    }
}
