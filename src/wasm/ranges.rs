//! Ranges: entries in portions, each packed into one buffer.

use std::ops::{Bound, ControlFlow};

use super::memory::{self, Output};
use crate::Result;
use crate::index::{Blob, Direction, Record};
use crate::range::Merge;
use crate::source::Source;

/// A portion ends when it has so many bytes, so that a long range never stands in memory twice.
const PORTION_BYTES: usize = 256 << 10;

const REVERSE: u32 = 1;
const WITHOUT_VALUES: u32 = 2;

/// More entries follow; all bytes are ASCII.
const MORE: u32 = 1;
const ASCII: u32 = 2;

pub(super) type Bounds = (Bound<Blob>, Bound<Blob>);

/// The bounds that stand one after the other in the input. A kind is 0 for none, 1 for included, 2 for excluded.
pub(super) fn bounds(input: &[u8], low: (u32, u32), high: (u32, u32)) -> Bounds {
    let bound = |(kind, length): (u32, u32), start: usize| {
        let key = || Blob::new(&input[start..start + length as usize]);
        match kind {
            0 => Bound::Unbounded,
            1 => Bound::Included(key()),
            _ => Bound::Excluded(key()),
        }
    };
    let low_length = if low.0 == 0 { 0 } else { low.1 as usize };
    (bound(low, 0), bound(high, low_length))
}

/// Packs the first entries of a range after `offset`, up to `limit`. Answers with `MORE` and `ASCII`.
pub(super) fn pack(
    source: Result<Source<'_>>,
    (low, high): Bounds,
    flags: u32,
    offset: u32,
    limit: u32,
) -> Result<u32> {
    let mut merge = Merge::new(source, low, high);
    pass_over(&mut merge, flags, offset)?;
    let (packed, ascii) = memory::with_output(|output| fill(&mut merge, output, flags, limit));
    let more = packed?;
    Ok(if more { MORE } else { 0 } | if ascii { ASCII } else { 0 })
}

fn pass_over(merge: &mut Merge<'_>, flags: u32, offset: u32) -> Result<()> {
    if flags & REVERSE == 0 {
        return merge.skip(offset as usize).map(drop);
    }
    for _ in 0..offset {
        merge.next_back(|_| ()).transpose()?;
    }
    Ok(())
}

/// Whether entries follow after those that were packed.
fn fill(merge: &mut Merge<'_>, output: &mut Output, flags: u32, limit: u32) -> Result<bool> {
    let mut left = limit;
    let mut push = |record: &Record| {
        output.push(record.key());
        if flags & WITHOUT_VALUES == 0 {
            output.push(record.bytes());
        }
        left -= 1;
        if left == 0 || output.bytes.len() >= PORTION_BYTES {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let direction = if flags & REVERSE == 0 { Direction::Forward } else { Direction::Backward };
    let mut full = false;
    merge.scan(direction, |record| {
        let flow = push(record);
        full = flow.is_break();
        flow
    })?;
    Ok(full)
}

/// Counts the entries of a range, up to `limit`.
pub(super) fn count(source: Result<Source<'_>>, (low, high): Bounds, limit: f64) -> Result<f64> {
    let limit = if limit < 0.0 { usize::MAX } else { limit as usize };
    Merge::new(source, low, high).skip(limit).map(|count| count as f64)
}
