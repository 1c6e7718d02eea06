//! Writing a snapshot.

use std::ops::Bound;
use std::sync::Arc;

use crate::checksum::Hasher;
use bytes::Bytes;

use super::section::{Kind, file_head, seal};
use super::{CHUNK_BYTES, Sink, Summary};
use crate::codec::{BlockHeader, EntryHeader, PAYLOAD_LIMIT, RevisionRecord, SnapshotFooter, SnapshotHeader, encode};
use crate::index::{Blob, Index, ReadPoint, Revision, Slot, Walk};
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
    forgotten: impl FnOnce() -> (Version, u64),
) -> Result<Summary> {
    debug_assert!(header.keyspaces.iter().map(|(number, _)| number).eq(contents.iter().map(|(number, _)| number)));
    let mut writer = Writer::new(sink, compression);
    let mut payload = Vec::new();
    encode(header, &mut payload);
    writer.section(Kind::Header, &payload).await?;
    for (keyspace, index) in contents {
        writer.keyspace(*keyspace, index, header.version).await?;
    }
    writer.finish(forgotten()).await
}

struct Writer<'a, S> {
    sink: &'a mut S,
    compression: Compression,
    /// Sections that are still to be written.
    buffer: Vec<u8>,
    sections: u32,
    checksum: Hasher,
    summary: Summary,
}

impl<'a, S: Sink> Writer<'a, S> {
    fn new(sink: &'a mut S, compression: Compression) -> Self {
        let buffer = file_head().to_vec();
        Self { sink, compression, buffer, sections: 0, checksum: Hasher::new(), summary: Summary::default() }
    }

    async fn keyspace(&mut self, keyspace: u32, index: &Index, version: Version) -> Result<()> {
        let mut block = Block::new(keyspace);
        let mut walk = Walk::with_removed(index, ReadPoint::version(version), Bound::Unbounded, Bound::Unbounded);
        while walk.settle_front() {
            let Some((key, newest)) = walk.front() else { break };
            if newest.slot == Slot::Collected {
                return Err(Error::new(ErrorKind::HistoryCollected { requested: version }));
            }
            self.summary.entries += 1;
            let mut next = Some(newest);
            while let Some(revision) = next {
                next = block.push(key, revision);
                if block.entries_bytes.len() >= BLOCK_BYTES {
                    self.block(&mut block).await?;
                }
            }
            walk.advance_front();
        }
        if block.entries > 0 { self.block(&mut block).await } else { Ok(()) }
    }

    async fn block(&mut self, block: &mut Block) -> Result<()> {
        self.summary.blocks += 1;
        self.summary.revisions += block.revisions;
        let payload = block.take();
        self.section(Kind::Block, &payload).await?;
        breathe().await;
        Ok(())
    }

    async fn finish(mut self, forgotten: (Version, u64)) -> Result<Summary> {
        self.summary.forgotten = forgotten;
        let Summary { blocks, entries, revisions, .. } = self.summary;
        let checksum = self.checksum.clone().finalize();
        let mut payload = Vec::new();
        encode(&SnapshotFooter { blocks, entries, revisions, forgotten, checksum }, &mut payload);
        self.section(Kind::Footer, &payload).await?;
        self.flush().await?;
        Ok(self.summary)
    }

    async fn section(&mut self, kind: Kind, payload: &[u8]) -> Result<()> {
        if payload.len() > PAYLOAD_LIMIT {
            let (limit, actual) = (PAYLOAD_LIMIT as u64, payload.len() as u64);
            return Err(Error::new(ErrorKind::Limit { what: "bytes of a snapshot block", limit, actual }));
        }
        let checksum = seal(kind, self.sections, payload, self.compression, &mut self.buffer);
        self.checksum.update(&checksum.to_le_bytes());
        self.sections += 1;
        if self.buffer.len() >= CHUNK_BYTES { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<()> {
        self.summary.bytes += self.buffer.len() as u64;
        let data = Bytes::from(std::mem::take(&mut self.buffer));
        self.sink.write(data).await
    }
}

/// Entries that are still to become a block.
struct Block {
    keyspace: u32,
    entries: u32,
    revisions: u64,
    entries_bytes: Vec<u8>,
    /// The revisions of one entry, before their number is known.
    records: Vec<u8>,
}

impl Block {
    fn new(keyspace: u32) -> Self {
        Self { keyspace, entries: 0, revisions: 0, entries_bytes: Vec::new(), records: Vec::new() }
    }

    /// Adds a key from one of its revisions on. Returns the revision to go on with when the block became too large.
    fn push<'r>(&mut self, key: &Blob, newest: &'r Revision) -> Option<&'r Revision> {
        self.records.clear();
        let mut revisions = 0;
        let mut next = Some(newest);
        while let Some(revision) = next.filter(|revision| revision.slot != Slot::Collected) {
            if revisions > 0 && self.entries_bytes.len() + self.records.len() >= PART_BYTES {
                break;
            }
            encode(&record(revision), &mut self.records);
            revisions += 1;
            next = revision.older.as_deref();
        }
        let collected = next.is_some_and(|revision| revision.slot == Slot::Collected);
        encode(&EntryHeader { key, revisions, collected }, &mut self.entries_bytes);
        self.entries_bytes.extend_from_slice(&self.records);
        self.entries += 1;
        self.revisions += u64::from(revisions);
        next.filter(|_| !collected)
    }

    /// The payload of this block, which is empty again.
    fn take(&mut self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(self.entries_bytes.len() + 16);
        encode(&BlockHeader { keyspace: self.keyspace, entries: self.entries }, &mut payload);
        payload.append(&mut self.entries_bytes);
        self.entries = 0;
        self.revisions = 0;
        payload
    }
}

fn record(revision: &Revision) -> RevisionRecord<'_> {
    let value = match &revision.slot {
        Slot::Value(value) => Some(&value[..]),
        Slot::Tombstone | Slot::Collected => None,
    };
    RevisionRecord { version: revision.version, time: revision.time, value }
}
