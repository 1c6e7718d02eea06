//! Replaying the log: every commit once, in order, straight into the indexes.

use std::collections::HashMap;
use std::sync::Arc;

use super::Recovered;
use super::segments::Chain;
use crate::codec::{self, Operation};
use crate::engine::catalog::KeyspaceState;
use crate::engine::collector::horizon;
use crate::files::read_file;
use crate::index::{Blob, Horizon, Index, ReadPoint, Revision, Slot, Tally};
use crate::log::scan::{LoggedCommit, Scan, SegmentEnd};
use crate::log::segment::segment_name;
use crate::storage::Storage;
use crate::{Corruption, Error, Result};

/// Nobody reads yet: only the retention keeps older revisions.
const NO_READERS: ReadPoint = ReadPoint { version: u64::MAX, time: u64::MAX };

/// A replay in progress.
#[derive(Debug)]
pub(crate) struct Replay<'a> {
    recovered: &'a mut Recovered,
    keyspaces: HashMap<u32, Arc<KeyspaceState>>,
    horizon: Horizon,
}

impl<'a> Replay<'a> {
    pub(crate) fn new(recovered: &'a mut Recovered) -> Self {
        let keyspaces = recovered.catalog.iter().map(|keyspace| (keyspace.number, Arc::clone(keyspace))).collect();
        let horizon = horizon(recovered.retention, NO_READERS);
        Self { recovered, keyspaces, horizon }
    }

    /// Replays all segments and says where the last one ends.
    pub(crate) async fn run(&mut self, storage: &dyn Storage, chain: &Chain) -> Result<SegmentEnd> {
        let mut last_end = None;
        for (position, segment) in chain.segments.iter().enumerate() {
            let next = chain.segments.get(position + 1);
            if segment.header.first_sequence != self.recovered.version + 1 {
                return Err(Error::corrupted(&segment.name, 0, Corruption::Sequence));
            }
            let data = read_file(storage, &segment.name, segment.length).await?;
            let stated_end = next.map(|next| next.header.previous_end);
            let scan = Scan::new(&segment.name, segment.header, &data, stated_end);
            let end = scan.run(|commit| self.commit(&segment.name, commit))?;
            if end.closed {
                return Err(lost_successor(chain, segment.header.segment + 1));
            }
            self.recovered.log_bytes += end.offset;
            self.recovered.report.segments += 1;
            self.recovered.report.bytes_cut = end.torn_bytes;
            last_end = Some(end);
        }
        last_end.ok_or_else(|| Error::corrupted("log", 0, Corruption::Missing))
    }

    fn commit(&mut self, file: &str, commit: LoggedCommit<'_>) -> Result<()> {
        let undecodable = |_| Error::corrupted(file, commit.offset, Corruption::Payload);
        let mut input = commit.payload;
        let operations: u64 = codec::decode(&mut input).map_err(undecodable)?;
        for _ in 0..operations {
            let operation = codec::decode(&mut input).map_err(undecodable)?;
            self.operation(commit, operation).ok_or_else(|| undecodable(codec::Undecodable))?;
        }
        if !input.is_empty() {
            return Err(undecodable(codec::Undecodable));
        }
        self.recovered.version = commit.version;
        self.recovered.time = self.recovered.time.max(commit.time);
        self.recovered.report.frames_replayed += 1;
        Ok(())
    }

    /// Applies one operation; none when it contradicts what came before.
    fn operation(&mut self, commit: LoggedCommit<'_>, operation: Operation<'_>) -> Option<()> {
        match operation {
            Operation::Set { keyspace, key, value } => {
                self.put(commit, keyspace, key, Slot::Value(Blob::new(value)))?;
            }
            Operation::Remove { keyspace, key } => self.put(commit, keyspace, key, Slot::Tombstone)?,
            Operation::CreateKeyspace { keyspace, name } => {
                if self.keyspaces.contains_key(&keyspace) || self.recovered.catalog.by_name(name).is_some() {
                    return None;
                }
                let state = KeyspaceState::new(keyspace, name, Index::new());
                self.recovered.catalog.add(Arc::clone(&state));
                self.keyspaces.insert(keyspace, state);
            }
            Operation::DropKeyspace { keyspace } => {
                let dropped = self.keyspaces.remove(&keyspace)?;
                self.recovered.catalog.remove(&dropped.name);
            }
            Operation::SetRetention(retention) => {
                self.recovered.retention = retention;
                self.horizon = horizon(retention, NO_READERS);
            }
        }
        Some(())
    }

    fn put(&self, commit: LoggedCommit<'_>, keyspace: u32, key: &[u8], slot: Slot) -> Option<()> {
        let LoggedCommit { version, time, .. } = commit;
        let index = &self.keyspaces.get(&keyspace)?.index;
        let mut tally = Tally::default();
        index.put(key, Revision { version, time, slot, older: None }, self.horizon, &mut tally);
        index.add(tally);
        Some(())
    }
}

/// A closing frame is written after the next segment is durable: it cannot be missing or unfinished.
fn lost_successor(chain: &Chain, segment: u64) -> Error {
    let kind = if chain.unfinished == Some(segment) { Corruption::Header } else { Corruption::Missing };
    Error::corrupted(segment_name(segment), 0, kind)
}
