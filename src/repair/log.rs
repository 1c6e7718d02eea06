//! What of the log follows a version without a gap, and what does not.
//!
//! The sequences decide. A file that is missing or damaged ends the kept commits only if the next intact header says
//! that commits were in it; a damaged frame always does. What comes after is read on to the end, to tell what is lost.
//!
//! A damaged header does not cost its segment while the first frame is intact under the salt that stands in it: that frame
//! says the rest.

use crate::files::{Files, read_file};
use crate::log::frame::{FrameHeader, HEADER_BYTES};
use crate::log::scan::{Scan, SegmentEnd, Step, written};
use crate::log::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, segment_name};
use crate::recovery::segments::Segment;
use crate::storage::Storage;
use crate::{Corruption, Error, ErrorKind, Result, Version};

use super::account::{Account, Damaged};
use super::report::Loss;

/// A file of the log, and its header where that is intact.
#[derive(Debug)]
pub(super) struct LogFile {
    pub(super) number: u64,
    length: u64,
    pub(super) header: Result<SegmentHeader, Corruption>,
    /// Whether the header is damaged and only the salt in it was confirmed, by the first frame.
    pub(super) is_inferred: bool,
}

/// Where the commits of the log are to follow.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) segment: u64,
    pub(super) version: Version,
    /// What may have held the commits before those of the log.
    pub(super) damaged: Vec<Damaged>,
}

/// What a walk through the log found.
#[derive(Debug)]
pub(super) struct Walked {
    /// The last commit that follows without a gap.
    pub(super) version: Version,
    /// The segments with these commits, each with the offset where it ends, when its successor states it.
    pub(super) parts: Vec<(Segment, Option<u64>)>,
    pub(super) losses: Vec<Loss>,
}

/// Reads the headers of all segments.
pub(super) async fn read_headers(storage: &dyn Storage, found: &Files) -> Result<Vec<LogFile>> {
    let mut files = Vec::new();
    for &(number, length) in &found.segments {
        let name = segment_name(number);
        let bytes = storage.read(&name, 0, SEGMENT_HEADER_BYTES).await?;
        let header = match SegmentHeader::decode(&name, &bytes) {
            Ok(header) if header.segment == number => Ok(header),
            Ok(_) => Err(Corruption::Foreign),
            Err(error) => Err(corruption_of(error)?),
        };
        let mut file = LogFile { number, length, header, is_inferred: false };
        if file.header.is_err_and(|kind| kind == Corruption::Header)
            && let Some(bytes) = bytes.first_chunk()
            && let Some(header) = infer(storage, &name, SegmentHeader::fields(bytes)).await?
        {
            let header = SegmentHeader { segment: number, ..header };
            file = LogFile { header: Ok(header), is_inferred: true, ..file };
        }
        files.push(file);
    }
    Ok(files)
}

/// What the first frame says of a damaged header, when the salt that stands there is the right one.
async fn infer(storage: &dyn Storage, name: &str, header: SegmentHeader) -> Result<Option<SegmentHeader>> {
    let bytes = storage.read(name, SEGMENT_HEADER_BYTES as u64, HEADER_BYTES).await?;
    let frame = FrameHeader::decode(&bytes, header.salt);
    Ok(frame.map(|frame| SegmentHeader { first_sequence: frame.sequence, epoch: frame.epoch, ..header }))
}

/// The kind of damage; every other error is passed on.
pub(super) fn corruption_of(error: Error) -> Result<Corruption> {
    match error.kind() {
        ErrorKind::Corrupted { kind, .. } => Ok(*kind),
        _ => Err(error),
    }
}

/// Walks through the log from a start on. The commit `undecodable` counts as damaged.
pub(super) async fn walk(
    storage: &dyn Storage,
    files: &[LogFile],
    start: &Start,
    undecodable: Option<Version>,
) -> Result<Walked> {
    let files = &files[files.partition_point(|file| file.number < start.segment)..];
    let account = Account::new(start.version, start.damaged.clone());
    let mut walk =
        Walk { files, account, parts: Vec::new(), undecodable, next_number: start.segment, ends_closed: false };
    for position in 0..files.len() {
        walk.file(storage, position).await?;
    }
    Ok(walk.finish())
}

struct Walk<'a> {
    files: &'a [LogFile],
    account: Account,
    parts: Vec<(Segment, Option<u64>)>,
    undecodable: Option<Version>,
    next_number: u64,
    /// Whether the file before ends with a closing frame, which says that there is a next one.
    ends_closed: bool,
}

