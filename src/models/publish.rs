//! A commit of one change that publishes itself under the lock of its leaf, and keeps what it supersedes only if somebody
//! reads at an earlier version: whoever reads finds what was there at his version, or looks again.

use std::sync::Arc;

use loom::thread;

use super::split::set;
use crate::Version;
use crate::engine::readers::{Readers, Term};
use crate::index::{Horizon, Index, ReadPoint, Record, Tally};
use crate::locks::atomic::{AtomicU64, Ordering};

struct World {
    index: Index,
    readers: Readers,
    published: AtomicU64,
}

impl World {
    /// With a key of version 1, which is in the table if it was read.
    fn new(was_read: bool) -> Arc<Self> {
        let world = Self { index: Index::new(), readers: Readers::new(None), published: AtomicU64::new(1) };
        set(&world.index, 1, 1);
        if was_read {
            assert_eq!(world.version_at(ReadPoint::version(1)), Some(1));
        }
        Arc::new(world)
    }

    fn commit(&self, version: Version) {
        let horizon = || {
            self.published.store(version, Ordering::SeqCst);
            let nobody = !self.readers.is_needed_before(version, None);
            Horizon { point: ReadPoint::version(if nobody { version } else { 0 }), keep: 1 }
        };
        self.index.put_all([Record::new(&[1], Some(b"value"), (version, 0))], horizon, &mut Tally::default());
    }

    /// None where it was collected.
    fn version_at(&self, point: ReadPoint) -> Option<Version> {
        self.index.read(&[1], point, |record| record.filter(|record| record.is_value()).map(Record::version))
    }

    fn now(&self) -> Version {
        self.published.load(Ordering::SeqCst)
    }
}

fn commits_while(reader: fn(&World), was_read: bool) {
    loom::model(move || {
        let world = World::new(was_read);
        let writer = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.commit(2))
        };
        reader(&world);
        writer.join().unwrap();
        assert_eq!(world.version_at(ReadPoint::version(2)), Some(2));
    });
}

fn with_a_place(world: &World) {
    let pin = world.readers.pin(Term::Limited, || world.now());
    for _ in 0..2 {
        assert_eq!(world.version_at(pin.point), Some(pin.point.version));
    }
    world.readers.release(&pin);
}

/// What is not found has been overtaken, so that it is found at what is published by then.
fn without_a_place(world: &World) {
    let point = ReadPoint::version(world.now());
    match world.version_at(point) {
        Some(version) => assert_eq!(version, point.version),
        None => assert_eq!(world.version_at(ReadPoint::version(world.now())), Some(2)),
    }
}

#[test]
fn a_reader_with_a_place_finds_its_version() {
    commits_while(with_a_place, false);
    commits_while(with_a_place, true);
}

/// What he finds he may not rely on once he was ended, but what he finds before is right.
fn with_a_place_that_is_ended(world: &World) {
    let pin = world.readers.pin(Term::Limited, || world.now());
    world.readers.end_oldest(2);
    let found = world.version_at(pin.point);
    let may_rely = world.readers.place(&pin).check(pin.point).is_ok();
    assert!(!may_rely || found == Some(pin.point.version));
    world.readers.release(&pin);
}

#[test]
fn a_reader_that_was_ended_knows_it() {
    commits_while(with_a_place_that_is_ended, false);
    commits_while(with_a_place_that_is_ended, true);
}

#[test]
fn a_reader_without_one_finds_a_version_or_looks_again() {
    commits_while(without_a_place, false);
    commits_while(without_a_place, true);
}
