//! Savepoints: what writes replaced, kept as long as they may have to be undone.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::index::Blob;
use crate::{Error, Result};

/// A place in a transaction to come back to.
///
/// It is made by [`Transaction::savepoint`](crate::Transaction::savepoint).
///
/// # Examples
///
/// ```
/// # use selkie::{Database, Readable, Writable};
/// let mut tx = Database::in_memory().begin_write()?;
/// let outer = tx.savepoint();
/// tx.insert("a", "1")?;
/// let inner = tx.savepoint();
/// tx.insert("b", "2")?;
/// tx.release(inner)?;
/// tx.rollback_to(outer)?;
/// assert_eq!(tx.count_range::<&str>(..)?, 0);
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Savepoint(u64);

/// What a write replaced: the overlay, the key, and what the overlay held for it.
pub(crate) type Undo = (usize, Blob, Option<Option<Blob>>);

#[derive(Debug, Default)]
pub(crate) struct Savepoints {
    places: Vec<Place>,
    undo: Vec<Undo>,
}

#[derive(Debug)]
struct Place {
    savepoint: Savepoint,
    undo_length: usize,
    size_bytes: u64,
}

/// Savepoints have numbers of their own, so that none is mistaken for one of another transaction.
static NEXT: AtomicU64 = AtomicU64::new(1);

impl Savepoints {
    pub(crate) fn add(&mut self, size_bytes: u64) -> Savepoint {
        let savepoint = Savepoint(NEXT.fetch_add(1, Ordering::Relaxed));
        self.places.push(Place { savepoint, undo_length: self.undo.len(), size_bytes });
        savepoint
    }

    /// Notes what a write replaced, while there is a savepoint to come back to.
    pub(crate) fn note(&mut self, undo: Undo) {
        if !self.places.is_empty() {
            self.undo.push(undo);
        }
    }

    /// What has to be put back to come to a savepoint, newest first, and the size at that place.
    pub(crate) fn undo_to(&mut self, savepoint: Savepoint) -> Result<(Vec<Undo>, u64)> {
        let position = self.position(savepoint)?;
        self.places.truncate(position + 1);
        let Place { undo_length, size_bytes, .. } = self.places[position];
        let mut undone = self.undo.split_off(undo_length);
        undone.reverse();
        Ok((undone, size_bytes))
    }

    pub(crate) fn release(&mut self, savepoint: Savepoint) -> Result<()> {
        let position = self.position(savepoint)?;
        self.places.truncate(position);
        if self.places.is_empty() {
            self.undo.clear();
        }
        Ok(())
    }

    fn position(&self, savepoint: Savepoint) -> Result<usize> {
        let position = self.places.iter().position(|place| place.savepoint == savepoint);
        position.ok_or_else(|| Error::invalid("the savepoint is not one of this transaction, or it is gone"))
    }
}
