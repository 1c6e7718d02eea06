//! Garbage collection: dropping revisions that neither a reader nor the retention needs.
//!
//! Writes drop what they can see to be superseded on the way. The rest, above all removed keys, is found by going
//! through the leaves step by step, in the background or when asked for.

use super::Engine;
use crate::Version;
use crate::index::{Blob, Horizon, ReadPoint};
use crate::locks::Mutex;
use crate::locks::atomic::{AtomicBool, Ordering};
use crate::options::Retention;
use crate::runtime::{self, Duration, Instant};

/// How many leaves one step goes through. A step is what a view of the past may have to wait for.
const STEP_LEAVES: usize = 64;

/// How long the background rests after it went through everything and found something.
const REST: Duration = Duration::from_millis(250);

/// How long it rests at most, if no reader is to be ended earlier: while it finds nothing, it rests twice as long each
/// time.
const LONGEST_REST: Duration = Duration::from_secs(10);

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
}

#[derive(Debug, Default)]
pub(crate) struct Position {
    keyspace: usize,
    key: Option<Blob>,
    /// How many revisions were dropped since everything was gone through last.
    dropped: u64,
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

impl Collector {
    pub(crate) fn with_forgotten(forgotten: (Version, u64)) -> Self {
        let collector = Self::default();
        collector.position.lock().forgotten = forgotten;
        collector.expect_garbage();
        collector
    }

    pub(crate) fn expect_garbage(&self) {
        if !self.expected.swap(true, Ordering::Relaxed) {
            self.unheard.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the background should hear of garbage now.
    pub(crate) fn wants_signal(&self, version: Version) -> bool {
        self.expected.load(Ordering::Relaxed)
            && (version.is_multiple_of(SIGNAL_COMMITS) || self.unheard.swap(false, Ordering::Relaxed))
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
        match self.collect_leaves() {
            Step::More => Some(Duration::ZERO),
            Step::WentThrough => {
                // Cleared first: what a commit expects from here on is not forgotten.
                self.collector.expected.store(false, Ordering::SeqCst);
                let garbage_left = self.has_garbage();
                if garbage_left {
                    self.collector.expected.store(true, Ordering::SeqCst);
                }
                let longest =
                    self.options.limits.reader_time.map_or(LONGEST_REST, |time| time.clamp(REST, LONGEST_REST));
                garbage_left.then(|| self.collector.position().begin_rest(longest))
            }
        }
    }

    /// Goes through everything once.
    pub(crate) fn collect_all(&self) {
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

    fn has_garbage(&self) -> bool {
        let retained_for_ever = matches!(*self.retention.read(), Retention::Forever);
        !retained_for_ever && self.catalog.read().iter().any(|keyspace| keyspace.index.has_superseded())
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
        db.insert("key", "new").unwrap();
        db.collect_garbage().unwrap();
        assert_eq!(db.history("key").unwrap().len(), 1);
    }
}
