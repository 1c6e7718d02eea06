//! Garbage collection: dropping revisions that neither a reader nor the retention needs.
//!
//! Writes drop what they can see to be superseded on the way. The rest, above all removed keys, is found by going
//! through the leaves step by step, in the background or when asked for.

use super::Engine;
use super::leftovers::{ARE_KEPT, Leftovers};
use crate::Version;
use crate::index::{Blob, Horizon, ReadPoint};
use crate::locks::atomic::{AtomicBool, Ordering};
use crate::locks::{Apart, Mutex};
use crate::options::Retention;
use crate::runtime::{self, CAN_WAIT, Duration, Instant};

/// How many leaves one step goes through. A step is what a view of the past may have to wait for.
const STEP_LEAVES: usize = 64;

/// How long the background rests after it went through everything and found something.
const REST: Duration = Duration::from_millis(250);

/// How long it rests at most, if no reader is to be ended earlier: while it finds nothing, it rests twice as long each
/// time.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// After how many commits a writer drops what these and those before superseded.
const LEFTOVERS_COMMITS: u64 = 16;

/// After how many commits the background hears of them again, where nothing runs by itself.
const SIGNAL_COMMITS: u64 = 64;

#[derive(Debug, Default)]
pub(crate) struct Collector {
    /// Where the next step begins. Its lock is held for a step, and while a view of the past takes its place.
    position: Mutex<Position>,
    /// Whether there may be anything to collect.
    expected: AtomicBool,
    /// Whether the background has not heard of that yet.
    unheard: AtomicBool,
    /// Dropped by whoever holds the position.
    pub(super) leftovers: Apart<Leftovers>,
}

#[derive(Debug, Default)]
pub(crate) struct Position {
    keyspace: usize,
    key: Option<Blob>,
    /// How many revisions were dropped since everything was gone through last.
    dropped: u64,
    /// What was published when it began last.
    seen: Version,
    rest: Duration,
    rests_until: Option<Instant>,
    /// The newest removal, by version and time, of a key that is gone altogether.
    pub(crate) forgotten: (Version, u64),
}

/// How far a step came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    More,
    WentThrough,
}

/// Why what is superseded is left to the writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    WhileTheyGoOn,
    ForReaders,
}

impl Collector {
    pub(crate) fn with_forgotten(forgotten: (Version, u64)) -> Self {
        let collector = Self::default();
        collector.position.lock().forgotten = forgotten;
        collector.expect_garbage();
        collector
    }

    pub(crate) fn expect_garbage(&self) {
        if !self.expected.swap(true, Ordering::AcqRel) {
            self.unheard.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the background should hear of garbage now.
    pub(crate) fn wants_signal(&self, version: Version) -> bool {
        if !self.expected.load(Ordering::Relaxed) {
            return false;
        }
        let is_unheard = self.unheard.load(Ordering::Relaxed) && self.unheard.swap(false, Ordering::Relaxed);
        is_unheard || (!CAN_WAIT && version.is_multiple_of(SIGNAL_COMMITS))
    }

    pub(crate) fn position(&self) -> crate::locks::MutexGuard<'_, Position> {
        self.position.lock()
    }
}

impl Position {
    fn begin_rest(&mut self, longest: Duration) -> Duration {
        let found_something = std::mem::take(&mut self.dropped) > 0;
        self.rest = if found_something { REST } else { (self.rest * 2).clamp(REST, longest) };
        self.rests_until = Some(runtime::now() + self.rest);
        self.rest
    }

    fn rest_left(&mut self) -> Option<Duration> {
        let left = self.rests_until?.saturating_duration_since(runtime::now());
        if left.is_zero() {
            self.rests_until = None;
        }
        self.rests_until.map(|_| left)
    }

    /// Whether something was published since the last time that it began; none in the middle of everything.
    fn begins_after(&mut self, published: Version) -> Option<bool> {
        let begins = self.keyspace == 0 && self.key.is_none();
        begins.then(|| std::mem::replace(&mut self.seen, published) != published)
    }

    fn rewind(&mut self) {
        self.keyspace = 0;
        self.key = None;
    }
}

impl Engine {
    /// What may be collected now.
    pub(crate) fn horizon(&self) -> Horizon {
        self.readers.note();
        // The published version is looked up before the readers: see the protocol in `readers`.
        let published = self.progress.published();
        horizon(*self.retention.read(), self.readers.oldest(published))
    }

    /// One step of collection in the background. Returns how long to rest before the next.
    pub(crate) fn collect_step(&self) -> Option<Duration> {
        if !self.collector.expected.load(Ordering::Relaxed) {
            return None;
        }
        if let Some(rest) = self.collector.position().rest_left() {
            return Some(rest);
        }
        match self.left_to_writers() {
            Some(Left::WhileTheyGoOn) => Some(self.collector.position().begin_rest(REST)),
            None if self.collect_leaves() == Step::More => Some(Duration::ZERO),
            Some(Left::ForReaders) | None => self.rest(),
        }
    }

