//! Where a read comes from: an index at a point of its history, under the writes of a transaction.

use std::cell::RefCell;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use bytes::Bytes;

use crate::engine::catalog::KeyspaceState;
use crate::engine::readers::Place;
use crate::index::{Blob, Lent, ReadPoint, Record, Slot};
use crate::transaction::overlay::Overlay;
use crate::transaction::read_set::ReadSet;
use crate::{Error, ErrorKind, Result};

/// What the reading methods of views and transactions share.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    pub(crate) keyspace: &'a Arc<KeyspaceState>,
    pub(crate) point: ReadPoint,
    /// What the reader holds: it says whether what was read is right.
    pub(crate) place: &'a Place,
    pub(crate) overlay: Option<&'a Overlay>,
    /// Where reads are noted, to be found unchanged at the commit.
    pub(crate) reads: Option<&'a RefCell<ReadSet>>,
}

/// Implemented by what can be read from, and by nothing outside of this crate.
pub trait HasSource {
    #[doc(hidden)]
    fn source(&self) -> Result<Source<'_>>;
}

impl Source<'_> {
    /// Reads a key's value with `reader`, which must be short and must not call back into the database.
    #[inline]
    pub(crate) fn read<R>(&self, key: &[u8], reader: impl FnOnce(&Record) -> R) -> Result<Option<R>> {
        if let Some(own) = self.overlay.and_then(|overlay| overlay.get(key)) {
            self.check()?;
            return Ok(own.is_value().then(|| reader(own)));
        }
        if let Some(reads) = self.reads {
            reads.borrow_mut().note_key(self.keyspace, key);
        }
        let found = self.keyspace.index.read(key, self.point, |record| {
            let Some(record) = record else { return Ok(None) };
            match record.slot() {
                Slot::Value(_) => Ok(Some(reader(record))),
                Slot::Collected => Err(self.collected()),
                Slot::Tombstone => Ok(None),
            }
        });
        self.check()?;
        found
    }

    /// Whether what was read so far is right. It is not for certain once the reader was ended.
    #[inline]
    pub(crate) fn check(&self) -> Result<()> {
        self.place.check(self.point)
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.read(key, Record::to_bytes)
    }

    /// Reads a key's value with the caller's code, which runs without any lock.
    pub(crate) fn get_with<R>(&self, key: &[u8], reader: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        let mut lent = Lent::nothing();
        Ok(self.read(key, |record| lent.take(record))?.map(|()| reader(lent.bytes())))
    }

    pub(crate) fn collected(&self) -> Error {
        Error::new(ErrorKind::HistoryCollected { requested: self.point.version })
    }
}

/// The bounds of a range of keys, as the index wants them.
pub(crate) fn to_bounds<K: AsRef<[u8]>>(range: &impl RangeBounds<K>) -> (Bound<Blob>, Bound<Blob>) {
    let blob = |key: &K| Blob::new(key.as_ref());
    (range.start_bound().map(blob), range.end_bound().map(blob))
}

/// The bounds of all keys that begin with a prefix.
pub(crate) fn prefix_bounds(prefix: &[u8]) -> (Bound<Blob>, Bound<Blob>) {
    let mut end = prefix.to_vec();
    while end.pop_if(|last| *last == u8::MAX).is_some() {}
    let high = match end.last_mut() {
        Some(last) => {
            *last += 1;
            Bound::Excluded(Blob::new(&end))
        }
        None => Bound::Unbounded,
    };
    (Bound::Included(Blob::new(prefix)), high)
}

/// Whether a range can hold no key, above all because it is reversed.
pub(crate) fn is_empty_range(low: &Bound<Blob>, high: &Bound<Blob>) -> bool {
    match (low, high) {
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Included(low) | Bound::Excluded(low), Bound::Excluded(high))
        | (Bound::Excluded(low), Bound::Included(high)) => low >= high,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_prefix_ends_before_the_next_one() {
        let high = |prefix: &[u8]| prefix_bounds(prefix).1;
        assert_eq!(high(b"ab"), Bound::Excluded(Blob::new(b"ac")));
        assert_eq!(high(b"a\xff\xff"), Bound::Excluded(Blob::new(b"b")));
        assert_eq!(high(b"\xff\xff"), Bound::Unbounded);
        assert_eq!(high(b""), Bound::Unbounded);
    }
}
