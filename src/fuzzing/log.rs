//! Segments: a scan to the end, and from each damage on to the next intact frame, as a verification does it.

use super::{codec, mend};
use crate::ErrorKind;
use crate::log::scan::{Scan, SegmentEnd};
use crate::log::segment::{SEGMENT_HEADER_BYTES, SegmentHeader};

const MEND_HEADER: u8 = 1;
const MEND_FRAMES: u8 = 2;
const MEND_SEQUENCES: u8 = 4;

/// The first byte says what is mended, and after how many frames the next segment states the end, if it does; a segment
/// follows.
pub fn log(input: &[u8]) -> usize {
    let Some((flags, bytes)) = input.split_first() else { return 0 };
    let mut data = bytes.to_vec();
    if flags & MEND_HEADER != 0 {
        mend::segment_header(&mut data, |header| header);
    }
    let ends = if flags & MEND_FRAMES != 0 { mend::frames(&mut data, flags & MEND_SEQUENCES != 0) } else { Vec::new() };
    let frames = usize::from(flags >> 4);
    let stated_end = frames.checked_sub(1).and_then(|last| ends.get(last)).map(|end| *end as u64);
    if let Ok(header) = SegmentHeader::decode("log", &data) {
        scan(&header, &data, stated_end);
    }
    input.len()
}

fn scan(header: &SegmentHeader, data: &[u8], stated_end: Option<u64>) {
    let begin = || Scan::new("log", *header, data, stated_end);
    let mut next = Some(begin());
    let mut last_damage = 0;
    while let Some(part) = next.take() {
        let mut commits = Vec::new();
        let outcome = part.run(|commit| {
            let _undecodable = codec::commit(commit.payload);
            commits.push(commit.version);
            Ok(())
        });
        assert!(commits.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{commits:?} are not consecutive");
        match outcome {
            Ok(end) => check_end(&end, data, stated_end, &commits),
            Err(error) => match error.kind() {
                ErrorKind::Corrupted { offset, .. } => {
                    assert!(*offset > last_damage && *offset <= data.len() as u64, "damage at {offset}");
                    last_damage = *offset;
                    next = begin().after_damage(*offset);
                }
                kind => panic!("a scan ended with {kind:?}"),
            },
        }
    }
}

fn check_end(end: &SegmentEnd, data: &[u8], stated_end: Option<u64>, commits: &[u64]) {
    assert!(end.offset >= SEGMENT_HEADER_BYTES as u64 && end.offset + end.torn_bytes <= data.len() as u64, "{end:?}");
    assert!(commits.last().is_none_or(|last| end.next_sequence == last + 1), "{end:?} after {commits:?}");
    assert!(stated_end.is_none_or(|stated| stated == end.offset), "{end:?} where {stated_end:?} is stated");
}
