//! Checksums and lengths made right, so that what they guard is decoded.

use lz4_flex::block::decompress_into;

use crate::checksum;
use crate::log::frame::{FrameHeader, FrameKind, HEADER_BYTES, u32_at, u64_at};
use crate::log::segment::{SEGMENT_HEADER_BYTES, SegmentHeader};

const FILE_HEAD_BYTES: usize = 16;
const SECTION_HEAD_BYTES: usize = 24;
/// A section is not mended to hold more.
const SECTION_LIMIT: usize = 1 << 14;

/// Puts the checksum of what comes before at a place.
fn set_checksum(bytes: &mut [u8], place: usize) {
    let checksum = checksum::hash(&bytes[..place]);
    set(bytes, place, checksum);
}

fn set(bytes: &mut [u8], place: usize, word: u32) {
    bytes[place..place + 4].copy_from_slice(&word.to_le_bytes());
}

/// The header of a segment.
pub(super) fn segment_header(bytes: &mut [u8], change: impl FnOnce(SegmentHeader) -> SegmentHeader) {
    if let Some(header) = bytes.first_chunk_mut::<SEGMENT_HEADER_BYTES>() {
        *header = change(SegmentHeader::fields(header)).encode();
    }
}

/// The frames of a segment. Returns where each ends.
pub(super) fn frames(bytes: &mut [u8], in_sequence: bool) -> Vec<usize> {
    let Some(header) = bytes.first_chunk().map(SegmentHeader::fields) else { return Vec::new() };
    let (mut ends, mut offset, mut sequence) = (Vec::new(), SEGMENT_HEADER_BYTES, header.first_sequence);
    while let Some(there) = bytes.get_mut(offset..).filter(|there| there.len() >= HEADER_BYTES) {
        offset += frame(there, &header, in_sequence.then_some(sequence));
        sequence = sequence.wrapping_add(1);
        ends.push(offset);
    }
    ends
}

/// Makes the bytes begin with an intact frame, and says how long it is.
fn frame(bytes: &mut [u8], segment: &SegmentHeader, sequence: Option<u64>) -> usize {
    let room = (bytes.len() - HEADER_BYTES) & !7;
    let length = (u32_at(bytes, 0) as usize).min(room);
    let end = HEADER_BYTES + length.next_multiple_of(8);
    let header = FrameHeader {
        kind: if u32_at(bytes, 4) == 2 { FrameKind::Closing } else { FrameKind::Commit },
        length: length as u32,
        sequence: sequence.unwrap_or(u64_at(bytes, 8)),
        time: u64_at(bytes, 16),
        synced_to: u64_at(bytes, 24),
        epoch: if sequence.is_some() { segment.epoch } else { u64_at(bytes, 32) },
        payload_checksum: checksum::hash(&bytes[HEADER_BYTES..end]),
    };
    bytes[..HEADER_BYTES].copy_from_slice(&header.encode(segment.salt));
    end
}

/// The head of a snapshot and its sections.
pub(super) fn snapshot(bytes: &mut [u8]) {
    if bytes.len() < FILE_HEAD_BYTES {
        return;
    }
    bytes[..12].copy_from_slice(b"selkieSN\x01\0\0\0");
    set_checksum(bytes, 12);
    let (mut offset, mut number) = (FILE_HEAD_BYTES, 0);
    while let Some(there) = bytes.get_mut(offset..).filter(|there| there.len() >= SECTION_HEAD_BYTES) {
        offset += section(there, number);
        number += 1;
    }
}

/// Makes the bytes begin with an intact section, and says how long it is.
fn section(bytes: &mut [u8], number: u32) -> usize {
    let stored = (u32_at(bytes, 12) as usize).min(bytes.len() - SECTION_HEAD_BYTES);
    let payload = &bytes[SECTION_HEAD_BYTES..SECTION_HEAD_BYTES + stored];
    let is_compressed = u32_at(bytes, 8) as usize != stored;
    let raw = if is_compressed { decompressed_length(payload).unwrap_or(stored) } else { stored };
    let checksum = checksum::hash(payload);
    for (place, word) in [(4, number), (8, raw as u32), (12, stored as u32), (16, checksum)] {
        set(bytes, place, word);
    }
    set_checksum(bytes, 20);
    SECTION_HEAD_BYTES + stored
}

fn decompressed_length(stored: &[u8]) -> Option<usize> {
    let mut raw = [0; SECTION_LIMIT];
    decompress_into(stored, &mut raw).ok().filter(|raw| *raw > stored.len())
}

/// How many bytes a snapshot stands for: itself, and what its compressed sections claim to hold.
pub(super) fn weight(bytes: &[u8]) -> usize {
    let (mut weight, mut offset) = (bytes.len(), FILE_HEAD_BYTES);
    while let Some(head) = bytes.get(offset..).and_then(|there| there.get(..SECTION_HEAD_BYTES)) {
        let (raw, stored) = (u32_at(head, 8) as usize, u32_at(head, 12) as usize);
        // What opens a section refuses a greater claim beforehand, and a section that is not there in full.
        if raw <= 255 * stored + 64 && stored <= bytes.len() - offset - SECTION_HEAD_BYTES {
            weight += raw;
        }
        offset = offset.saturating_add(SECTION_HEAD_BYTES + stored);
    }
    weight
}
