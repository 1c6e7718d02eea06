//! The end of the log: what is queued to be written, and where the next frame goes.

use std::collections::VecDeque;
use std::sync::Arc;

use super::frame::{Frame, HEADER_BYTES, Stamp, closing};
use super::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, segment_name};
use crate::Version;
use crate::options::Durability;
use crate::progress::Stage;
use crate::runtime::{self, Instant, random};

/// A commit on its way into the log.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) frame: Frame,
    pub(crate) version: Version,
    pub(crate) time: u64,
    pub(crate) durability: Durability,
    /// The stage at which readers may see it.
    pub(crate) visible: Stage,
}

/// One piece of work for the storage. Pieces are begun one after the other.
#[derive(Debug)]
pub(crate) enum Work {
    Write(Group),
    Rotate(Rotation),
}

/// How many writes may be under way at the same time.
const LEADERS: usize = 2;

/// So many frames are worth a write.
const WRITE_FRAMES: usize = 16;

/// Frames that are written together, and synced together when any of them asks for it.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) file: Arc<str>,
    pub(crate) segment: u64,
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) frames: usize,
    pub(crate) last: Version,
    /// Commits up to this one may be seen once they are written; the others wait for the sync.
    pub(crate) visible_when_written: Version,
    pub(crate) sync: bool,
}

impl Group {
    /// A write of its own is worth it only where somebody can see more before the sync.
    pub(super) fn is_written_and_synced_at_once(&self, published: Version) -> bool {
        let shows_more = self.visible_when_written > published;
        self.sync && (self.visible_when_written < self.last || !shows_more)
    }
}

/// The change to a new segment.
#[derive(Debug)]
pub(crate) struct Rotation {
    pub(crate) old_file: Arc<str>,
    pub(crate) old_end: u64,
    pub(crate) closing: [u8; HEADER_BYTES],
    pub(crate) last: Version,
    pub(crate) new_file: Arc<str>,
    pub(crate) header: SegmentHeader,
}

/// What was written since the last sync was asked for.
#[derive(Debug, Default)]
struct Unsynced {
    commits: u32,
    bytes: u64,
    deadline: Option<Instant>,
}

#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) queue: VecDeque<Work>,
    pub(crate) queued_bytes: u64,
    /// How many are at work on the queue.
    pub(crate) leaders: usize,
    /// Whether what the only leader does must be done before anything else begins.
    alone: bool,
    file: Arc<str>,
    header: SegmentHeader,
    offset: u64,
    synced_to: u64,
    next_sequence: Version,
    time: u64,
    segment_bytes: u64,
    unsynced: Unsynced,
}

impl Tail {
    /// Goes on in a segment that has a header and no frames.
    pub(crate) fn new(header: SegmentHeader, time: u64, segment_bytes: u64) -> Self {
        Self {
            queue: VecDeque::new(),
            queued_bytes: 0,
            leaders: 0,
            alone: false,
            file: segment_name(header.segment).into(),
            header,
            offset: SEGMENT_HEADER_BYTES as u64,
            synced_to: SEGMENT_HEADER_BYTES as u64,
            next_sequence: header.first_sequence,
            time,
            segment_bytes,
            unsynced: Unsynced::default(),
        }
    }

    /// Lets somebody begin to work on the queue, if there is something that he may do.
    pub(crate) fn join(&mut self, overlaps: bool) -> bool {
        let beside_others = overlaps && !self.alone && self.leaders < LEADERS && self.begins_with_write();
        let may_join = if self.leaders == 0 { !self.queue.is_empty() } else { beside_others };
        self.leaders += usize::from(may_join);
        may_join
    }

    /// The next piece of work for one of the leaders; none, and he steps down, when there is none that he may do.
    pub(crate) fn next(&mut self) -> Option<Work> {
        let is_write = self.begins_with_write();
        let work = if is_write || self.leaders == 1 { self.queue.pop_front() } else { None };
        self.alone = work.is_some() && !is_write;
        self.leaders -= usize::from(work.is_none());
        work
    }

    /// Whether the next piece is a write that need not be the only one under way.
    fn begins_with_write(&self) -> bool {
        matches!(self.queue.front(), Some(Work::Write(group)) if !group.sync)
    }

    /// Whether as much is queued as is worth a write of its own.
    pub(crate) fn is_worth_a_write(&self) -> bool {
        self.leaders == 0
            && matches!(self.queue.back(), Some(Work::Write(group)) if !group.sync && group.frames >= WRITE_FRAMES)
    }

