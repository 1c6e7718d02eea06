//! Reading a snapshot: checking all of it, and building the indexes it holds.

use std::cmp::Ordering;
use std::sync::Arc;

use bytes::Bytes;

use super::section::{FILE_HEAD_BYTES, HeadFault, Kind, SECTION_HEAD_BYTES, SectionHead, check_file_head};
use super::{CHUNK_BYTES, Source, Summary};
use crate::checksum::Hasher;
use crate::codec::{
    BlockHeader, Decode, EntryHeader, RevisionRecord, SnapshotFooter, SnapshotHeader, Undecodable, decode,
};
use crate::index::{Blob, Builder, Entry, Index, Revision, Slot, collected_marker};
use crate::runtime::breathe;
use crate::sorting;
use crate::{Corruption, Error, ErrorKind, Result, Version};

/// A snapshot in memory.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) header: SnapshotHeader,
    /// The keyspaces of the header in its order.
    pub(crate) contents: Vec<(u32, Index)>,
    pub(crate) summary: Summary,
}

/// Reads a snapshot and builds its indexes. `file` is what errors call it.
pub(crate) async fn load<S: Source>(source: &mut S, file: &str) -> Result<Loaded> {
    let (header, visitor, summary) = read(source, file, Loader::default()).await?;
    Ok(Loaded { header, contents: visitor.contents, summary })
}

/// Reads a snapshot and finds all damage that [`load`] would find.
pub(crate) async fn verify<S: Source>(source: &mut S, file: &str) -> Result<(SnapshotHeader, Summary)> {
    let (header, (), summary) = read(source, file, ()).await?;
    Ok((header, summary))
}

