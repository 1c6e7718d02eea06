//! Reading a snapshot: checking all of it, and building the indexes it holds.

use std::cmp::Ordering;
use std::sync::Arc;

use super::section::Kind;
use super::sections::{Next, Section, Sections};
use super::{CHUNK_BYTES, Source, Summary};
use crate::codec::{
    BlockHeader, Decode, EntryHeader, RevisionRecord, SnapshotFooter, SnapshotHeader, Undecodable, decode,
};
use crate::index::{Builder, Index, Record, Revision, collected_marker};
use crate::runtime::breathe;
use crate::sorting;
use crate::{Corruption, Error, Result, Version};

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
    let mut loader = Loader::default();
    let (header, summary) = read(source, file, &mut loader).await?;
    Ok(Loaded { header, contents: loader.contents, summary })
}

/// Reads a snapshot and finds all damage that [`load`] would find.
pub(crate) async fn verify<S: Source>(source: &mut S, file: &str) -> Result<(SnapshotHeader, Summary)> {
    read(source, file, &mut ()).await
}

/// Finds all sections that are damaged, as far as their heads lead on.
pub(crate) async fn damaged_sections<S: Source>(source: &mut S, file: &str) -> Result<Vec<Error>> {
    let mut search = Search { sections: Sections::new(file), damage: Vec::new() };
    drive(source, &mut search).await?;
    Ok(search.damage)
}

/// A snapshot that is being read, apart from where it comes from.
trait Reading {
    fn feed(&mut self, data: &[u8]);
    /// Goes on as far as it can; none at the end.
    fn step(&mut self) -> Result<Option<Needs>>;
}

/// What a reading needs before it goes on.
enum Needs {
    Bytes,
    /// Nothing, but others may have a turn.
    Turn,
}

/// Gives a reading the bytes of a source until it has come to an end.
async fn drive<S: Source>(source: &mut S, reading: &mut (dyn Reading + Send)) -> Result<()> {
    while let Some(needs) = reading.step()? {
        match needs {
            Needs::Bytes => reading.feed(&source.read(CHUNK_BYTES).await?),
            Needs::Turn => breathe().await,
        }
    }
    Ok(())
}

/// The search for all damage.
struct Search<'a> {
    sections: Sections<'a>,
    damage: Vec<Error>,
}

impl Reading for Search<'_> {
    fn feed(&mut self, data: &[u8]) {
        self.sections.feed(data);
    }

    fn step(&mut self) -> Result<Option<Needs>> {
        let number = self.sections.number;
        match self.sections.next() {
            Ok(Next::Section(_)) => Ok(Some(Needs::Turn)),
            Ok(Next::More) => Ok(Some(Needs::Bytes)),
            Ok(Next::End) => Ok(None),
            Err(error) if error.is_corruption() => {
                self.damage.push(error);
                Ok((self.sections.number != number).then_some(Needs::Turn))
            }
            Err(error) => Err(error),
        }
    }
}

/// What is done with the contents of a snapshot, which are checked and come in their order.
pub(super) trait Visitor {
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

async fn read<S: Source>(
    source: &mut S,
    file: &str,
    visitor: &mut (dyn Visitor + Send),
) -> Result<(SnapshotHeader, Summary)> {
    let mut contents =
        Contents { sections: Sections::new(file), header: None, checker: Checker::new(visitor), footer: None };
    drive(source, &mut contents).await?;
    contents.finish()
}

/// The contents of a snapshot: a header, blocks, and a footer after which nothing follows.
struct Contents<'a> {
    sections: Sections<'a>,
    header: Option<SnapshotHeader>,
    checker: Checker<'a>,
    footer: Option<Section>,
}

impl Reading for Contents<'_> {
    fn feed(&mut self, data: &[u8]) {
        self.sections.feed(data);
    }

    fn step(&mut self) -> Result<Option<Needs>> {
        if let Some(footer) = &self.footer {
            return match self.sections.are_at_end() {
                Some(true) => Ok(None),
                Some(false) => Err(footer.fault(self.sections.file, Corruption::Footer)),
                None => Ok(Some(Needs::Bytes)),
            };
        }
        match self.sections.next()? {
            Next::Section(section) => self.section(section).map(|()| Some(Needs::Turn)),
            Next::More => Ok(Some(Needs::Bytes)),
            Next::End if self.header.is_none() => Err(self.sections.fault(Corruption::Truncated)),
            Next::End => Err(self.sections.fault(Corruption::Footer)),
        }
    }
}

