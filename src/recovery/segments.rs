//! The segments of the log that a recovery reads, and the one that writing goes on in.

use bytes::Bytes;

use crate::files::Files;
use crate::log::create_segment;
use crate::log::frame::{FrameHeader, FrameKind, HEADER_BYTES, Stamp, closing};
use crate::log::scan::SegmentEnd;
use crate::log::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, segment_name};
use crate::runtime::random;
use crate::storage::{Flush, Storage};
use crate::{Corruption, Error, Result};

use super::Recovery;

/// A segment that is to be replayed.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) length: u64,
    pub(crate) header: SegmentHeader,
}

/// The consecutive segments from `first` on.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) segments: Vec<Segment>,
    /// The number of a last segment whose creation did not finish.
    pub(crate) unfinished: Option<u64>,
}

/// Reads the headers of all segments from `first` on and checks that they follow one another.
pub(crate) async fn read_headers(storage: &dyn Storage, database: u64, first: u64, found: &Files) -> Result<Chain> {
    let mut chain = Chain { segments: Vec::new(), unfinished: None };
    let wanted: Vec<_> = found.segments.iter().filter(|(number, _)| *number >= first).collect();
    // All are asked for at once, since each answer may take a while.
    let headers = wanted.iter().map(|(number, _)| storage.read(&segment_name(*number), 0, SEGMENT_HEADER_BYTES));
    let headers: Vec<_> = headers.collect();
    for (position, ((number, length), bytes)) in wanted.iter().zip(headers).enumerate() {
        let name = segment_name(first + position as u64);
        if *number != first + position as u64 {
            return Err(Error::corrupted(name, 0, Corruption::Missing));
        }
        let bytes = bytes.await?;
        let is_last = position + 1 == wanted.len();
        match SegmentHeader::decode(&name, &bytes) {
            Ok(header) => {
                check_header(&name, &header, database, *number, chain.segments.last())?;
                chain.segments.push(Segment { name, length: *length, header });
            }
            // Frames are written to a segment only after its header is durable, and then it is longer.
            Err(error)
                if error.is_corruption() && is_last && position > 0 && *length <= SEGMENT_HEADER_BYTES as u64 =>
            {
                chain.unfinished = Some(*number);
            }
            Err(error) => return Err(error),
        }
    }
    if chain.segments.is_empty() {
        return Err(Error::corrupted(segment_name(first), 0, Corruption::Missing));
    }
    Ok(chain)
}

/// Checks that a segment belongs to its database, its name and the segment before it.
pub(crate) fn check_header(
    name: &str,
    header: &SegmentHeader,
    database: u64,
    number: u64,
    previous: Option<&Segment>,
) -> Result<()> {
    if header.database != database || header.segment != number {
        return Err(Error::corrupted(name, 0, Corruption::Foreign));
    }
    let follows = previous.is_none_or(|previous| {
        header.first_sequence >= previous.header.first_sequence && header.epoch >= previous.header.epoch
    });
    if follows { Ok(()) } else { Err(Error::corrupted(name, 0, Corruption::Sequence)) }
}

/// Makes the log ready to be written: cuts a torn tail, and begins a segment unless the last one is unused.
pub(crate) async fn prepare_tail(
    storage: &dyn Storage,
    chain: &mut Chain,
    end: SegmentEnd,
    report: &mut Recovery,
) -> Result<SegmentHeader> {
    if let Some(number) = chain.unfinished {
        storage.remove(&segment_name(number)).await?;
        storage.sync_directory().await?;
        report.ignored_files.push(segment_name(number));
    }
    let Some(last) = chain.segments.last() else {
        return Err(Error::corrupted("log", 0, Corruption::Missing));
    };
    // What a process before could read need not be on the medium, and from here on it is taken for durable.
    storage.secure(&last.name, end.synced_to, end.offset).await?;
    // First of all, because what is to be created may need the space.
    if last.length > end.offset {
        storage.truncate(&last.name, end.offset).await?;
        storage.sync(&last.name).await?;
    }
    if end.offset == SEGMENT_HEADER_BYTES as u64 && end.torn_bytes == 0 {
        if let Some(previous) = chain.segments.iter().rev().nth(1) {
            seal(storage, previous, &last.header).await?;
        }
        return Ok(last.header);
    }
    let header = SegmentHeader {
        segment: last.header.segment + 1,
        epoch: last.header.epoch.saturating_add(1),
        salt: random(),
        first_sequence: end.next_sequence,
        previous_end: end.offset,
        ..last.header
    };
    create_segment(storage, &segment_name(header.segment), &header).await?;
    seal(storage, last, &header).await?;
    Ok(header)
}

/// Ends a segment with a closing frame, unless it has one, so that its successor can no longer be lost unnoticed.
async fn seal(storage: &dyn Storage, segment: &Segment, next: &SegmentHeader) -> Result<()> {
    let end = next.previous_end;
    let found = storage.read(&segment.name, end, HEADER_BYTES + 1).await?;
    let header = FrameHeader::decode(&found, segment.header.salt);
    if found.len() == HEADER_BYTES && header.is_some_and(|header| header.kind == FrameKind::Closing) {
        return Ok(());
    }
    let epoch = segment.header.epoch;
    let stamp = Stamp { sequence: next.first_sequence, time: 0, synced_to: end, epoch };
    let frame = closing(stamp, segment.header.salt);
    storage.truncate(&segment.name, end).await?;
    storage.write(&segment.name, end, Bytes::copy_from_slice(&frame), Flush::Yes).await
}
