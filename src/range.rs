//! Ranges: the entries of an index at a point of its history, merged with a transaction's own writes.

use std::fmt;
use std::iter::FusedIterator;
use std::ops::{Bound, ControlFlow};

use bytes::Bytes;

use crate::Result;
use crate::index::{Blob, Direction, Record, Revision, Walk, as_ref};
use crate::source::{Source, is_empty_range};
use crate::transaction::overlay::Records;

/// The entries of a range in the order of their keys, from both ends.
///
/// It yields errors only in a view of the past, where the history it needs may have been collected, and where a limit
/// ended the reader; an error is the last item. Skipping with [`nth`](Iterator::nth), and so [`skip`](Iterator::skip),
/// passes over entries without reading their values.
///
/// # Examples
///
/// ```
/// use selkie::{Database, Readable};
///
/// # fn main() -> selkie::Result<()> {
/// let db = Database::in_memory();
/// for name in ["ada", "bea", "cleo", "dora"] {
///     db.insert(name, "")?;
/// }
/// let view = db.begin_read()?;
/// let last_two: Vec<_> = view.range("b"..).rev().take(2).map(|entry| entry.unwrap().0).collect();
/// assert_eq!(last_two, ["dora", "cleo"]);
/// # Ok(())
/// # }
/// ```
pub struct Range<'a>(Merge<'a>);

/// The keys of a range, from both ends. Values are not read.
///
/// # Examples
///
/// ```
/// use selkie::{Database, Readable};
///
/// # fn main() -> selkie::Result<()> {
/// let db = Database::in_memory();
/// db.insert("a", "1")?;
/// let keys: selkie::Result<Vec<_>> = db.begin_read()?.keys::<&str>(..).collect();
/// assert_eq!(keys?, ["a"]);
/// # Ok(())
/// # }
/// ```
pub struct Keys<'a>(Merge<'a>);

/// Where an end of a merge takes its next entry from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Index,
    Overlay,
}

/// A transaction's writes, with a look at the next one from each end.
struct Peeked<'a> {
    rest: Records<'a>,
    front: Option<&'a Record>,
    back: Option<&'a Record>,
}

/// The merge of an index with a transaction's writes.
pub(crate) struct Merge<'a> {
    source: Result<Source<'a>>,
    walk: Option<Walk<'a>>,
    overlay: Option<Peeked<'a>>,
    tracked: Option<Tracked>,
    finished: bool,
}

/// How far a range was read, to be noted for the commit.
#[derive(Debug)]
struct Tracked {
    place: usize,
    low: Bound<Blob>,
    high: Bound<Blob>,
    front: Option<Blob>,
    back: Option<Blob>,
}

impl<'a> Peeked<'a> {
    fn front(&mut self) -> Option<&'a Record> {
        if self.front.is_none() {
            self.front = self.rest.next();
        }
        self.front.or(self.back)
    }

    fn back(&mut self) -> Option<&'a Record> {
        if self.back.is_none() {
            self.back = self.rest.next_back();
        }
        self.back.or(self.front)
    }

    fn pop_front(&mut self) {
        if self.front.take().is_none() {
            self.back = None;
        }
    }

    fn pop_back(&mut self) {
        if self.back.take().is_none() {
            self.front = None;
        }
    }
}

impl<'a> Merge<'a> {
    pub(crate) fn new(source: Result<Source<'a>>, low: Bound<Blob>, high: Bound<Blob>) -> Self {
        let mut merge = Self { source, walk: None, overlay: None, tracked: None, finished: false };
        let Ok(source) = &merge.source else { return merge };
        if is_empty_range(&low, &high) {
            merge.finished = true;
            return merge;
        }
        merge.overlay = source.overlay.map(|overlay| Peeked {
            rest: overlay.range(as_ref(&low), as_ref(&high)),
            front: None,
            back: None,
        });
        merge.tracked = source.reads.map(|reads| {
            let place = reads.borrow_mut().open_range(source.keyspace, low.clone(), high.clone());
            Tracked { place, low: low.clone(), high: high.clone(), front: None, back: None }
        });
        merge.walk = Some(Walk::new(&source.keyspace.index, source.point, low, high));
        merge
    }

    /// Moves the front to the next entry, and says where that is found.
    fn settle_front(&mut self) -> Result<Option<Side>> {
        loop {
            let Some(walk) = self.walk.as_mut().filter(|_| !self.finished) else { return self.refused() };
            let indexed = if walk.settle_front() { walk.front() } else { None };
            let own = self.overlay.as_mut().and_then(Peeked::front);
            match (indexed, own) {
                (None, None) => {
                    self.finished = true;
                    return self.confirm(None);
                }
                (Some(revision), own) if own.is_none_or(|own| revision.key() < own.key()) => {
                    if revision.is_collected() {
                        return self.collected();
                    }
                    return self.confirm(Some(Side::Index));
                }
                (_, Some(own)) if own.is_value() => return self.confirm(Some(Side::Overlay)),
                _ => self.advance_front(Side::Overlay),
            }
        }
    }

