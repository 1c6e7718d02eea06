//! Who reads at which version, so that nothing a live reader can see is collected.
//!
//! A reader takes a slot of its own, marks it as taken for every version, looks up the version it will read at and
//! then writes that version into the slot. The collector first looks up the published version and then the slots.
//! If it finds a slot free, the reader that takes it later looks up the published version later as well, and so reads
//! at or after the collector's version. A commit that was published before it looks at the slots relies on the same.
//! Readers write nothing that others write; when all slots are taken they share a locked list.
//!
//! A limit can end a reader. Its place is marked, and from then on it holds nothing back. What it finds afterwards may
//! be incomplete, so whoever reads looks at the mark after he has read and before he relies on it: whoever collected
//! saw the mark before he gave a leaf's lock back, and so whoever reads the leaf after him sees it too.
//!
//! Readers look at no clock. Whoever looks for the oldest reader notes the time of those he meets first.

use std::cell::Cell;
use std::sync::Arc;

use crate::index::ReadPoint;
use crate::locks::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::locks::{Apart, Mutex, standard};
use crate::runtime::{self, Duration, Instant};
use crate::{Error, ErrorKind, Result, Version};

const SLOTS: usize = if cfg!(any(loom, shuttle, miri)) { 1 } else { 256 };
const FREE: u64 = u64::MAX;
/// A slot that is taken and has no version yet protects every version.
const TAKEN: u64 = u64::MAX - 1;

/// What stands in place of the time at which a reader was noted: not yet, never to be ended, and ended by a limit.
const NEW: u64 = 0;
const UNLIMITED: u64 = u64::MAX - 2;
const ENDED_BY_BYTES: u64 = u64::MAX - 1;
const ENDED_BY_TIME: u64 = u64::MAX;

#[derive(Debug)]
pub(crate) struct Readers {
    slots: Box<[Apart<Place>]>,
    /// No slot from here on was ever taken.
    used: AtomicUsize,
    overflow: Mutex<Vec<Arc<Place>>>,
    /// Times are noted in nanoseconds since this one.
    began: Instant,
    limit_ns: u64,
    ended: AtomicU64,
}

/// What is known of a reader.
#[derive(Debug)]
pub(crate) struct Place {
    version: AtomicU64,
    /// The time that a view of the past reads at.
    time: AtomicU64,
    /// When somebody met it first, or that it was ended. A time belongs to one reader: the next begins anew.
    noted: AtomicU64,
}

/// Whether a limit may end a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Term {
    Limited,
    Unlimited,
}

/// A reader's place. It must be given back with [`Readers::release`].
#[derive(Debug)]
pub(crate) struct Pin {
    seat: Seat,
    pub(crate) point: ReadPoint,
}

#[derive(Debug)]
enum Seat {
    Slot(usize),
    Overflow(Arc<Place>),
}

/// A reader's place that is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct PinGuard<'a> {
    readers: &'a Readers,
    pin: Pin,
}

standard::thread_local! {
    /// Where this thread looks for a free slot first.
    static HINT: Cell<usize> = const { Cell::new(usize::MAX) };
}

impl Place {
    fn new(version: Version) -> Self {
        Self { version: AtomicU64::new(version), time: AtomicU64::new(u64::MAX), noted: AtomicU64::new(NEW) }
    }

    #[inline]
    fn is_ended(&self) -> bool {
        self.noted.load(Ordering::Acquire) >= ENDED_BY_BYTES
    }

    /// Whether what was read here so far is right: not for certain once the reader was ended.
    #[inline]
    pub(crate) fn check(&self, point: ReadPoint) -> Result<()> {
        if self.is_ended() { Err(self.ended(point.version)) } else { Ok(()) }
    }

    #[cold]
    fn ended(&self, version: Version) -> Error {
        let by_time = self.noted.load(Ordering::Relaxed) == ENDED_BY_TIME;
        Error::new(ErrorKind::ReaderEnded { version, limit: if by_time { "reader_time" } else { "reader_bytes" } })
    }

    /// When a reader was noted that a limit may end, and its version. Looked up in this order, and with a place that is
    /// noted at the same time still, both are of one reader.
    fn limited(&self) -> Option<(u64, Version)> {
        let noted = self.noted.load(Ordering::SeqCst);
        let version = self.version.load(Ordering::SeqCst);
        (noted < UNLIMITED && version != FREE && version != TAKEN).then_some((noted, version))
    }

