//! Writing snapshots while commits go on, and removing what a snapshot replaces.
//!
//! The log changes to a new segment at the version that the snapshot is taken at. The snapshot is read from the
//! index at that version, written, synced, and read back in full. Only then are older snapshots and the segments
//! before them removed. Whatever fails on the way leaves the log as it is, and the log alone is enough. Only a failed sync
//! of the directory ends all writing.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::Engine;
use super::needed::Needed;
use super::plan::Plan;
use crate::codec::SnapshotHeader;
use crate::locks::Mutex;
use crate::locks::atomic::{AtomicU64, Ordering};
use crate::log::segment::segment_number;
use crate::options::SnapshotPolicy;
use crate::runtime::{self, Duration, Instant};
use crate::snapshot;
use crate::sorting;
use crate::storage::Storage;
use crate::{Error, Result, Version};

/// With so many segments to replay, a database that is opened again gets a snapshot: every short session leaves one.
const MANY_SEGMENTS: u64 = 256;

/// How long the background waits after a snapshot failed.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// A snapshot that was written.
///
/// # Examples
///
/// ```
/// # use selkie::Database;
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("notes");
/// let db = Database::open(&path)?;
/// let commit = db.insert("key", "value")?;
/// let snapshot = db.snapshot()?;
/// assert_eq!((snapshot.version, snapshot.entries), (commit.version(), 1));
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotInfo {
    /// It holds everything committed up to this version.
    pub version: Version,
    /// Its length in bytes.
    pub bytes: u64,
    /// How many keys it holds, removed ones with history included.
    pub entries: u64,
    /// The log segment that continues it; its number is in the file's name.
    pub segment: u64,
}

#[derive(Debug)]
pub(crate) struct Snapshots {
    turn: Turn,
    state: Mutex<State>,
    pub(crate) failures: AtomicU64,
    /// The segments that are read by others and are not removed meanwhile.
    pub(crate) needed: Needed,
}

#[derive(Debug)]
struct State {
    last: Option<SnapshotInfo>,
    last_at: Instant,
    not_before: Option<Instant>,
    last_error: Option<Error>,
}

/// One snapshot is written at a time; others wait for their turn.
#[derive(Debug, Default)]
struct Turn(Mutex<(bool, Vec<Waker>)>);

pub(crate) struct TurnGuard<'a>(&'a Turn);

impl Snapshots {
    pub(crate) fn new(last: Option<SnapshotInfo>) -> Self {
        let state = State { last, last_at: runtime::now(), not_before: None, last_error: None };
        Self { turn: Turn::default(), state: Mutex::new(state), failures: AtomicU64::new(0), needed: Needed::default() }
    }

    /// Waits until no snapshot is being written, and keeps others from beginning.
    pub(crate) async fn turn(&self) -> TurnGuard<'_> {
        self.turn.take().await
    }

    pub(crate) fn last(&self) -> Option<SnapshotInfo> {
        self.state.lock().last.clone()
    }

    pub(crate) fn last_error(&self) -> Option<Error> {
        self.state.lock().last_error.clone()
    }

    pub(crate) fn note_failure(&self, error: Error) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state.lock();
        state.not_before = Some(runtime::now() + RETRY_PAUSE);
        state.last_error = Some(error);
    }

    fn note_success(&self, info: &SnapshotInfo) {
        let mut state = self.state.lock();
        *state = State { last: Some(info.clone()), last_at: runtime::now(), not_before: None, last_error: None };
    }
}

impl Engine {
    /// Whether the policy asks for a snapshot now.
    pub(crate) fn snapshot_is_due(&self) -> bool {
        let Some(log) = &self.log else { return false };
        let log_bytes = log.counters().bytes.load(Ordering::Relaxed);
        let due = match self.options.snapshots {
            SnapshotPolicy::Never => false,
            _ if self.replayed_many_segments() => true,
            SnapshotPolicy::LogSize(bytes) => log_bytes >= bytes && self.log_outgrew_snapshot(log_bytes, bytes),
            SnapshotPolicy::Interval(interval) => {
                log_bytes > 0 && runtime::now() - self.snapshots.state.lock().last_at >= interval
            }
        };
        due && self.progress.poisoned().is_none()
            && self.snapshots.state.lock().not_before.is_none_or(|time| time <= runtime::now())
    }

    /// Whether opening had to replay many segments, and no snapshot was written since then.
    fn replayed_many_segments(&self) -> bool {
        self.recovery.segments >= MANY_SEGMENTS
            && self.snapshots.last().map(|last| snapshot::file_name(last.segment)) == self.recovery.snapshot
    }

    fn log_outgrew_snapshot(&self, log_bytes: u64, bytes: u64) -> bool {
        let last = self.snapshots.state.lock().last.as_ref().map_or(0, |last| last.bytes);
        log_bytes >= bytes.saturating_add(last)
    }

    /// How long until the policy may ask for a snapshot, where time alone makes it ask.
    pub(crate) fn snapshot_pause(&self) -> Option<Duration> {
        let state = self.snapshots.state.lock();
        let now = runtime::now();
        if let Some(time) = state.not_before.filter(|time| *time > now) {
            return Some(time.saturating_duration_since(now));
        }
        match self.options.snapshots {
            SnapshotPolicy::Interval(interval) => {
                Some(interval.saturating_sub(runtime::now() - state.last_at).max(Duration::from_millis(10)))
            }
            _ => None,
        }
    }