impl Contents<'_> {
    fn finish(self) -> Result<(SnapshotHeader, Summary)> {
        let header = self.header.ok_or_else(|| self.sections.fault(Corruption::Truncated))?;
        Ok((header, Summary { bytes: self.sections.offset, ..self.checker.finish() }))
    }

    fn section(&mut self, section: Section) -> Result<()> {
        let fault = |kind| section.fault(self.sections.file, kind);
        match (section.kind, self.header.is_some()) {
            (Kind::Header, false) => {
                let header = decode_whole(&section.payload).ok().filter(is_consistent);
                let header = header.ok_or_else(|| fault(Corruption::Payload))?;
                self.checker.begin(&header);
                self.header = Some(header);
            }
            (Kind::Block, true) => {
                self.checker.block(&section.payload).map_err(|_| fault(Corruption::Payload))?;
            }
            (Kind::Footer, true) => {
                let footer = decode_footer(&section.payload, self.checker.summary, section.checksum);
                self.checker.summary.forgotten = footer.ok_or_else(|| fault(Corruption::Footer))?.forgotten;
                self.footer = Some(section);
            }
            _ => return Err(fault(Corruption::Block)),
        }
        Ok(())
    }
}

/// The last version of all cannot be continued, so that no snapshot is at it.
pub(super) fn is_consistent(header: &SnapshotHeader) -> bool {
    let (mut numbers, mut names): (Vec<u32>, Vec<&String>) =
        header.keyspaces.iter().map(|(n, name)| (*n, name)).unzip();
    header.version < Version::MAX
        && numbers.iter().all(|number| *number < header.next_keyspace)
        && are_unique(&mut numbers)
        && are_unique(&mut names)
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

pub(super) fn decode_whole<'a, T: Decode<'a>>(mut payload: &'a [u8]) -> Result<T, Undecodable> {
    let value = decode(&mut payload)?;
    ensure(payload.is_empty())?;
    Ok(value)
}

pub(super) fn ensure(condition: bool) -> Result<(), Undecodable> {
    if condition { Ok(()) } else { Err(Undecodable) }
}

/// Checks the contents of the blocks against the header and their order, and passes them on.
struct Checker<'a> {
    version: Version,
    time: u64,
    /// The keyspaces in reverse; the last of them is the current one.
    keyspaces: Vec<u32>,
    /// The current key; it is there once the current keyspace has one.
    key: Option<Vec<u8>>,
    /// The version and time of the current key's last revision.
    newer: Option<(Version, u64)>,
    collected: bool,
    summary: Summary,
    visitor: &'a mut (dyn Visitor + Send),
}

impl<'a> Checker<'a> {
    fn new(visitor: &'a mut (dyn Visitor + Send)) -> Self {
        let summary = Summary::default();
        Self { version: 0, time: 0, keyspaces: Vec::new(), key: None, newer: None, collected: false, summary, visitor }
    }

    /// Takes over what the header says.
    fn begin(&mut self, header: &SnapshotHeader) {
        (self.version, self.time) = (header.version, header.time);
        self.keyspaces = header.keyspaces.iter().rev().map(|(number, _)| *number).collect();
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
        ensure(record.version > 0 && record.version <= self.version && record.time <= self.time)?;
        ensure(self.newer.is_none_or(|(version, time)| record.version < version && record.time <= time))?;
        self.newer = Some((record.version, record.time));
        self.summary.revisions += 1;
        self.visitor.revision(record);
        Ok(())
    }

    fn finish(mut self) -> Summary {
        while !self.keyspaces.is_empty() {
            self.end_keyspace();
        }
        self.summary
    }
}

/// Builds the indexes. A key is added once the next one begins, because its chain may go on in another block.
#[derive(Default)]
pub(super) struct Loader {
    pub(super) contents: Vec<(u32, Index)>,
    builder: Builder,
    key: Vec<u8>,
    /// The records of the key, newest first; none before the first key.
    chain: Vec<Record>,
    collected: bool,
}

impl Loader {
    fn end_key(&mut self) {
        let mut older = std::mem::take(&mut self.collected).then(collected_marker);
        while let Some(record) = self.chain.pop() {
            let revision = Revision { record, older };
            if self.chain.is_empty() {
                self.builder.push(revision);
                return;
            }
            older = Some(Arc::new(revision));
        }
    }
}

impl Visitor for Loader {
    fn begin_key(&mut self, key: &[u8]) {
        self.end_key();
        self.key.clear();
        self.key.extend_from_slice(key);
    }

    fn revision(&mut self, record: &RevisionRecord<'_>) {
        self.chain.push(Record::new(&self.key, record.value, (record.version, record.time)));
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
