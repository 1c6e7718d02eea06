//! The log: every commit, in order, in numbered segment files.
//!
//! Commits queue their frames in the order of their versions. Whoever finds nobody at work on the queue becomes
//! the leader: he writes everything that is queued with one write and one sync, makes it visible, wakes those who
//! waited, and goes on while there is more. After some rounds a leader leaves the rest to the background, so that he
//! does not work for others for ever. On a storage that keeps the order of its calls, and where nothing waits, a second
//! leader may have the next group written while the first one's write is under way, if neither has to be synced.
//!
//! The first error of the storage poisons the log: nothing is written any more, nobody is told that his commit
//! is durable, and only reopening tells how far the log came. A failed sync in particular is never tried again,
//! because the pages it failed to write may be marked clean ([fsync failures, ATC 2020]).
//!
//! [fsync failures, ATC 2020]: https://www.usenix.org/conference/atc20/presentation/rebello

pub(crate) mod frame;
pub(crate) mod scan;
pub(crate) mod segment;
mod tail;

use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;

use crate::files;
use crate::locks::atomic::{AtomicU64, Ordering};
use crate::locks::{Apart, Mutex};
use crate::progress::{Goal, Progress};
use crate::runtime::{self, CAN_WAIT, Duration, Worker};
use crate::storage::{Flush, Storage};
use crate::{Result, Version};
use segment::SegmentHeader;
pub(crate) use tail::Record;
use tail::{Group, Rotation, Tail, Work};

/// How many groups a committing thread writes for others before the background takes over. Where there are no threads,
/// nobody is kept from anything else.
const LEADER_ROUNDS: usize = if CAN_WAIT { 16 } else { usize::MAX };

/// Space is prepared ahead of the end in steps that grow with the segment, between these sizes in bytes.
const RESERVE_STEP: std::ops::RangeInclusive<u64> = (128 << 10)..=(8 << 20);

#[derive(Debug)]
pub(crate) struct Log {
    storage: Arc<dyn Storage>,
    progress: Arc<Progress>,
    tail: Apart<Mutex<Tail>>,
    segment_bytes: u64,
    /// Whether a write may begin before the one before it is done. Then nothing else is done before it that takes time.
    overlaps: bool,
    /// The end of the prepared space in the segment that is being written.
    reserved: AtomicU64,
    counters: Apart<LogCounters>,
    worker: OnceLock<Worker>,
}

#[derive(Debug, Default)]
pub(crate) struct LogCounters {
    pub(crate) writes: AtomicU64,
    pub(crate) syncs: AtomicU64,
    /// Bytes in the log since the last snapshot began.
    pub(crate) bytes: AtomicU64,
    pub(crate) rotations: AtomicU64,
}

