//! Who reads at which version, so that nothing a live reader can see is collected.
//!
//! A reader takes a slot of its own, marks it as taken for every version, looks up the version it will read at and
//! then writes that version into the slot. The collector first looks up the published version and then the slots.
//! If it finds a slot free, the reader that takes it later looks up the published version later as well, and so reads
//! at or after the collector's version. Readers write nothing that others write; when all slots are taken they
//! share a locked list.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;

use crate::Version;
use crate::index::ReadPoint;
use crate::locks::Mutex;
use crate::numbered::Counts;

const SLOTS: usize = 256;
const FREE: u64 = u64::MAX;
/// A slot that is taken and has no version yet protects every version.
const TAKEN: u64 = 0;

#[derive(Debug)]
pub(crate) struct Readers {
    slots: Box<[CachePadded<AtomicU64>]>,
    /// No slot from here on was ever taken.
    used: AtomicUsize,
    overflow: Mutex<Counts>,
    /// The times that views of the past read at.
    times: Mutex<Counts>,
}

/// A reader's place. It must be given back with [`Readers::release`].
#[derive(Debug)]
pub(crate) struct Pin {
    slot: Option<usize>,
    pub(crate) point: ReadPoint,
}

/// A reader's place that is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct PinGuard<'a> {
    readers: &'a Readers,
    pin: Pin,
}

thread_local! {
    /// Where this thread looks for a free slot first.
    static HINT: Cell<usize> = const { Cell::new(usize::MAX) };
}

impl Readers {
    pub(crate) fn new() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| CachePadded::new(AtomicU64::new(FREE))).collect(),
            used: AtomicUsize::new(0),
            overflow: Mutex::new(Counts::new()),
            times: Mutex::new(Counts::new()),
        }
    }

    /// Takes a place at the version that `current` says.
    #[inline]
    pub(crate) fn pin(&self, current: impl Fn() -> Version) -> Pin {
        if let Some(slot) = self.take_slot() {
            let version = current();
            self.slots[slot].store(version, Ordering::SeqCst);
            return Pin { slot: Some(slot), point: ReadPoint::version(version) };
        }
        let mut overflow = self.overflow.lock();
        let version = current();
        overflow.add(version);
        Pin { slot: None, point: ReadPoint::version(version) }
    }

    /// Takes a place at a point of the past. The caller keeps collectors and commits out meanwhile.
    pub(crate) fn pin_past(&self, point: ReadPoint) -> Pin {
        let mut pin = self.pin(|| point.version);
        pin.point = point;
        if point.time != u64::MAX {
            self.times.lock().add(point.time);
        }
        pin
    }

    /// Gives a place back when the guard is dropped.
    pub(crate) fn guard(&self, pin: Pin) -> PinGuard<'_> {
        PinGuard { readers: self, pin }
    }

    pub(crate) fn release(&self, pin: &Pin) {
        match pin.slot {
            Some(slot) => self.slots[slot].store(FREE, Ordering::SeqCst),
            None => self.overflow.lock().remove(pin.point.version),
        }
        if pin.point.time != u64::MAX {
            self.times.lock().remove(pin.point.time);
        }
    }

    /// The oldest version that a reader needs, `current` when there is none, and the oldest time.
    pub(crate) fn oldest(&self, current: Version) -> ReadPoint {
        let used = self.used.load(Ordering::SeqCst);
        let slots = self.slots[..used].iter().map(|slot| slot.load(Ordering::SeqCst)).min().unwrap_or(FREE);
        let overflow = self.overflow.lock().first().unwrap_or(FREE);
        let time = self.times.lock().first().unwrap_or(u64::MAX);
        ReadPoint { version: current.min(slots).min(overflow), time }
    }

    /// How many readers there are.
    pub(crate) fn count(&self) -> usize {
        let used = self.used.load(Ordering::SeqCst);
        let slots = self.slots[..used].iter().filter(|slot| slot.load(Ordering::Relaxed) != FREE).count();
        slots + self.overflow.lock().total()
    }

    fn take_slot(&self) -> Option<usize> {
        let hint = HINT.get();
        if hint < SLOTS && self.try_slot(hint) {
            return Some(hint);
        }
        let slot = (0..SLOTS).find(|slot| self.try_slot(*slot))?;
        HINT.set(slot);
        Some(slot)
    }

    fn try_slot(&self, slot: usize) -> bool {
        let place = &self.slots[slot];
        if place.load(Ordering::Relaxed) != FREE {
            return false;
        }
        if self.used.load(Ordering::SeqCst) <= slot {
            self.used.fetch_max(slot + 1, Ordering::SeqCst);
        }
        place.compare_exchange(FREE, TAKEN, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }
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

    #[test]
    fn the_oldest_reader_counts_until_it_is_released() {
        let readers = Readers::new();
        let old = readers.pin(|| 5);
        let new = readers.pin(|| 9);
        assert_eq!(readers.oldest(10).version, 5);
        readers.release(&old);
        assert_eq!(readers.oldest(10).version, 9);
        readers.release(&new);
        assert_eq!(readers.oldest(10), ReadPoint::version(10));
        assert_eq!(readers.count(), 0);
    }

    #[test]
    fn more_readers_than_slots_are_counted_too() {
        let readers = Readers::new();
        let pins: Vec<Pin> = (0..2 * SLOTS as u64).map(|version| readers.pin(|| version + 1)).collect();
        assert_eq!(readers.count(), 2 * SLOTS);
        for (released, pin) in pins.iter().enumerate() {
            assert_eq!(readers.oldest(u64::MAX).version, released as u64 + 1);
            readers.release(pin);
        }
        assert_eq!(readers.count(), 0);
    }

    #[test]
    fn times_of_the_past_are_kept_apart() {
        let readers = Readers::new();
        let pin = readers.pin_past(ReadPoint { version: 7, time: 100 });
        assert_eq!(readers.oldest(9), ReadPoint { version: 7, time: 100 });
        readers.release(&pin);
        assert_eq!(readers.oldest(9).time, u64::MAX);
    }
}
