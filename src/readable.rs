//! The reading methods that views, transactions and their keyspaces share.

use std::ops::{ControlFlow, RangeBounds};

use bytes::Bytes;

use crate::Result;
use crate::cursor::Cursor;
use crate::index::Direction;
use crate::range::{Keys, Merge, Range};
use crate::source::{HasSource, prefix_bounds, to_bounds};

/// Reading from a [`View`](crate::View), a [`Transaction`](crate::Transaction) or a keyspace of either.
///
/// Everything read through one of them comes from one point of the history, and a transaction sees its own writes
/// on top. Keys order by their bytes.
///
/// # Errors
///
/// A view of the past answers [`ErrorKind::HistoryCollected`](crate::ErrorKind::HistoryCollected) where the versions it
/// needs are no longer kept, a dropped keyspace [`ErrorKind::KeyspaceNotFound`](crate::ErrorKind::KeyspaceNotFound),
/// and a write-only transaction [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument). Whoever was ended by
/// [`Limits::reader_time`](crate::Limits::reader_time) or [`Limits::reader_bytes`](crate::Limits::reader_bytes) gets
/// [`ErrorKind::ReaderEnded`](crate::ErrorKind::ReaderEnded). Other reads do not fail.
///
/// # Examples
///
/// ```
/// use selkie::{Database, Readable};
///
/// # fn main() -> selkie::Result<()> {
/// let db = Database::in_memory();
/// db.insert("fruit/apple", "green")?;
/// db.insert("fruit/plum", "blue")?;
/// db.insert("tree/oak", "old")?;
///
/// let view = db.begin_read()?;
/// assert_eq!(view.get("fruit/plum")?.as_deref(), Some(&b"blue"[..]));
/// assert_eq!(view.prefix("fruit/").count(), 2);
/// assert_eq!(view.first_key_value()?.unwrap().0, "fruit/apple");
/// # Ok(())
/// # }
/// ```
#[expect(clippy::missing_errors_doc, reason = "the errors are those of the trait")]
pub trait Readable: HasSource {
    /// The value of a key.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// let db = Database::in_memory();
    /// assert_eq!(db.begin_read()?.get("nothing")?, None);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Bytes>> {
        self.source()?.get(key.as_ref())
    }

    /// Calls `reader` with the value of a key, without copying it.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("name", "Selkie")?;
    /// let length = db.begin_read()?.get_with("name", |value| value.len())?;
    /// assert_eq!(length, Some(6));
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn get_with<R>(&self, key: impl AsRef<[u8]>, reader: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        self.source()?.get_with(key.as_ref(), reader)
    }

    /// The values of several keys, in the order of the keys.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("a", "1")?;
    /// let values = db.begin_read()?.get_many(["a", "b"])?;
    /// assert_eq!(values, [Some("1".into()), None]);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn get_many<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Result<Vec<Option<Bytes>>> {
        let source = self.source()?;
        keys.into_iter().map(|key| source.get(key.as_ref())).collect()
    }

    /// Whether a key has a value.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// assert!(!db.begin_read()?.contains_key("a")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn contains_key(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        Ok(self.source()?.read(key.as_ref(), |_| ())?.is_some())
    }

    /// The entries whose keys are within a range. A reversed range is empty.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// for key in ["a", "b", "c"] {
    ///     db.insert(key, "")?;
    /// }
    /// let view = db.begin_read()?;
    /// assert_eq!(view.range("b"..).count(), 2);
    /// assert_eq!(view.range("a"..="b").rev().next().unwrap()?.0, "b");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn range<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Range<'_> {
        let (low, high) = to_bounds(&range);
        Range::new(Merge::new(self.source(), low, high))
    }

    /// All entries.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// assert_eq!(db.begin_read()?.iter().count(), 0);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn iter(&self) -> Range<'_> {
        self.range::<&[u8]>(..)
    }

    /// The entries whose keys begin with a prefix.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("user:1", "Ada")?;
    /// db.insert("visit:1", "")?;
    /// assert_eq!(db.begin_read()?.prefix("user:").count(), 1);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn prefix(&self, prefix: impl AsRef<[u8]>) -> Range<'_> {
        let (low, high) = prefix_bounds(prefix.as_ref());
        Range::new(Merge::new(self.source(), low, high))
    }

    /// The keys within a range, without their values.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("a", "1")?;
    /// assert_eq!(db.begin_read()?.keys("a"..).next().unwrap()?, "a");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn keys<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Keys<'_> {
        let (low, high) = to_bounds(&range);
        Keys::new(Merge::new(self.source(), low, high))
    }

    /// The entry with the least key.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// assert_eq!(db.begin_read()?.first_key_value()?, None);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn first_key_value(&self) -> Result<Option<(Bytes, Bytes)>> {
        self.iter().next().transpose()
    }

    /// The entry with the greatest key.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("z", "1")?;
    /// assert_eq!(db.begin_read()?.last_key_value()?.unwrap().0, "z");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn last_key_value(&self) -> Result<Option<(Bytes, Bytes)>> {
        self.iter().next_back().transpose()
    }

    /// How many entries a range has.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("a", "1")?;
    /// assert_eq!(db.begin_read()?.count_range::<&str>(..)?, 1);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn count_range<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Result<usize> {
        let (low, high) = to_bounds(&range);
        Merge::new(self.source(), low, high).skip(usize::MAX)
    }

    /// Calls `visit` with each entry of a range, without an allocation per entry, until it breaks.
    ///
    /// ```
    /// # use std::ops::ControlFlow;
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("a", "12")?;
    /// db.insert("b", "345")?;
    /// let mut bytes = 0;
    /// db.begin_read()?.scan::<&str>(.., |_key, value| {
    ///     bytes += value.len();
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(bytes, 5);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn scan<K: AsRef<[u8]>>(
        &self,
        range: impl RangeBounds<K>,
        mut visit: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<()> {
        let (low, high) = to_bounds(&range);
        Merge::new(self.source(), low, high).scan(Direction::Forward, |record| visit(record.key(), record.bytes()))
    }

    /// [`scan`](Self::scan) from the end of the range to its beginning.
    ///
    /// ```
    /// # use std::ops::ControlFlow;
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("a", "12")?;
    /// db.insert("b", "345")?;
    /// let mut last = Vec::new();
    /// db.begin_read()?.scan_back::<&str>(.., |key, _value| {
    ///     last = key.to_vec();
    ///     ControlFlow::Break(())
    /// })?;
    /// assert_eq!(last, b"b");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn scan_back<K: AsRef<[u8]>>(
        &self,
        range: impl RangeBounds<K>,
        mut visit: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<()> {
        let (low, high) = to_bounds(&range);
        Merge::new(self.source(), low, high).scan(Direction::Backward, |record| visit(record.key(), record.bytes()))
    }

    /// A cursor before the first entry.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("b", "1")?;
    /// let view = db.begin_read()?;
    /// let mut cursor = view.cursor();
    /// cursor.seek("a")?;
    /// assert_eq!(cursor.key(), Some(&b"b"[..]));
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn cursor(&self) -> Cursor<'_> {
        Cursor::new(self.source())
    }
}

impl<T: HasSource> Readable for T {}
