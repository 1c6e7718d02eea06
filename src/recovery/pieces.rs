//! A segment that is read piece by piece.
//!
//! A storage that answers later reads the next piece while the one before is replayed, and there is no more of a file in
//! memory than two pieces or one frame. What is no intact frame is judged by what follows it, up to the end of the file.
//! Beside a writer that must be of one moment: it is read once more, by one call.

use bytes::Bytes;

use crate::Result;
use crate::log::scan::Window;
use crate::log::segment::SEGMENT_HEADER_BYTES;
use crate::storage::{Completion, Storage};

use super::segments::Segment;

/// So much is read at a time. Tests have short segments.
const PIECE: usize = if cfg!(test) {
    200
} else if cfg!(feature = "testing") {
    1_000
} else {
    1 << 20
};

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
    /// Begins after the header.
    pub(super) fn new(storage: &'a dyn Storage, segment: &'a Segment) -> Self {
        let data = Vec::new();
        let mut pieces = Self { storage, segment, data, start: SEGMENT_HEADER_BYTES, next: None };
        pieces.next = Some(pieces.read(PIECE));
        pieces
    }

    /// The bytes from an offset on, at least so many of them if the file has them. If it does not, or nobody knows how
    /// many would be enough, they are all that there are.
    pub(super) async fn window(&mut self, offset: usize, wants: Option<usize>) -> Result<Window<'_>> {
        self.data.copy_within(offset - self.start.., 0);
        self.data.truncate(self.data.len() + self.start - offset);
        self.start = offset;
        let next = self.next.take();
        let wants = wants.filter(|wants| offset as u64 + *wants as u64 <= self.segment.length);
        let length = wants.unwrap_or(usize::MAX);
        let piece = if length <= self.data.len() + PIECE {
            next.unwrap_or_else(|| self.read(PIECE))
        } else {
            self.data = Vec::new();
            self.read(length)
        };
        let piece = piece.await?;
        // A file that is shorter than it was ends here.
        let goes_to_end = wants.is_none() || piece.is_empty();
        if self.data.is_empty() {
            self.data = piece.into();
        } else {
            self.data.extend_from_slice(&piece);
        }
        self.next = (!goes_to_end).then(|| self.read(PIECE));
        Ok(Window { data: &self.data, start: offset, goes_to_end })
    }

    /// Reads what comes next, as far as the file was listed.
    fn read(&self, length: usize) -> Completion<Bytes> {
        let offset = (self.start + self.data.len()) as u64;
        let left = self.segment.length.saturating_sub(offset);
        if left == 0 {
            return Completion::ready(Ok(Bytes::new()));
        }
        self.storage.read(&self.segment.name, offset, left.min(length as u64) as usize)
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

    /// A segment of these bytes after its header, that was listed with so many.
    fn stored(bytes: &[u8], listed: usize) -> (MemoryStorage, Segment) {
        let storage = MemoryStorage::new();
        let file = [&[1; SEGMENT_HEADER_BYTES], bytes].concat();
        block_on(storage.create("file")).unwrap();
        block_on(storage.write("file", 0, file.into(), Flush::No)).unwrap();
        let length = (SEGMENT_HEADER_BYTES + listed) as u64;
        (storage, Segment { name: "file".to_owned(), length, header: HEADER })
    }

    /// What a reader sees who goes on by so many bytes at a time, and his longest window before the last.
    fn read(bytes: &[u8], listed: usize, step: usize) -> (Vec<u8>, usize) {
        let (storage, segment) = stored(bytes, listed);
        let mut pieces = Pieces::new(&storage, &segment);
        let (mut seen, mut longest) = (Vec::new(), 0);
        loop {
            let offset = SEGMENT_HEADER_BYTES + seen.len();
            let window = block_on(pieces.window(offset, Some(step))).unwrap();
            assert_eq!(window.start, offset);
            if window.goes_to_end {
                seen.extend_from_slice(window.data);
                return (seen, longest);
            }
            longest = longest.max(window.data.len());
            seen.extend_from_slice(&window.data[..window.data.len() / step * step]);
        }
    }

    #[test]
    fn all_of_a_file_is_seen_once_whatever_is_left_of_a_piece() {
        let bytes: Vec<u8> =
            (0..10 * PIECE as u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, bytes.len()] {
            for step in [1, 7, PIECE / 2 + 1, PIECE, PIECE + 1, 3 * PIECE] {
                let (seen, longest) = read(&bytes[..length], length, step);
                assert_eq!(seen, bytes[..length], "{length} by {step}");
                assert!(longest <= 2 * PIECE.max(step), "{longest} for {length} by {step}");
            }
        }
    }

    #[test]
    fn a_file_that_became_shorter_ends_where_it_ends() {
        for step in [10, 2 * PIECE] {
            assert_eq!(read(&[7; PIECE + 5], 3 * PIECE, step).0, [7; PIECE + 5]);
        }
    }

    #[test]
    fn what_is_no_frame_is_read_once_more_up_to_the_end() {
        let (storage, segment) = stored(&[0; 5 * PIECE], 5 * PIECE);
        let mut pieces = Pieces::new(&storage, &segment);
        assert!(!block_on(pieces.window(SEGMENT_HEADER_BYTES, Some(8))).unwrap().goes_to_end);
        block_on(storage.truncate("file", SEGMENT_HEADER_BYTES as u64)).unwrap();
        block_on(storage.write("file", SEGMENT_HEADER_BYTES as u64, vec![7; 5 * PIECE].into(), Flush::No)).unwrap();
        let window = block_on(pieces.window(SEGMENT_HEADER_BYTES + 16, None)).unwrap();
        assert!(window.goes_to_end);
        assert_eq!(window.data, [7; 5 * PIECE - 16]);
    }

    #[test]
    fn a_piece_that_cannot_be_read_is_an_error_once_it_is_needed() {
        let (storage, segment) = stored(&[0; 5 * PIECE], 5 * PIECE);
        let mut pieces = Pieces::new(&storage, &segment);
        block_on(pieces.window(SEGMENT_HEADER_BYTES, Some(8))).unwrap();
        block_on(storage.remove("file")).unwrap();
        let mut window = |offset| block_on(pieces.window(offset, Some(8))).map(|window| window.data.len());
        assert_eq!(window(SEGMENT_HEADER_BYTES + PIECE).unwrap(), PIECE);
        assert!(window(SEGMENT_HEADER_BYTES + 2 * PIECE).is_err());
    }
}
