//! A leaf of the index: up to [`CAPACITY`] consecutive keys with their revisions.
//!
//! A leaf covers the keys from its low key, which never changes, up to but not including its high key. The
//! first eight bytes after what all its keys have in common stand in one array, so that most of a search touches
//! nothing else.

use std::cmp::Ordering;
use std::ops::Bound;
// What it says of a leaf is read and set under the leaf's lock.
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use arrayvec::ArrayVec;

use super::blob::Blob;
use super::order::compare;
use super::record::Record;
use super::revision::{Horizon, Revision, Tally};
use super::table::Table;
use crate::Version;

/// How many keys a leaf holds at most.
pub(crate) const CAPACITY: usize = if cfg!(any(loom, shuttle)) {
    4
} else if cfg!(miri) {
    8
} else {
    128
};

/// So many prefixes stand in a cache line.
const BLOCK: usize = if CAPACITY < 8 { CAPACITY } else { 8 };

/// The contents of a leaf. A reader that keeps them shares them; a writer that finds them shared copies them.
///
/// The fields stand in the order in which a search needs them, so that it touches few cache lines.
#[derive(Debug, Clone)]
#[repr(C)]
pub(crate) struct Leaf {
    /// The first key that belongs to a later leaf; none in the last leaf.
    pub(crate) high: Option<Blob>,
    pub(crate) low: Blob,
    /// How many bytes at the beginning of all keys are the same.
    strip: usize,
    /// No revision in this leaf is newer.
    pub(crate) newest: Version,
    /// How many keys are removed at their newest revision.
    pub(crate) tombstones: u16,
    /// How many keys have older revisions.
    superseded: u16,
    /// A leaf that was merged into its predecessor: whoever finds it searches again.
    pub(crate) dead: bool,
    entered: Entered,
    /// The keys, each with its revisions, in the same piece of memory. A search needs their number first.
    pub(crate) entries: ArrayVec<Revision, CAPACITY>,
    /// In ascending order; where there is no entry, the greatest number there is.
    prefixes: [u64; CAPACITY],
}

/// How often a record of a leaf was entered into the table by itself, while the others were not there. It is counted
/// under the read lock too.
#[derive(Debug, Default)]
struct Entered(AtomicU8);

/// After so many all records of the leaf are entered, since the next reads are likely to be of others of them. Whoever
/// reads here and there does not pay for what nobody reads.
const ENTERED_BY_THEMSELVES: u8 = 3;

impl Clone for Entered {
    fn clone(&self) -> Self {
        Self(AtomicU8::new(self.0.load(Relaxed)))
    }
}

impl Leaf {
    pub(crate) fn new(low: Blob, high: Option<Blob>) -> Self {
        let mut leaf = Self {
            low,
            high: None,
            dead: false,
            newest: 0,
            tombstones: 0,
            superseded: 0,
            entered: Entered::default(),
            strip: 0,
            prefixes: [u64::MAX; CAPACITY],
            entries: ArrayVec::new(),
        };
        leaf.set_high(high);
        leaf
    }

    /// Whether a key that is not below the low key belongs to this leaf.
    #[inline]
    pub(crate) fn covers(&self, key: &[u8]) -> bool {
        // A dead leaf's end was set to its beginning, so that it covers nothing.
        self.high.as_ref().is_none_or(|high| compare(key, high).is_lt())
    }

    /// Whether a key belongs to this leaf.
    #[inline]
    pub(crate) fn holds(&self, key: &[u8]) -> bool {
        compare(key, &self.low).is_ge() && self.covers(key)
    }

    /// Whether what comes last within an upper bound belongs to this leaf, which begins within it.
    pub(crate) fn reaches(&self, high: Bound<&[u8]>) -> bool {
        let reaches = match high {
            Bound::Unbounded => self.high.is_none(),
            Bound::Included(key) => self.covers(key),
            Bound::Excluded(key) => self.high.as_ref().is_none_or(|end| compare(end, key).is_ge()),
        };
        reaches && !self.dead
    }

