//! The ordered index: a skip list of leaves, each holding consecutive keys with their revisions.
//!
//! A leaf is found by its low key in a crossbeam skip list and read under its own lock. Splitting and merging
//! follow the B-link rule: a leaf knows where it ends, so whoever arrives at one that no longer covers his key
//! searches again.
//!
//! - A split puts the right half into the skip list first and shortens the left leaf afterwards, both under the
//!   left leaf's lock: at no moment is a key in neither.
//! - A merge locks the left leaf and then the right one, moves the entries, marks the right leaf dead and only
//!   then removes it from the skip list. Locks are always taken from left to right.
//! - The first leaf begins with the empty key and is never removed, so that every search finds a leaf.
//!
//! The skip list's `range()` is not used because it leaks the removed nodes it visits, and a live node is never
//! replaced because that is not atomic for readers (both in crossbeam-skiplist 0.1.3).

mod blob;
mod builder;
mod leaf;
mod leaves;
mod revision;
mod router;
mod walk;

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

pub(crate) use blob::Blob;
pub(crate) use builder::Builder;
use leaf::{CAPACITY, Leaf};
pub(crate) use leaf::{Entry, prefix_after};
use leaves::{Leaves, Node};
pub(crate) use revision::{Horizon, ReadPoint, Revision, Slot, Tally, collected_marker};
use router::Router;
pub(crate) use walk::{Direction, Walk};

use crate::Version;
use crate::locks::RwLock;

type SharedLeaf = RwLock<Arc<Leaf>>;

/// What the index holds, in numbers.
#[derive(Debug, Default)]
struct Counters {
    keys: AtomicI64,
    revisions: AtomicI64,
    live_bytes: AtomicI64,
    history_bytes: AtomicI64,
}

/// An ordered map from keys to their revisions, for any number of readers and writers.
pub(crate) struct Index {
    leaves: Leaves,
    router: Router,
    counters: Counters,
}

/// What one step of garbage collection did.
#[derive(Debug)]
pub(crate) struct Collected {
    /// Where the next step begins; none when the end was reached.
    pub(crate) next: Option<Blob>,
    /// The newest removal, by version and time, of a key that is gone altogether.
    pub(crate) forgotten: Option<(Version, u64)>,
    /// How many revisions were dropped.
    pub(crate) dropped: u64,
}

impl Index {
    pub(crate) fn new() -> Self {
        let index = Self { leaves: Leaves::new(), router: Router::new(), counters: Counters::default() };
        index.leaves.insert(Blob::empty(), Arc::new(RwLock::new(Arc::new(Leaf::new(Blob::empty(), None)))));
        index
    }

    /// Reads the entry of a key under its leaf's lock: `reader` must be short and must not call back.
    #[inline]
    pub(crate) fn read<R>(&self, key: &[u8], reader: impl FnOnce(Option<&Entry>) -> R) -> R {
        self.with_leaf(key, |leaf| reader(leaf.get(key)))
    }

    /// The version of the newest revision of a key, 0 when it has none.
    pub(crate) fn newest(&self, key: &[u8]) -> Version {
        self.read(key, |entry| entry.map_or(0, |entry| entry.head.version))
    }

    /// A key between the bounds with a revision newer than `since`, and that revision's version.
    pub(crate) fn newer_in(&self, low: Bound<&[u8]>, high: Bound<&[u8]>, since: Version) -> Option<(Blob, Version)> {
        let mut from = bound_to_blob(low);
        loop {
            let (found, next) =
                self.with_leaf_from(as_ref(&from), |leaf| (find_newer(leaf, low, high, since), leaf.high.clone()));
            if found.is_some() {
                return found;
            }
            let next = next.filter(|next| starts_within(next, high))?;
            from = Bound::Included(next);
        }
    }

