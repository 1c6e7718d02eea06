//! The file head and the sections of a snapshot as bytes.

use lz4_flex::block::{compress_into, decompress_into, get_maximum_output_size};

use crate::Compression;
use crate::checksum;
use crate::codec::PAYLOAD_LIMIT;

pub(super) const FILE_HEAD_BYTES: usize = 16;
pub(super) const SECTION_HEAD_BYTES: usize = 24;

const MAGIC: &[u8; 8] = b"selkieSN";
const FORMAT: u32 = 1;

/// LZ4 makes at most 255 bytes of one; so a block of a claimed length must itself have some length.
const EXPANSION_LIMIT: u64 = 255;
const EXPANSION_SLACK_BYTES: u64 = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Header = 1,
    Block = 2,
    Footer = 3,
}

/// What stands before the payload of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SectionHead {
    pub(super) kind: Kind,
    pub(super) number: u32,
    pub(super) raw_length: u32,
    pub(super) stored_length: u32,
    pub(super) checksum: u32,
}

/// Why a file head was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeadFault {
    Damaged,
    UnknownFormat(u32),
}

pub(super) fn file_head() -> [u8; FILE_HEAD_BYTES] {
    let mut head = [0; FILE_HEAD_BYTES];
    head[..8].copy_from_slice(MAGIC);
    head[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    let checksum = checksum::hash(&head[..12]);
    head[12..].copy_from_slice(&checksum.to_le_bytes());
    head
}

pub(super) fn check_file_head(head: &[u8]) -> Result<(), HeadFault> {
    let intact = head.len() == FILE_HEAD_BYTES && head.starts_with(MAGIC);
    if !intact || word(head, 12) != checksum::hash(&head[..12]) {
        return Err(HeadFault::Damaged);
    }
    match word(head, 8) {
        FORMAT => Ok(()),
        format => Err(HeadFault::UnknownFormat(format)),
    }
}

impl SectionHead {
    fn encode(&self) -> [u8; SECTION_HEAD_BYTES] {
        let mut head = [0; SECTION_HEAD_BYTES];
        let words = [self.kind as u32, self.number, self.raw_length, self.stored_length, self.checksum];
        for (bytes, word) in head.chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        let checksum = checksum::hash(&head[..20]);
        head[20..].copy_from_slice(&checksum.to_le_bytes());
        head
    }

    /// None when the head is damaged, or its lengths cannot be true.
    pub(super) fn parse(head: &[u8]) -> Option<Self> {
        if head.len() != SECTION_HEAD_BYTES || word(head, 20) != checksum::hash(&head[..20]) {
            return None;
        }
        let kind = match word(head, 0) {
            1 => Kind::Header,
            2 => Kind::Block,
            3 => Kind::Footer,
            _ => return None,
        };
        let [number, raw_length, stored_length, checksum] = [4, 8, 12, 16].map(|offset| word(head, offset));
        let head = Self { kind, number, raw_length, stored_length, checksum };
        head.is_plausible().then_some(head)
    }

    fn is_plausible(&self) -> bool {
        let (raw, stored) = (u64::from(self.raw_length), u64::from(self.stored_length));
        raw <= PAYLOAD_LIMIT as u64 && stored <= raw && raw <= stored * EXPANSION_LIMIT + EXPANSION_SLACK_BYTES
    }

    /// The payload out of the stored one. None when it is damaged.
    pub(super) fn open(&self, stored: &[u8]) -> Option<Vec<u8>> {
        if stored.len() != self.stored_length as usize || checksum::hash(stored) != self.checksum {
            return None;
        }
        if self.stored_length == self.raw_length {
            return Some(stored.to_vec());
        }
        let mut raw = vec![0; self.raw_length as usize];
        let length = decompress_into(stored, &mut raw).ok()?;
        (length == raw.len()).then_some(raw)
    }
}

/// Appends a section to `buffer`. Returns the checksum of its stored payload.
pub(super) fn seal(kind: Kind, number: u32, raw: &[u8], compression: Compression, buffer: &mut Vec<u8>) -> u32 {
    let start = buffer.len();
    let payload = start + SECTION_HEAD_BYTES;
    buffer.resize(payload, 0);
    match compression {
        Compression::None => buffer.extend_from_slice(raw),
        Compression::Lz4 => append_compressed(raw, buffer),
    }
    let stored = &buffer[payload..];
    let (raw_length, stored_length) = (raw.len() as u32, stored.len() as u32);
    let checksum = checksum::hash(stored);
    let head = SectionHead { kind, number, raw_length, stored_length, checksum };
    buffer[start..payload].copy_from_slice(&head.encode());
    checksum
}

/// Appends `raw` compressed, or as it is when that is not longer.
fn append_compressed(raw: &[u8], buffer: &mut Vec<u8>) {
    let start = buffer.len();
    buffer.resize(start + get_maximum_output_size(raw.len()), 0);
    let length = compress_into(raw, &mut buffer[start..]).ok().filter(|length| *length < raw.len());
    buffer.truncate(start + length.unwrap_or(0));
    if length.is_none() {
        buffer.extend_from_slice(raw);
    }
}

fn word(bytes: &[u8], offset: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[offset..offset + 4]);
    u32::from_le_bytes(word)
}
