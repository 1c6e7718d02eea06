//! A cursor: a position among the entries that moves both ways and jumps to keys.

use std::fmt;
use std::ops::Bound;

use crate::Result;
use crate::index::{Blob, Direction, Record};
use crate::range::Merge;
use crate::source::Source;

/// A position among the entries of a view or a transaction.
///
/// It stands on an entry, or on none: at the beginning, before the first; after moving past the last or the
/// first, on none until it is moved to an entry again.
///
/// # Examples
///
/// ```
/// use selkie::{Database, Readable};
///
/// # fn main() -> selkie::Result<()> {
/// let db = Database::in_memory();
/// for key in ["a", "c", "e"] {
///     db.insert(key, key.to_uppercase())?;
/// }
/// let view = db.begin_read()?;
/// let mut cursor = view.cursor();
/// assert!(cursor.seek("b")?);
/// assert_eq!(cursor.value(), Some(&b"C"[..]));
/// assert!(cursor.previous()?);
/// assert_eq!(cursor.key(), Some(&b"a"[..]));
/// assert!(!cursor.previous()?);
/// # Ok(())
/// # }
/// ```
pub struct Cursor<'a> {
    source: Result<Source<'a>>,
    current: Option<Record>,
    ahead: Option<(Direction, Merge<'a>)>,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(source: Result<Source<'a>>) -> Self {
        Self { source, current: None, ahead: None }
    }

    /// Moves to the first entry whose key is `key` or greater. False when there is none.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("b", "1")?;
    /// let view = db.begin_read()?;
    /// let mut cursor = view.cursor();
    /// assert!(cursor.seek("a")? && !cursor.seek("c")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Readable`](crate::Readable).
    pub fn seek(&mut self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.start(Direction::Forward, Bound::Included(Blob::new(key.as_ref())))
    }

    /// Moves to the last entry whose key is `key` or less. False when there is none.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("b", "1")?;
    /// let view = db.begin_read()?;
    /// let mut cursor = view.cursor();
    /// assert!(cursor.seek_back("c")? && !cursor.seek_back("a")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Readable`](crate::Readable).
    pub fn seek_back(&mut self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.start(Direction::Backward, Bound::Included(Blob::new(key.as_ref())))
    }

    /// Moves to the first entry.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("b", "1")?;
    /// let view = db.begin_read()?;
    /// let mut cursor = view.cursor();
    /// assert!(cursor.first()?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Readable`](crate::Readable).
    pub fn first(&mut self) -> Result<bool> {
        self.start(Direction::Forward, Bound::Unbounded)
    }

    /// Moves to the last entry.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("b", "1")?;
    /// let view = db.begin_read()?;
    /// let mut cursor = view.cursor();
    /// assert!(cursor.last()?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Readable`](crate::Readable).
    pub fn last(&mut self) -> Result<bool> {
        self.start(Direction::Backward, Bound::Unbounded)
    }

    /// Moves to the next entry, or to the first when the cursor stands on none. False when there is none.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("b", "1")?;
    /// let view = db.begin_read()?;
    /// let mut cursor = view.cursor();
    /// assert!(cursor.next()? && !cursor.next()?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Readable`](crate::Readable).
    #[expect(clippy::should_implement_trait, reason = "a cursor moves both ways and is no iterator")]
    pub fn next(&mut self) -> Result<bool> {
        self.step(Direction::Forward)
    }

    /// Moves to the previous entry, or to the last when the cursor stands on none. False when there is none.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("b", "1")?;
    /// let view = db.begin_read()?;
    /// let mut cursor = view.cursor();
    /// assert!(cursor.previous()? && !cursor.previous()?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Readable`](crate::Readable).
    pub fn previous(&mut self) -> Result<bool> {
        self.step(Direction::Backward)
    }

    /// The key of the entry the cursor stands on.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("b", "1")?;
    /// let view = db.begin_read()?;
    /// let mut cursor = view.cursor();
    /// assert_eq!(cursor.key(), None);
    /// cursor.next()?;
    /// assert_eq!(cursor.key(), Some(&b"b"[..]));
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn key(&self) -> Option<&[u8]> {
        self.current.as_ref().map(Record::key)
    }

    /// The value of the entry the cursor stands on.
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// # let db = Database::in_memory();
    /// db.insert("b", "1")?;
    /// let view = db.begin_read()?;
    /// let mut cursor = view.cursor();
    /// cursor.next()?;
    /// assert_eq!(cursor.value(), Some(&b"1"[..]));
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn value(&self) -> Option<&[u8]> {
        self.current.as_ref().map(Record::bytes)
    }

    fn step(&mut self, direction: Direction) -> Result<bool> {
        if self.ahead.as_ref().is_some_and(|(current, _)| *current == direction) {
            return self.advance();
        }
        let from = self.current.as_ref().map_or(Bound::Unbounded, |record| Bound::Excluded(Blob::new(record.key())));
        self.start(direction, from)
    }

    fn start(&mut self, direction: Direction, from: Bound<Blob>) -> Result<bool> {
        let (low, high) = match direction {
            Direction::Forward => (from, Bound::Unbounded),
            Direction::Backward => (Bound::Unbounded, from),
        };
        self.ahead = Some((direction, Merge::new(self.source.clone(), low, high)));
        self.advance()
    }

    fn advance(&mut self) -> Result<bool> {
        let Some((direction, merge)) = &mut self.ahead else { return Ok(false) };
        let found = match direction {
            Direction::Forward => merge.next(Record::clone),
            Direction::Backward => merge.next_back(Record::clone),
        }
        .transpose();
        if !matches!(found, Ok(Some(_))) {
            // After an error it would end, as if no entry followed.
            self.ahead = None;
        }
        self.current = found?;
        Ok(self.current.is_some())
    }
}

impl fmt::Debug for Cursor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("current", &self.current).finish_non_exhaustive()
    }
}
