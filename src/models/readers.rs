//! The registry of readers: what a reader sees is never collected.

use std::sync::Arc;

use loom::thread::{self, JoinHandle};

use crate::Version;
use crate::engine::readers::{Readers, Term};
use crate::locks::atomic::{AtomicU64, Ordering};

/// What is published, and below what everything was collected.
struct World {
    readers: Readers,
    published: AtomicU64,
    collected: AtomicU64,
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self { readers: Readers::new(None), published: AtomicU64::new(1), collected: AtomicU64::new(0) })
    }

    fn publish(&self, version: Version) {
        self.published.store(version, Ordering::SeqCst);
    }

    /// What the collector does: the published version first, and then the readers.
    fn collect(&self) {
        let published = self.published.load(Ordering::SeqCst);
        let oldest = self.readers.oldest(published).version;
        self.collected.fetch_max(oldest, Ordering::SeqCst);
    }

    /// True when the reader was ended and so may not rely on what it found.
    fn read(&self) -> bool {
        let pin = self.readers.pin(Term::Limited, || self.published.load(Ordering::SeqCst));
        let collected = self.collected.load(Ordering::SeqCst);
        let is_ended = self.readers.place(&pin).check(pin.point).is_err();
        assert!(is_ended || collected <= pin.point.version, "{collected} was collected, {:?} is read", pin.point);
        self.readers.release(&pin);
        is_ended
    }

    fn spawn_reader(world: &Arc<Self>) -> JoinHandle<bool> {
        let world = Arc::clone(world);
        thread::spawn(move || world.read())
    }
}

#[test]
fn a_reader_keeps_what_it_sees() {
    loom::model(|| {
        let world = World::new();
        let reader = World::spawn_reader(&world);
        world.publish(2);
        world.collect();
        world.publish(3);
        world.collect();
        assert!(!reader.join().unwrap(), "nobody ended it");
    });
}

/// With one slot, one of them is in the list.
#[test]
fn two_readers_keep_what_they_see() {
    loom::model(|| {
        let world = World::new();
        let readers = [(); 2].map(|()| World::spawn_reader(&world));
        world.publish(2);
        world.collect();
        for reader in readers {
            assert!(!reader.join().unwrap(), "nobody ended it");
        }
    });
}

#[test]
fn a_reader_that_is_ended_knows_it_before_it_relies_on_anything() {
    loom::model(|| {
        let world = World::new();
        let reader = World::spawn_reader(&world);
        world.publish(2);
        world.readers.end_oldest(2);
        world.collect();
        reader.join().unwrap();
        // Whoever comes next is another, wherever it sits.
        assert!(!world.read());
    });
}
