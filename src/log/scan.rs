//! Reading a segment: which frames count, and whether what follows them is a torn tail or damage.
//!
//! The frames of a segment that has a successor must be intact up to the offset that the successor states. In the
//! last segment the first frame that is not intact ends the log. It is a torn tail, left by a crash, unless a later
//! intact frame says that the bad one had been synced: then it was durable once, and the file is damaged.

use super::frame::{ALIGNMENT, FrameHeader, FrameKind, HEADER_BYTES};
use super::segment::{SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::{Corruption, Error, Result, Version};

/// Zeros are passed over by so many at a time.
const ZERO_BLOCK: usize = 256;

/// Where the frames of a segment end, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentEnd {
    /// The offset after the last commit.
    pub(crate) offset: u64,
    /// The sequence of the commit that would come next.
    pub(crate) next_sequence: Version,
    /// How far the last commit says that the file was synced before it.
    pub(crate) synced_to: u64,
    /// Whether a closing frame follows, which says that the next segment exists.
    pub(crate) closed: bool,
    /// How many bytes of a torn tail follow; zeros of preallocated space do not count.
    pub(crate) torn_bytes: u64,
}

/// Bytes of a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window<'a> {
    pub(crate) data: &'a [u8],
    /// Where they begin in the file.
    pub(crate) start: usize,
    /// Whether they are all up to its end, of one moment.
    pub(crate) goes_to_end: bool,
}

/// How far a scan has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reached {
    pub(crate) offset: usize,
    next_sequence: Version,
    /// What a frame before says was synced.
    synced_to: u64,
}

/// Reads the frames of one segment.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    file: &'a str,
    header: SegmentHeader,
    window: Window<'a>,
    /// Where the frames end, when the next segment states it.
    stated_end: Option<u64>,
    reached: Reached,
}

/// A commit as it stands in the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoggedCommit<'a> {
    pub(crate) version: Version,
    pub(crate) time: u64,
    pub(crate) payload: &'a [u8],
    /// Where its payload begins in the file.
    pub(crate) offset: u64,
}

/// What a scan comes to next.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    Commit(LoggedCommit<'a>),
    End(SegmentEnd),
}

impl<'a> Scan<'a> {
    /// Begins after the header. `data` is the whole file.
    pub(crate) fn new(file: &'a str, header: SegmentHeader, data: &'a [u8], stated_end: Option<u64>) -> Self {
        let window = Window { data, start: 0, goes_to_end: true };
        Self::resume(file, header, Reached::first(header), window, stated_end)
    }

    /// Goes on where a scan of the same segment stood, in bytes that begin no later than there.
    pub(crate) fn resume(
        file: &'a str,
        header: SegmentHeader,
        reached: Reached,
        window: Window<'a>,
        stated_end: Option<u64>,
    ) -> Self {
        Self { file, header, window, stated_end, reached }
    }

    /// Goes on behind damage, at the next intact frame. None when there is no other.
    pub(crate) fn after_damage(mut self, damage: u64) -> Option<Self> {
        let end = self.stated_end.map_or(self.window.end(), |end| self.window.end().min(end as usize));
        let mut offset = damage as usize + ALIGNMENT;
        while offset < end {
            if let Some((header, _)) = self.frame_at(offset) {
                self.reached.offset = offset;
                self.reached.next_sequence = header.sequence;
                return Some(self);
            }
            offset += ALIGNMENT;
        }
        None
    }

    /// Calls `visit` with each commit in order and says where they end.
    ///
    /// # Errors
    ///
    /// Damage, and what `visit` returns.
    pub(crate) fn run(mut self, mut visit: impl FnMut(LoggedCommit<'a>) -> Result<()>) -> Result<SegmentEnd> {
        loop {
            match self.step()? {
                Step::Commit(commit) => visit(commit)?,
                Step::End(end) => return Ok(end),
            }
        }
    }

    /// The next commit, or where they end. The window must go on to the end of the file.
    ///
    /// # Errors
    ///
    /// Damage.
    pub(crate) fn step(&mut self) -> Result<Step<'a>> {
        match self.step_within()? {
            Some(step) => Ok(step),
            None => unreachable!("the window goes on to the end of the file"),
        }
    }

