//! Building an index from entries that come in ascending order: bottom-up, without searching.

use std::sync::Arc;

use super::leaf::{CAPACITY, Leaf};
use super::{Blob, Index, Revision, Tally};
use crate::locks::RwLock;

/// Leaves are left with some room, so that the first insertions do not split every one of them.
const FILL: usize = CAPACITY * 7 / 8;

/// Fills a new index leaf by leaf.
pub(crate) struct Builder {
    index: Index,
    leaf: Leaf,
    tally: Tally,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self { index: Index::new(), leaf: Leaf::new(Blob::empty(), None), tally: Tally::default() }
    }

    /// Adds an entry, whose key must be greater than all before.
    pub(crate) fn push(&mut self, entry: Revision) {
        for revision in entry.chain() {
            self.tally.revisions += 1;
            self.tally.history_bytes += revision.bytes().len() as i64;
        }
        self.tally.keys += i64::from(entry.is_value());
        self.tally.history_bytes -= entry.bytes().len() as i64;
        self.tally.live_bytes += entry.length() as i64;
        if self.leaf.entries.len() == FILL {
            self.finish_leaf(Some(Blob::new(entry.key())));
        }
        self.leaf.append(entry);
    }

    pub(crate) fn finish(mut self) -> Index {
        self.finish_leaf(None);
        self.index.add(self.tally);
        self.index.router.refresh(&self.index.leaves);
        self.index
    }

    fn finish_leaf(&mut self, next_low: Option<Blob>) {
        let next = Leaf::new(next_low.clone().unwrap_or_default(), None);
        let mut leaf = std::mem::replace(&mut self.leaf, next);
        leaf.set_high(next_low);
        if leaf.low.is_empty() {
            // The first leaf of the empty index stands there already and gets its contents.
            let node = self.index.node_for(std::ops::Bound::Included(&[]));
            *node.value().write() = Arc::new(leaf);
        } else {
            self.index.leaves.insert(leaf.low.clone(), Arc::new(RwLock::new(Arc::new(leaf))));
            self.index.router.note_change();
        }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}
