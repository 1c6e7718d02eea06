//! Transactions: reads from a snapshot, writes of their own on top, one commit.

mod commit;
mod keyspace;
pub(crate) mod overlay;
pub(crate) mod read_set;
mod savepoint;

use std::cell::RefCell;
use std::sync::Arc;

use crate::engine::catalog::KeyspaceState;
use crate::few::Few;
use crate::handle::Handle;
use crate::index::{Blob, ReadPoint, Record};
use crate::keyspace::Keyspace;
use crate::options::{Isolation, Limits, TransactionOptions};
use crate::source::{HasSource, Source};
use crate::view::Snapshot;
use crate::{Error, ErrorKind, Result};
pub(crate) use commit::Applied;
pub use commit::{CommitFuture, CommitInfo};
pub use keyspace::{KeyspaceTransaction, KeyspaceTransactionMut};
use overlay::Overlay;
use read_set::ReadSet;
pub use savepoint::Savepoint;
use savepoint::Savepoints;

/// A transaction that reads and writes. Dropped without a commit, it leaves no trace.
///
/// The reading methods are those of [`Readable`](crate::Readable), the writing ones those of
/// [`Writable`](crate::Writable). It can be sent to another thread.
///
/// # Examples
///
/// ```
/// use selkie::{Database, Readable, Writable};
///
/// # fn main() -> selkie::Result<()> {
/// let db = Database::in_memory();
/// let mut tx = db.begin_write()?;
/// tx.insert("ada", "1815")?;
/// assert!(tx.contains_key("ada")?);
/// assert!(!db.contains_key("ada")?);
/// tx.commit()?;
/// assert!(db.contains_key("ada")?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Transaction {
    handle: Arc<Handle>,
    options: TransactionOptions,
    /// What it reads from; none when it only writes.
    snapshot: Option<Snapshot>,
    overlays: Few<(Arc<KeyspaceState>, Overlay)>,
    reads: RefCell<ReadSet>,
    savepoints: Savepoints,
    size_bytes: u64,
}

impl Transaction {
    pub(crate) fn begin(handle: &Arc<Handle>, options: TransactionOptions) -> Result<Self> {
        handle.check_writable()?;
        let snapshot = if options.write_only { None } else { Some(Snapshot::now(handle)?) };
        Ok(Self {
            handle: Arc::clone(handle),
            options,
            snapshot,
            overlays: Few::new(),
            reads: RefCell::default(),
            savepoints: Savepoints::default(),
            size_bytes: 0,
        })
    }

