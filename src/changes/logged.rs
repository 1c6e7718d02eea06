//! Changes from the log, read segment by segment.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::{Keyspaces, names};
use crate::codec::{self, Operation, Undecodable};
use crate::files::{Files, read_file};
use crate::handle::Handle;
use crate::log::frame::{FrameHeader, FrameKind};
use crate::log::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, segment_name};
use crate::numbered::Numbered;
use crate::progress::{Goal, Stage};
use crate::runtime::from_ns;
use crate::sorting;
use crate::storage::Storage;
use crate::watch::{Change, Changes};
use crate::{Corruption, Error, ErrorKind, Result, Version};

/// A position in the log.
pub(super) struct Logged {
    handle: Arc<Handle>,
    keyspaces: Numbered<Arc<str>>,
    /// The segments that are still to be read, oldest first.
    segments: VecDeque<Segment>,
    current: Option<Contents>,
    /// The last commit that was read or passed.
    seen: Version,
    until: Version,
    needed: NeededGuard,
}

struct Segment {
    header: SegmentHeader,
    length: u64,
}

/// A segment in memory.
struct Contents {
    name: String,
    header: SegmentHeader,
    data: Bytes,
    offset: usize,
}

/// Keeps snapshots from removing segments.
struct NeededGuard {
    handle: Arc<Handle>,
    first: u64,
}

impl NeededGuard {
    fn new(handle: &Arc<Handle>, first: u64) -> Self {
        handle.snapshots.needed.add(first);
        Self { handle: Arc::clone(handle), first }
    }
}

impl Drop for NeededGuard {
    fn drop(&mut self) {
        self.handle.snapshots.needed.remove(self.first);
    }
}

impl Logged {
    /// Begins after `since`, when the log reaches back to it.
    pub(super) async fn open(
        handle: &Arc<Handle>,
        keyspaces: &Keyspaces,
        since: Version,
        until: Version,
    ) -> Result<Option<Self>> {
        let Some(storage) = &handle.storage else { return Ok(None) };
        // Until it is known which segments are needed, all are.
        let needs_all = NeededGuard::new(handle, 0);
        if let Some(log) = &handle.log {
            log.attend();
            handle.progress.wait(Goal::Commit(until, Stage::Written)).await?;
        }
        let segments = find_segments(storage.as_ref(), handle.database, since).await?;
        let Some(first) = segments.front().map(|first| first.header.segment) else { return Ok(None) };
        let needed = NeededGuard::new(handle, first);
        drop(needs_all);
        let handle = Arc::clone(handle);
        let keyspaces = names(keyspaces);
        Ok(Some(Self { handle, keyspaces, segments, current: None, seen: since, until, needed }))
    }

    pub(super) async fn next(&mut self) -> Result<Option<Changes>> {
        while self.seen < self.until {
            self.settle().await?;
            let Some(contents) = &mut self.current else { return Err(self.missing()) };
            let Some((header, payload, offset)) = contents.take(self.seen)? else { continue };
            self.seen = header.sequence;
            let changes = decode(payload, &self.keyspaces)
                .map_err(|_| Error::corrupted(&contents.name, offset as u64, Corruption::Payload))?;
            if !changes.is_empty() {
                return Ok(Some(Changes { version: header.sequence, time: from_ns(header.time), changes }));
            }
        }
        Ok(None)
    }

    /// Goes on to the segment that holds the next commit.
    async fn settle(&mut self) -> Result<()> {
        while self.segments.front().is_some_and(|next| next.header.first_sequence <= self.seen + 1) {
            let Some(segment) = self.segments.pop_front() else { break };
            self.current = Some(self.load(&segment).await?);
            self.needed = NeededGuard::new(&self.handle, segment.header.segment);
        }
        Ok(())
    }