    /// Whether nothing is superseded but what the writers keep in mind, which needs no look at all leaves.
    fn left_to_writers(&self) -> Option<Left> {
        let published = self.progress.published();
        let writers_go_on = self.collector.position().begins_after(published)?;
        let left = if writers_go_on { Left::WhileTheyGoOn } else { Left::ForReaders };
        self.drop_leftovers();
        self.has_only_leftovers().then_some(left)
    }

    /// Whether nothing is superseded but what the writers keep in mind.
    fn has_only_leftovers(&self) -> bool {
        if !ARE_KEPT {
            return self.garbage() == 0;
        }
        // Both numbers are of one moment: no commit is half done, and nobody drops anything.
        let _no_commit = self.head.lock();
        let _position = self.collector.position();
        self.garbage() <= self.collector.leftovers.count()
    }

    /// Drops what the writers keep in mind, but for what somebody needs still.
    fn drop_leftovers(&self) {
        if ARE_KEPT {
            let _position = self.collector.position();
            self.collector.leftovers.drop_below(self.horizon());
        }
    }

    /// What a writer does for those before him, when it is his turn and nobody else is at it.
    pub(super) fn drop_leftovers_after(&self, version: Version) {
        if ARE_KEPT
            && version.is_multiple_of(LEFTOVERS_COMMITS)
            && let Some(_position) = self.collector.position.try_lock()
        {
            self.collector.leftovers.drop_below(self.horizon());
        }
    }

    /// Rests while there is garbage left.
    fn rest(&self) -> Option<Duration> {
        // Cleared first: what a commit expects from here on is not forgotten.
        self.collector.expected.swap(false, Ordering::AcqRel);
        let garbage_left = self.garbage() > 0;
        if garbage_left {
            self.collector.expected.store(true, Ordering::Release);
            let longest = self.options.limits.reader_time.unwrap_or(LONGEST_REST).clamp(REST, LONGEST_REST);
            return Some(self.collector.position().begin_rest(longest));
        }
        if !CAN_WAIT {
            // One thread does everything: it would go through all leaves after every commit.
            self.collector.position().begin_rest(REST);
        }
        None
    }

    /// Goes through everything once.
    pub(crate) fn collect_all(&self) {
        self.drop_leftovers();
        self.collector.position().rewind();
        while self.collect_leaves() == Step::More {}
    }

    fn collect_leaves(&self) -> Step {
        let mut position = self.collector.position();
        let Some(keyspace) = self.catalog.read().iter().nth(position.keyspace).cloned() else {
            position.rewind();
            return Step::WentThrough;
        };
        let from = position.key.take().unwrap_or_default();
        let collected = keyspace.index.collect(from, STEP_LEAVES, self.horizon());
        if let Some((version, time)) = collected.forgotten {
            position.forgotten = (position.forgotten.0.max(version), position.forgotten.1.max(time));
        }
        position.keyspace += usize::from(collected.next.is_none());
        position.key = collected.next;
        position.dropped += collected.dropped;
        Step::More
    }

    /// How many revisions may have to go some day.
    fn garbage(&self) -> u64 {
        let retention = *self.retention.read();
        match retention {
            Retention::Forever => 0,
            _ => self.catalog.read().iter().map(|keyspace| keyspace.index.superseded()).sum(),
        }
    }
}

/// What may be collected under a retention, when the oldest reader needs `oldest`.
pub(crate) fn horizon(retention: Retention, oldest: ReadPoint) -> Horizon {
    match retention {
        Retention::None => Horizon { point: oldest, keep: 1 },
        Retention::Versions(count) => Horizon { point: oldest, keep: (count as usize).max(1) },
        Retention::Age(age) => {
            let age_ns = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
            let time = oldest.time.min(runtime::now_ns().saturating_sub(age_ns));
            Horizon { point: ReadPoint { time, ..oldest }, keep: 1 }
        }
        Retention::Forever => Horizon { point: oldest, keep: usize::MAX },
    }
}

#[cfg(test)]
mod tests {
    use crate::{Database, Options, Retention};

    #[test]
    fn collecting_on_request_comes_back_and_drops_what_nobody_needs() {
        let db = Options::new().history(Retention::Forever).in_memory().unwrap();
        db.insert("key", "old").unwrap();
        db.insert("key", "new").unwrap();
        db.collect_garbage().unwrap();
        assert_eq!(db.history("key").unwrap().len(), 2);

        let db = Database::in_memory();
        db.insert("key", "old").unwrap();
        let view = db.begin_read().unwrap();
        db.insert("key", "new").unwrap();
        db.collect_garbage().unwrap();
        assert_eq!(db.stats().versions, 2);
        drop(view);
        db.collect_garbage().unwrap();
        assert_eq!(db.history("key").unwrap().len(), 1);
    }
}
