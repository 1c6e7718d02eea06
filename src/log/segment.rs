//! Segments: the files of the log, and what they begin with.
//!
//! A segment is named by its number. Its header, 72 bytes with little-endian numbers, ties it to its database and
//! to the segment before it:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `selkieLG` |
//! | 8 | 4 | format, 1 |
//! | 12 | 4 | zero |
//! | 16 | 8 | database: the random number that all files of a database carry |
//! | 24 | 8 | segment: the number in the file's name |
//! | 32 | 8 | epoch of the writer |
//! | 40 | 8 | salt of the frames' checksums |
//! | 48 | 8 | sequence of the first frame |
//! | 56 | 8 | offset where the commits of the segment before end, 0 in the first; what lies beyond does not count |
//! | 64 | 4 | zero |
//! | 68 | 4 | CRC-32 of the 68 bytes before |
//!
//! A segment is created, with a synced header and a synced directory, only after the one before is synced. So every
//! segment but the last is known to be whole up to the offset that its successor states.

use super::frame::{u32_at, u64_at};
use crate::checksum;
use crate::{Corruption, Error, ErrorKind, Result, Version};

pub(crate) const SEGMENT_HEADER_BYTES: usize = 72;

const MAGIC: &[u8; 8] = b"selkieLG";
const FORMAT: u32 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) database: u64,
    pub(crate) segment: u64,
    pub(crate) epoch: u64,
    pub(crate) salt: u64,
    pub(crate) first_sequence: Version,
    pub(crate) previous_end: u64,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[0..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.database.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.segment.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.salt.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.first_sequence.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.previous_end.to_le_bytes());
        let checksum = checksum::hash(&bytes[..68]);
        bytes[68..72].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The header at the beginning of the file.
    ///
    /// # Errors
    ///
    /// Says whether the header is damaged or of a later format.
    pub(crate) fn decode(file: &str, bytes: &[u8]) -> Result<Self> {
        let Some(bytes) = bytes.first_chunk::<SEGMENT_HEADER_BYTES>() else {
            return Err(Error::corrupted(file, bytes.len() as u64, Corruption::Truncated));
        };
        let intact = u32_at(bytes, 68) == checksum::hash(&bytes[..68]);
        if &bytes[..8] != MAGIC || !intact {
            return Err(Error::corrupted(file, 0, Corruption::Header));
        }
        match u32_at(bytes, 8) {
            FORMAT => Ok(Self::fields(bytes)),
            format => Err(Error::new(ErrorKind::UnsupportedFormat { file: file.to_owned(), format })),
        }
    }

    /// The fields as they stand there, intact or not.
    pub(crate) fn fields(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> Self {
        Self {
            database: u64_at(bytes, 16),
            segment: u64_at(bytes, 24),
            epoch: u64_at(bytes, 32),
            salt: u64_at(bytes, 40),
            first_sequence: u64_at(bytes, 48),
            previous_end: u64_at(bytes, 56),
        }
    }
}

/// The name of the file of a segment.
pub(crate) fn segment_name(segment: u64) -> String {
    format!("{segment:016x}.log")
}

/// The number of a segment, from the name of its file. The greatest of all has no successor and is none.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    let number = u64::from_str_radix(name.strip_suffix(".log")?, 16).ok()?;
    (segment_name(number) == name && number < u64::MAX).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn names_and_numbers_agree() {
        assert_eq!(segment_name(255), "00000000000000ff.log");
        assert_eq!(segment_number("00000000000000ff.log"), Some(255));
        assert_eq!(segment_number("ff.log"), None);
        assert_eq!(segment_number("00000000000000FF.log"), None);
        assert_eq!(segment_number("+0000000000000ff.log"), None);
        assert_eq!(segment_number("00000000000000ff.snapshot"), None);
        assert_eq!(segment_number("ffffffffffffffff.log"), None);
    }

    #[test]
    fn a_header_of_a_later_format_is_told_from_damage() {
        let header = SegmentHeader { database: 1, segment: 2, epoch: 3, salt: 4, first_sequence: 5, previous_end: 6 };
        let mut bytes = header.encode();
        assert_eq!(SegmentHeader::decode("log", &bytes).unwrap(), header);
        bytes[8] = 9;
        assert!(matches!(SegmentHeader::decode("log", &bytes).unwrap_err().kind(), ErrorKind::Corrupted { .. }));
        let checksum = checksum::hash(&bytes[..68]);
        bytes[68..72].copy_from_slice(&checksum.to_le_bytes());
        assert!(matches!(
            SegmentHeader::decode("log", &bytes).unwrap_err().kind(),
            ErrorKind::UnsupportedFormat { format: 9, .. }
        ));
    }
}