    /// Puts a revision on top of a key's chain and drops what the horizon no longer needs.
    pub(crate) fn put(&self, key: &[u8], revision: Revision, horizon: Horizon, tally: &mut Tally) {
        let mut waiting = match self.router.routes().leaf_for(key) {
            Some(leaf) => self.put_into(leaf, key, revision, horizon, tally),
            None => Some(revision),
        };
        if waiting.is_none() {
            return;
        }
        while let Some(revision) = waiting {
            waiting = self.put_into(self.node_for(Bound::Included(key)).value(), key, revision, horizon, tally);
        }
        self.router.refresh(&self.leaves);
    }

    /// Puts a revision into a leaf. Gives it back when the leaf does not cover the key, or had to be split.
    fn put_into(
        &self,
        leaf: &SharedLeaf,
        key: &[u8],
        revision: Revision,
        horizon: Horizon,
        tally: &mut Tally,
    ) -> Option<Revision> {
        let mut leaf = leaf.write();
        if !leaf.covers(key) {
            return Some(revision);
        }
        if leaf.entries.len() == CAPACITY && leaf.search(key).is_err() {
            self.split(&mut leaf, key);
            return Some(revision);
        }
        Arc::make_mut(&mut leaf).put(key, revision, horizon, tally);
        None
    }

    /// Splits a full leaf in the middle, or at its end when keys arrive in ascending order.
    fn split(&self, leaf: &mut Arc<Leaf>, key: &[u8]) {
        let leaf = Arc::make_mut(leaf);
        let ascending = leaf.high.is_none() && leaf.search(key) == Err(CAPACITY);
        let position = if ascending { CAPACITY } else { CAPACITY / 2 };
        let low = leaf.entries.get(position).map_or_else(|| Blob::new(key), |entry| entry.key.clone());
        let right = leaf.split_off(position, low.clone());
        self.leaves.insert(low, Arc::new(RwLock::new(Arc::new(right))));
        self.router.note_change();
    }

    /// Collects garbage in up to `steps` leaves, beginning at `from`.
    pub(crate) fn collect(&self, from: Blob, steps: usize, horizon: Horizon) -> Collected {
        let mut collected = Collected { next: Some(from), forgotten: None, dropped: 0 };
        for _ in 0..steps {
            let Some(from) = collected.next.take() else { break };
            self.collect_leaf(&from, horizon, &mut collected);
        }
        collected
    }

    fn collect_leaf(&self, from: &Blob, horizon: Horizon, collected: &mut Collected) {
        let node = self.node_for(Bound::Included(from));
        let (dirty, mut remaining) = {
            let leaf = node.value().read();
            collected.next.clone_from(&leaf.high);
            (leaf.dirty, leaf.entries.len())
        };
        if dirty {
            let mut tally = Tally::default();
            let mut leaf = node.value().write();
            let leaf = Arc::make_mut(&mut leaf);
            collected.forgotten = collected.forgotten.max(leaf.collect(horizon, &mut tally));
            collected.dropped += tally.revisions.unsigned_abs();
            remaining = leaf.entries.len();
            self.add(tally);
        }
        if remaining < CAPACITY / 4 && !node.key().is_empty() {
            self.merge_into_previous(&node);
            self.router.refresh(&self.leaves);
        }
    }

    /// Moves the entries of a leaf into the leaf before it, when they fit.
    fn merge_into_previous(&self, node: &Node<'_>) {
        let previous = self.node_for(Bound::Excluded(node.key()));
        let mut left = previous.value().write();
        let mut right = node.value().write();
        let adjacent = !left.dead && !right.dead && left.high.as_ref() == Some(node.key());
        if adjacent && left.entries.len() + right.entries.len() <= CAPACITY / 2 {
            Arc::make_mut(&mut left).absorb(Arc::make_mut(&mut right));
            node.remove();
            self.router.note_change();
        }
    }

    /// Adds what changes did to the numbers of this index.
    pub(crate) fn add(&self, tally: Tally) {
        let add = |counter: &AtomicI64, amount: i64| {
            if amount != 0 {
                counter.fetch_add(amount, Ordering::Relaxed);
            }
        };
        add(&self.counters.keys, tally.keys);
        add(&self.counters.revisions, tally.revisions);
        add(&self.counters.live_bytes, tally.live_bytes);
        add(&self.counters.history_bytes, tally.history_bytes);
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally {
            keys: self.counters.keys.load(Ordering::Relaxed),
            revisions: self.counters.revisions.load(Ordering::Relaxed),
            live_bytes: self.counters.live_bytes.load(Ordering::Relaxed),
            history_bytes: self.counters.history_bytes.load(Ordering::Relaxed),
        }
    }