/// Finds all sections that are damaged, as far as their heads lead on.
pub(crate) async fn damaged_sections<S: Source>(source: &mut S, file: &str) -> Result<Vec<Error>> {
    let mut sections = Sections::new(source, file);
    sections.file_head().await?;
    let mut damage = Vec::new();
    loop {
        let number = sections.number;
        match sections.next().await {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(damage),
            Err(error) if error.is_corruption() => {
                damage.push(error);
                if sections.number == number {
                    return Ok(damage);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// What is done with the contents of a snapshot, which are checked and come in their order.
trait Visitor {
    fn begin_key(&mut self, key: &[u8]);
    /// The next older revision of the key.
    fn revision(&mut self, record: &RevisionRecord<'_>);
    /// There were older revisions of the key.
    fn collected(&mut self);
    fn end_keyspace(&mut self, keyspace: u32);
}

impl Visitor for () {
    fn begin_key(&mut self, _: &[u8]) {}
    fn revision(&mut self, _: &RevisionRecord<'_>) {}
    fn collected(&mut self) {}
    fn end_keyspace(&mut self, _: u32) {}
}

async fn read<S: Source, V: Visitor>(source: &mut S, file: &str, visitor: V) -> Result<(SnapshotHeader, V, Summary)> {
    let mut sections = Sections::new(source, file);
    sections.file_head().await?;
    let header = header(&mut sections).await?;
    let mut checker = Checker::new(&header, visitor);
    let footer = loop {
        let checksum = sections.checksum.clone().finalize();
        let section = sections.next().await?.ok_or_else(|| sections.fault(Corruption::Footer))?;
        match section.kind {
            Kind::Block => {
                checker.block(&section.payload).map_err(|_| section.fault(file, Corruption::Payload))?;
                breathe().await;
            }
            Kind::Footer => match decode_footer(&section.payload, checker.summary, checksum) {
                Some(footer) => {
                    checker.summary.forgotten = footer.forgotten;
                    break section;
                }
                None => return Err(section.fault(file, Corruption::Footer)),
            },
            Kind::Header => return Err(section.fault(file, Corruption::Block)),
        }
    };
    if !sections.take(1).await?.is_empty() {
        return Err(footer.fault(file, Corruption::Footer));
    }
    let bytes = sections.offset;
    let (visitor, summary) = checker.finish();
    Ok((header, visitor, Summary { bytes, ..summary }))
}

async fn header<S: Source>(sections: &mut Sections<'_, S>) -> Result<SnapshotHeader> {
    let section = sections.next().await?.ok_or_else(|| sections.fault(Corruption::Truncated))?;
    if section.kind != Kind::Header {
        return Err(section.fault(sections.file, Corruption::Block));
    }
    let header = decode_whole(&section.payload).ok().filter(is_consistent);
    header.ok_or_else(|| section.fault(sections.file, Corruption::Payload))
}

fn is_consistent(header: &SnapshotHeader) -> bool {
    let (mut numbers, mut names): (Vec<u32>, Vec<&String>) =
        header.keyspaces.iter().map(|(n, name)| (*n, name)).unzip();
    numbers.iter().all(|number| *number < header.next_keyspace) && are_unique(&mut numbers) && are_unique(&mut names)
}

fn are_unique<T: Ord>(items: &mut [T]) -> bool {
    sorting::sort_by(items, Ord::cmp);
    items.windows(2).all(|pair| pair[0] != pair[1])
}

/// The footer, when it says of the snapshot what was read.
fn decode_footer(payload: &[u8], summary: Summary, checksum: u32) -> Option<SnapshotFooter> {
    let Summary { blocks, entries, revisions, .. } = summary;
    let footer: SnapshotFooter = decode_whole(payload).ok()?;
    (SnapshotFooter { blocks, entries, revisions, checksum, ..footer } == footer).then_some(footer)
}

fn decode_whole<'a, T: Decode<'a>>(mut payload: &'a [u8]) -> Result<T, Undecodable> {
    let value = decode(&mut payload)?;
    ensure(payload.is_empty())?;
    Ok(value)
}

fn ensure(condition: bool) -> Result<(), Undecodable> {
    if condition { Ok(()) } else { Err(Undecodable) }
}

/// Takes the sections of a snapshot off its source, one after the other.
struct Sections<'a, S> {
    source: &'a mut S,
    file: &'a str,
    /// What was read and not taken yet; it begins at `offset`.
    chunk: Bytes,
    offset: u64,
    ended: bool,
    number: u32,
    /// Over the payload checksums of the sections so far.
    checksum: Hasher,
}

/// A section that is intact, and where it begins.
struct Section {
    kind: Kind,
    offset: u64,
    payload: Bytes,
}

impl Section {
    fn fault(&self, file: &str, kind: Corruption) -> Error {
        Error::corrupted(file, self.offset, kind)
    }
}

impl<'a, S: Source> Sections<'a, S> {
    fn new(source: &'a mut S, file: &'a str) -> Self {
        Self { source, file, chunk: Bytes::new(), offset: 0, ended: false, number: 0, checksum: Hasher::new() }
    }

    async fn file_head(&mut self) -> Result<()> {
        let head = self.take(FILE_HEAD_BYTES).await?;
        if head.len() < FILE_HEAD_BYTES {
            return Err(self.fault(Corruption::Truncated));
        }
        check_file_head(&head).map_err(|fault| match fault {
            HeadFault::Damaged => Error::corrupted(self.file, 0, Corruption::Header),
            HeadFault::UnknownFormat(format) => {
                Error::new(ErrorKind::UnsupportedFormat { file: self.file.into(), format })
            }
        })
    }

    /// The next section. None at the end of the source.
    async fn next(&mut self) -> Result<Option<Section>> {
        let offset = self.offset;
        let head = self.take(SECTION_HEAD_BYTES).await?;
        if head.is_empty() {
            return Ok(None);
        }
        if head.len() < SECTION_HEAD_BYTES {
            return Err(self.fault(Corruption::Truncated));
        }
        let head = SectionHead::parse(&head).filter(|head| head.number == self.number);
        let head = head.ok_or_else(|| Error::corrupted(self.file, offset, Corruption::Block))?;
        self.number = self.number.wrapping_add(1);
        let payload = self.payload(&head, offset).await?;
        self.checksum.update(&head.checksum.to_le_bytes());
        Ok(Some(Section { kind: head.kind, offset, payload }))
    }

    async fn payload(&mut self, head: &SectionHead, offset: u64) -> Result<Bytes> {
        let stored = self.take(head.stored_length as usize).await?;
        if stored.len() < head.stored_length as usize {
            return Err(self.fault(Corruption::Truncated));
        }
        let kind = if head.kind == Kind::Footer { Corruption::Footer } else { Corruption::Block };
        head.open(stored).ok_or_else(|| Error::corrupted(self.file, offset, kind))
    }

    /// The next `length` bytes; fewer only at the end. What is held grows with what is there, not with `length`.
    async fn take(&mut self, length: usize) -> Result<Bytes> {
        if self.chunk.is_empty() {
            self.refill().await?;
        }
        let mut taken = self.split(length);
        if taken.len() < length && !self.ended {
            let mut joined = Vec::from(taken);
            while joined.len() < length && !self.ended {
                self.refill().await?;
                joined.extend_from_slice(&self.split(length - joined.len()));
            }
            taken = Bytes::from(joined);
        }
        Ok(taken)
    }

    fn split(&mut self, length: usize) -> Bytes {
        let part = self.chunk.split_to(length.min(self.chunk.len()));
        self.offset += part.len() as u64;
        part
    }

    async fn refill(&mut self) -> Result<()> {
        if !self.ended {
            self.chunk = self.source.read(CHUNK_BYTES).await?;
            self.ended = self.chunk.len() < CHUNK_BYTES;
        }
        Ok(())
    }

    /// Damage at the place that was reached.
    fn fault(&self, kind: Corruption) -> Error {
        Error::corrupted(self.file, self.offset, kind)
    }
}

/// Checks the contents of the blocks against the header and their order, and passes them on.
struct Checker<V> {
    version: Version,
    /// The keyspaces in reverse; the last of them is the current one.
    keyspaces: Vec<u32>,
    /// The current key; it is there once the current keyspace has one.
    key: Option<Vec<u8>>,
    /// The version and time of the current key's last revision.
    newer: Option<(Version, u64)>,
    collected: bool,
    summary: Summary,
    visitor: V,
}

impl<V: Visitor> Checker<V> {
    fn new(header: &SnapshotHeader, visitor: V) -> Self {
        let keyspaces = header.keyspaces.iter().rev().map(|(number, _)| *number).collect();
        let version = header.version;
        let summary = Summary::default();
        Self { version, keyspaces, key: None, newer: None, collected: false, summary, visitor }
    }

    fn block(&mut self, mut payload: &[u8]) -> Result<(), Undecodable> {
        let header: BlockHeader = decode(&mut payload)?;
        ensure(header.entries > 0)?;
        while *self.keyspaces.last().ok_or(Undecodable)? != header.keyspace {
            self.end_keyspace();
        }
        for position in 0..header.entries {
            self.entry(&mut payload, position == 0)?;
        }
        self.summary.blocks += 1;
        ensure(payload.is_empty())
    }

    fn end_keyspace(&mut self) {
        if let Some(keyspace) = self.keyspaces.pop() {
            self.visitor.end_keyspace(keyspace);
            self.key = None;
        }
    }

    fn entry(&mut self, payload: &mut &[u8], first_of_block: bool) -> Result<(), Undecodable> {
        let entry: EntryHeader<'_> = decode(payload)?;
        ensure(entry.revisions > 0)?;
        match self.key.as_deref().map_or(Ordering::Less, |key| key.cmp(entry.key)) {
            Ordering::Less => self.begin_key(entry.key),
            Ordering::Equal => ensure(first_of_block && !self.collected)?,
            Ordering::Greater => return Err(Undecodable),
        }
        for _ in 0..entry.revisions {
            self.revision(&decode(payload)?)?;
        }
        self.collected = entry.collected;
        if entry.collected {
            self.visitor.collected();
        }
        Ok(())
    }

    fn begin_key(&mut self, key: &[u8]) {
        let last = self.key.get_or_insert_default();
        last.clear();
        last.extend_from_slice(key);
        self.newer = None;
        self.summary.entries += 1;
        self.visitor.begin_key(key);
    }

    fn revision(&mut self, record: &RevisionRecord<'_>) -> Result<(), Undecodable> {
        ensure(record.version > 0 && record.version <= self.version)?;
        ensure(self.newer.is_none_or(|(version, time)| record.version < version && record.time <= time))?;
        self.newer = Some((record.version, record.time));
        self.summary.revisions += 1;
        self.visitor.revision(record);
        Ok(())
    }

    fn finish(mut self) -> (V, Summary) {
        while !self.keyspaces.is_empty() {
            self.end_keyspace();
        }
        (self.visitor, self.summary)
    }
}

/// Builds the indexes. A key is added once the next one begins, because its chain may go on in another block.
#[derive(Default)]
struct Loader {
    contents: Vec<(u32, Index)>,
    builder: Builder,
    key: Option<Blob>,
    /// The revisions of the key, newest first.
    chain: Vec<Revision>,
    collected: bool,
}

impl Loader {
    fn end_key(&mut self) {
        let Some(key) = self.key.take() else { return };
        let mut older = std::mem::take(&mut self.collected).then(collected_marker);
        while let Some(mut revision) = self.chain.pop() {
            revision.older = older;
            if self.chain.is_empty() {
                self.builder.push(Entry { key, head: revision });
                return;
            }
            older = Some(Arc::new(revision));
        }
    }
}

impl Visitor for Loader {
    fn begin_key(&mut self, key: &[u8]) {
        self.end_key();
        self.key = Some(Blob::new(key));
    }

    fn revision(&mut self, record: &RevisionRecord<'_>) {
        let slot = record.value.map_or(Slot::Tombstone, |value| Slot::Value(Blob::new(value)));
        self.chain.push(Revision { version: record.version, time: record.time, slot, older: None });
    }

    fn collected(&mut self) {
        self.collected = true;
    }

    fn end_keyspace(&mut self, keyspace: u32) {
        self.end_key();
        let builder = std::mem::take(&mut self.builder);
        self.contents.push((keyspace, builder.finish()));
    }
}
