//! The ordered index: a skip list of leaves, each holding consecutive keys with their revisions.
//!
//! A leaf is found by its low key in a crossbeam skip list and read under its own lock. Splitting and merging
//! follow the B-link rule: a leaf knows where it ends, so whoever arrives at one that no longer covers his key
//! searches again.
//!
//! - A split shortens the left leaf and puts the right half into the skip list, both under the left leaf's lock: at no
//!   moment does anybody find a key in neither.
//! - A merge locks the left leaf and then the right one, moves the entries, marks the right leaf dead and only
//!   then removes it from the skip list. Locks are always taken from left to right.
//! - The first leaf begins with the empty key and is never removed, so that every search finds a leaf.
//!
//! Reads of single keys in a large index begin with its [`table`] of the records that were read before.
//!
//! The skip list's `range()` is not used because it leaks the removed nodes it visits, and a live node is never
//! replaced because that is not atomic for readers (both in crossbeam-skiplist 0.1.3).

mod blob;
mod buckets;
mod builder;
mod leaf;
mod leaves;
mod order;
mod record;
mod revision;
mod router;
mod table;
mod walk;

use std::ops::Bound;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

pub(crate) use blob::Blob;
pub(crate) use builder::Builder;
pub(crate) use leaf::prefix_after;
use leaf::{CAPACITY, Leaf};
use leaves::{Leaves, Node};
pub(crate) use order::compare;
pub(crate) use record::{Lent, Record, Slot};
pub(crate) use revision::{Horizon, ReadPoint, Revision, Tally, collected_marker};
use router::Router;
use table::Table;
pub(crate) use walk::{Direction, Walk};

use crate::Version;
use crate::locks::{Apart, RwLock};

type SharedLeaf = RwLock<Arc<Leaf>>;

/// Records on their way into the index.
struct Run<'a, I, H> {
    next: Option<Record>,
    rest: &'a mut I,
    horizon: &'a mut H,
    tally: &'a mut Tally,
}

impl<I, H> Run<'_, I, H> {
    fn key(&self) -> Option<&[u8]> {
        self.next.as_ref().map(Record::key)
    }
}

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
    /// Once it is worth it.
    table: OnceLock<Table>,
    counters: Apart<Counters>,
}

/// Code that is downloaded does without what is only faster.
const IS_DOWNLOADED: bool = cfg!(target_arch = "wasm32");

