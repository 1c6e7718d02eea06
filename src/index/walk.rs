//! Walking the visible entries between two bounds, from both ends.
//!
//! A walk holds the contents of one leaf per end, shared with the index, and no lock: writers that meet a leaf
//! in use copy it. Revisions that the walk's read point sees are never collected while the reader holds its place, so
//! that a leaf's older contents answer as well as its newer ones.

use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use super::leaf::Leaf;
use super::{Blob, Index, ReadPoint, Revision, as_ref, starts_within};

/// From the least key to the greatest, or the other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Forward,
    Backward,
}

/// Part of a leaf: the entries from `start` to before `end` are still to come.
#[derive(Debug)]
struct Window {
    leaf: Arc<Leaf>,
    start: usize,
    end: usize,
}

/// A position at each end of a range of visible entries.
///
/// `settle_*` moves an end to the next entry that is visible, `front`/`back` look at it and `advance_*` passes it.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    index: &'a Index,
    point: ReadPoint,
    low: Bound<Blob>,
    high: Bound<Blob>,
    front: Option<Window>,
    back: Option<Window>,
    finished: bool,
    /// Whether keys that are removed at the read point are visible too.
    removed: bool,
}

impl Window {
    #[inline]
    fn next(&mut self, direction: Direction) -> Option<&Revision> {
        if self.start >= self.end {
            return None;
        }
        let position = match direction {
            Direction::Forward => {
                self.start += 1;
                self.start - 1
            }
            Direction::Backward => {
                self.end -= 1;
                self.end
            }
        };
        self.leaf.entries.get(position)
    }
}

impl<'a> Walk<'a> {
    pub(crate) fn new(index: &'a Index, point: ReadPoint, low: Bound<Blob>, high: Bound<Blob>) -> Self {
        Self { index, point, low, high, front: None, back: None, finished: false, removed: false }
    }

    /// A walk over all keys that have a revision at the read point, be it a removal.
    pub(crate) fn with_removed(index: &'a Index, point: ReadPoint, low: Bound<Blob>, high: Bound<Blob>) -> Self {
        Self { removed: true, ..Self::new(index, point, low, high) }
    }

    /// Moves the front to the next visible entry. False when there is none.
    pub(crate) fn settle_front(&mut self) -> bool {
        while !self.finished {
            let Some(window) = &mut self.front else {
                let leaf = self.index.image_from(as_ref(&self.low));
                let (start, end) = (leaf.first_within(as_ref(&self.low)), leaf.end_within(as_ref(&self.high)));
                self.front = Some(Window { leaf, start, end });
                continue;
            };
            while window.start < window.end {
                let entry = &window.leaf.entries[window.start];
                if visible(entry, self.point, self.removed).is_some() {
                    return self.check_front_crossing();
                }
                window.start += 1;
            }
            let next = window.leaf.high.clone();
            self.load_front(next);
        }
        false
    }

    /// Moves the back to the previous visible entry. False when there is none.
    pub(crate) fn settle_back(&mut self) -> bool {
        while !self.finished {
            let Some(window) = &mut self.back else {
                self.load_back(None);
                continue;
            };
            while window.start < window.end {
                let entry = &window.leaf.entries[window.end - 1];
                if visible(entry, self.point, self.removed).is_some() {
                    return self.check_back_crossing();
                }
                window.end -= 1;
            }
            let low = window.leaf.low.clone();
            self.load_back(Some(&low));
        }
        false
    }

    /// The entry at the front, once settled.
    pub(crate) fn front(&self) -> Option<&Revision> {
        let window = self.front.as_ref().filter(|_| !self.finished)?;
        let entry = window.leaf.entries[..window.end].get(window.start)?;
        entry.visible(self.point)
    }

    /// The entry at the back, once settled.
    pub(crate) fn back(&self) -> Option<&Revision> {
        let window = self.back.as_ref().filter(|_| !self.finished)?;
        let entry = window.leaf.entries.get(window.start..window.end)?.last()?;
        entry.visible(self.point)
    }

    pub(crate) fn advance_front(&mut self) {
        if let Some(window) = &mut self.front {
            window.start += 1;
        }
    }

    pub(crate) fn advance_back(&mut self) {
        if let Some(window) = &mut self.back {
            window.end -= 1;
        }
    }