    pub(crate) fn segment(&self) -> u64 {
        self.header.segment
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.offset == SEGMENT_HEADER_BYTES as u64
    }

    /// When the background has to sync what was written so far.
    pub(crate) fn sync_deadline(&self) -> Option<Instant> {
        self.unsynced.deadline
    }

    /// Queues a commit's frame.
    pub(crate) fn push(&mut self, record: Record) {
        let bytes = record.frame.length();
        if !self.is_empty() && self.offset + bytes > self.segment_bytes {
            self.rotate();
        }
        let stamp =
            Stamp { sequence: record.version, time: record.time, synced_to: self.synced_to, epoch: self.header.epoch };
        debug_assert_eq!(stamp.sequence, self.next_sequence, "sequences are consecutive");
        let sync = self.wants_sync(record.durability, bytes);
        let salt = self.header.salt;
        let group = self.open_group();
        record.frame.append(stamp, salt, &mut group.bytes);
        group.frames += 1;
        group.last = record.version;
        group.sync |= sync || record.visible == Stage::Synced;
        let held_back = group.visible_when_written + 1 != record.version || record.visible == Stage::Synced;
        if !held_back {
            group.visible_when_written = record.version;
        }
        self.offset += bytes;
        self.queued_bytes += bytes;
        self.next_sequence += 1;
        self.time = record.time;
    }

    /// Asks for everything queued so far to be synced.
    pub(crate) fn request_sync(&mut self) {
        self.unsynced = Unsynced::default();
        self.open_group().sync = true;
    }

    /// Ends the segment: what is queued next goes into a new one. Returns the new segment.
    pub(crate) fn rotate(&mut self) -> u64 {
        let stamp =
            Stamp { sequence: self.next_sequence, time: self.time, synced_to: self.offset, epoch: self.header.epoch };
        let header = SegmentHeader {
            segment: self.header.segment + 1,
            salt: random(),
            first_sequence: self.next_sequence,
            previous_end: self.offset,
            ..self.header
        };
        let new_file: Arc<str> = segment_name(header.segment).into();
        self.queue.push_back(Work::Rotate(Rotation {
            old_file: std::mem::replace(&mut self.file, Arc::clone(&new_file)),
            old_end: self.offset,
            closing: closing(stamp, self.header.salt),
            last: self.next_sequence - 1,
            new_file,
            header,
        }));
        self.header = header;
        self.offset = SEGMENT_HEADER_BYTES as u64;
        self.synced_to = self.offset;
        self.unsynced = Unsynced::default();
        header.segment
    }

    /// Notes how far a segment is durable, for the frames that come after.
    pub(crate) fn set_synced(&mut self, segment: u64, offset: u64) {
        if segment == self.header.segment {
            self.synced_to = self.synced_to.max(offset);
        }
    }

    /// The group at the end of the queue, in the current segment.
    fn open_group(&mut self) -> &mut Group {
        if !matches!(self.queue.back(), Some(Work::Write(_))) {
            self.queue.push_back(Work::Write(Group {
                file: Arc::clone(&self.file),
                segment: self.header.segment,
                offset: self.offset,
                bytes: Vec::new(),
                frames: 0,
                last: self.next_sequence - 1,
                visible_when_written: self.next_sequence - 1,
                sync: false,
            }));
        }
        match self.queue.back_mut() {
            Some(Work::Write(group)) => group,
            _ => unreachable!("a group was pushed"),
        }
    }

    /// Counts a frame as unsynced and tells whether that is one too many.
    fn wants_sync(&mut self, durability: Durability, frame_bytes: u64) -> bool {
        self.unsynced.commits = self.unsynced.commits.saturating_add(1);
        self.unsynced.bytes += frame_bytes;
        let sync = match durability {
            Durability::Immediate => true,
            Durability::Interval { time, commits, bytes } => {
                let now = runtime::now();
                // An interval that ends beyond all time has no deadline.
                let deadline = self.unsynced.deadline.into_iter().chain(now.checked_add(time)).min();
                self.unsynced.deadline = deadline;
                let is_due = deadline.is_some_and(|deadline| deadline <= now);
                is_due || self.unsynced.commits >= commits || self.unsynced.bytes >= bytes
            }
            _ => false,
        };
        if sync {
            self.unsynced = Unsynced::default();
        }
        sync
    }
}
