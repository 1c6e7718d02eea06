//! Taking the sections of a snapshot off the bytes that were read, in whatever pieces these come.

use super::CHUNK_BYTES;
use super::section::{FILE_HEAD_BYTES, HeadFault, Kind, SECTION_HEAD_BYTES, SectionHead, check_file_head};
use crate::checksum::Hasher;
use crate::{Corruption, Error, ErrorKind, Result};

/// The sections of a snapshot, one after the other.
pub(super) struct Sections<'a> {
    pub(super) file: &'a str,
    /// What was read. Everything before `taken` was taken, and what comes next lies at `offset` in the snapshot.
    read: Vec<u8>,
    taken: usize,
    pub(super) offset: u64,
    ended: bool,
    pub(super) number: u32,
    /// The head of the section whose payload comes next, and where that section begins.
    begun: Option<(SectionHead, u64)>,
    /// Over the payload checksums of the sections so far.
    checksum: Hasher,
}

/// A section that is intact, and where it begins.
pub(super) struct Section {
    pub(super) kind: Kind,
    offset: u64,
    pub(super) payload: Vec<u8>,
    /// Over the payload checksums of the sections before it.
    pub(super) checksum: u32,
}

/// What the bytes that were read came to.
pub(super) enum Next {
    Section(Section),
    /// More has to be read.
    More,
    End,
}

impl Section {
    pub(super) fn fault(&self, file: &str, kind: Corruption) -> Error {
        Error::corrupted(file, self.offset, kind)
    }
}

impl<'a> Sections<'a> {
    pub(super) fn new(file: &'a str) -> Self {
        Self {
            file,
            read: Vec::new(),
            taken: 0,
            offset: 0,
            ended: false,
            number: 0,
            begun: None,
            checksum: Hasher::new(),
        }
    }

    /// Adds what was read next. A piece that is shorter than what was asked for is the last.
    pub(super) fn feed(&mut self, data: &[u8]) {
        self.ended = data.len() < CHUNK_BYTES;
        self.read.drain(..self.taken);
        self.taken = 0;
        self.read.extend_from_slice(data);
    }

    /// The next section.
    pub(super) fn next(&mut self) -> Result<Next> {
        if self.offset == 0 && !self.take_file_head()? {
            return Ok(Next::More);
        }
        if let Some((head, offset)) = self.begun.take() {
            return self.payload(head, offset);
        }
        let (file, offset, number) = (self.file, self.offset, self.number);
        let Some(head) = self.take(SECTION_HEAD_BYTES) else { return Ok(Next::More) };
        if head.is_empty() {
            return Ok(Next::End);
        }
        if head.len() < SECTION_HEAD_BYTES {
            return Err(self.fault(Corruption::Truncated));
        }
        let head = SectionHead::parse(head).filter(|head| head.number == number);
        let head = head.ok_or_else(|| Error::corrupted(file, offset, Corruption::Block))?;
        self.number = number.wrapping_add(1);
        self.payload(head, offset)
    }

    /// Whether nothing follows; none as long as more has to be read.
    pub(super) fn are_at_end(&self) -> Option<bool> {
        if self.taken < self.read.len() { Some(false) } else { self.ended.then_some(true) }
    }

    fn take_file_head(&mut self) -> Result<bool> {
        let file = self.file;
        let Some(head) = self.take(FILE_HEAD_BYTES) else { return Ok(false) };
        if head.len() < FILE_HEAD_BYTES {
            return Err(self.fault(Corruption::Truncated));
        }
        check_file_head(head).map_err(|fault| match fault {
            HeadFault::Damaged => Error::corrupted(file, 0, Corruption::Header),
            HeadFault::UnknownFormat(format) => Error::new(ErrorKind::UnsupportedFormat { file: file.into(), format }),
        })?;
        Ok(true)
    }

    fn payload(&mut self, head: SectionHead, offset: u64) -> Result<Next> {
        let (file, length) = (self.file, head.stored_length as usize);
        let Some(stored) = self.take(length) else {
            self.begun = Some((head, offset));
            return Ok(Next::More);
        };
        if stored.len() < length {
            return Err(self.fault(Corruption::Truncated));
        }
        let damage = if head.kind == Kind::Footer { Corruption::Footer } else { Corruption::Block };
        let payload = head.open(stored).ok_or_else(|| Error::corrupted(file, offset, damage))?;
        let checksum = self.checksum.clone().finalize();
        self.checksum.update(&head.checksum.to_le_bytes());
        Ok(Next::Section(Section { kind: head.kind, offset, payload, checksum }))
    }

    /// The next `length` bytes; fewer only at the end, and none as long as more has to be read. What is held grows with
    /// what is there, not with `length`.
    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let there = self.read.len() - self.taken;
        if there < length && !self.ended {
            return None;
        }
        let start = self.taken;
        self.taken += length.min(there);
        self.offset += (self.taken - start) as u64;
        Some(&self.read[start..self.taken])
    }

    /// Damage at the place that was reached.
    pub(super) fn fault(&self, kind: Corruption) -> Error {
        Error::corrupted(self.file, self.offset, kind)
    }
}