    /// The position of the key, or the position where it belongs.
    #[inline]
    pub(crate) fn search(&self, key: &[u8]) -> Result<usize, usize> {
        let prefix = prefix_after(key, self.strip);
        let prefixes = &self.prefixes[..self.entries.len()];
        let start = self.count_below(prefix);
        let same = prefixes[start..].iter().take_while(|other| **other == prefix).count();
        match self.entries[start..start + same].binary_search_by(|entry| compare(entry.key(), key)) {
            Ok(position) => Ok(start + position),
            Err(position) => Err(start + position),
        }
    }

    /// Like [`search`](Self::search). It looks at the end first, since keys often come in ascending order, and the last
    /// leaf, which has no high key, may have the same prefix throughout.
    pub(crate) fn place(&self, key: &[u8]) -> Result<usize, usize> {
        let Some(last) = self.entries.last() else { return Err(0) };
        let is_after = match prefix_after(key, self.strip).cmp(&self.prefixes[self.entries.len() - 1]) {
            Ordering::Less => false,
            Ordering::Equal => compare(key, last.key()).is_gt(),
            Ordering::Greater => true,
        };
        if is_after { Err(self.entries.len()) } else { self.search(key) }
    }

    /// How many prefixes are below this one.
    #[inline]
    fn count_below(&self, prefix: u64) -> usize {
        let count = |prefixes: &[u64]| prefixes.iter().filter(|other| **other < prefix).count();
        // A binary search would wait for one cache miss after the other: these lines are asked for at once.
        let firsts = self.prefixes.chunks_exact(BLOCK).skip(1).filter(|block| block[0] < prefix).count();
        let before = firsts * BLOCK;
        before + count(&self.prefixes[before..before + BLOCK])
    }

    #[inline]
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Revision> {
        self.search(key).ok().map(|position| &self.entries[position])
    }

    /// Enters a key's newest record into the table, and at some time all of the leaf's.
    pub(super) fn enter(&self, newest: &Revision, table: &Table) {
        let before = self.entered.0.load(Relaxed);
        self.entered.0.store(before.saturating_add(1), Relaxed);
        if before == ENTERED_BY_THEMSELVES {
            table.enter_all(&self.entries);
        } else {
            table.enter(newest);
        }
    }

    /// Whether any of the records may be in the table.
    pub(super) fn is_entered(&self) -> bool {
        self.entered.0.load(Relaxed) > 0
    }

    /// The position of the first key within a lower bound.
    pub(crate) fn first_within(&self, low: Bound<&[u8]>) -> usize {
        match low {
            Bound::Unbounded => 0,
            Bound::Included(key) => self.position(key).unwrap_or_else(|position| position),
            Bound::Excluded(key) => self.position(key).map_or_else(|position| position, |position| position + 1),
        }
    }

    /// The position after the last key within an upper bound.
    pub(crate) fn end_within(&self, high: Bound<&[u8]>) -> usize {
        match high {
            Bound::Unbounded => self.entries.len(),
            Bound::Included(key) => self.position(key).map_or_else(|position| position, |position| position + 1),
            Bound::Excluded(key) => self.position(key).unwrap_or_else(|position| position),
        }
    }

    /// Like [`search`](Self::search), for a key that may lie outside of this leaf.
    fn position(&self, key: &[u8]) -> Result<usize, usize> {
        if compare(key, &self.low).is_lt() {
            Err(0)
        } else if self.covers(key) {
            self.search(key)
        } else {
            Err(self.entries.len())
        }
    }

    /// Puts a record on top of its key's chain, at its [`place`](Self::place). The leaf must have room.
    pub(crate) fn put(&mut self, place: Result<usize, usize>, record: Record, horizon: Horizon, tally: &mut Tally) {
        self.newest = self.newest.max(record.version());
        self.tombstones += u16::from(record.is_tombstone());
        match place {
            Ok(position) => {
                let head = &mut self.entries[position];
                self.tombstones -= u16::from(head.is_tombstone());
                self.superseded -= u16::from(head.has_older_revisions());
                head.supersede(record, horizon, tally);
                self.superseded += u16::from(head.has_older_revisions());
            }
            Err(position) => {
                tally.keys += i64::from(record.is_value());
                tally.revisions += 1;
                tally.live_bytes += record.length() as i64;
                self.insert_at(position, Revision::new(record));
            }
        }
    }