    /// Moves the back to the previous entry, and says where that is found.
    fn settle_back(&mut self) -> Result<Option<Side>> {
        loop {
            let Some(walk) = self.walk.as_mut().filter(|_| !self.finished) else { return self.refused() };
            let indexed = if walk.settle_back() { walk.back() } else { None };
            let own = self.overlay.as_mut().and_then(Peeked::back);
            match (indexed, own) {
                (None, None) => {
                    self.finished = true;
                    return self.confirm(None);
                }
                (Some(revision), own) if own.is_none_or(|own| revision.key() > own.key()) => {
                    if revision.is_collected() {
                        return self.collected();
                    }
                    return self.confirm(Some(Side::Index));
                }
                (_, Some(own)) if own.is_value() => return self.confirm(Some(Side::Overlay)),
                _ => self.advance_back(Side::Overlay),
            }
        }
    }

    fn front(&self, side: Side) -> Option<&Record> {
        match side {
            Side::Index => self.walk.as_ref()?.front().map(|revision| &revision.record),
            Side::Overlay => self.overlay.as_ref().and_then(|overlay| overlay.front.or(overlay.back)),
        }
    }

    fn back(&self, side: Side) -> Option<&Record> {
        match side {
            Side::Index => self.walk.as_ref()?.back().map(|revision| &revision.record),
            Side::Overlay => self.overlay.as_ref().and_then(|overlay| overlay.back.or(overlay.front)),
        }
    }

    /// Passes the entry at the front, and the one that a transaction's own write hides.
    fn advance_front(&mut self, side: Side) {
        let Some(walk) = &mut self.walk else { return };
        match side {
            Side::Index => walk.advance_front(),
            Side::Overlay => {
                let Some(overlay) = &mut self.overlay else { return };
                let own = overlay.front.or(overlay.back);
                if let (Some(revision), Some(own)) = (walk.front(), own)
                    && revision.key() == own.key()
                {
                    walk.advance_front();
                }
                overlay.pop_front();
            }
        }
    }

    fn advance_back(&mut self, side: Side) {
        let Some(walk) = &mut self.walk else { return };
        match side {
            Side::Index => walk.advance_back(),
            Side::Overlay => {
                let Some(overlay) = &mut self.overlay else { return };
                let own = overlay.back.or(overlay.front);
                if let (Some(revision), Some(own)) = (walk.back(), own)
                    && revision.key() == own.key()
                {
                    walk.advance_back();
                }
                overlay.pop_back();
            }
        }
    }

    fn refused(&mut self) -> Result<Option<Side>> {
        if self.finished {
            return Ok(None);
        }
        self.finished = true;
        match &self.source {
            Ok(_) => Ok(None),
            Err(error) => Err(error.clone()),
        }
    }

    /// What was found, if the reader was not ended before: otherwise it may be that what he sees was collected.
    #[inline]
    fn confirm(&mut self, found: Option<Side>) -> Result<Option<Side>> {
        match &self.source {
            Ok(source) => {
                let checked = source.check();
                self.finished |= checked.is_err();
                checked.map(|()| found)
            }
            Err(_) => self.refused(),
        }
    }

    fn collected(&mut self) -> Result<Option<Side>> {
        self.confirm(None)?;
        self.finished = true;
        match &self.source {
            Ok(source) => Err(source.collected()),
            Err(error) => Err(error.clone()),
        }
    }

    /// Takes the next entry from the front, as `reader` reads it.
    #[inline]
    pub(crate) fn next<R>(&mut self, reader: impl FnOnce(&Record) -> R) -> Option<Result<R>> {
        let side = match self.settle_front() {
            Ok(Some(side)) => side,
            Ok(None) => return None,
            Err(error) => return Some(Err(error)),
        };
        let record = self.front(side)?;
        let read = reader(record);
        if self.tracked.is_some() {
            let key = Blob::new(record.key());
            self.note(|tracked| tracked.front = Some(key));
        }
        self.advance_front(side);
        Some(Ok(read))
    }

    /// Takes the next entry from the back, as `reader` reads it.
    pub(crate) fn next_back<R>(&mut self, reader: impl FnOnce(&Record) -> R) -> Option<Result<R>> {
        let side = match self.settle_back() {
            Ok(Some(side)) => side,
            Ok(None) => return None,
            Err(error) => return Some(Err(error)),
        };
        let record = self.back(side)?;
        let read = reader(record);
        if self.tracked.is_some() {
            let key = Blob::new(record.key());
            self.note(|tracked| tracked.back = Some(key));
        }
        self.advance_back(side);
        Some(Ok(read))
    }