impl Log {
    /// Goes on in a segment that has a durable header and no frames.
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        progress: Arc<Progress>,
        header: SegmentHeader,
        time: u64,
        segment_bytes: u64,
    ) -> Arc<Self> {
        progress.set_segment(header.segment);
        let overlaps = !CAN_WAIT && storage.keeps_order();
        Arc::new(Self {
            storage,
            overlaps,
            progress,
            tail: Apart::new(Mutex::new(Tail::new(header, time, segment_bytes))),
            segment_bytes,
            reserved: AtomicU64::new(0),
            counters: Apart::default(),
            worker: OnceLock::new(),
        })
    }

    /// Starts the background: it writes what nobody waits for, and syncs at intervals.
    pub(crate) fn start(self: &Arc<Self>) -> Result<()> {
        let log: Weak<Self> = Arc::downgrade(self);
        let worker = Worker::start("selkie-log", move || log.upgrade().and_then(|log| log.work()))?;
        // The log is started once, before anyone else has it.
        let _unused = self.worker.set(worker);
        Ok(())
    }

    fn work(self: &Arc<Self>) -> Option<Duration> {
        let due = self.tail.lock().sync_deadline().is_some_and(|deadline| deadline <= runtime::now());
        if due {
            self.tail.lock().request_sync();
        }
        self.lead(usize::MAX);
        self.tail.lock().sync_deadline().map(|deadline| deadline.saturating_duration_since(runtime::now()))
    }

    pub(crate) fn counters(&self) -> &LogCounters {
        &self.counters
    }

    /// Queues a commit. The caller holds the commit lock, so that commits come in the order of their versions.
    pub(crate) fn push(&self, record: Record) {
        let frame_bytes = record.frame.length();
        let has_new_deadline = {
            let mut tail = self.tail.lock();
            let deadline = tail.sync_deadline();
            tail.push(record);
            self.progress.set_queued_bytes(tail.queued_bytes);
            tail.sync_deadline().is_some_and(|new| deadline.is_none_or(|old| new < old))
        };
        self.counters.bytes.fetch_add(frame_bytes, Ordering::Relaxed);
        if has_new_deadline {
            // The background sleeps until a later deadline, or for ever, unless it hears of this one.
            self.signal();
        }
    }

    /// Writes what is queued, unless somebody else is at it.
    pub(crate) fn lead_a_while(self: &Arc<Self>) {
        self.lead(LEADER_ROUNDS);
    }

    /// Has what is queued written for somebody who is about to wait: by himself, unless he polls and must not be held
    /// up.
    pub(crate) fn attend(self: &Arc<Self>) {
        if runtime::is_waiting() {
            self.lead_a_while();
        } else {
            self.signal();
        }
    }

    /// Lets the background write what is queued.
    pub(crate) fn signal(&self) {
        if let Some(worker) = self.worker.get() {
            worker.signal();
        }
    }

    /// Syncs everything queued so far, and waits for it.
    pub(crate) async fn sync(self: &Arc<Self>, version: Version) -> Result<()> {
        self.tail.lock().request_sync();
        self.attend();
        self.progress.wait(Goal::Commit(version, crate::progress::Stage::Synced)).await
    }

    /// Asks for everything queued so far to be synced, without waiting.
    pub(crate) fn request_sync(&self) {
        self.tail.lock().request_sync();
        self.signal();
    }

    /// Begins a new segment with the next commit. The caller holds the commit lock.
    pub(crate) fn rotate(&self) -> u64 {
        self.counters.bytes.store(0, Ordering::Relaxed);
        self.tail.lock().rotate()
    }

    /// Waits until a segment that was begun has a durable header, and everything before it is durable.
    pub(crate) async fn wait_for_segment(self: &Arc<Self>, segment: u64) -> Result<()> {
        self.attend();
        self.progress.wait(Goal::Segment(segment)).await
    }

    /// Writes and syncs everything, and ends the segment with a closing frame, unless nothing was written to it.
    pub(crate) async fn close(self: &Arc<Self>) -> Result<()> {
        let segment = {
            let mut tail = self.tail.lock();
            if tail.is_empty() { tail.segment() } else { tail.rotate() }
        };
        let closed = self.wait_for_segment(segment).await;
        if let Some(worker) = self.worker.get() {
            worker.stop();
        }
        closed
    }

    /// Has what is queued written for a commit that wants it, together with what else is committed by the
    /// time the background gets its turn. Where that is enough for a write already, the write begins, and goes on beside
    /// the commits that follow.
    pub(crate) fn demand(self: &Arc<Self>) {
        if self.overlaps && self.tail.lock().is_worth_a_write() {
            self.lead(LEADER_ROUNDS);
        } else {
            self.signal();
        }
    }

    fn lead(self: &Arc<Self>, rounds: usize) {
        if !self.tail.lock().join(self.overlaps) {
            return;
        }
        let log = Arc::clone(self);
        runtime::run(async move { log.work_off(rounds).await });
    }

    async fn work_off(self: Arc<Self>, rounds: usize) {
        for _ in 0..rounds {
            let Some(work) = self.take() else { return };
            let done = match work {
                Work::Write(group) => self.write(group).await,
                Work::Rotate(rotation) => self.change_segment(rotation).await,
            };
            if let Err(error) = done {
                self.progress.poison(error);
            }
        }
        let more = {
            let mut tail = self.tail.lock();
            tail.leaders -= 1;
            !tail.queue.is_empty()
        };
        if more {
            self.signal();
        }
    }

    /// The next piece of work; none, and the leader steps down, when there is none or after an error.
    fn take(&self) -> Option<Work> {
        let mut tail = self.tail.lock();
        if self.progress.poisoned().is_some() {
            tail.queue.clear();
        }
        tail.next()
    }

    async fn write(&self, group: Group) -> Result<()> {
        let together = group.is_written_and_synced_at_once(self.progress.published());
        let Group { file, segment, offset, bytes, last, visible_when_written, sync, frames: _ } = group;
        let length = bytes.len() as u64;
        if length > 0 {
            if !self.overlaps {
                self.reserve(&file, offset + length).await?;
            }
            let flush = if together { Flush::Yes } else { Flush::No };
            self.storage.write(&file, offset, Bytes::from(bytes), flush).await?;
            // What follows a write that failed is not in the log, whatever the storage says of it.
            self.progress.check_poison()?;
            self.counters.writes.fetch_add(1, Ordering::Relaxed);
            self.progress.set_written(last);
            self.progress.publish(visible_when_written);
            if sync && !together {
                self.progress.notify();
                self.storage.sync(&file).await?;
            }
        } else if sync {
            self.storage.sync(&file).await?;
        }
        if sync {
            self.counters.syncs.fetch_add(1, Ordering::Relaxed);
            self.progress.set_synced(last);
            self.progress.publish(last);
        }
        self.finish_group(segment, offset + length, length, sync);
        Ok(())
    }

    fn finish_group(&self, segment: u64, end: u64, length: u64, synced: bool) {
        {
            let mut tail = self.tail.lock();
            tail.queued_bytes -= length;
            self.progress.set_queued_bytes(tail.queued_bytes);
            if synced {
                tail.set_synced(segment, end);
            }
        }
        self.progress.notify();
    }

    async fn reserve(&self, file: &str, end: u64) -> Result<()> {
        if end <= self.reserved.load(Ordering::Relaxed) {
            return Ok(());
        }
        let step = end.clamp(*RESERVE_STEP.start(), *RESERVE_STEP.end());
        let target = (end + step).min(self.segment_bytes).max(end);
        self.storage.reserve(file, target).await?;
        self.reserved.store(target, Ordering::Relaxed);
        Ok(())
    }

    async fn change_segment(&self, rotation: Rotation) -> Result<()> {
        let Rotation { old_file, old_end, closing, last, new_file, header } = rotation;
        self.storage.sync(&old_file).await?;
        self.progress.set_synced(last);
        self.progress.publish(last);
        create_segment(self.storage.as_ref(), &new_file, &header).await?;
        let closing_length = closing.len() as u64;
        self.storage.write(&old_file, old_end, Bytes::copy_from_slice(&closing), Flush::No).await?;
        self.storage.truncate(&old_file, old_end + closing_length).await?;
        self.storage.sync(&old_file).await?;
        self.reserved.store(0, Ordering::Relaxed);
        self.counters.rotations.fetch_add(1, Ordering::Relaxed);
        self.progress.set_segment(header.segment);
        self.progress.notify();
        Ok(())
    }
}

/// Creates a segment with a durable header.
pub(crate) async fn create_segment(storage: &dyn Storage, file: &str, header: &SegmentHeader) -> Result<()> {
    files::create_file(storage, file, &header.encode()).await
}