    /// Writes a snapshot of what is committed now, unless the last one still is that.
    pub(crate) async fn write_snapshot(&self) -> Result<SnapshotInfo> {
        self.check_writable()?;
        let _turn = self.snapshots.turn().await;
        self.check_writable()?;
        self.write_snapshot_in_turn().await
    }

    /// Writes the snapshot that is due when the database closes: a session may be too short for the background to begin.
    pub(crate) async fn write_last_snapshot(&self) {
        if self.snapshot_is_due() {
            // A failure is noted, and the log that is left is enough.
            let _noted = self.write_snapshot_in_turn().await;
        }
    }

    async fn write_snapshot_in_turn(&self) -> Result<SnapshotInfo> {
        let (Some(storage), Some(log)) = (&self.storage, &self.log) else {
            return Err(Error::invalid("a database in memory has no place for a snapshot"));
        };
        let log_bytes = log.counters().bytes.load(Ordering::Relaxed);
        let plan = match self.plan_snapshot() {
            Ok(plan) => plan,
            Err(existing) => {
                // Nothing in the log is newer than the snapshot, whatever had to be replayed.
                log.counters().bytes.store(0, Ordering::Relaxed);
                return Ok(existing);
            }
        };
        let written = self.write_planned(storage, &plan).await;
        let outcome = match written {
            Ok(info) => {
                drop(plan);
                self.snapshots.note_success(&info);
                self.remove_replaced(storage.as_ref()).await.map(|()| info)
            }
            Err(error) => {
                // The log before the change of segment still has to be replayed, so it still counts.
                log.counters().bytes.fetch_add(log_bytes, Ordering::Relaxed);
                self.discard_partial(storage.as_ref(), &plan.header).await;
                Err(error)
            }
        };
        if let Err(error) = &outcome {
            self.snapshots.note_failure(error.clone());
        }
        outcome
    }

    /// Changes the segment and plans at its boundary. Or the last snapshot, when nothing is newer.
    fn plan_snapshot(&self) -> std::result::Result<Plan<'_>, SnapshotInfo> {
        let head = self.head.lock();
        let last = self.snapshots.last();
        if let Some(last) = last.filter(|last| last.version == head.version) {
            return Err(last);
        }
        let segment = self.log.as_ref().map_or(0, |log| log.rotate());
        Ok(self.plan_at(&head, segment))
    }

    async fn write_planned(&self, storage: &Arc<dyn Storage>, plan: &Plan<'_>) -> Result<SnapshotInfo> {
        if let Some(log) = &self.log {
            log.wait_for_segment(plan.header.segment).await?;
        }
        let summary = plan.write_file(storage).await?;
        self.sync_names(storage.as_ref()).await?;
        let header = &plan.header;
        Ok(SnapshotInfo {
            version: header.version,
            bytes: summary.bytes,
            entries: summary.entries,
            segment: header.segment,
        })
    }

    /// Takes away what a failed attempt left. What cannot be removed does no harm: it has no valid footer.
    async fn discard_partial(&self, storage: &dyn Storage, header: &SnapshotHeader) {
        let name = snapshot::file_name(header.segment);
        let files = storage.list().await.unwrap_or_default();
        if files.iter().any(|file| file.name == name) {
            let _harmless = storage.remove(&name).await;
        }
    }

    /// Removes the snapshots beyond those to be retained, and the segments that the oldest of them replaces.
    async fn remove_replaced(&self, storage: &dyn Storage) -> Result<()> {
        let files = storage.list().await?;
        let mut snapshots: Vec<u64> = files.iter().filter_map(|file| snapshot::file_number(&file.name)).collect();
        sorting::sort_by(&mut snapshots, |a, b| b.cmp(a));
        let Some(oldest) = snapshots.get(self.options.retained_snapshots - 1).or(snapshots.last()) else {
            return Ok(());
        };
        let mut replaced: Vec<_> = files
            .iter()
            .filter(|file| {
                snapshot::file_number(&file.name).or(segment_number(&file.name)).is_some_and(|n| n < *oldest)
            })
            .collect();
        // Oldest first, so that what is left after a crash is always the newer part.
        sorting::sort_by(&mut replaced, |a, b| a.name.cmp(&b.name));
        for file in &replaced {
            if segment_number(&file.name).is_some_and(|segment| self.snapshots.needed.needs(segment)) {
                continue;
            }
            storage.remove(&file.name).await?;
        }
        if replaced.is_empty() { Ok(()) } else { self.sync_names(storage).await }
    }

    /// Makes names durable. An error ends all writing: the sync may have lost the name of a segment that the log is
    /// creating, and the log's own sync would not notice.
    async fn sync_names(&self, storage: &dyn Storage) -> Result<()> {
        storage.sync_directory().await.inspect_err(|error| self.progress.poison(error.clone()))
    }
}

impl Turn {
    async fn take(&self) -> TurnGuard<'_> {
        poll_fn(|context| {
            let mut turn = self.0.lock();
            if turn.0 {
                turn.1.push(context.waker().clone());
                return Poll::Pending;
            }
            turn.0 = true;
            Poll::Ready(())
        })
        .await;
        TurnGuard(self)
    }
}

impl Drop for TurnGuard<'_> {
    fn drop(&mut self) {
        let waiting = {
            let mut turn = self.0.0.lock();
            turn.0 = false;
            std::mem::take(&mut turn.1)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}