    /// Whether there are removed keys, or revisions beside the newest.
    pub(crate) fn has_superseded(&self) -> bool {
        let tally = self.tally();
        tally.revisions > tally.keys
    }

    /// The contents of the leaf that holds the first key within a lower bound, shared with the index.
    pub(crate) fn image_from(&self, low: Bound<&[u8]>) -> Arc<Leaf> {
        self.with_leaf_from(low, Arc::clone)
    }

    /// The contents of the leaf that holds the last key within an upper bound; none below the empty key.
    pub(crate) fn image_to(&self, high: Bound<&[u8]>) -> Option<Arc<Leaf>> {
        loop {
            let node = match high {
                Bound::Unbounded => self.leaves.back(),
                _ => self.leaves.upper_bound(high),
            }?;
            let leaf = node.value().read();
            let reaches = match high {
                Bound::Unbounded => leaf.high.is_none(),
                Bound::Included(key) => leaf.covers(key),
                Bound::Excluded(key) => leaf.high.as_ref().is_none_or(|end| &end[..] >= key),
            };
            if reaches && !leaf.dead {
                return Some(Arc::clone(&leaf));
            }
        }
    }

    fn with_leaf_from<R>(&self, low: Bound<&[u8]>, reader: impl FnOnce(&Arc<Leaf>) -> R) -> R {
        let key = match low {
            Bound::Unbounded => &[],
            Bound::Included(key) | Bound::Excluded(key) => key,
        };
        self.with_leaf(key, reader)
    }

    /// Reads the leaf that covers a key, under its lock.
    #[inline]
    fn with_leaf<R>(&self, key: &[u8], reader: impl FnOnce(&Arc<Leaf>) -> R) -> R {
        if let Some(leaf) = self.router.routes().leaf_for(key) {
            let leaf = leaf.read();
            if leaf.covers(key) {
                return reader(&leaf);
            }
        }
        self.router.note_miss(&self.leaves);
        loop {
            let node = self.node_for(Bound::Included(key));
            let leaf = node.value().read();
            if leaf.covers(key) {
                return reader(&leaf);
            }
        }
    }

    /// The node with the greatest low key within the bound.
    #[inline]
    fn node_for(&self, bound: Bound<&[u8]>) -> Node<'_> {
        match self.leaves.upper_bound(bound) {
            Some(node) => node,
            None => unreachable!("the first leaf begins with the empty key and is never removed"),
        }
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("counters", &self.counters).finish_non_exhaustive()
    }
}

fn find_newer(leaf: &Leaf, low: Bound<&[u8]>, high: Bound<&[u8]>, since: Version) -> Option<(Blob, Version)> {
    if leaf.newest <= since {
        return None;
    }
    let (start, end) = (leaf.first_within(low), leaf.end_within(high));
    let entries = leaf.entries.get(start..end).unwrap_or_default();
    entries.iter().find(|entry| entry.head.version > since).map(|entry| (entry.key.clone(), entry.head.version))
}

/// Whether a leaf that begins with `low` can hold keys within an upper bound.
pub(crate) fn starts_within(low: &[u8], high: Bound<&[u8]>) -> bool {
    match high {
        Bound::Unbounded => true,
        Bound::Included(key) => low <= key,
        Bound::Excluded(key) => low < key,
    }
}

pub(crate) fn as_ref(bound: &Bound<Blob>) -> Bound<&[u8]> {
    bound.as_ref().map(|blob| &blob[..])
}

pub(crate) fn bound_to_blob(bound: Bound<&[u8]>) -> Bound<Blob> {
    bound.map(Blob::new)
}

#[cfg(test)]
mod tests;