    /// Puts one mark in place of another, where that still stands.
    fn mark(&self, old: u64, new: u64) -> bool {
        self.noted.compare_exchange(old, new, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }
}

impl Readers {
    /// Readers that are ended once they were noted so long ago.
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Apart::new(Place::new(FREE))).collect(),
            used: AtomicUsize::new(0),
            overflow: Mutex::new(Vec::new()),
            began: runtime::now(),
            limit_ns: limit.map_or(u64::MAX, to_ns),
            ended: AtomicU64::new(0),
        }
    }

    /// Takes a place at the version that `current` says.
    #[inline]
    pub(crate) fn pin(&self, term: Term, current: impl Fn() -> Version) -> Pin {
        self.pin_at(term, u64::MAX, current)
    }

    /// Takes a place at a point of the past. The caller keeps collectors and commits out meanwhile.
    pub(crate) fn pin_past(&self, term: Term, point: ReadPoint) -> Pin {
        self.pin_at(term, point.time, || point.version)
    }

    #[inline]
    fn pin_at(&self, term: Term, time: u64, current: impl Fn() -> Version) -> Pin {
        let take = |place: &Place| {
            place.noted.store(if term == Term::Limited { NEW } else { UNLIMITED }, Ordering::Relaxed);
            place.time.store(time, Ordering::Relaxed);
            let version = current();
            place.version.store(version, Ordering::SeqCst);
            ReadPoint { version, time }
        };
        if let Some(slot) = self.take_slot() {
            return Pin { point: take(&self.slots[slot]), seat: Seat::Slot(slot) };
        }
        let mut overflow = self.overflow.lock();
        let place = Arc::new(Place::new(TAKEN));
        overflow.push(Arc::clone(&place));
        Pin { point: take(&place), seat: Seat::Overflow(place) }
    }

    /// Gives a place back when the guard is dropped.
    pub(crate) fn guard(&self, pin: Pin) -> PinGuard<'_> {
        PinGuard { readers: self, pin }
    }

    #[inline]
    pub(crate) fn place<'a>(&'a self, pin: &'a Pin) -> &'a Place {
        match &pin.seat {
            Seat::Slot(slot) => &self.slots[*slot],
            Seat::Overflow(place) => place,
        }
    }

    pub(crate) fn release(&self, pin: &Pin) {
        self.place(pin).version.store(FREE, Ordering::SeqCst);
        if let Seat::Overflow(place) = &pin.seat {
            let mut overflow = self.overflow.lock();
            if let Some(position) = overflow.iter().rposition(|other| Arc::ptr_eq(other, place)) {
                overflow.swap_remove(position);
            }
        }
    }

    /// The oldest version that a reader needs, `current` when there is none, and the oldest time.
    pub(crate) fn oldest(&self, current: Version) -> ReadPoint {
        let mut oldest = ReadPoint::version(current);
        self.each(|place| {
            let version = place.version.load(Ordering::SeqCst);
            if version == TAKEN || (version != FREE && !place.is_ended()) {
                oldest.version = oldest.version.min(if version == TAKEN { 0 } else { version });
                oldest.time = oldest.time.min(place.time.load(Ordering::Relaxed));
            }
        });
        oldest
    }

    /// Whether anybody but `own` needs what was there before a version that was published already.
    pub(crate) fn is_needed_before(&self, published: Version, own: Option<&Place>) -> bool {
        let needs = |place: &Place| {
            let version = place.version.load(Ordering::SeqCst);
            let needs = version == TAKEN || (version < published && !place.is_ended());
            needs && !own.is_some_and(|own| std::ptr::eq(own, place))
        };
        let used = self.used.load(Ordering::SeqCst);
        self.slots[..used].iter().any(|place| needs(place)) || self.overflow.lock().iter().any(|place| needs(place))
    }

    /// How many readers there are, those that were ended included.
    pub(crate) fn count(&self) -> usize {
        let mut count = 0;
        self.each(|place| count += usize::from(place.version.load(Ordering::Relaxed) != FREE));
        count
    }

    /// How many readers were ended.
    pub(crate) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }

    /// Notes readers that were not met before, and ends those that were noted too long ago. Returns for how long the
    /// one that was noted first has been there.
    pub(crate) fn note(&self) -> Duration {
        // It is looked up first, so that nobody who is noted meanwhile seems to be older than he is.
        let now = to_ns(runtime::now() - self.began).max(NEW + 1);
        let mut longest = 0;
        self.each(|place| match place.limited() {
            Some((NEW, _)) => _ = place.mark(NEW, now),
            Some((noted, _)) => {
                let age = now.saturating_sub(noted);
                if age < self.limit_ns {
                    longest = longest.max(age);
                } else {
                    self.end(place, noted, ENDED_BY_TIME);
                }
            }
            None => {}
        });
        Duration::from_nanos(longest)
    }

    /// The oldest version of those that a limit may end, and `before` when there is nothing earlier, or when a reader
    /// that no limit ends holds back as much.
    pub(crate) fn oldest_limited(&self, before: Version) -> Version {
        let (mut oldest, mut kept) = (before, before);
        self.each(|place| match place.limited() {
            Some((_, version)) => oldest = oldest.min(version),
            None if place.noted.load(Ordering::Relaxed) == UNLIMITED => {
                kept = kept.min(place.version.load(Ordering::Relaxed));
            }
            None => {}
        });
        if oldest < kept { oldest } else { before }
    }

    /// Ends those of the oldest version, if that is before another. False when there are none.
    pub(crate) fn end_oldest(&self, before: Version) -> bool {
        self.note();
        let oldest = self.oldest_limited(before);
        let mut any = false;
        self.each(|place| {
            if let Some((noted @ 1.., version)) = place.limited()
                && version == oldest
                && oldest < before
            {
                any |= self.end(place, noted, ENDED_BY_BYTES);
            }
        });
        any
    }

    fn end(&self, place: &Place, noted: u64, mark: u64) -> bool {
        let ended = place.mark(noted, mark);
        self.ended.fetch_add(u64::from(ended), Ordering::Relaxed);
        ended
    }

    fn each(&self, mut look: impl FnMut(&Place)) {
        let used = self.used.load(Ordering::SeqCst);
        self.slots[..used].iter().for_each(|place| look(place));
        self.overflow.lock().iter().for_each(|place| look(place));
    }

    fn take_slot(&self) -> Option<usize> {
        let hint = HINT.with(Cell::get);
        if hint < SLOTS && self.try_slot(hint) {
            return Some(hint);
        }
        let slot = (0..SLOTS).find(|slot| self.try_slot(*slot))?;
        HINT.with(|hint| hint.set(slot));
        Some(slot)
    }

    fn try_slot(&self, slot: usize) -> bool {
        let version = &self.slots[slot].version;
        if version.load(Ordering::Relaxed) != FREE {
            return false;
        }
        if self.used.load(Ordering::SeqCst) <= slot {
            self.used.fetch_max(slot + 1, Ordering::SeqCst);
        }
        version.compare_exchange(FREE, TAKEN, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }
}