    /// How many bytes of keys and values are waiting to be committed.
    ///
    /// ```
    /// # use selkie::{Database, Writable};
    /// let mut tx = Database::in_memory().begin_write()?;
    /// tx.insert("key", "value")?;
    /// assert_eq!(tx.size_bytes(), 8);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Another keyspace, to read from in this transaction.
    ///
    /// Reading from a keyspace of another database is an [`ErrorKind::InvalidArgument`].
    ///
    /// ```
    /// # use selkie::{Database, Readable};
    /// let db = Database::in_memory();
    /// let users = db.keyspace("users")?;
    /// let tx = db.begin_write()?;
    /// assert_eq!(tx.keyspace(&users).get("ada")?, None);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn keyspace(&self, keyspace: &Keyspace) -> KeyspaceTransaction<'_> {
        KeyspaceTransaction::new(self, keyspace.state_in(&self.handle))
    }

    /// Another keyspace, to read and write in this transaction. One commit covers all of them.
    ///
    /// Reading and writing a keyspace of another database is an [`ErrorKind::InvalidArgument`].
    ///
    /// ```
    /// # use selkie::{Database, Writable};
    /// let db = Database::in_memory();
    /// let users = db.keyspace("users")?;
    /// let mut tx = db.begin_write()?;
    /// tx.insert("count", "1")?;
    /// tx.keyspace_mut(&users).insert("ada", "1815")?;
    /// tx.commit()?;
    /// assert!(users.contains_key("ada")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn keyspace_mut(&mut self, keyspace: &Keyspace) -> KeyspaceTransactionMut<'_> {
        let state = keyspace.state_in(&self.handle);
        KeyspaceTransactionMut::new(self, state)
    }

    pub(crate) fn source_of<'a>(&'a self, keyspace: &'a Arc<KeyspaceState>) -> Result<Source<'a>> {
        let Some(snapshot) = &self.snapshot else {
            return Err(Error::invalid("a write-only transaction cannot read"));
        };
        let source = snapshot.source(keyspace)?;
        let tracks = self.options.isolation == Isolation::Serializable;
        Ok(Source { overlay: self.overlay(keyspace), reads: tracks.then_some(&self.reads), ..source })
    }

    fn overlay(&self, keyspace: &Arc<KeyspaceState>) -> Option<&Overlay> {
        self.overlays.iter().find(|(other, _)| Arc::ptr_eq(other, keyspace)).map(|(_, overlay)| overlay)
    }

    fn overlay_index(&mut self, keyspace: &Arc<KeyspaceState>) -> usize {
        let position = self.overlays.iter().position(|(other, _)| Arc::ptr_eq(other, keyspace));
        position.unwrap_or_else(|| {
            self.overlays.push((Arc::clone(keyspace), Overlay::default()));
            self.overlays.len() - 1
        })
    }

    /// Writes a value, or a removal, into the transaction.
    pub(crate) fn write(&mut self, keyspace: &Arc<KeyspaceState>, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        check_limit("key bytes", Limits::KEY_BYTES, key.len() as u64)?;
        let value_bytes = value.map_or(0, |value| value.len() as u64);
        check_limit("value bytes", Limits::VALUE_BYTES, value_bytes)?;
        let added = key.len() as u64 + value_bytes;
        let index = self.overlay_index(keyspace);
        let overlay = &self.overlays[index].1;
        let place = overlay.find(key);
        let replaced = place.map_or(0, |place| overlay.at(place).length()) as u64;
        let size_bytes = self.size_bytes + added - replaced;
        let limit = self.handle.options.limits.transaction_bytes.min(Limits::TRANSACTION_BYTES);
        check_limit("bytes in one transaction", limit, size_bytes)?;
        let point = self.snapshot.as_ref().map_or(ReadPoint::version(0), Snapshot::point);
        keyspace.check(point)?;
        self.snapshot.as_ref().map_or(Ok(()), |snapshot| snapshot.place().check(point))?;

        let before = self.overlays[index].1.put(place, Record::pending(key, value));
        if !self.savepoints.is_empty() {
            self.savepoints.note((index, Blob::new(key), before));
        }
        self.size_bytes = size_bytes;
        Ok(())
    }

    /// Notes that a key has to be unchanged at the commit, under either isolation.
    pub(crate) fn note_for_update(&self, keyspace: &Arc<KeyspaceState>, key: &[u8]) {
        self.reads.borrow_mut().note_key(keyspace, key);
    }

    /// Marks a place to come back to: everything written after it can be undone without the rest.
    ///
    /// ```
    /// # use selkie::{Database, Readable, Writable};
    /// let db = Database::in_memory();
    /// let mut tx = db.begin_write()?;
    /// tx.insert("a", "1")?;
    /// let savepoint = tx.savepoint();
    /// tx.insert("b", "2")?;
    /// tx.rollback_to(savepoint)?;
    /// assert!(tx.contains_key("a")? && !tx.contains_key("b")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn savepoint(&mut self) -> Savepoint {
        self.savepoints.add(self.size_bytes)
    }

    /// Undoes everything written since a savepoint, which stays; savepoints set after it are gone.
    ///
    /// ```
    /// # use selkie::{Database, Readable, Writable};
    /// let mut tx = Database::in_memory().begin_write()?;
    /// let savepoint = tx.savepoint();
    /// tx.insert("key", "one")?;
    /// tx.rollback_to(savepoint)?;
    /// tx.insert("key", "two")?;
    /// tx.rollback_to(savepoint)?;
    /// assert!(!tx.contains_key("key")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] for a savepoint of another transaction, or one that is gone.
    pub fn rollback_to(&mut self, savepoint: Savepoint) -> Result<()> {
        let (undone, size_bytes) = self.savepoints.undo_to(savepoint)?;
        for (overlay, key, before) in undone {
            let overlay = &mut self.overlays[overlay].1;
            match before {
                Some(record) => drop(overlay.put(overlay.find(&key), record)),
                None => overlay.remove(&key),
            }
        }
        self.size_bytes = size_bytes;
        Ok(())
    }

    /// Gives a savepoint up, with those set after it. What was written stays.
    ///
    /// ```
    /// # use selkie::{Database, Writable};
    /// let db = Database::in_memory();
    /// let mut tx = db.begin_write()?;
    /// let savepoint = tx.savepoint();
    /// tx.release(savepoint)?;
    /// assert!(tx.rollback_to(savepoint).is_err());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] for a savepoint of another transaction, or one that is gone.
    pub fn release(&mut self, savepoint: Savepoint) -> Result<()> {
        self.savepoints.release(savepoint)
    }

    /// Gives the transaction up. Dropping it does the same.
    ///
    /// ```
    /// # use selkie::{Database, Writable};
    /// let db = Database::in_memory();
    /// let mut tx = db.begin_write()?;
    /// tx.insert("key", "value")?;
    /// tx.rollback();
    /// assert!(!db.contains_key("key")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn rollback(self) {
        drop(self);
    }
}

impl HasSource for Transaction {
    fn source(&self) -> Result<Source<'_>> {
        self.source_of(&self.handle.default_keyspace)
    }
}

pub(crate) fn check_limit(what: &'static str, limit: u64, actual: u64) -> Result<()> {
    if actual > limit { Err(Error::new(ErrorKind::Limit { what, limit, actual })) } else { Ok(()) }
}
