//! The revisions of one key: newest first, the newest in its leaf, older ones shared and immutable.
//!
//! A chain whose oldest revisions were collected ends in a marker, so that a read that would need them is told
//! apart from a read of a time before the key existed.

use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use super::record::Record;
use crate::Version;

/// A write looks for what it can drop further down the chain only once in so many versions, and not much deeper
/// than what is kept: long chains are left to the collector, so that a write stays cheap.
const PRUNE_EVERY: u64 = 64;

/// One revision of a key, and those before it.
#[derive(Debug, Clone)]
pub(crate) struct Revision {
    pub(crate) record: Record,
    pub(crate) older: Option<Arc<Revision>>,
}

/// A point in the history: what was committed at or before both the version and the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadPoint {
    pub(crate) version: Version,
    pub(crate) time: u64,
}

/// What may be collected: revisions that neither a reader nor the retention needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Horizon {
    /// Every reader, and every time that is retained, sees what is visible here or something newer.
    pub(crate) point: ReadPoint,
    /// How many revisions of each key are kept whatever the readers see; at least 1.
    pub(crate) keep: usize,
}

/// What a change of the index added or took away.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) keys: i64,
    pub(crate) revisions: i64,
    pub(crate) live_bytes: i64,
    pub(crate) history_bytes: i64,
}

impl Tally {
    /// How many removals, and revisions beside the newest, there are.
    pub(crate) fn superseded(self) -> i64 {
        self.revisions - self.keys
    }
}

impl Horizon {
    /// Whether a revision goes as soon as no reader needs it.
    pub(crate) fn keeps_newest_only(self) -> bool {
        self.keep <= 1 && self.point.time == u64::MAX
    }
}

static COLLECTED: LazyLock<Arc<Revision>> = LazyLock::new(|| Arc::new(Revision::new(Record::collected())));

/// The shared end of a chain that lost its older revisions.
pub(crate) fn collected_marker() -> Arc<Revision> {
    Arc::clone(&COLLECTED)
}

impl ReadPoint {
    /// Everything up to a version, whatever its time.
    pub(crate) fn version(version: Version) -> Self {
        Self { version, time: u64::MAX }
    }

    #[inline]
    pub(crate) fn sees(&self, record: &Record) -> bool {
        record.version() <= self.version && record.time() <= self.time
    }
}

impl Deref for Revision {
    type Target = Record;

    #[inline]
    fn deref(&self) -> &Record {
        &self.record
    }
}

impl Revision {
    pub(crate) fn new(record: Record) -> Self {
        Self { record, older: None }
    }

    /// The newest revision of the chain that is visible at `point`.
    #[inline]
    pub(crate) fn visible(&self, point: ReadPoint) -> Option<&Revision> {
        let mut revision = self;
        while !point.sees(revision) {
            revision = revision.older.as_deref()?;
        }
        Some(revision)
    }

    /// The chain from this revision on, newest first, without the marker of a collected end.
    pub(crate) fn chain(&self) -> impl Iterator<Item = &Revision> {
        std::iter::successors(Some(self), |revision| revision.older.as_deref())
            .take_while(|revision| !revision.is_collected())
    }

    pub(crate) fn has_older_revisions(&self) -> bool {
        self.older.as_ref().is_some_and(|older| !older.is_collected())
    }

    /// Puts a newer record on top of the chain and drops what the horizon no longer needs.
    pub(crate) fn supersede(&mut self, newer: Record, horizon: Horizon, tally: &mut Tally) {
        tally.keys += i64::from(newer.is_value()) - i64::from(self.is_value());
        tally.live_bytes += newer.bytes().len() as i64 - self.bytes().len() as i64;
        if horizon.keep <= 1 && horizon.point.sees(&newer) {
            tally.revisions -= self.drop_older(tally);
            self.older = Some(collected_marker());
            self.record = newer;
            return;
        }
        tally.revisions += 1;
        tally.history_bytes += self.bytes().len() as i64;
        let prune_now = horizon.keep <= 2 || newer.version().is_multiple_of(PRUNE_EVERY);
        let old = std::mem::replace(self, Self::new(newer));
        self.older = Some(Arc::new(old));
        if prune_now {
            self.prune_to(horizon.keep.saturating_add(PRUNE_EVERY as usize), horizon, tally);
        }
    }

    /// Cuts the chain below the newest revision that the horizon sees, once enough are kept.
    pub(crate) fn prune(&mut self, horizon: Horizon, tally: &mut Tally) {
        self.prune_to(usize::MAX, horizon, tally);
    }

