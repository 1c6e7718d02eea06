//! A segment that is read piece by piece: while one is replayed the next is on its way, and there is never more of the
//! file in memory than those two and a frame that is longer.

use bytes::Bytes;

use crate::Result;
use crate::log::scan::Window;
use crate::storage::{Completion, Storage};

use super::segments::Segment;

/// So much is read at a time, or as much as is waiting for its end.
const PIECE: usize = if cfg!(any(test, feature = "testing")) { 1 << 12 } else { 1 << 20 };

/// A window that goes through a file.
pub(super) struct Pieces<'a> {
    storage: &'a dyn Storage,
    segment: &'a Segment,
    /// What was read and is still needed.
    data: Vec<u8>,
    /// Where that begins in the file.
    start: usize,
    next: Option<Completion<Bytes>>,
}

impl<'a> Pieces<'a> {
    /// Begins at an offset.
    pub(super) fn new(storage: &'a dyn Storage, segment: &'a Segment, start: usize) -> Self {
        let mut pieces = Self { storage, segment, data: Vec::new(), start, next: None };
        pieces.ask();
        pieces
    }

    fn ask(&mut self) {
        let offset = (self.start + self.data.len()) as u64;
        let left = self.segment.length.saturating_sub(offset);
        let length = left.min(PIECE.max(self.data.len()) as u64);
        self.next = (length > 0).then(|| self.storage.read(&self.segment.name, offset, length as usize));
    }

    /// The bytes from an offset on, more of them than before.
    pub(super) async fn from(&mut self, offset: usize) -> Result<Window<'_>> {
        let consumed = offset - self.start;
        self.data.copy_within(consumed.., 0);
        self.data.truncate(self.data.len() - consumed);
        self.start = offset;
        if let Some(next) = self.next.take() {
            let piece = next.await?;
            self.data.extend_from_slice(&piece);
            // A file that is shorter than it was ends here.
            if !piece.is_empty() {
                self.ask();
            }
        }
        Ok(Window { data: &self.data, start: self.start, is_last: self.next.is_none() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::segment::SegmentHeader;
    use crate::runtime::block_on;
    use crate::storage::{Flush, MemoryStorage};

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const HEADER: SegmentHeader =
        SegmentHeader { database: 1, segment: 1, epoch: 1, salt: 1, first_sequence: 1, previous_end: 0 };

    /// What a reader sees who goes on by so many bytes at a time, and how often it had to ask.
    fn read(bytes: &[u8], length: usize, step: usize) -> (Vec<u8>, usize) {
        let storage = MemoryStorage::new();
        block_on(storage.create("file")).unwrap();
        block_on(storage.write("file", 0, Bytes::copy_from_slice(bytes), Flush::No)).unwrap();
        let segment = Segment { name: "file".to_owned(), length: length as u64, header: HEADER };
        let mut pieces = Pieces::new(&storage, &segment, 0);
        let (mut seen, mut windows) = (Vec::new(), 0);
        loop {
            let window = block_on(pieces.from(seen.len())).unwrap();
            assert_eq!(window.start, seen.len());
            windows += 1;
            let whole_steps = window.data.len() / step * step;
            seen.extend_from_slice(if window.is_last { window.data } else { &window.data[..whole_steps] });
            if window.is_last {
                return (seen, windows);
            }
        }
    }

    #[test]
    fn all_of_a_file_is_seen_once_whatever_is_left_of_a_piece() {
        let bytes: Vec<u8> =
            (0..10 * PIECE as u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, bytes.len()] {
            for step in [1, 7, PIECE / 2 + 1, PIECE + 1, 3 * PIECE] {
                assert_eq!(read(&bytes[..length], length, step).0, bytes[..length], "{length} by {step}");
            }
        }
    }

    #[test]
    fn what_is_longer_than_a_piece_is_asked_for_in_longer_ones() {
        let (_, windows) = read(&[7; 100 * PIECE], 100 * PIECE, 100 * PIECE);
        assert!(windows < 12, "{windows}");
    }

    #[test]
    fn a_file_that_became_shorter_ends_where_it_ends() {
        assert_eq!(read(&[7; PIECE + 5], 3 * PIECE, 10).0, [7; PIECE + 5]);
    }
}
