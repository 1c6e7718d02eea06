//! What small commits supersede, and what those that come soon after them drop.
//!
//! The older value of a key cannot go with the commit that supersedes it, unless that is published while its leaf is
//! locked and nobody reads before it: until a commit is published somebody may begin to read at the one before. A little
//! later nobody needs it as a rule, its leaf is still in the processor's caches, and its memory is what the next commit
//! asks for. Left to the background it would be sought in all leaves, by a thread that takes turns with the writer at
//! the leaves and at the allocator.
//!
//! It is a short cut and no more: what is not dropped here, because of a reader, a retention or the number of changes,
//! the collector finds.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use super::catalog::KeyspaceState;
use crate::index::{Blob, Horizon, ReadPoint, Record, Tally};
use crate::locks::Mutex;
use crate::runtime::CAN_WAIT;

/// How many are kept in mind.
const MOST: usize = 256;

/// Commits of more changes leave theirs to the collector.
pub(super) const FEW_CHANGES: usize = 16;

/// Where one thread does everything, all is left to the collector: it takes turns with nobody there.
pub(super) const ARE_KEPT: bool = CAN_WAIT;

/// Keys with something that is no longer needed soon, in the order of the commits that superseded it.
#[derive(Debug, Default)]
pub(crate) struct Leftovers(Mutex<VecDeque<Leftover>>);

/// It keeps neither a value nor a keyspace that is gone meanwhile.
#[derive(Debug)]
struct Leftover {
    keyspace: Weak<KeyspaceState>,
    key: Blob,
    superseded: ReadPoint,
}

impl Leftovers {
    /// Puts a record into the index, and keeps in mind what it supersedes. The horizon is asked for as
    /// [`Index::put_all`](crate::index::Index::put_all) says.
    pub(super) fn put(
        &self,
        keyspace: &Arc<KeyspaceState>,
        record: Record,
        mut horizon: impl FnMut() -> Horizon,
        tally: &mut Tally,
    ) {
        let before = tally.superseded();
        let mut keeps_newest_only = false;
        let (key, superseded) = (Blob::new(record.key()), ReadPoint { version: record.version(), time: record.time() });
        let horizon = || {
            let horizon = horizon();
            keeps_newest_only = horizon.keeps_newest_only();
            horizon
        };
        keyspace.index.put_all([record], horizon, tally);
        if tally.superseded() > before && keeps_newest_only {
            let mut queue = self.0.lock();
            if queue.len() == MOST {
                queue.pop_front();
            }
            queue.push_back(Leftover { keyspace: Arc::downgrade(keyspace), key, superseded });
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.0.lock().len() as u64
    }

    /// Drops what is superseded below the horizon. Commits go on meanwhile.
    pub(super) fn drop_below(&self, horizon: Horizon) {
        let point = horizon.point;
        let is_below = |superseded: ReadPoint| superseded.version <= point.version && superseded.time <= point.time;
        let mut queue = self.0.lock();
        let below = queue.iter().take_while(|leftover| is_below(leftover.superseded)).count();
        let due: Vec<_> = queue.drain(..below).collect();
        drop(queue);
        for leftover in due {
            let Some(keyspace) = leftover.keyspace.upgrade() else { continue };
            let mut tally = Tally::default();
            keyspace.index.prune(&leftover.key, horizon, &mut tally);
            keyspace.index.add(tally);
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::Version;
    use crate::index::Index;

    fn horizon(version: Version) -> Horizon {
        Horizon { point: ReadPoint::version(version), keep: 1 }
    }

    /// Writes so many keys twice, the last of them at twice that version.
    fn written_twice(keys: u32) -> (Arc<KeyspaceState>, Leftovers) {
        let keyspace = KeyspaceState::new(0, "default", Index::new());
        let leftovers = Leftovers::default();
        let mut tally = Tally::default();
        for (version, key) in (1..).zip((0..keys).chain(0..keys)) {
            let record = Record::new(&key.to_be_bytes(), Some(b"value"), (version, version));
            leftovers.put(&keyspace, record, || horizon(0), &mut tally);
        }
        keyspace.index.add(tally);
        (keyspace, leftovers)
    }

    #[test]
    fn what_was_superseded_goes_as_soon_as_no_reader_needs_it() {
        let (keyspace, leftovers) = written_twice(100);
        assert_eq!(leftovers.count(), 100, "new keys leave nothing");
        for (needed, superseded) in [(100, 100), (130, 70), (199, 1), (200, 0)] {
            leftovers.drop_below(horizon(needed));
            assert_eq!((keyspace.index.superseded(), leftovers.count()), (superseded, superseded));
        }
        assert_eq!(keyspace.index.tally().history_bytes, 0);
    }

    #[test]
    fn no_more_than_a_few_are_kept_in_mind() {
        let (keyspace, leftovers) = written_twice(1_000);
        assert_eq!(leftovers.count(), MOST as u64);
        leftovers.drop_below(horizon(Version::MAX));
        assert_eq!(keyspace.index.superseded(), 1_000 - MOST as u64);
    }

    #[test]
    fn a_keyspace_that_was_dropped_is_not_kept() {
        let (keyspace, leftovers) = written_twice(10);
        let index = Arc::downgrade(&keyspace);
        drop(keyspace);
        assert!(index.upgrade().is_none());
        leftovers.drop_below(horizon(Version::MAX));
        assert!(leftovers.count() == 0);
    }
}