    /// Drops what the horizon no longer needs of a key.
    pub(crate) fn prune(&mut self, key: &[u8], horizon: Horizon, tally: &mut Tally) {
        if let Ok(position) = self.search(key) {
            let entry = &mut self.entries[position];
            self.superseded -= u16::from(entry.has_older_revisions());
            entry.prune(horizon, tally);
            self.superseded += u16::from(entry.has_older_revisions());
        }
    }

    fn count(&self, is_counted: impl Fn(&Revision) -> bool) -> u16 {
        self.entries.iter().map(|entry| u16::from(is_counted(entry))).sum()
    }

    /// Whether anything here may become collectable.
    pub(crate) fn has_garbage(&self) -> bool {
        self.superseded + self.tombstones > 0
    }

    fn insert_at(&mut self, position: usize, entry: Revision) {
        debug_assert!(self.entries.len() < CAPACITY);
        let count = self.entries.len();
        let prefix = prefix_after(entry.key(), self.strip);
        if position == count {
            self.entries.push(entry);
        } else {
            self.prefixes.copy_within(position..count, position + 1);
            self.entries.insert(position, entry);
        }
        self.prefixes[position] = prefix;
    }

    /// Appends an entry whose key is above all others; the prefixes follow with [`set_high`](Self::set_high).
    pub(crate) fn append(&mut self, entry: Revision) {
        self.newest = self.newest.max(entry.version());
        self.tombstones += u16::from(entry.is_tombstone());
        self.superseded += u16::from(entry.has_older_revisions());
        self.entries.push(entry);
    }

    /// Sets the end of the leaf, and with it how much of the keys is common to all of them.
    pub(crate) fn set_high(&mut self, high: Option<Blob>) {
        self.strip = high.as_ref().map_or(0, |high| common_prefix(&self.low, high));
        self.high = high;
        let (used, unused) = self.prefixes.split_at_mut(self.entries.len());
        for (prefix, entry) in used.iter_mut().zip(&self.entries) {
            *prefix = prefix_after(entry.key(), self.strip);
        }
        unused.fill(u64::MAX);
    }

    /// Moves the entries from `position` on into a new leaf, which begins with `low`.
    pub(crate) fn split_off(&mut self, position: usize, low: Blob) -> Leaf {
        let mut right = Leaf::new(low, None);
        for entry in self.entries.drain(position..) {
            right.append(entry);
        }
        right.newest = self.newest;
        right.entered = self.entered.clone();
        right.set_high(self.high.clone());
        self.tombstones -= right.tombstones;
        self.superseded -= right.superseded;
        self.set_high(Some(right.low.clone()));
        right
    }

    /// Takes over everything of the leaf that follows, which is dead from then on.
    pub(crate) fn absorb(&mut self, next: &mut Leaf) {
        next.dead = true;
        let high = next.high.replace(next.low.clone());
        for entry in next.entries.drain(..) {
            self.append(entry);
        }
        next.prefixes.fill(u64::MAX);
        self.newest = self.newest.max(next.newest);
        self.entered.0.fetch_max(u8::from(next.is_entered()), Relaxed);
        self.set_high(high);
    }

