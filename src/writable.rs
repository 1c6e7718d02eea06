//! The writing methods that transactions and their keyspaces share.

use std::ops::RangeBounds;
use std::sync::Arc;

use bytes::Bytes;

use crate::engine::catalog::KeyspaceState;
use crate::index::Record;
use crate::range::Merge;
use crate::source::{HasSource, to_bounds};
use crate::transaction::Transaction;
use crate::{Readable, Result};

/// Where a write goes.
#[derive(Debug)]
pub struct Target<'a> {
    pub(crate) transaction: &'a mut Transaction,
    pub(crate) keyspace: Arc<KeyspaceState>,
}

/// Implemented by what can be written to, and by nothing outside of this crate.
pub trait HasTarget: HasSource {
    #[doc(hidden)]
    fn target(&mut self) -> Result<Target<'_>>;
}

/// What a conditional write did.
///
/// # Examples
///
/// ```
/// use selkie::{Database, Outcome, Writable};
///
/// let mut tx = Database::in_memory().begin_write()?;
/// match tx.compare_and_set("key", Some("expected"), "new")? {
///     Outcome::Written => println!("written"),
///     Outcome::Unchanged(current) => println!("left as it is: {current:?}"),
/// }
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the write may not have happened"]
pub enum Outcome {
    /// The condition held and the write is in the transaction.
    Written,
    /// The condition did not hold; this is the key's value.
    Unchanged(Option<Bytes>),
}

impl Outcome {
    /// Whether the write happened.
    ///
    /// ```
    /// # use selkie::{Database, Writable};
    /// let mut tx = Database::in_memory().begin_write()?;
    /// assert!(tx.insert_if_absent("key", "value")?.is_written());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn is_written(&self) -> bool {
        *self == Self::Written
    }
}

/// Writing to a [`Transaction`] or a keyspace of it. Nothing is written before the commit.
///
/// # Errors
///
/// Every method answers [`ErrorKind::Limit`](crate::ErrorKind::Limit) for a key, a value or a transaction that is too
/// large, and the transaction stays as it was. Those that read first fail as [`Readable`] does.
///
/// # Examples
///
/// ```
/// use selkie::{Database, Outcome, Writable};
///
/// # fn main() -> selkie::Result<()> {
/// let db = Database::in_memory();
/// db.update(|tx| {
///     tx.insert("state", "draft")?;
///     assert_eq!(tx.compare_and_set("state", Some("draft"), "final")?, Outcome::Written);
///     assert!(!tx.compare_and_set("state", Some("draft"), "lost")?.is_written());
///     Ok(())
/// })?;
/// assert_eq!(db.get("state")?.unwrap(), "final");
/// # Ok(())
/// # }
/// ```
#[expect(clippy::missing_errors_doc, reason = "the errors are those of the trait")]
pub trait Writable: HasTarget + Sized {
    /// Sets the value of a key.
    ///
    /// ```
    /// # use selkie::{Database, Readable, Writable};
    /// let mut tx = Database::in_memory().begin_write()?;
    /// tx.insert("a", "1")?;
    /// assert_eq!(tx.get("a")?.unwrap(), "1");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn insert(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        self.target()?.write(key.as_ref(), Some(value.as_ref()))
    }

    /// Removes a key. Removing a key that is not there is no error.
    ///
    /// ```
    /// # use selkie::{Database, Readable, Writable};
    /// let mut tx = Database::in_memory().begin_write()?;
    /// tx.insert("a", "1")?;
    /// tx.remove("a")?;
    /// assert!(!tx.contains_key("a")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn remove(&mut self, key: impl AsRef<[u8]>) -> Result<()> {
        self.target()?.write(key.as_ref(), None)
    }

    /// The value of a key that is about to be written: the commit fails if anyone else changes it meanwhile.
    ///
    /// A serializable transaction asks this of everything it reads, one under snapshot isolation only of this.
    ///
    /// ```
    /// # use selkie::{Database, Isolation, TransactionOptions, Writable};
    /// let db = Database::in_memory();
    /// let mut tx = db.begin_with(TransactionOptions::new().isolation(Isolation::Snapshot))?;
    /// assert_eq!(tx.get_for_update("stock")?, None);
    /// db.insert("stock", "7")?;
    /// tx.insert("order", "1")?;
    /// assert!(tx.commit().is_err());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn get_for_update(&mut self, key: impl AsRef<[u8]>) -> Result<Option<Bytes>> {
        let value = self.get(key.as_ref())?;
        self.target()?.note_for_update(key.as_ref());
        Ok(value)
    }

    /// Sets the value of a key that has none.
    ///
    /// ```
    /// # use selkie::{Database, Outcome, Writable};
    /// let mut tx = Database::in_memory().begin_write()?;
    /// assert!(tx.insert_if_absent("a", "1")?.is_written());
    /// assert_eq!(tx.insert_if_absent("a", "2")?, Outcome::Unchanged(Some("1".into())));
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn insert_if_absent(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<Outcome> {
        self.compare_and_set(key, None::<&[u8]>, value)
    }

    /// Sets the value of a key if its present value is the expected one, or absent if none is expected.
    ///
    /// ```
    /// # use selkie::{Database, Outcome, Writable};
    /// let mut tx = Database::in_memory().begin_write()?;
    /// assert_eq!(tx.compare_and_set("a", Some("0"), "1")?, Outcome::Unchanged(None));
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn compare_and_set(
        &mut self,
        key: impl AsRef<[u8]>,
        expected: Option<impl AsRef<[u8]>>,
        value: impl AsRef<[u8]>,
    ) -> Result<Outcome> {
        let current = self.get_for_update(key.as_ref())?;
        if current.as_deref() != expected.as_ref().map(AsRef::as_ref) {
            return Ok(Outcome::Unchanged(current));
        }
        self.insert(key, value)?;
        Ok(Outcome::Written)
    }

    /// Removes a key if its present value is the expected one.
    ///
    /// ```
    /// # use selkie::{Database, Outcome, Writable};
    /// let mut tx = Database::in_memory().begin_write()?;
    /// tx.insert("a", "1")?;
    /// assert!(!tx.compare_and_remove("a", "2")?.is_written());
    /// assert!(tx.compare_and_remove("a", "1")?.is_written());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    fn compare_and_remove(&mut self, key: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) -> Result<Outcome> {
        let current = self.get_for_update(key.as_ref())?;
        if current.as_deref() != Some(expected.as_ref()) {
            return Ok(Outcome::Unchanged(current));
        }
        self.remove(key)?;
        Ok(Outcome::Written)
    }

    /// Removes all keys within a range and says how many there were.
    ///
    /// ```
    /// # use selkie::{Database, Writable};
    /// let mut tx = Database::in_memory().begin_write()?;
    /// tx.insert("a", "1")?;
    /// tx.insert("b", "2")?;
    /// assert_eq!(tx.remove_range("b"..)?, 1);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// When the transaction grows too large on the way, none of them is removed.
    fn remove_range<K: AsRef<[u8]>>(&mut self, range: impl RangeBounds<K>) -> Result<usize> {
        let (low, high) = to_bounds(&range);
        let mut merge = Merge::new(self.source(), low, high);
        let mut found = Vec::new();
        while let Some(record) = merge.next(Record::clone) {
            found.push(record?);
        }
        drop(merge);
        let Target { transaction, keyspace } = self.target()?;
        transaction.remove_all(&keyspace, &found)?;
        Ok(found.len())
    }
}

impl<T: HasTarget> Writable for T {}