    async fn load(&self, segment: &Segment) -> Result<Contents> {
        let Some(storage) = &self.handle.storage else { return Err(self.missing()) };
        let name = segment_name(segment.header.segment);
        let read = read_file(storage.as_ref(), &name, segment.length).await;
        let data = read.map_err(|error| if error.is_io(io::ErrorKind::NotFound) { self.missing() } else { error })?;
        Ok(Contents { name, header: segment.header, data, offset: SEGMENT_HEADER_BYTES })
    }

    fn missing(&self) -> Error {
        Error::new(ErrorKind::HistoryCollected { requested: self.seen })
    }
}

impl Contents {
    /// The next commit after `seen`; none when the one at this offset was seen.
    fn take(&mut self, seen: Version) -> Result<Option<(FrameHeader, &[u8], usize)>> {
        let offset = self.offset;
        let damaged = || Error::corrupted(&self.name, offset as u64, Corruption::Frame);
        let bytes = self.data.get(offset..).unwrap_or_default();
        let header = FrameHeader::decode(bytes, self.header.salt).ok_or_else(damaged)?;
        if header.kind != FrameKind::Commit || header.epoch != self.header.epoch || header.sequence > seen + 1 {
            return Err(Error::corrupted(&self.name, offset as u64, Corruption::Sequence));
        }
        self.offset += header.frame_bytes();
        if header.sequence <= seen {
            return Ok(None);
        }
        let payload = header.payload(bytes).ok_or_else(damaged)?;
        Ok(Some((header, payload, offset)))
    }
}

/// The segments from the one that holds the commit after `since` on; none when the log does not reach back to it.
///
/// A list that is made while the log goes on may have a later segment and not the one before it, and an old one may be
/// removed as soon as it is listed. So only the newest number and the lengths are taken from the list.
async fn find_segments(storage: &dyn Storage, database: u64, since: Version) -> Result<VecDeque<Segment>> {
    let listed = Files::list(storage).await?.segments;
    let newest = listed.last().map_or(0, |(newest, _)| *newest);
    let mut segments: VecDeque<Segment> = VecDeque::new();
    for number in (0..=newest).rev() {
        let name = segment_name(number);
        let bytes = match storage.read(&name, 0, SEGMENT_HEADER_BYTES).await {
            Err(error) if error.is_io(io::ErrorKind::NotFound) => break,
            read => read?,
        };
        let header = match SegmentHeader::decode(&name, &bytes) {
            // The newest segment may be one that is being created: what is wanted was written before.
            Err(error) if error.is_corruption() && segments.is_empty() => continue,
            header => header?,
        };
        if header.database != database {
            return Err(Error::corrupted(name, 0, Corruption::Foreign));
        }
        let length = match listed.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(place) => listed[place].1,
            Err(_) => segments.front().map_or(0, |next| next.header.previous_end),
        };
        segments.push_front(Segment { header, length });
        if header.first_sequence <= since + 1 {
            return Ok(segments);
        }
    }
    Ok(VecDeque::new())
}

fn decode(mut payload: &[u8], keyspaces: &Numbered<Arc<str>>) -> Result<Vec<Change>, Undecodable> {
    let operations: u64 = codec::decode(&mut payload)?;
    let mut changes = Vec::new();
    for _ in 0..operations {
        let (keyspace, key, value) = match codec::decode(&mut payload)? {
            Operation::Set { keyspace, key, value } => (keyspace, key, Some(Bytes::copy_from_slice(value))),
            Operation::Remove { keyspace, key } => (keyspace, key, None),
            _ => continue,
        };
        if let Some(name) = keyspaces.get(u64::from(keyspace)) {
            let change = Change { keyspace: Arc::clone(name), key: Bytes::copy_from_slice(key), value };
            changes.push((keyspace, change));
        }
    }
    // It is stable, and within a keyspace keys are in order already.
    sorting::sort_by(&mut changes, |a, b| a.0.cmp(&b.0));
    Ok(changes.into_iter().map(|(_, change)| change).collect())
}
