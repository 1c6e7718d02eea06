//! Verifying the segments of the log.

use crate::files::{Files, read_file};
use crate::log::scan::{Scan, SegmentEnd};
use crate::log::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, segment_name};
use crate::recovery::segments::{Segment, check_header};
use crate::storage::Storage;
use crate::{Corruption, Error, ErrorKind, Result};

use super::{Verification, is_damage};

/// Verifies all segments; those from `base` on must follow one another without a gap.
pub(super) async fn verify(
    storage: &dyn Storage,
    database: Option<u64>,
    base: u64,
    found: &Files,
    verification: &mut Verification,
) -> Result<()> {
    find_gaps(base, found, verification);
    let segments = read_headers(storage, database, found, verification).await?;
    let mut expected = None;
    for (position, segment) in segments.iter().enumerate() {
        let number = segment.header.segment;
        let next = segments.get(position + 1).filter(|next| next.header.segment == number + 1);
        if expected.is_some_and(|expected| expected != (number, segment.header.first_sequence)) && number > base {
            verification.add_damage(Error::corrupted(&segment.name, 0, Corruption::Sequence));
        }
        let stated_end = next.map(|next| next.header.previous_end);
        let end = verify_frames(storage, segment, stated_end, verification).await?;
        let is_lost =
            end.is_some_and(|end| end.closed) && !found.segments.iter().any(|(other, _)| *other == number + 1);
        if is_lost && number >= base {
            verification.add_damage(Error::corrupted(segment_name(number + 1), 0, Corruption::Missing));
        }
        expected = next.and(end).map(|end| (number + 1, end.next_sequence));
    }
    Ok(())
}

/// Notes the first segment that is missing in each gap from `base` on.
fn find_gaps(base: u64, found: &Files, verification: &mut Verification) {
    let mut expected = base;
    for (number, _) in found.segments.iter().filter(|(number, _)| *number >= base) {
        if *number != expected {
            verification.add_damage(Error::corrupted(segment_name(expected), 0, Corruption::Missing));
        }
        expected = number.saturating_add(1);
    }
    if expected == base {
        verification.add_damage(Error::corrupted(segment_name(base), 0, Corruption::Missing));
    }
}

/// The segments whose headers are valid.
async fn read_headers(
    storage: &dyn Storage,
    database: Option<u64>,
    found: &Files,
    verification: &mut Verification,
) -> Result<Vec<Segment>> {
    let mut segments: Vec<Segment> = Vec::new();
    for (position, (number, length)) in found.segments.iter().enumerate() {
        let name = segment_name(*number);
        let bytes = storage.read(&name, 0, SEGMENT_HEADER_BYTES).await?;
        let is_last = position + 1 == found.segments.len();
        match SegmentHeader::decode(&name, &bytes) {
            Ok(header) => {
                let previous = segments.last().filter(|previous| previous.header.segment + 1 == *number);
                let checked = check_header(&name, &header, database.unwrap_or(header.database), *number, previous);
                if verification.collect(checked)?.is_some() {
                    segments.push(Segment { name, length: *length, header });
                }
            }
            Err(error)
                if error.is_corruption() && is_last && position > 0 && *length <= SEGMENT_HEADER_BYTES as u64 =>
            {
                verification.file(&name).unfinished = true;
            }
            Err(error) => verification.collect(Err(error))?.unwrap_or_default(),
        }
    }
    Ok(segments)
}

/// Notes all damage among the frames of a segment. Says how it ends when there is none.
async fn verify_frames(
    storage: &dyn Storage,
    segment: &Segment,
    stated_end: Option<u64>,
    verification: &mut Verification,
) -> Result<Option<SegmentEnd>> {
    let data = read_file(storage, &segment.name, segment.length).await?;
    let scan = || Scan::new(&segment.name, segment.header, &data, stated_end);
    let mut commits = 0;
    let mut next = Some(scan());
    let mut last = None;
    let mut is_damaged = false;
    while let Some(part) = next.take() {
        let outcome = part.run(|_| {
            commits += 1;
            Ok(())
        });
        match outcome {
            Ok(end) => last = Some(end),
            Err(error) if is_damage(&error) => {
                if let ErrorKind::Corrupted { offset, .. } = error.kind() {
                    next = scan().after_damage(*offset);
                }
                is_damaged = true;
                verification.add_damage(error);
            }
            Err(error) => return Err(error),
        }
    }
    let report = verification.file(&segment.name);
    report.records = commits;
    report.torn_bytes = last.map_or(0, |end| end.torn_bytes);
    Ok(last.filter(|_| !is_damaged))
}
