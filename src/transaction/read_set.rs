//! What a transaction has read, to be found unchanged when it commits.

use std::ops::Bound;
use std::sync::Arc;

use crate::engine::catalog::KeyspaceState;
use crate::engine::commit::Reads;
use crate::few::Few;
use crate::index::Blob;
use crate::sorting;

/// From this many entries on, repeated ones are taken out before the list grows.
const DEDUPLICATE_FROM: usize = 256;

/// A range in a keyspace.
type OpenRange = (Arc<KeyspaceState>, Bound<Blob>, Bound<Blob>);

/// The keys and ranges that were read. It grows with what was read, not with how often.
#[derive(Debug, Default)]
pub(crate) struct ReadSet {
    keyspaces: Few<Reads>,
    /// Ranges that are being read: they count in full until it is known how far they were read.
    open: Vec<Option<OpenRange>>,
}

impl ReadSet {
    pub(crate) fn note_key(&mut self, keyspace: &Arc<KeyspaceState>, key: &[u8]) {
        let keys = &mut self.reads_of(keyspace).keys;
        if keys.last().is_some_and(|last| &last[..] == key) {
            return;
        }
        if keys.len() >= DEDUPLICATE_FROM && keys.len() == keys.capacity() {
            sorting::sort_by(keys, Ord::cmp);
            keys.dedup();
            // Room for as many again keeps the cost of sorting in proportion.
            keys.reserve(keys.len());
        }
        keys.push(Blob::new(key));
    }

    /// Notes that a range is about to be read.
    pub(crate) fn open_range(&mut self, keyspace: &Arc<KeyspaceState>, low: Bound<Blob>, high: Bound<Blob>) -> usize {
        let range = Some((Arc::clone(keyspace), low, high));
        if let Some(place) = self.open.iter().position(Option::is_none) {
            self.open[place] = range;
            return place;
        }
        self.open.push(range);
        self.open.len() - 1
    }

    /// Notes how far a range was read in the end: the given parts of it.
    pub(crate) fn close_range(&mut self, place: usize, parts: impl IntoIterator<Item = (Bound<Blob>, Bound<Blob>)>) {
        let Some((keyspace, _, _)) = self.open.get_mut(place).and_then(Option::take) else { return };
        let ranges = &mut self.reads_of(&keyspace).ranges;
        for part in parts {
            if ranges.last() == Some(&part) {
                continue;
            }
            if ranges.len() >= DEDUPLICATE_FROM && ranges.len() == ranges.capacity() {
                unite(ranges);
                ranges.reserve(ranges.len());
            }
            ranges.push(part);
        }
    }

    /// Everything that was read, ranges that were never closed included.
    pub(crate) fn into_reads(mut self) -> Few<Reads> {
        for (keyspace, low, high) in std::mem::take(&mut self.open).into_iter().flatten() {
            self.reads_of(&keyspace).ranges.push((low, high));
        }
        self.keyspaces
    }

    fn reads_of(&mut self, keyspace: &Arc<KeyspaceState>) -> &mut Reads {
        let position = self.keyspaces.iter().position(|reads| Arc::ptr_eq(&reads.keyspace, keyspace));
        let position = position.unwrap_or_else(|| {
            self.keyspaces.push(Reads { keyspace: Arc::clone(keyspace), keys: Few::new(), ranges: Vec::new() });
            self.keyspaces.len() - 1
        });
        &mut self.keyspaces[position]
    }
}

/// Puts ranges together that overlap.
fn unite(ranges: &mut Vec<(Bound<Blob>, Bound<Blob>)>) {
    sorting::sort_by(ranges, |a, b| low_order(&a.0).cmp(&low_order(&b.0)));
    let mut united: Vec<(Bound<Blob>, Bound<Blob>)> = Vec::with_capacity(ranges.len());
    for (low, high) in ranges.drain(..) {
        match united.last_mut().filter(|last| reaches(&last.1, &low)) {
            Some(last) => {
                if high_order(&last.1) < high_order(&high) {
                    last.1 = high;
                }
            }
            None => united.push((low, high)),
        }
    }
    *ranges = united;
}

/// Whether a range that ends at `high` meets one that begins at `low`.
fn reaches(high: &Bound<Blob>, low: &Bound<Blob>) -> bool {
    match (high, low) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
        (Bound::Included(high) | Bound::Excluded(high), Bound::Included(low) | Bound::Excluded(low)) => high >= low,
    }
}

fn low_order(low: &Bound<Blob>) -> (Option<&Blob>, bool) {
    match low {
        Bound::Unbounded => (None, false),
        Bound::Included(key) => (Some(key), false),
        Bound::Excluded(key) => (Some(key), true),
    }
}

fn high_order(high: &Bound<Blob>) -> (bool, Option<&Blob>, bool) {
    match high {
        Bound::Unbounded => (true, None, false),
        Bound::Included(key) => (false, Some(key), true),
        Bound::Excluded(key) => (false, Some(key), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Index;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn included(key: u32) -> Bound<Blob> {
        Bound::Included(Blob::new(&key.to_be_bytes()))
    }

    #[test]
    fn reading_the_same_again_does_not_grow_the_set() {
        let keyspace = KeyspaceState::new(0, "k", Index::new());
        let mut reads = ReadSet::default();
        for turn in 0..100_000_u32 {
            reads.note_key(&keyspace, &(turn % 100).to_be_bytes());
            let place = reads.open_range(&keyspace, Bound::Unbounded, Bound::Unbounded);
            reads.close_range(place, [(included(turn % 50), included(turn % 50 + 3))]);
        }
        let reads = reads.into_reads();
        assert_eq!(reads.len(), 1);
        assert!(reads[0].keys.len() <= 2 * DEDUPLICATE_FROM, "{}", reads[0].keys.len());
        assert!(reads[0].ranges.len() <= 2 * DEDUPLICATE_FROM, "{}", reads[0].ranges.len());
    }

    #[test]
    fn united_ranges_cover_the_same_keys() {
        let mut ranges = vec![(included(5), included(9)), (included(1), included(2)), (included(8), Bound::Unbounded)];
        unite(&mut ranges);
        assert_eq!(ranges, [(included(1), included(2)), (included(5), Bound::Unbounded)]);
    }

    #[test]
    fn a_range_that_was_never_closed_counts_in_full() {
        let keyspace = KeyspaceState::new(0, "k", Index::new());
        let mut reads = ReadSet::default();
        reads.open_range(&keyspace, included(1), included(2));
        assert_eq!(reads.into_reads()[0].ranges, [(included(1), included(2))]);
    }
}