    /// The next commit, or where they end; none when the window ends too early to say.
    ///
    /// # Errors
    ///
    /// Damage.
    pub(crate) fn step_within(&mut self) -> Result<Option<Step<'a>>> {
        let Reached { offset, next_sequence, .. } = self.reached;
        if self.stated_end == Some(offset as u64) {
            return Ok(Some(Step::End(self.end(false, 0))));
        }
        let Some((header, payload)) = self.frame_at(offset) else {
            let end = self.window.goes_to_end.then(|| self.end_at_bad_frame());
            return Ok(end.transpose()?.map(Step::End));
        };
        let is_next = header.sequence == next_sequence && header.sequence < Version::MAX;
        if !is_next || header.epoch != self.header.epoch {
            return Err(self.corrupted(Corruption::Sequence));
        }
        if header.kind == FrameKind::Closing {
            return self.end_at_closing_frame().map(|end| Some(Step::End(end)));
        }
        self.reached = Reached {
            offset: offset + header.frame_bytes(),
            next_sequence: next_sequence + 1,
            synced_to: header.synced_to,
        };
        let offset = (offset + HEADER_BYTES) as u64;
        Ok(Some(Step::Commit(LoggedCommit { version: header.sequence, time: header.time, payload, offset })))
    }

    fn frame_at(&self, offset: usize) -> Option<(FrameHeader, &'a [u8])> {
        let bytes = self.window.bytes_from(offset)?;
        let header = FrameHeader::decode(bytes, self.header.salt)?;
        header.payload(bytes).map(|payload| (header, payload))
    }

    fn end_at_closing_frame(&self) -> Result<SegmentEnd> {
        match self.stated_end {
            // The stated end lies before the closing frame, so a frame was reached that should not be there.
            Some(_) => Err(self.corrupted(Corruption::Sequence)),
            None => Ok(self.end(true, 0)),
        }
    }

    fn end_at_bad_frame(&self) -> Result<SegmentEnd> {
        let length = self.window.end() as u64;
        if self.stated_end.is_some_and(|end| end > length) {
            return Err(Error::corrupted(self.file, length, Corruption::Truncated));
        }
        let offset = self.reached.offset;
        let torn = written(self.window.bytes_from(offset).unwrap_or_default()).len();
        if self.stated_end.is_some() || self.was_durable(offset + torn) {
            return Err(self.corrupted(Corruption::Frame));
        }
        Ok(self.end(false, torn as u64))
    }

    /// Whether an intact header from here on, which begins before `end`, says that the bytes here had been synced.
    fn was_durable(&self, end: usize) -> bool {
        let offsets = (self.reached.offset..end).step_by(ALIGNMENT);
        let header_at = |offset| FrameHeader::decode(self.window.bytes_from(offset)?, self.header.salt);
        let mut headers = offsets.filter_map(header_at);
        headers.any(|header| header.synced_to > self.reached.offset as u64)
    }

    pub(crate) fn reached(&self) -> Reached {
        self.reached
    }

    /// How many bytes there must be from here on to say what comes next, as far as those that are there tell; none when
    /// no more of the frame would help.
    pub(crate) fn wants(&self) -> Option<usize> {
        let bytes = self.window.bytes_from(self.reached.offset).unwrap_or_default();
        let wanted = match FrameHeader::decode(bytes, self.header.salt) {
            Some(header) => header.frame_bytes(),
            None => HEADER_BYTES,
        };
        (wanted > bytes.len()).then_some(wanted)
    }

    /// Where the scan stands, for one that goes no further.
    pub(crate) fn here(&self) -> SegmentEnd {
        self.end(false, 0)
    }

    fn end(&self, closed: bool, torn_bytes: u64) -> SegmentEnd {
        let Reached { offset, next_sequence, synced_to } = self.reached;
        SegmentEnd { offset: offset as u64, next_sequence, synced_to, closed, torn_bytes }
    }

    fn corrupted(&self, kind: Corruption) -> Error {
        Error::corrupted(self.file, self.reached.offset as u64, kind)
    }
}

impl Reached {
    /// After the header.
    pub(crate) fn first(header: SegmentHeader) -> Self {
        Self { offset: SEGMENT_HEADER_BYTES, next_sequence: header.first_sequence, synced_to: 0 }
    }
}

impl<'a> Window<'a> {
    fn end(&self) -> usize {
        self.start + self.data.len()
    }

    /// What there is from an offset in the file on.
    fn bytes_from(&self, offset: usize) -> Option<&'a [u8]> {
        self.data.get(offset.checked_sub(self.start)?..)
    }
}

/// What stands before the zeros at the end. There may be millions of them, prepared and never written.
pub(crate) fn written(bytes: &[u8]) -> &[u8] {
    let is_zero = |block: &&[u8]| block.iter().fold(0, |bits, byte| bits | byte) == 0;
    let zeros: usize = bytes.rchunks(ZERO_BLOCK).take_while(is_zero).map(<[u8]>::len).sum();
    let bytes = &bytes[..bytes.len() - zeros];
    &bytes[..bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)]
}