fn to_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Drop for PinGuard<'_> {
    fn drop(&mut self) {
        self.readers.release(&self.pin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn readers() -> Readers {
        Readers::new(None)
    }

    fn pin(readers: &Readers, version: Version) -> Pin {
        readers.pin(Term::Limited, || version)
    }

    fn is_ended(readers: &Readers, pin: &Pin) -> bool {
        readers.place(pin).check(pin.point).is_err()
    }

    #[test]
    fn the_oldest_reader_counts_until_it_is_released() {
        let readers = readers();
        let old = pin(&readers, 5);
        let new = pin(&readers, 9);
        assert_eq!(readers.oldest(10).version, 5);
        readers.release(&old);
        assert_eq!(readers.oldest(10).version, 9);
        readers.release(&new);
        assert_eq!(readers.oldest(10), ReadPoint::version(10));
        assert_eq!(readers.count(), 0);
    }

    #[test]
    fn what_was_there_before_is_needed_by_others_that_were_not_ended() {
        let readers = Readers::new(Some(Duration::ZERO));
        let pins: Vec<Pin> = (0..2 * SLOTS).map(|_| pin(&readers, 5)).collect();
        let own = |place: usize| Some(readers.place(&pins[place]));
        assert!(!readers.is_needed_before(5, None) && readers.is_needed_before(6, None));
        for (place, pin) in pins.iter().enumerate() {
            assert_eq!(readers.is_needed_before(6, own(place)), place + 1 < pins.len());
            readers.release(pin);
        }
        let _ended = pin(&readers, 5);
        assert!(readers.is_needed_before(6, None));
        readers.note();
        readers.note();
        assert!(!readers.is_needed_before(6, None));
    }

    #[test]
    fn more_readers_than_slots_are_counted_too() {
        let readers = readers();
        let pins: Vec<Pin> = (0..2 * SLOTS as u64).map(|version| pin(&readers, version + 1)).collect();
        assert_eq!(readers.count(), 2 * SLOTS);
        for (released, pin) in pins.iter().enumerate() {
            assert_eq!(readers.oldest(u64::MAX).version, released as u64 + 1);
            readers.release(pin);
        }
        assert_eq!(readers.count(), 0);
    }

    #[test]
    fn times_of_the_past_are_kept_apart() {
        let readers = readers();
        let pin = readers.pin_past(Term::Limited, ReadPoint { version: 7, time: 100 });
        assert_eq!(readers.oldest(9), ReadPoint { version: 7, time: 100 });
        readers.release(&pin);
        assert_eq!(readers.oldest(9).time, u64::MAX);
        assert_eq!(readers.oldest(self::pin(&readers, 8).point.version), ReadPoint::version(8));
    }

    #[test]
    fn readers_are_ended_by_age_wherever_they_sit() {
        let readers = Readers::new(Some(Duration::ZERO));
        let kept = readers.pin(Term::Unlimited, || 3);
        let pins: Vec<Pin> = (0..2 * SLOTS as u64).map(|version| pin(&readers, version + 5)).collect();
        readers.note();
        assert_eq!((readers.ended(), readers.oldest(u64::MAX).version), (0, 3));
        readers.note();
        assert!(pins.iter().all(|pin| is_ended(&readers, pin)) && !is_ended(&readers, &kept));
        readers.release(&kept);
        assert_eq!((readers.ended(), readers.oldest(9_999).version), (2 * SLOTS as u64, 9_999));
        for pin in &pins {
            readers.release(pin);
        }
        assert!(!is_ended(&readers, &pin(&readers, 5)));
    }

    #[test]
    fn the_oldest_version_is_ended_and_nothing_newer() {
        let readers = readers();
        let [first, second, third] = [4, 4, 6].map(|version| pin(&readers, version));
        assert!(!readers.end_oldest(4));
        assert!(readers.end_oldest(9));
        assert_eq!([&first, &second, &third].map(|pin| is_ended(&readers, pin)), [true, true, false]);
        assert_eq!(readers.oldest(9).version, 6);
        assert!(readers.end_oldest(9) && !readers.end_oldest(9));
        assert_eq!((readers.ended(), readers.count()), (3, 3));
    }

    #[test]
    fn none_is_ended_for_what_an_unlimited_reader_holds_back_as_well() {
        let readers = readers();
        let kept = readers.pin(Term::Unlimited, || 4);
        let pins = [2, 4, 6].map(|version| pin(&readers, version));
        assert!(readers.end_oldest(9) && !readers.end_oldest(9));
        assert_eq!(pins.each_ref().map(|pin| is_ended(&readers, pin)), [true, false, false]);
        readers.release(&kept);
        assert!(readers.end_oldest(9) && readers.end_oldest(9) && !readers.end_oldest(9));
    }

    #[test]
    fn a_reader_of_nothing_is_one_like_any_other() {
        let readers = Readers::new(Some(Duration::ZERO));
        let pins = [pin(&readers, 0), readers.pin_past(Term::Limited, ReadPoint::version(0))];
        assert_eq!(readers.oldest(9).version, 0);
        readers.note();
        readers.note();
        assert!(pins.iter().all(|pin| is_ended(&readers, pin)));
        assert_eq!((readers.oldest(9).version, readers.ended()), (9, 2));
    }

    #[test]
    fn the_longest_reader_has_an_age_once_it_was_noted() {
        let readers = readers();
        let pin = pin(&readers, 1);
        assert_eq!(readers.note(), Duration::ZERO);
        while readers.note().is_zero() {}
        readers.release(&pin);
        assert_eq!(readers.note(), Duration::ZERO);
    }
}