impl Walk<'_> {
    async fn file(&mut self, storage: &dyn Storage, position: usize) -> Result<()> {
        let &LogFile { number, length, header, .. } = &self.files[position];
        if number != self.next_number {
            self.miss(self.next_number);
        }
        self.next_number = number.saturating_add(1);
        let is_expected = std::mem::take(&mut self.ends_closed);
        let name = segment_name(number);
        match header {
            Ok(header) if header.first_sequence >= self.account.expected() => {
                let data = read_file(storage, &name, length).await?;
                self.segment(Segment { name, length, header }, &data, position)?;
            }
            // Opening passes over it as well: a crash left it.
            Err(_) if !is_expected && position > 0 && self.is_unfinished(position) => {}
            header => {
                let kind = header.err().unwrap_or(Corruption::Sequence);
                self.account.damage(Damaged { file: name, offset: 0, bytes: length, kind });
            }
        }
        Ok(())
    }

    fn miss(&mut self, number: u64) {
        let (file, kind) = (segment_name(number), Corruption::Missing);
        self.account.damage(Damaged { file, offset: 0, bytes: 0, kind });
    }

    /// Whether a file is the last and no longer than a header, but has none.
    fn is_unfinished(&self, position: usize) -> bool {
        let file = &self.files[position];
        position + 1 == self.files.len() && file.header.is_err() && file.length <= SEGMENT_HEADER_BYTES as u64
    }

    fn segment(&mut self, segment: Segment, data: &[u8], position: usize) -> Result<()> {
        self.account.reach(segment.header.first_sequence, &segment.name, 0);
        let is_whole = self.account.is_whole();
        let number = segment.header.segment;
        let next = self.files.get(position + 1);
        let stated_end = next
            .filter(|next| next.number == number + 1 && !next.is_inferred)
            .and_then(|next| next.header.ok())
            .map(|next| next.previous_end);
        let has_next = next.is_some() && !self.is_unfinished(position + 1);
        self.frames(&segment, data, stated_end, has_next)?;
        if is_whole {
            self.parts.push((segment, stated_end));
        }
        Ok(())
    }

    fn frames(&mut self, segment: &Segment, data: &[u8], stated_end: Option<u64>, has_next: bool) -> Result<()> {
        let begin = || Scan::new(&segment.name, segment.header, data, stated_end);
        let mut scan = begin();
        loop {
            let offset = scan.here().offset;
            match scan.step() {
                Ok(Step::Commit(commit)) => {
                    let bytes = scan.here().offset - offset;
                    self.commit(commit.version, &segment.name, offset, bytes);
                }
                Ok(Step::End(end)) => {
                    self.end(&segment.name, end, has_next);
                    return Ok(());
                }
                Err(error) => {
                    let kind = corruption_of(error)?;
                    let resumed = self.resume(begin, offset);
                    let end = resumed.as_ref().map_or(end_of(data, stated_end), |resumed| resumed.here().offset);
                    let bytes = end.saturating_sub(offset);
                    self.account.end(Damaged { file: segment.name.clone(), offset, bytes, kind });
                    let Some(resumed) = resumed else { return Ok(()) };
                    scan = resumed;
                }
            }
        }
    }

    fn commit(&mut self, version: Version, file: &str, offset: u64, bytes: u64) {
        if self.undecodable == Some(version) {
            self.account.end(Damaged { file: file.to_owned(), offset, bytes, kind: Corruption::Payload });
        } else {
            self.account.commit(version, file, offset, bytes);
        }
    }

    /// The next intact frame behind damage that can be one of those expected.
    fn resume<'a>(&self, begin: impl Fn() -> Scan<'a>, damage: u64) -> Option<Scan<'a>> {
        let mut resumed = begin().after_damage(damage)?;
        while resumed.here().next_sequence < self.account.expected() {
            resumed = begin().after_damage(resumed.here().offset)?;
        }
        Some(resumed)
    }

    fn end(&mut self, file: &str, end: SegmentEnd, has_next: bool) {
        self.ends_closed = end.closed;
        let SegmentEnd { offset, torn_bytes: bytes, .. } = end;
        if end.closed {
            self.account.reach(end.next_sequence, file, offset);
        }
        if bytes > 0 && has_next {
            self.account.damage(Damaged { file: file.to_owned(), offset, bytes, kind: Corruption::Frame });
        } else if bytes > 0 {
            self.account.torn_tail(file, offset, bytes);
        }
    }

    fn finish(mut self) -> Walked {
        if self.ends_closed || self.files.is_empty() {
            self.miss(self.next_number);
        }
        let (version, losses) = self.account.finish();
        Walked { version, parts: self.parts, losses }
    }
}

/// Where the bytes of a segment end.
fn end_of(data: &[u8], stated_end: Option<u64>) -> u64 {
    stated_end.map_or_else(|| written(data).len() as u64, |end| end.min(data.len() as u64))
}