    /// Calls `visit` with each entry until it breaks.
    #[inline]
    pub(crate) fn scan(
        &mut self,
        direction: Direction,
        mut visit: impl FnMut(&Record) -> ControlFlow<()>,
    ) -> Result<()> {
        if self.overlay.as_mut().is_none_or(|overlay| overlay.front().is_none()) && self.tracked.is_none() {
            return self.scan_index(direction, visit);
        }
        let mut next = || match direction {
            Direction::Forward => self.next(&mut visit),
            Direction::Backward => self.next_back(&mut visit),
        };
        while let Some(flow) = next() {
            if flow?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The same where nothing lies over the index and nothing has to be noted.
    #[inline]
    fn scan_index(&mut self, direction: Direction, mut visit: impl FnMut(&Record) -> ControlFlow<()>) -> Result<()> {
        let (Some(walk), Ok(source)) = (self.walk.as_mut().filter(|_| !self.finished), &self.source) else {
            return self.refused().map(drop);
        };
        let mut collected = false;
        let is_right = || source.check().is_ok();
        let read = |revision: &Revision| {
            if revision.is_value() {
                return visit(revision);
            }
            collected = true;
            ControlFlow::Break(())
        };
        walk.visit(direction, is_right, read);
        if collected { self.collected().map(drop) } else { self.confirm(None).map(drop) }
    }

    /// Passes over up to `count` entries from the front and says how many there were.
    pub(crate) fn skip(&mut self, count: usize) -> Result<usize> {
        let mut passed = 0;
        while passed < count {
            let untouched =
                self.tracked.is_none() && self.overlay.as_mut().is_none_or(|overlay| overlay.front().is_none());
            if untouched
                && !self.finished
                && let Some(walk) = &mut self.walk
            {
                passed += walk.leap_front(count - passed);
                if passed == count {
                    break;
                }
            }
            match self.next(|_| ()) {
                Some(Ok(())) => passed += 1,
                Some(Err(error)) => return Err(error),
                None => break,
            }
        }
        Ok(passed)
    }

    fn note(&mut self, note: impl FnOnce(&mut Tracked)) {
        if let Some(tracked) = &mut self.tracked {
            note(tracked);
        }
    }
}

impl Drop for Merge<'_> {
    /// Narrows what counts as read to what was read.
    fn drop(&mut self) {
        let (Some(tracked), Ok(source)) = (self.tracked.take(), &self.source) else { return };
        let Some(reads) = source.reads else { return };
        let Tracked { place, low, high, front, back } = tracked;
        let parts: Vec<_> = if self.finished {
            vec![(low, high)]
        } else {
            let from_front = front.map(|key| (low, Bound::Included(key)));
            let from_back = back.map(|key| (Bound::Included(key), high));
            from_front.into_iter().chain(from_back).collect()
        };
        reads.borrow_mut().close_range(place, parts);
    }
}

fn entry(record: &Record) -> (Bytes, Bytes) {
    (record.key_to_bytes(), record.to_bytes())
}

macro_rules! iterate {
    ($name:ident, $item:ty, $reader:expr) => {
        impl<'a> $name<'a> {
            pub(crate) fn new(merge: Merge<'a>) -> Self {
                Self(merge)
            }
        }

        impl Iterator for $name<'_> {
            type Item = Result<$item>;

            fn next(&mut self) -> Option<Self::Item> {
                self.0.next($reader)
            }

            fn nth(&mut self, count: usize) -> Option<Self::Item> {
                match self.0.skip(count) {
                    Ok(passed) if passed < count => None,
                    Ok(_) => self.next(),
                    Err(error) => Some(Err(error)),
                }
            }

            fn count(mut self) -> usize {
                let mut total = 0;
                // An error is an item like any other, as the trait counts them.
                loop {
                    match self.0.skip(usize::MAX) {
                        Ok(passed) => return total + passed,
                        Err(_) => total += 1,
                    }
                }
            }
        }

        impl DoubleEndedIterator for $name<'_> {
            fn next_back(&mut self) -> Option<Self::Item> {
                self.0.next_back($reader)
            }

            fn nth_back(&mut self, count: usize) -> Option<Self::Item> {
                for _ in 0..count {
                    if let Err(error) = self.0.next_back(|_| ())? {
                        return Some(Err(error));
                    }
                }
                self.next_back()
            }
        }

        impl FusedIterator for $name<'_> {}

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

iterate!(Range, (Bytes, Bytes), entry);
iterate!(Keys, Bytes, Record::key_to_bytes);
