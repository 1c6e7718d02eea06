//! Savepoints: what writes replaced, kept as long as they may have to be undone.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::index::{Blob, Record};
use crate::sorting;
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

/// What a write replaced: the overlay, the key, and the write that the overlay held for it.
pub(crate) type Undo = (usize, Blob, Option<Record>);

/// The savepoints of a transaction, in the order in which they were set.
#[derive(Debug, Default)]
pub(crate) struct Savepoints(Vec<Place>);

#[derive(Debug)]
struct Place {
    savepoint: Savepoint,
    size_bytes: u64,
    /// What writes after this savepoint, and before the next, replaced, in their order.
    replaced: Vec<Undo>,
    /// How many of these are for keys that differ, the last time that they were looked at.
    distinct: usize,
}

/// Fewer are kept as they come.
const FEW: usize = 64;

impl Place {
    /// Adds what a write replaced. Of several for one key the first counts, and the others go before they are many.
    fn add(&mut self, undo: Undo) {
        self.replaced.push(undo);
        if self.replaced.len() > FEW.max(2 * self.distinct) {
            // It is stable: the first of each key comes first.
            sorting::sort_by(&mut self.replaced, |a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
            self.replaced.dedup_by(|later, first| (later.0, &later.1) == (first.0, &first.1));
            self.distinct = self.replaced.len();
        }
    }
}

/// Savepoints have numbers of their own, so that none is mistaken for one of another transaction.
static NEXT: AtomicU64 = AtomicU64::new(1);

impl Savepoints {
    pub(crate) fn add(&mut self, size_bytes: u64) -> Savepoint {
        let savepoint = Savepoint(NEXT.fetch_add(1, Ordering::Relaxed));
        self.0.push(Place { savepoint, size_bytes, replaced: Vec::new(), distinct: 0 });
        savepoint
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes what a write replaced, while there is a savepoint to come back to.
    pub(crate) fn note(&mut self, undo: Undo) {
        if let Some(place) = self.0.last_mut() {
            place.add(undo);
        }
    }

    /// What has to be put back to come to a savepoint, newest first, and the size at that place.
    pub(crate) fn undo_to(&mut self, savepoint: Savepoint) -> Result<(Vec<Undo>, u64)> {
        let position = self.position(savepoint)?;
        let mut undone = Vec::new();
        for place in self.0[position..].iter_mut().rev() {
            undone.extend(std::mem::take(&mut place.replaced).into_iter().rev());
            place.distinct = 0;
        }
        self.0.truncate(position + 1);
        Ok((undone, self.0[position].size_bytes))
    }

    /// Forgets a savepoint and those after it. The one before takes over what it may have to put back.
    pub(crate) fn release(&mut self, savepoint: Savepoint) -> Result<()> {
        let position = self.position(savepoint)?;
        let released = self.0.split_off(position);
        if let Some(outer) = self.0.last_mut() {
            for undo in released.into_iter().flat_map(|place| place.replaced) {
                outer.add(undo);
            }
        }
        Ok(())
    }

    fn position(&self, savepoint: Savepoint) -> Result<usize> {
        let position = self.0.iter().position(|place| place.savepoint == savepoint);
        position.ok_or_else(|| Error::invalid("the savepoint is not one of this transaction, or it is gone"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn writing_the_same_key_again_keeps_one_old_value() {
        let mut savepoints = Savepoints::default();
        let outer = savepoints.add(0);
        for turn in 0..1_000_u32 {
            let inner = savepoints.add(0);
            savepoints.note((0, Blob::new(b"key"), Some(Record::pending(b"key", Some(&turn.to_be_bytes())))));
            savepoints.release(inner).unwrap();
        }
        let (undone, _) = savepoints.undo_to(outer).unwrap();
        assert!(undone.len() <= FEW);
        // What is put back last is what remains.
        let (_, _, before) = undone.last().unwrap();
        assert_eq!(before.as_ref().unwrap().value(), Some(&0_u32.to_be_bytes()[..]));
    }
}
