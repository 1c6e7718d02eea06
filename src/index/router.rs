//! A short cut to the leaves: their low keys in one sorted array.
//!
//! Going down the skip list costs a cache miss or two per level. The array takes a search that stays within the
//! processor's caches. It is a copy from some time ago: leaves that were split or merged since then no longer cover
//! the keys it sends to them, and whoever meets one of those goes down the skip list. It is made anew when the
//! leaves have changed by a part of their number, or when it has sent as many searches astray as it has leaves, so
//! that its cost per change and per search stays constant.

use std::cmp::Ordering::{Equal, Greater, Less};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize as Statistic;

use super::leaf::{common_prefix, prefix_after};
use super::leaves::Leaves;
use super::order::compare;
use super::{Blob, SharedLeaf};
use crate::locks::atomic::{AtomicUsize, Ordering};
use crate::locks::{ArcSwap, Loaded, Mutex};

/// The array is made anew when one in so many leaves, and some more, were split or merged.
const STALE_PART: usize = 8;
const STALE_CHANGES: usize = 16;

#[derive(Debug)]
pub(crate) struct Router {
    routes: ArcSwap<Routes>,
    changes: AtomicUsize,
    /// How many searches had to go down the skip list. No order of threads depends on it.
    misses: Statistic,
    building: Mutex<()>,
}

/// The leaves after the first, in order. The first leaf is where what comes before them goes.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    first: Option<Arc<SharedLeaf>>,
    /// What all the low keys begin with.
    common: Blob,
    /// Eight bytes of each low key after that.
    prefixes: Vec<u64>,
    lows: Vec<Blob>,
    leaves: Vec<Arc<SharedLeaf>>,
}

impl Router {
    pub(crate) fn new() -> Self {
        Self {
            routes: ArcSwap::default(),
            changes: AtomicUsize::new(0),
            misses: Statistic::new(0),
            building: Mutex::new(()),
        }
    }

    pub(crate) fn routes(&self) -> Loaded<Routes> {
        self.routes.load()
    }

    /// Notes that a leaf was split or merged.
    pub(crate) fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes the array anew, when it is worth it and nobody else is at it.
    pub(crate) fn refresh(&self, leaves: &Leaves) {
        let changes = self.changes.load(Ordering::Relaxed);
        if changes >= STALE_CHANGES && changes >= self.routes.load().leaves.len() / STALE_PART {
            self.build(leaves);
        }
    }

    /// Notes that the array did not lead a search to its leaf, and makes it anew when that has become frequent.
    #[cold]
    pub(crate) fn note_miss(&self, leaves: &Leaves) {
        let misses = self.misses.fetch_add(1, Ordering::Relaxed);
        let routes = self.routes.load();
        // An index that was never split has no changes, and no array either.
        let may_help = routes.first.is_none() || self.changes.load(Ordering::Relaxed) > 0;
        if may_help && misses >= routes.leaves.len() + STALE_CHANGES {
            self.build(leaves);
        }
    }

    fn build(&self, leaves: &Leaves) {
        let Some(_building) = self.building.try_lock() else { return };
        self.changes.store(0, Ordering::Relaxed);
        self.misses.store(0, Ordering::Relaxed);
        self.routes.store(Arc::new(Routes::of(leaves)));
    }
}

impl Routes {
    fn of(leaves: &Leaves) -> Self {
        let mut nodes = leaves.iter().map(|node| (node.key().clone(), Arc::clone(node.value())));
        let first = nodes.next().map(|(_, leaf)| leaf);
        let (lows, leaves): (Vec<Blob>, Vec<_>) = nodes.unzip();
        let common = match (lows.first(), lows.last()) {
            (Some(low), Some(high)) => Blob::new(&low[..common_prefix(low, high)]),
            _ => Blob::empty(),
        };
        let prefixes = lows.iter().map(|low| prefix_after(low, common.len())).collect();
        Self { first, common, prefixes, lows, leaves }
    }

    /// The leaf that held a key when the array was made.
    #[inline]
    pub(crate) fn leaf_for(&self, key: &[u8]) -> Option<&Arc<SharedLeaf>> {
        self.leaf_before(self.count_within(key, |low| compare(low, key).is_le()))
    }

    /// The leaf that held the last key within an upper bound then; none below the empty key.
    #[inline]
    pub(crate) fn leaf_to(&self, high: Bound<&[u8]>) -> Option<&Arc<SharedLeaf>> {
        match high {
            Bound::Unbounded => self.leaf_before(self.leaves.len()),
            Bound::Included(key) => self.leaf_for(key),
            Bound::Excluded([]) => None,
            Bound::Excluded(key) => self.leaf_before(self.count_within(key, |low| compare(low, key).is_lt())),
        }
    }

    #[inline]
    fn leaf_before(&self, place: usize) -> Option<&Arc<SharedLeaf>> {
        place.checked_sub(1).map_or(self.first.as_ref(), |place| Some(&self.leaves[place]))
    }

    /// How many low keys are below a key, and of those that may be equal to it, how many are within.
    #[inline]
    fn count_within(&self, key: &[u8], is_within: impl Fn(&Blob) -> bool) -> usize {
        let beginning = &key[..key.len().min(self.common.len())];
        match compare(beginning, &self.common) {
            Less => return 0,
            Equal => {}
            Greater => return self.leaves.len(),
        }
        let prefix = prefix_after(key, self.common.len());
        let start = self.prefixes.partition_point(|other| *other < prefix);
        let mut end = start;
        if self.prefixes.get(start) == Some(&prefix) {
            end += self.prefixes[start..].partition_point(|other| *other == prefix);
        }
        start + self.lows[start..end].partition_point(is_within)
    }
}

#[cfg(test)]
mod tests {
    use super::super::leaf::Leaf;
    use super::*;
    use crate::locks::RwLock;

    fn routes(lows: &[&str]) -> Routes {
        let leaves = Leaves::new();
        for low in lows {
            let low = Blob::new(low.as_bytes());
            leaves.insert(low.clone(), Arc::new(RwLock::new(Arc::new(Leaf::new(low, None)))));
        }
        Routes::of(&leaves)
    }

    fn low_for(routes: &Routes, key: &str) -> String {
        let leaf = routes.leaf_for(key.as_bytes()).unwrap().read();
        String::from_utf8(leaf.low.to_vec()).unwrap()
    }

    #[test]
    fn a_key_goes_to_the_leaf_with_the_greatest_low_key_that_is_not_above_it() {
        let lows = ["", "user-1", "user-1-aaaaaaaa-1", "user-1-aaaaaaaa-2", "user-2", "user-20"];
        let routes = routes(&lows);
        let keys =
            ["", "a", "user", "user-", "user-1", "user-1-", "user-1-aaaaaaaa-15", "user-1-b", "user-2", "user-3", "z"];
        for key in keys {
            let expected = lows.iter().rfind(|low| **low <= key).unwrap();
            assert_eq!(&low_for(&routes, key), expected, "key {key}");
            let below = routes.leaf_to(Bound::Excluded(key.as_bytes())).map(|leaf| leaf.read().low.to_vec());
            let expected = lows.iter().rfind(|low| **low < key).map(|low| low.as_bytes().to_vec());
            assert_eq!(below, expected, "below {key}");
        }
        assert_eq!(routes.leaf_to(Bound::Unbounded).unwrap().read().low[..], *b"user-20");
    }

    #[test]
    fn without_leaves_there_is_no_way() {
        assert!(Routes::default().leaf_for(b"a").is_none());
        assert_eq!(low_for(&routes(&[""]), "a"), "");
    }
}
