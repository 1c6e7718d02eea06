//! Writing a snapshot.

use std::ops::Bound;
use std::sync::Arc;

use crate::checksum::Hasher;
use bytes::Bytes;

use super::section::{Kind, file_head, seal};
use super::{CHUNK_BYTES, Sink, Summary};
use crate::codec::{BlockHeader, EntryHeader, PAYLOAD_LIMIT, RevisionRecord, SnapshotFooter, SnapshotHeader, encode};
use crate::index::{Index, ReadPoint, Record, Revision, Walk};
use crate::runtime::breathe;
use crate::{Compression, Error, ErrorKind, Result, Version};

/// A block that has grown to this is cut after the entry.
const BLOCK_BYTES: usize = 128 << 10;
/// A block that has grown to this is cut even within an entry.
const PART_BYTES: usize = 1 << 20;

/// Writes everything that `contents` holds at the header's version, with its whole history.
///
/// The contents are the keyspaces of the header in its order. The caller keeps a read point at the version alive,
/// so that nothing visible there is collected meanwhile. `forgotten` is asked at the end, for the footer.
pub(crate) async fn write<S: Sink>(
    sink: &mut S,
    header: &SnapshotHeader,
    contents: &[(u32, Arc<Index>)],
    compression: Compression,
    forgotten: &(dyn Fn() -> (Version, u64) + Sync),
) -> Result<Summary> {
    debug_assert!(header.keyspaces.iter().map(|(number, _)| number).eq(contents.iter().map(|(number, _)| number)));
    let mut writer = Writer::new(contents, ReadPoint::version(header.version), compression);
    writer.header(header)?;
    while writer.next_block()? {
        if writer.buffer.len() >= CHUNK_BYTES {
            sink.write(writer.take()).await?;
        }
        breathe().await;
    }
    writer.footer(forgotten())?;
    sink.write(writer.take()).await?;
    Ok(writer.summary)
}

/// A snapshot that is being made, apart from where it goes to.
struct Writer<'a> {
    /// The keyspaces that are left; the first of them is the one that is being written.
    contents: &'a [(u32, Arc<Index>)],
    point: ReadPoint,
    /// The place in the current keyspace, once it is begun.
    walk: Option<Walk<'a>>,
    /// The revisions that are left of the key at that place, when a block has ended within it.
    rest: Option<Arc<Revision>>,
    block: Block,
    compression: Compression,
    /// Sections that are still to be written.
    buffer: Vec<u8>,
    sections: u32,
    checksum: Hasher,
    summary: Summary,
}

impl<'a> Writer<'a> {
    fn new(contents: &'a [(u32, Arc<Index>)], point: ReadPoint, compression: Compression) -> Self {
        Self {
            contents,
            point,
            walk: None,
            rest: None,
            block: Block::default(),
            compression,
            buffer: file_head().to_vec(),
            sections: 0,
            checksum: Hasher::new(),
            summary: Summary::default(),
        }
    }

    /// Adds the next block to the buffer; false when there is none.
    fn next_block(&mut self) -> Result<bool> {
        while let Some((keyspace, index)) = self.contents.first() {
            if !self.fill_block(index)? {
                self.walk = None;
                self.contents = &self.contents[1..];
            }
            if self.block.entries > 0 {
                self.block(*keyspace)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds entries to the block; false at the end of the keyspace, true when the block is large enough before.
    fn fill_block(&mut self, index: &'a Index) -> Result<bool> {
        let begin = || Walk::with_removed(index, self.point, Bound::Unbounded, Bound::Unbounded);
        let walk = self.walk.get_or_insert_with(begin);
        while walk.settle_front() {
            let Some(newest) = walk.front() else { break };
            if newest.is_collected() {
                return Err(Error::new(ErrorKind::HistoryCollected { requested: self.point.version }));
            }
            let rest = self.rest.take();
            self.summary.entries += u64::from(rest.is_none());
            self.rest = self.block.push(rest.as_deref().unwrap_or(newest));
            if self.rest.is_none() {
                walk.advance_front();
            }
            if self.block.entries_bytes.len() >= BLOCK_BYTES {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn block(&mut self, keyspace: u32) -> Result<()> {
        self.summary.blocks += 1;
        self.summary.revisions += self.block.revisions;
        let payload = self.block.take(keyspace);
        self.section(Kind::Block, &payload)
    }

    fn header(&mut self, header: &SnapshotHeader) -> Result<()> {
        let mut payload = Vec::new();
        encode(header, &mut payload);
        self.section(Kind::Header, &payload)
    }

    fn footer(&mut self, forgotten: (Version, u64)) -> Result<()> {
        self.summary.forgotten = forgotten;
        let Summary { blocks, entries, revisions, .. } = self.summary;
        let checksum = self.checksum.clone().finalize();
        let mut payload = Vec::new();
        encode(&SnapshotFooter { blocks, entries, revisions, forgotten, checksum }, &mut payload);
        self.section(Kind::Footer, &payload)
    }

    fn section(&mut self, kind: Kind, payload: &[u8]) -> Result<()> {
        if payload.len() > PAYLOAD_LIMIT {
            let (limit, actual) = (PAYLOAD_LIMIT as u64, payload.len() as u64);
            return Err(Error::new(ErrorKind::Limit { what: "bytes of a snapshot block", limit, actual }));
        }
        let checksum = seal(kind, self.sections, payload, self.compression, &mut self.buffer);
        self.checksum.update(&checksum.to_le_bytes());
        self.sections += 1;
        Ok(())
    }

    /// What is in the buffer, which is empty again.
    fn take(&mut self) -> Bytes {
        self.summary.bytes += self.buffer.len() as u64;
        Bytes::from(std::mem::take(&mut self.buffer))
    }
}

/// Entries that are still to become a block.
#[derive(Default)]
struct Block {
    entries: u32,
    revisions: u64,
    entries_bytes: Vec<u8>,
    /// The revisions of one entry, before their number is known.
    records: Vec<u8>,
}

impl Block {
    /// Adds a key from one of its revisions on. Returns the revision to go on with when the block became too large.
    fn push(&mut self, newest: &Revision) -> Option<Arc<Revision>> {
        self.records.clear();
        let mut revisions = 0;
        let (mut next, mut shared) = (Some(newest), None);
        while let Some(revision) = next.filter(|revision| !revision.is_collected()) {
            if revisions > 0 && self.entries_bytes.len() + self.records.len() >= PART_BYTES {
                break;
            }
            encode(&record(revision), &mut self.records);
            revisions += 1;
            shared = revision.older.as_ref();
            next = shared.map(Arc::as_ref);
        }
        let collected = next.is_some_and(|revision| revision.is_collected());
        encode(&EntryHeader { key: newest.key(), revisions, collected }, &mut self.entries_bytes);
        self.entries_bytes.extend_from_slice(&self.records);
        self.entries += 1;
        self.revisions += u64::from(revisions);
        shared.filter(|_| !collected).cloned()
    }

    /// The payload of this block, which is empty again.
    fn take(&mut self, keyspace: u32) -> Vec<u8> {
        let mut payload = Vec::with_capacity(self.entries_bytes.len() + 16);
        encode(&BlockHeader { keyspace, entries: self.entries }, &mut payload);
        payload.append(&mut self.entries_bytes);
        self.entries = 0;
        self.revisions = 0;
        payload
    }
}

fn record(record: &Record) -> RevisionRecord<'_> {
    RevisionRecord { version: record.version(), time: record.time(), value: record.value() }
}