#[cfg(test)]
mod tests {
    use super::super::frame::tests::framed;
    use super::super::frame::{Stamp, closing};
    use super::*;
    use crate::ErrorKind;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const HEADER: SegmentHeader =
        SegmentHeader { database: 1, segment: 1, epoch: 1, salt: 77, first_sequence: 10, previous_end: 0 };

    /// A segment of commits 10, 11, 12, of which those before `synced` were synced when the last was written.
    fn segment(synced: bool, close: bool) -> (Vec<u8>, Vec<usize>) {
        let mut data = HEADER.encode().to_vec();
        let mut offsets = Vec::new();
        for sequence in 10..13 {
            offsets.push(data.len());
            let synced_to = if synced { data.len() as u64 } else { SEGMENT_HEADER_BYTES as u64 };
            let stamp = Stamp { sequence, time: 0, synced_to, epoch: 1 };
            framed(&[sequence as u8; 20]).append(stamp, HEADER.salt, &mut data);
        }
        offsets.push(data.len());
        if close {
            let stamp = Stamp { sequence: 13, time: 0, synced_to: data.len() as u64, epoch: 1 };
            data.extend_from_slice(&closing(stamp, HEADER.salt));
        }
        (data, offsets)
    }

    fn scan(data: &[u8], stated_end: Option<u64>) -> Result<(Vec<Version>, SegmentEnd)> {
        run(Scan::new("log", HEADER, data, stated_end), data, Vec::new())
    }

    /// Adds the versions of the commits that follow.
    fn run(scan: Scan<'_>, data: &[u8], mut versions: Vec<Version>) -> Result<(Vec<Version>, SegmentEnd)> {
        let end = scan.run(|commit| {
            check(&commit, data);
            versions.push(commit.version);
            Ok(())
        })?;
        Ok((versions, end))
    }

    fn check(commit: &LoggedCommit<'_>, data: &[u8]) {
        assert_eq!(commit.payload, [commit.version as u8; 20]);
        assert!(data[commit.offset as usize..].starts_with(commit.payload));
    }

    #[test]
    fn zeros_after_the_last_frame_are_no_torn_tail() {
        let (mut data, offsets) = segment(true, false);
        data.resize(data.len() + 4096, 0);
        let (versions, end) = scan(&data, None).unwrap();
        assert_eq!(versions, [10, 11, 12]);
        let expected = SegmentEnd {
            offset: offsets[3] as u64,
            next_sequence: 13,
            synced_to: offsets[2] as u64,
            closed: false,
            torn_bytes: 0,
        };
        assert_eq!(end, expected);
    }

    #[test]
    fn zeros_at_the_end_are_not_written() {
        for length in [0, 1, ZERO_BLOCK - 1, ZERO_BLOCK, ZERO_BLOCK + 1, 5 * ZERO_BLOCK] {
            let bytes = [[0, 7].repeat(length / 2 + 1), vec![0; length]].concat();
            assert_eq!(written(&bytes).len(), bytes.len() - length);
            assert!(written(&[0; 5 * ZERO_BLOCK][..length]).is_empty());
        }
    }