/// From so many keys on an index outgrows the caches that are near, and gets a table. Tests have few keys.
const TABLE_FROM: usize = if cfg!(any(test, loom, shuttle, feature = "testing")) { 1 } else { 4_096 };

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
        let index =
            Self { leaves: Leaves::new(), router: Router::new(), table: OnceLock::new(), counters: Apart::default() };
        index.leaves.insert(Blob::empty(), Arc::new(RwLock::new(Arc::new(Leaf::new(Blob::empty(), None)))));
        index
    }

    /// Reads what a key is at a point, under a lock: `reader` must be short and must not call back.
    #[inline]
    pub(crate) fn read<R>(&self, key: &[u8], point: ReadPoint, reader: impl FnOnce(Option<&Record>) -> R) -> R {
        let Some(table) = self.table().or_else(|| self.new_table()) else {
            return self.with_leaf(key, |leaf| reader(record_at(leaf.get(key), point)));
        };
        match table.read(key, |record| point.sees(record), reader) {
            Ok(read) => read,
            Err(reader) => self.with_leaf(key, |leaf| {
                let entry = leaf.get(key);
                // Who reads the past finds nothing in the table, however often it is entered.
                if let Some(newest) = entry.filter(|newest| point.sees(newest)) {
                    leaf.enter(newest, table);
                }
                reader(record_at(entry, point))
            }),
        }
    }

    /// The table, once there is one.
    #[inline]
    fn table(&self) -> Option<&Table> {
        if IS_DOWNLOADED { None } else { self.table.get() }
    }

    /// The table that the first read of a large index makes.
    #[cold]
    fn new_table(&self) -> Option<&Table> {
        let keys = usize::try_from(self.counters.keys.load(Ordering::Relaxed)).unwrap_or_default();
        (!IS_DOWNLOADED && keys >= TABLE_FROM).then(|| self.table.get_or_init(|| Table::new(keys)))
    }

    /// Reads a key with all of its revisions in the same way.
    pub(crate) fn read_revisions<R>(&self, key: &[u8], reader: impl FnOnce(Option<&Revision>) -> R) -> R {
        self.with_leaf(key, |leaf| reader(leaf.get(key)))
    }

    /// The version of the newest revision of a key, 0 when it has none.
    pub(crate) fn newest(&self, key: &[u8]) -> Version {
        let version = |newest: Option<&Record>| newest.map_or(0, Record::version);
        let found = self.table().map_or(Err(version), |table| table.read(key, |_| true, version));
        found.unwrap_or_else(|version| self.with_leaf(key, |leaf| version(leaf.get(key).map(|entry| &entry.record))))
    }

    /// Goes the way of a write to its key, so that the processor's caches have what lies there.
    pub(crate) fn warm_up(&self, key: &[u8]) {
        self.with_leaf(key, |leaf| std::hint::black_box(leaf.search(key).is_ok()));
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

    /// Puts records on top of their keys' chains and drops what the horizon no longer needs. Those that come in the
    /// order of their keys meet in the leaves. The horizon is asked for before each of them, while nobody else can read
    /// its leaf, and once nobody finds an older record of its key in the table.
    pub(crate) fn put_all(
        &self,
        records: impl IntoIterator<Item = Record>,
        mut horizon: impl FnMut() -> Horizon,
        tally: &mut Tally,
    ) {
        let mut records = records.into_iter();
        let mut next = records.next();
        while let Some(record) = next {
            let mut run = Run { next: Some(record), rest: &mut records, horizon: &mut horizon, tally };
            self.put_run(&mut run);
            next = run.next;
        }
    }

    /// Puts the next record into its leaf, and those after it that belong there too.
    fn put_run(&self, run: &mut Run<'_, impl Iterator<Item = Record>, impl FnMut() -> Horizon>) {
        let routes = self.router.routes();
        let mut has_put = run.key().and_then(|key| routes.leaf_for(key)).is_some_and(|leaf| self.put_into(leaf, run));
        while !has_put && let Some(key) = run.key() {
            let node = self.node_for(Bound::Included(key));
            has_put = self.put_into(node.value(), run);
            self.note_miss_of(node.value());
        }
        drop(routes);
        self.router.refresh(&self.leaves);
    }

    /// Puts records into a leaf as long as they belong there. Returns whether any did.
    fn put_into(
        &self,
        leaf: &SharedLeaf,
        run: &mut Run<'_, impl Iterator<Item = Record>, impl FnMut() -> Horizon>,
    ) -> bool {
        let mut leaf = leaf.write();
        let mut has_put = false;
        while let Some(record) = run.next.take_if(|record| leaf.holds(record.key())) {
            let place = leaf.place(record.key());
            if place.is_err() && leaf.entries.len() == CAPACITY {
                self.split(&mut leaf, record.key());
                run.next = Some(record);
                continue;
            }
            if leaf.is_entered()
                && let Some(table) = self.table()
            {
                table.replace(&record);
            }
            let horizon = (run.horizon)();
            Arc::make_mut(&mut leaf).put(place, record, horizon, run.tally);
            run.next = run.rest.next();
            has_put = true;
        }
        has_put
    }

    /// Drops what the horizon no longer needs of a key, unless somebody shares the leaf.
    pub(crate) fn prune(&self, key: &[u8], horizon: Horizon, tally: &mut Tally) {
        let routes = self.router.routes();
        let mut prune = |leaf: &SharedLeaf| {
            let mut leaf = leaf.write();
            let covers = leaf.covers(key);
            if covers && let Some(leaf) = Arc::get_mut(&mut leaf) {
                leaf.prune(key, horizon, tally);
            }
            covers
        };
        let mut is_done = routes.leaf_for(key).is_some_and(|leaf| prune(leaf));
        while !is_done {
            let node = self.node_for(Bound::Included(key));
            is_done = prune(node.value());
            self.note_miss_of(node.value());
        }
    }

    /// Notes that the router did not lead a write to a leaf. The last leaf does not count: who writes in ascending order
    /// comes to a new one soon, whatever the router knows.
    #[cold]
    fn note_miss_of(&self, leaf: &SharedLeaf) {
        if leaf.read().high.is_some() {
            self.router.note_miss(&self.leaves);
        }
    }

    /// Splits a full leaf in the middle, or at its end when keys arrive in ascending order.
    fn split(&self, leaf: &mut Arc<Leaf>, key: &[u8]) {
        let leaf = Arc::make_mut(leaf);
        let ascending = leaf.high.is_none() && leaf.search(key) == Err(CAPACITY);
        let position = if ascending { CAPACITY } else { CAPACITY / 2 };
        let low = Blob::new(leaf.entries.get(position).map_or(key, |entry| entry.key()));
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
        let (has_garbage, mut remaining) = {
            let leaf = node.value().read();
            collected.next.clone_from(&leaf.high);
            (leaf.has_garbage(), leaf.entries.len())
        };
        if has_garbage {
            let mut tally = Tally::default();
            let mut leaf = node.value().write();
            let leaf = Arc::make_mut(&mut leaf);
            let table = self.table().filter(|_| leaf.is_entered());
            let forget = |spent: &Record| table.into_iter().for_each(|table| table.remove(spent.key()));
            collected.forgotten = collected.forgotten.max(leaf.collect(horizon, &mut tally, forget));
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
        let add = |counter: &AtomicI64, amount: i64, order| {
            if amount != 0 {
                counter.fetch_add(amount, order);
            }
        };
        add(&self.counters.revisions, tally.revisions, Ordering::Relaxed);
        // Whoever counts the key counts its revision: he looks at them in this order.
        add(&self.counters.keys, tally.keys, Ordering::Release);
        add(&self.counters.live_bytes, tally.live_bytes, Ordering::Relaxed);
        add(&self.counters.history_bytes, tally.history_bytes, Ordering::Relaxed);
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally {
            keys: self.counters.keys.load(Ordering::Acquire),
            revisions: self.counters.revisions.load(Ordering::Relaxed),
            live_bytes: self.counters.live_bytes.load(Ordering::Relaxed),
            history_bytes: self.counters.history_bytes.load(Ordering::Relaxed),
        }
    }

    /// How many removed keys, and revisions beside the newest, there are.
    pub(crate) fn superseded(&self) -> u64 {
        u64::try_from(self.tally().superseded()).unwrap_or_default()
    }

    /// The contents of the leaf that holds the first key within a lower bound, shared with the index.
    pub(crate) fn image_from(&self, low: Bound<&[u8]>) -> Arc<Leaf> {
        self.with_leaf_from(low, Arc::clone)
    }

    /// The contents of the leaf that holds the last key within an upper bound; none below the empty key.
    pub(crate) fn image_to(&self, high: Bound<&[u8]>) -> Option<Arc<Leaf>> {
        if !IS_DOWNLOADED {
            if let Some(leaf) = self.router.routes().leaf_to(high) {
                let leaf = leaf.read();
                if leaf.reaches(high) {
                    return Some(Arc::clone(&leaf));
                }
            }
            self.router.note_miss(&self.leaves);
        }
        loop {
            let node = match high {
                Bound::Unbounded => self.leaves.back(),
                _ => self.leaves.upper_bound(high),
            }?;
            let leaf = node.value().read();
            if leaf.reaches(high) {
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

fn record_at(entry: Option<&Revision>, point: ReadPoint) -> Option<&Record> {
    entry?.visible(point).map(|revision| &revision.record)
}

fn find_newer(leaf: &Leaf, low: Bound<&[u8]>, high: Bound<&[u8]>, since: Version) -> Option<(Blob, Version)> {
    if leaf.newest <= since {
        return None;
    }
    let (start, end) = (leaf.first_within(low), leaf.end_within(high));
    let entries = leaf.entries.get(start..end).unwrap_or_default();
    let newer = entries.iter().find(|entry| entry.version() > since);
    newer.map(|entry| (Blob::new(entry.key()), entry.version()))
}

/// Whether a leaf that begins with `low` can hold keys within an upper bound.
pub(crate) fn starts_within(low: &[u8], high: Bound<&[u8]>) -> bool {
    match high {
        Bound::Unbounded => true,
        Bound::Included(key) => compare(low, key).is_le(),
        Bound::Excluded(key) => compare(low, key).is_lt(),
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