    /// Drops what the horizon no longer needs, and lets the table `forget` each key that goes altogether. Returns the
    /// newest of their removals.
    pub(crate) fn collect(
        &mut self,
        horizon: Horizon,
        tally: &mut Tally,
        mut forget: impl FnMut(&Record),
    ) -> Option<(Version, u64)> {
        let mut forgotten = None;
        let has_tombstones = self.tombstones > 0;
        self.entries.retain(|entry| {
            // A record that has nothing to give is not fetched from memory.
            if !has_tombstones && !entry.has_older_revisions() {
                return true;
            }
            entry.prune(horizon, tally);
            let spent = entry.is_spent(horizon);
            if spent {
                forget(entry);
                tally.revisions -= 1;
                tally.live_bytes -= entry.key().len() as i64;
                forgotten = forgotten.max(Some((entry.version(), entry.time())));
            }
            !spent
        });
        if has_tombstones {
            self.tombstones = self.count(|entry| entry.is_tombstone());
        }
        self.superseded = self.count(Revision::has_older_revisions);
        if forgotten.is_some() {
            let high = self.high.take();
            self.set_high(high);
        }
        forgotten
    }
}

/// Eight bytes of the key after those that are common to the leaf, as a number that orders like them.
#[inline]
pub(crate) fn prefix_after(key: &[u8], strip: usize) -> u64 {
    let rest = key.get(strip..).unwrap_or_default();
    match rest.first_chunk() {
        Some(chunk) => u64::from_be_bytes(*chunk),
        None => rest.iter().rev().fold(0, |prefix, byte| prefix >> 8 | u64::from(*byte) << 56),
    }
}

pub(crate) fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::super::revision::ReadPoint;
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn leaf_of(keys: &[&str]) -> Leaf {
        let mut leaf = Leaf::new(Blob::empty(), None);
        let horizon = Horizon { point: ReadPoint::version(0), keep: 1 };
        for key in keys {
            let place = leaf.place(key.as_bytes());
            leaf.put(place, Record::new(key.as_bytes(), Some(b"v"), (1, 0)), horizon, &mut Tally::default());
        }
        leaf
    }

    #[test]
    fn prefixes_order_like_keys() {
        let keys: [&[u8]; 7] = [b"", b"\0", b"a", b"a\0", b"abcdefgh", b"abcdefghi", b"b"];
        for pair in keys.windows(2) {
            assert!(prefix_after(pair[0], 0) <= prefix_after(pair[1], 0), "{pair:?}");
        }
        assert_eq!(prefix_after(b"a", 0), 0x61 << 56);
        assert_eq!(prefix_after(b"abcdefgh", 0), u64::from_be_bytes(*b"abcdefgh"));
    }

    #[test]
    fn finds_keys_that_share_their_first_bytes() {
        let leaf = leaf_of(&["prefix-0001", "prefix-0002", "prefix-0010", "prefix", "q"]);
        for key in ["prefix-0001", "prefix-0002", "prefix-0010", "prefix", "q"] {
            assert!(leaf.get(key.as_bytes()).is_some(), "{key}");
        }
        assert!(leaf.get(b"prefix-0003").is_none());
        assert_eq!(leaf.first_within(Bound::Excluded(b"prefix")), 1);
        assert_eq!(leaf.end_within(Bound::Included(b"prefix-0002")), 3);
    }

    #[test]
    fn a_split_leaf_covers_what_it_kept() {
        let mut leaf = leaf_of(&["user-1", "user-2", "user-3", "user-4"]);
        let right = leaf.split_off(2, Blob::new(b"user-3"));
        assert!(leaf.covers(b"user-2") && !leaf.covers(b"user-3"));
        assert!(right.covers(b"user-4") && right.get(b"user-4").is_some());
        assert!(leaf.get(b"user-1").is_some() && leaf.get(b"user-3").is_none());
        assert_eq!(leaf.first_within(Bound::Included(b"zzz")), 2);
    }

    #[test]
    fn absorbing_the_next_leaf_undoes_a_split() {
        let mut leaf = leaf_of(&["user-1", "user-2", "user-3", "user-4"]);
        let mut right = leaf.split_off(2, Blob::new(b"user-3"));
        leaf.absorb(&mut right);
        assert!(right.dead && !right.covers(b"user-3"));
        assert_eq!(leaf.entries.len(), 4);
        assert!(leaf.get(b"user-4").is_some() && leaf.high.is_none());
    }
}