    fn prune_to(&mut self, deepest: usize, horizon: Horizon, tally: &mut Tally) {
        if horizon.keep == usize::MAX {
            return;
        }
        let Some(depth) = self.prunable_depth(deepest, horizon) else { return };
        let mut revision = self;
        for _ in 0..depth {
            // Readers may hold the chain: what they share is copied, what nobody shares is changed in place.
            let Some(older) = revision.older.as_mut() else { return };
            revision = Arc::make_mut(older);
        }
        let dropped = revision.drop_older(tally);
        revision.older = Some(collected_marker());
        tally.revisions -= dropped;
    }

    /// How deep the oldest revision to keep lies, when there is anything below it to drop.
    fn prunable_depth(&self, deepest: usize, horizon: Horizon) -> Option<usize> {
        let mut candidates = self.chain().take(deepest).enumerate();
        let (depth, oldest) =
            candidates.find(|(depth, revision)| depth + 1 >= horizon.keep && horizon.point.sees(revision))?;
        oldest.has_older_revisions().then_some(depth)
    }

    /// Takes the bytes of all older revisions off the tally and tells how many there are.
    fn drop_older(&mut self, tally: &mut Tally) -> i64 {
        let mut dropped = 0;
        for revision in self.chain().skip(1) {
            dropped += 1;
            tally.history_bytes -= revision.bytes().len() as i64;
        }
        self.older = None;
        dropped
    }

    /// Whether nothing but a removal is left that everyone can see: the key can go altogether.
    pub(crate) fn is_spent(&self, horizon: Horizon) -> bool {
        horizon.keep <= 1 && self.is_tombstone() && horizon.point.sees(self) && !self.has_older_revisions()
    }
}

impl Drop for Revision {
    /// Takes a long chain apart in a loop: dropping it recursively would exhaust the stack.
    fn drop(&mut self) {
        let mut next = self.older.take();
        while let Some(revision) = next {
            next = Arc::into_inner(revision).and_then(|mut owned| owned.older.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Slot;
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn record(version: Version) -> Record {
        Record::new(b"key", Some(&version.to_le_bytes()), (version, version * 10))
    }

    fn chain(count: u64, horizon: Horizon) -> (Revision, Tally) {
        let mut tally = Tally::default();
        let mut head = Revision::new(record(1));
        for version in 2..=count {
            head.supersede(record(version), horizon, &mut tally);
        }
        (head, tally)
    }

    fn horizon(version: Version, keep: usize) -> Horizon {
        Horizon { point: ReadPoint::version(version), keep }
    }

    fn versions(head: &Revision) -> Vec<Version> {
        head.chain().map(|revision| revision.version()).collect()
    }

    #[test]
    fn readers_keep_what_they_see() {
        let (mut head, mut tally) = chain(5, horizon(0, 1));
        assert_eq!(versions(&head), [5, 4, 3, 2, 1]);
        head.prune(horizon(3, 1), &mut tally);
        assert_eq!(versions(&head), [5, 4, 3]);
        assert_eq!(head.visible(ReadPoint::version(3)).unwrap().version(), 3);
        assert_eq!(head.visible(ReadPoint::version(2)).unwrap().slot(), Slot::Collected);
        assert_eq!(tally.revisions, 2);
        assert_eq!(tally.history_bytes, 16);
    }

    #[test]
    fn a_count_is_kept_beyond_the_readers() {
        let (head, _) = chain(128, horizon(u64::MAX, 3));
        assert_eq!(versions(&head), [128, 127, 126]);
        let (mut head, mut tally) = chain(140, horizon(u64::MAX, 3));
        assert_eq!(versions(&head).len(), 15);
        head.prune(horizon(u64::MAX, 3), &mut tally);
        assert_eq!(versions(&head), [140, 139, 138]);
        assert_eq!((tally.revisions, tally.history_bytes), (2, 16));
    }

    #[test]
    fn a_time_is_kept_beyond_the_readers() {
        let (mut head, mut tally) = chain(5, horizon(0, 1));
        head.prune(Horizon { point: ReadPoint { version: 9, time: 25 }, keep: 1 }, &mut tally);
        assert_eq!(versions(&head), [5, 4, 3, 2]);
    }

    #[test]
    fn a_chain_that_was_never_cut_has_no_marker() {
        let (head, _) = chain(3, horizon(0, 1));
        assert!(head.visible(ReadPoint::version(0)).is_none());
    }

    #[test]
    fn pruning_leaves_shared_chains_alone() {
        let (mut head, mut tally) = chain(4, horizon(0, 1));
        let image = head.clone();
        head.prune(horizon(4, 1), &mut tally);
        assert_eq!(versions(&head), [4]);
        assert_eq!(versions(&image), [4, 3, 2, 1]);
    }

    #[test]
    fn a_very_long_chain_is_dropped_without_recursion() {
        let (head, tally) = chain(300_000, horizon(0, usize::MAX));
        assert_eq!(tally.revisions, 299_999);
        drop(head);
    }
}
