//! The contents of the intact blocks of a damaged snapshot.

use bytes::Bytes;

use crate::codec::{BlockHeader, EntryHeader, RevisionRecord, SnapshotHeader, Undecodable, decode};
use crate::index::Index;
use crate::repair::KeyRange;
use crate::snapshot::Summary;
use crate::snapshot::reader::{Loader, Visitor, ensure};
use crate::{Result, Version};

/// Builds the indexes from the blocks that are there, and tells where keys may be lost.
pub(super) struct Blocks {
    /// The version and time of the snapshot: no revision is later.
    newest: (Version, u64),
    keyspaces: Vec<(u32, String)>,
    /// Which of the keyspaces is the current one.
    current: usize,
    /// The last key of the current keyspace.
    key: Option<Vec<u8>>,
    /// The version of that key's oldest revision so far.
    oldest: Version,
    /// Whether that key has no more revisions.
    collected: bool,
    /// Whether that key was the first after a lost block, so that it is lost as well.
    is_lost: bool,
    /// Where the blocks were last before one that is lost: the keyspace and its last key.
    gap: Option<(usize, Option<Vec<u8>>)>,
    loader: Loader,
    summary: Summary,
}

struct Entry<'a> {
    key: &'a [u8],
    revisions: Vec<RevisionRecord<'a>>,
    collected: bool,
}

impl Blocks {
    pub(super) fn new(header: &SnapshotHeader) -> Self {
        Self {
            newest: (header.version, header.time),
            keyspaces: header.keyspaces.clone(),
            current: 0,
            key: None,
            oldest: 0,
            collected: false,
            is_lost: false,
            gap: None,
            loader: Loader::default(),
            summary: Summary::default(),
        }
    }

    /// Notes that blocks are lost here; false when it is known.
    pub(super) fn open_gap(&mut self) -> bool {
        if self.gap.is_some() {
            return false;
        }
        self.gap = Some((self.current, self.key.clone()));
        true
    }

    /// Takes the next block. Returns where keys are lost before it.
    pub(super) fn take(&mut self, payload: &[u8]) -> Result<Vec<KeyRange>, Undecodable> {
        let (keyspace, entries) = decode_block(payload, self.newest)?;
        let [first, ..] = &entries[..] else { return Err(Undecodable) };
        let place = self.place(keyspace, first)?;
        while self.current < place {
            self.end_keyspace();
        }
        let gap = self.gap.take();
        let continues = self.key.as_deref() == Some(first.key);
        self.is_lost = gap.is_some() || continues && self.is_lost;
        self.summary.blocks += 1;
        for (position, entry) in entries.iter().enumerate() {
            if position > 0 {
                self.is_lost = false;
            }
            self.entry(entry, position == 0 && continues);
        }
        let up_to = Bytes::copy_from_slice(first.key);
        Ok(gap.map(|(keyspace, after)| self.ranges(keyspace, after, place, Some(&up_to))).unwrap_or_default())
    }

    /// Which keyspace a block belongs to, when it can come next.
    fn place(&self, keyspace: u32, first: &Entry<'_>) -> Result<usize, Undecodable> {
        let place = self.keyspaces.iter().position(|(number, _)| *number == keyspace).ok_or(Undecodable)?;
        ensure(place >= self.current)?;
        let Some(key) = self.key.as_deref().filter(|_| place == self.current) else { return Ok(place) };
        let is_older = first.revisions.first().is_some_and(|newest| newest.version < self.oldest);
        ensure(key < first.key || key == first.key && is_older && (self.gap.is_some() || !self.collected))?;
        Ok(place)
    }

    fn entry(&mut self, entry: &Entry<'_>, continues: bool) {
        self.collected = entry.collected;
        if let Some(oldest) = entry.revisions.last() {
            self.oldest = oldest.version;
        }
        if !continues {
            self.key = Some(entry.key.to_vec());
        }
        if self.is_lost {
            return;
        }
        if !continues {
            self.loader.begin_key(entry.key);
            self.summary.entries += 1;
        }
        for revision in &entry.revisions {
            self.loader.revision(revision);
            self.summary.revisions += 1;
        }
        if entry.collected {
            self.loader.collected();
        }
    }

    fn end_keyspace(&mut self) {
        if let Some((number, _)) = self.keyspaces.get(self.current) {
            self.loader.end_keyspace(*number);
        }
        self.current += 1;
        self.key = None;
        self.is_lost = false;
    }

    /// The indexes, where keys are lost at the end, and what was taken.
    pub(super) fn finish(mut self) -> (Vec<(u32, Index)>, Vec<KeyRange>, Summary) {
        let end = self.keyspaces.len().saturating_sub(1);
        let gap = self.gap.take();
        let ranges = gap.map(|(keyspace, after)| self.ranges(keyspace, after, end, None)).unwrap_or_default();
        while self.current < self.keyspaces.len() {
            self.end_keyspace();
        }
        (self.loader.contents, ranges, self.summary)
    }

    /// From a key of one keyspace to a key of another, or of the same.
    fn ranges(&self, from: usize, mut after: Option<Vec<u8>>, to: usize, up_to: Option<&Bytes>) -> Vec<KeyRange> {
        let named = self.keyspaces.iter().enumerate().take(to + 1).skip(from);
        let range = |(place, (_, name)): (usize, &(u32, String))| KeyRange {
            keyspace: name.clone(),
            after: after.take().map(Bytes::from),
            up_to: up_to.filter(|_| place == to).cloned(),
        };
        named.map(range).collect()
    }
}

/// The newest time in a block; 0 when it is not as it should be.
pub(super) fn newest_time(payload: &[u8], version: Version) -> u64 {
    let Ok((_, entries)) = decode_block(payload, (version, u64::MAX)) else { return 0 };
    entries.iter().flat_map(|entry| &entry.revisions).map(|revision| revision.time).max().unwrap_or(0)
}

/// The keyspace and the entries of a block, all of them checked.
fn decode_block(mut payload: &[u8], newest: (Version, u64)) -> Result<(u32, Vec<Entry<'_>>), Undecodable> {
    let header: BlockHeader = decode(&mut payload)?;
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for _ in 0..header.entries {
        let entry = decode_entry(&mut payload, newest)?;
        ensure(entries.last().is_none_or(|last| last.key < entry.key))?;
        entries.push(entry);
    }
    ensure(payload.is_empty())?;
    Ok((header.keyspace, entries))
}

fn decode_entry<'a>(payload: &mut &'a [u8], newest: (Version, u64)) -> Result<Entry<'a>, Undecodable> {
    let EntryHeader { key, revisions: count, collected } = decode(payload)?;
    ensure(count > 0)?;
    let mut revisions: Vec<RevisionRecord<'_>> = Vec::new();
    for _ in 0..count {
        let revision: RevisionRecord<'_> = decode(payload)?;
        ensure(revision.version > 0 && revision.version <= newest.0 && revision.time <= newest.1)?;
        let newer = revisions.last();
        ensure(newer.is_none_or(|newer| revision.version < newer.version && revision.time <= newer.time))?;
        revisions.push(revision);
    }
    Ok(Entry { key, revisions, collected })
}