    #[test]
    fn a_bad_frame_is_torn_or_damaged_by_the_evidence_of_later_frames() {
        let (mut data, offsets) = segment(false, false);
        data[offsets[1] + 50] ^= 1;
        let (versions, end) = scan(&data, None).unwrap();
        assert_eq!(versions, [10]);
        assert!((1..=(offsets[3] - offsets[1]) as u64).contains(&end.torn_bytes));

        let (mut data, offsets) = segment(true, false);
        data[offsets[1]] ^= 1;
        let error = scan(&data, None).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Corrupted { offset, kind: Corruption::Frame, .. } if *offset == offsets[1] as u64)
        );
    }

    #[test]
    fn nothing_passes_for_a_torn_tail_before_a_closing_frame() {
        let (data, offsets) = segment(false, true);
        assert!(scan(&data, None).unwrap().1.closed);
        for offset in offsets[0]..offsets[3] {
            let mut damaged = data.clone();
            damaged[offset] ^= 0x10;
            assert!(scan(&damaged, None).is_err(), "offset {offset}");
        }
    }

    #[test]
    fn a_commit_that_is_missing_or_repeated_between_intact_ones_is_damage() {
        let (data, offsets) = segment(false, false);
        let frame = |place: usize| &data[offsets[place]..offsets[place + 1]];
        for places in [[0, 2], [0, 0]] {
            let [first, second] = places.map(frame);
            let damaged = [&data[..offsets[0]], first, second].concat();
            let error = scan(&damaged, None).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Corrupted { kind: Corruption::Sequence, .. }), "{error}");
        }
    }

    #[test]
    fn a_stated_end_must_be_reached_exactly() {
        let (data, offsets) = segment(false, false);
        assert_eq!(scan(&data, Some(offsets[2] as u64)).unwrap().0, [10, 11]);
        assert!(scan(&data, Some(offsets[2] as u64 + 8)).is_err());
        assert!(matches!(
            scan(&data[..offsets[2]], Some(offsets[3] as u64)).unwrap_err().kind(),
            ErrorKind::Corrupted { kind: Corruption::Truncated, .. }
        ));
        let mut damaged = data.clone();
        damaged[offsets[2]] ^= 1;
        assert!(matches!(
            scan(&damaged, Some(offsets[3] as u64)).unwrap_err().kind(),
            ErrorKind::Corrupted { kind: Corruption::Frame, offset, .. } if *offset == offsets[2] as u64
        ));
    }

    /// Scans as far as a first window goes, and from there on to the end.
    fn scan_in_two(data: &[u8], stated_end: Option<u64>, cut: usize) -> Result<(Vec<Version>, SegmentEnd)> {
        let mut versions = Vec::new();
        let start = SEGMENT_HEADER_BYTES;
        let first = Window { data: &data[start..cut], start, goes_to_end: false };
        let mut scan = Scan::resume("log", HEADER, Reached::first(HEADER), first, stated_end);
        while let Some(step) = scan.step_within()? {
            match step {
                Step::Commit(commit) => {
                    check(&commit, data);
                    versions.push(commit.version);
                }
                Step::End(end) => return Ok((versions, end)),
            }
        }
        let start = scan.reached().offset;
        let rest = Window { data: &data[start..], start, goes_to_end: true };
        run(Scan::resume("log", HEADER, scan.reached(), rest, stated_end), data, versions)
    }

    #[test]
    fn two_windows_show_what_the_whole_file_shows() {
        for (synced, close) in [(false, false), (true, false), (true, true)] {
            let (mut data, offsets) = segment(synced, close);
            data.resize(data.len() + 64, 0);
            let stated_ends = [None, Some(offsets[2] as u64), Some(offsets[3] as u64), Some(data.len() as u64 + 8)];
            for flipped in (SEGMENT_HEADER_BYTES..data.len()).step_by(if cfg!(miri) { 97 } else { 5 }) {
                data[flipped] ^= 4;
                for stated_end in stated_ends {
                    let whole = scan(&data, stated_end).map_err(|error| error.to_string());
                    for cut in (SEGMENT_HEADER_BYTES..data.len()).step_by(if cfg!(miri) { 41 } else { 3 }) {
                        let in_two = scan_in_two(&data, stated_end, cut).map_err(|error| error.to_string());
                        assert_eq!(in_two, whole, "cut at {cut}, byte {flipped} flipped, end {stated_end:?}");
                    }
                }
                data[flipped] ^= 4;
            }
        }
    }

    #[test]
    fn a_scan_says_how_much_it_wants() {
        let (data, offsets) = segment(true, false);
        let frame = offsets[1] - offsets[0];
        let wants = |length: usize| {
            let window = Window { data: &data[offsets[0]..offsets[0] + length], start: offsets[0], goes_to_end: false };
            Scan::resume("log", HEADER, Reached::first(HEADER), window, None).wants()
        };
        assert_eq!([0, HEADER_BYTES - 1].map(wants), [Some(HEADER_BYTES); 2]);
        assert_eq!([HEADER_BYTES, frame - 1].map(wants), [Some(frame); 2]);
        assert_eq!(wants(frame), None);
        let zeros = Window { data: &[0; 2 * HEADER_BYTES], start: offsets[0], goes_to_end: false };
        assert_eq!(Scan::resume("log", HEADER, Reached::first(HEADER), zeros, None).wants(), None);
    }

    #[test]
    fn no_commit_has_the_greatest_version() {
        let header = SegmentHeader { first_sequence: Version::MAX, ..HEADER };
        let mut data = header.encode().to_vec();
        let stamp = Stamp { sequence: Version::MAX, time: 0, synced_to: data.len() as u64, epoch: 1 };
        framed(&[0]).append(stamp, header.salt, &mut data);
        let error = Scan::new("log", header, &data, None).run(|_| Ok(())).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Corrupted { kind: Corruption::Sequence, .. }), "{error}");
    }
}
