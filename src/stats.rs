//! Numbers about a database.

use std::time::Duration;

use crate::engine::Engine;
use crate::locks::atomic::Ordering;
use crate::{Error, SnapshotInfo, Version};

/// Numbers about a database, as of one moment. They are taken one after the other while work goes on.
///
/// # Examples
///
/// ```
/// # let db = selkie::Database::in_memory();
/// db.insert("key", "value")?;
/// let view = db.begin_read()?;
/// let stats = db.stats();
/// assert_eq!((stats.keys, stats.readers, stats.stalls), (1, 1, 0));
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Stats {
    /// How many keys have a value.
    pub keys: u64,
    /// How many versions of keys are held, removals included.
    pub versions: u64,
    /// Bytes of keys and of their newest values.
    pub live_bytes: u64,
    /// Bytes of values that were superseded and are kept for readers or by the retention. Without a retention, readers
    /// hold all of it but what was superseded since the collector went through last.
    pub history_bytes: u64,
    /// The newest commit that is visible.
    pub version: Version,
    /// The newest commit that survives a power loss.
    pub durable_version: Version,
    /// How many views and transactions are open.
    pub readers: usize,
    /// The oldest version that one of them needs: what is newer cannot be collected.
    pub oldest_reader: Version,
    /// For how long the one that is open longest has been. It counts from when it was met first: by a commit or the
    /// collector, which look for readers now and then, or by these numbers.
    pub longest_reader: Duration,
    /// How many readers a limit has ended.
    pub readers_ended: u64,
    /// Bytes that wait to be written to the log.
    pub queued_bytes: u64,
    /// How often a writer had to wait because the queue was full.
    pub stalls: u64,
    /// Bytes in the log since the last snapshot.
    pub log_bytes: u64,
    /// How many writes and syncs the log has made.
    pub log_writes: u64,
    /// How many times the log was synced.
    pub log_syncs: u64,
    /// How often the log changed to a new segment.
    pub log_rotations: u64,
    /// The last snapshot.
    pub snapshot: Option<SnapshotInfo>,
    /// How often writing a snapshot failed.
    pub snapshot_failures: u64,
    /// Why the last snapshot failed, until one succeeds.
    pub snapshot_error: Option<Error>,
    /// Why writing stopped, if it did.
    pub poisoned: Option<Error>,
}

impl Stats {
    pub(crate) fn of(engine: &Engine) -> Self {
        let published = engine.progress.published();
        let mut stats = Self {
            keys: 0,
            versions: 0,
            live_bytes: 0,
            history_bytes: 0,
            version: published,
            durable_version: engine.durable_version(),
            readers: engine.readers.count(),
            oldest_reader: engine.readers.oldest(published).version,
            longest_reader: engine.readers.note(),
            readers_ended: engine.readers.ended(),
            queued_bytes: engine.progress.queued_bytes(),
            stalls: engine.stalls.load(Ordering::Relaxed),
            log_bytes: 0,
            log_writes: 0,
            log_syncs: 0,
            log_rotations: 0,
            snapshot: engine.snapshots.last(),
            snapshot_failures: engine.snapshots.failures.load(Ordering::Relaxed),
            snapshot_error: engine.snapshots.last_error(),
            poisoned: engine.progress.poisoned().cloned(),
        };
        for keyspace in engine.catalog.read().iter() {
            let tally = keyspace.index.tally();
            stats.keys += tally.keys.max(0).cast_unsigned();
            stats.versions += tally.revisions.max(0).cast_unsigned();
            stats.live_bytes += tally.live_bytes.max(0).cast_unsigned();
            stats.history_bytes += tally.history_bytes.max(0).cast_unsigned();
        }
        if let Some(log) = &engine.log {
            let counters = log.counters();
            stats.log_bytes = counters.bytes.load(Ordering::Relaxed);
            stats.log_writes = counters.writes.load(Ordering::Relaxed);
            stats.log_syncs = counters.syncs.load(Ordering::Relaxed);
            stats.log_rotations = counters.rotations.load(Ordering::Relaxed);
        }
        stats
    }
}