    /// Calls `visit` with every entry from one end on, without settling each of them, until it breaks. Each leaf that
    /// was looked up is asked for first whether it `is_right`.
    #[inline]
    pub(crate) fn visit(
        &mut self,
        direction: Direction,
        is_right: impl Fn() -> bool,
        mut visit: impl FnMut(&Revision) -> ControlFlow<()>,
    ) {
        while self.settle_alone(direction) && is_right() {
            let end = match direction {
                Direction::Forward => &mut self.front,
                Direction::Backward => &mut self.back,
            };
            let Some(window) = end else { return };
            let all = shows_all(&window.leaf, self.point);
            while let Some(entry) = window.next(direction) {
                let visible = if all { Some(entry) } else { visible(entry, self.point, self.removed) };
                if visible.is_some_and(|revision| visit(revision).is_break()) {
                    return;
                }
            }
        }
    }

    /// Moves one end to the next visible entry, if nothing was taken from the other.
    fn settle_alone(&mut self, direction: Direction) -> bool {
        match direction {
            Direction::Forward => self.back.is_none() && self.settle_front(),
            Direction::Backward => self.front.is_none() && self.settle_back(),
        }
    }

    /// Passes up to `count` entries of the leaf at the front at once, when all of them are visible for certain.
    ///
    /// Returns how many it passed; 0 says nothing about what is left.
    pub(crate) fn leap_front(&mut self, count: usize) -> usize {
        if self.back.is_some() || self.finished {
            return 0;
        }
        let Some(window) = &mut self.front else { return 0 };
        if !shows_all(&window.leaf, self.point) {
            return 0;
        }
        let passed = count.min(window.end.saturating_sub(window.start));
        window.start += passed;
        passed
    }

    fn load_front(&mut self, next: Option<Blob>) {
        match next.filter(|next| starts_within(next, as_ref(&self.high))) {
            Some(next) => {
                let leaf = self.index.image_from(Bound::Included(&next));
                // The leaf may have absorbed earlier keys meanwhile: they were passed already.
                let start = if leaf.low == next { 0 } else { leaf.first_within(Bound::Included(&next)) };
                let end = leaf.end_within(as_ref(&self.high));
                self.front = Some(Window { leaf, start, end });
            }
            None => self.finished = true,
        }
    }

    /// Loads the leaf that ends at or after `before`, or at the upper bound to begin with.
    fn load_back(&mut self, before: Option<&Blob>) {
        let bound = before.map_or(as_ref(&self.high), |before| Bound::Excluded(&before[..]));
        let reachable = before.is_none_or(|before| ends_within(before, as_ref(&self.low)));
        match reachable.then(|| self.index.image_to(bound)).flatten() {
            Some(leaf) => {
                // A leaf begins within the upper bound, so that its low key is the nearer one.
                let (start, end) = (leaf.first_within(as_ref(&self.low)), leaf.end_within(bound));
                self.back = Some(Window { leaf, start, end });
            }
            None => self.finished = true,
        }
    }

    /// Whether the settled front lies before everything the back has passed.
    fn check_front_crossing(&mut self) -> bool {
        let (Some(front), Some(back)) = (&self.front, &self.back) else { return true };
        let key = front.leaf.entries[front.start].key();
        let limit = back.leaf.entries.get(back.end).map(|entry| entry.key()).or(back.leaf.high.as_deref());
        self.finished = limit.is_some_and(|limit| key >= limit);
        !self.finished
    }

    /// Whether the settled back lies after everything the front has passed.
    fn check_back_crossing(&mut self) -> bool {
        let (Some(front), Some(back)) = (&self.front, &self.back) else { return true };
        let key = back.leaf.entries[back.end - 1].key();
        self.finished = match front.start.checked_sub(1) {
            Some(passed) => key <= front.leaf.entries[passed].key(),
            None => key < &front.leaf.low[..],
        };
        !self.finished
    }
}

/// Whether all entries of a leaf are visible for certain, each with its newest revision.
fn shows_all(leaf: &Leaf, point: ReadPoint) -> bool {
    leaf.tombstones == 0 && leaf.newest <= point.version && point.time == u64::MAX
}

fn visible(entry: &Revision, point: ReadPoint, removed: bool) -> Option<&Revision> {
    entry.visible(point).filter(|revision| removed || !revision.is_tombstone())
}

/// Whether a leaf that ends before `high` can hold keys within a lower bound.
fn ends_within(high: &[u8], low: Bound<&[u8]>) -> bool {
    match low {
        Bound::Unbounded => !high.is_empty(),
        Bound::Included(key) | Bound::Excluded(key) => key < high,
    }
}
