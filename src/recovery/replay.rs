//! Replaying the log: every commit once, in order.
//!
//! Changes are gathered and put into the indexes in the order of their keys, and of their versions for each key:
//! neighbours then meet in the same leaf while it is in the processor's caches. Nobody reads yet, so that only the
//! order within a key matters.

use std::iter::Peekable;
use std::sync::Arc;

use super::Recovered;
use super::pieces::Pieces;
use super::segments::{Chain, Segment};
use crate::codec::{self, Operation};
use crate::engine::catalog::{DEFAULT_NUMBER, KeyspaceState};
use crate::engine::collector::horizon;
use crate::index::{Horizon, Index, ReadPoint, Record, Tally, compare, prefix_after};
use crate::log::frame::HEADER_BYTES;
use crate::log::scan::{LoggedCommit, Reached, Scan, SegmentEnd, Step};
use crate::log::segment::{SegmentHeader, segment_name};
use crate::numbered::Numbered;
use crate::runtime::{CAN_WAIT, breathe};
use crate::sorting;
use crate::storage::Storage;
use crate::{Corruption, Error, Result, Version};

/// Nobody reads yet: only the retention keeps older revisions.
const NO_READERS: ReadPoint = ReadPoint { version: u64::MAX, time: u64::MAX };

/// A replay in progress.
#[derive(Debug)]
pub(crate) struct Replay<'a> {
    recovered: &'a mut Recovered,
    keyspaces: Numbered<Arc<KeyspaceState>>,
    horizon: Horizon,
    gathered: Vec<Gathered>,
    gathered_bytes: usize,
    /// The keyspace of the last change, which is known to exist.
    last_keyspace: Option<u32>,
    /// How many changes were replayed.
    changes: usize,
    /// The last commit to be replayed, where not all are.
    until: Option<Version>,
}

/// After so many changes others may get a turn, where there is one thread.
const BREATHE_CHANGES: usize = 64;

/// A change that is still to be put into its index.
#[derive(Debug)]
struct Gathered {
    keyspace: u32,
    /// The beginning of the key, which settles most comparisons.
    prefix: u64,
    record: Record,
}

impl Gathered {
    fn replaces(&self, earlier: &Self) -> bool {
        self.record.version() == earlier.record.version()
            && self.keyspace == earlier.keyspace
            && compare(self.record.key(), earlier.record.key()).is_eq()
    }
}

/// How many changes, and how many bytes of them, are gathered at most. Sorting them is one piece of work, which has to
/// be short where nothing else runs meanwhile.
const GATHER: usize = if CAN_WAIT { 1 << 16 } else { 1 << 13 };
const GATHER_BYTES: usize = 64 << 20;

impl<'a> Replay<'a> {
    pub(crate) fn new(recovered: &'a mut Recovered, until: Option<Version>) -> Self {
        let keyspaces =
            recovered.catalog.iter().map(|keyspace| (u64::from(keyspace.number), Arc::clone(keyspace))).collect();
        let horizon = horizon(recovered.retention, NO_READERS);
        Self {
            recovered,
            keyspaces,
            horizon,
            gathered: Vec::new(),
            gathered_bytes: 0,
            last_keyspace: None,
            changes: 0,
            until,
        }
    }

    /// Replays all segments and says where the last one ends, and which that is.
    pub(crate) async fn run(&mut self, storage: &dyn Storage, chain: &Chain) -> Result<(SegmentEnd, SegmentHeader)> {
        let mut last_end = None;
        for (position, segment) in chain.segments.iter().enumerate() {
            let next = chain.segments.get(position + 1);
            if segment.header.first_sequence != self.recovered.version + 1 {
                return Err(Error::corrupted(&segment.name, 0, Corruption::Sequence));
            }
            let end = self.segment(storage, segment, next.map(|next| next.header.previous_end)).await?;
            self.recovered.log_bytes += end.offset;
            self.recovered.report.segments += 1;
            self.recovered.report.bytes_cut = end.torn_bytes;
            last_end = Some((end, segment.header));
            if self.reached_limit() {
                break;
            }
            if end.closed {
                return Err(lost_successor(chain, segment.header.segment + 1));
            }
        }
        self.put_gathered();
        last_end.ok_or_else(|| Error::corrupted("log", 0, Corruption::Missing))
    }

    /// Replays segments that need not follow one another, each up to where its commits are said to end.
    pub(crate) async fn run_parts(&mut self, storage: &dyn Storage, parts: &[(Segment, Option<u64>)]) -> Result<()> {
        for (segment, stated_end) in parts {
            if self.reached_limit() {
                break;
            }
            self.segment(storage, segment, *stated_end).await?;
            self.recovered.report.segments += 1;
        }
        self.put_gathered();
        Ok(())
    }

    /// Replays one segment.
    async fn segment(
        &mut self,
        storage: &dyn Storage,
        segment: &Segment,
        stated_end: Option<u64>,
    ) -> Result<SegmentEnd> {
        let mut pieces = Pieces::new(storage, segment);
        let (mut reached, mut wants) = (Reached::first(segment.header), Some(HEADER_BYTES));
        loop {
            let window = pieces.window(reached.offset, wants).await?;
            let mut scan = Scan::resume(&segment.name, segment.header, reached, window, stated_end);
            loop {
                if self.reached_limit() {
                    return Ok(scan.here());
                }
                match scan.step_within()? {
                    Some(Step::Commit(commit)) => self.commit(&segment.name, commit).await?,
                    Some(Step::End(end)) => return Ok(end),
                    None => break,
                }
            }
            (reached, wants) = (scan.reached(), scan.wants());
        }
    }

    fn reached_limit(&self) -> bool {
        self.until.is_some_and(|until| self.recovered.version >= until)
    }

    /// Replays one commit, and gives others a turn now and then.
    async fn commit(&mut self, file: &str, commit: LoggedCommit<'_>) -> Result<()> {
        let undecodable = |_| Error::corrupted(file, commit.offset, Corruption::Payload);
        if commit.time < self.recovered.time {
            return Err(Error::corrupted(file, commit.offset, Corruption::Sequence));
        }
        let mut input = commit.payload;
        let operations: u64 = codec::decode(&mut input).map_err(undecodable)?;
        for _ in 0..operations {
            let operation = codec::decode(&mut input).map_err(undecodable)?;
            self.operation(commit, operation).ok_or_else(|| undecodable(codec::Undecodable))?;
            self.changes += 1;
            if self.changes.is_multiple_of(BREATHE_CHANGES) {
                breathe().await;
            }
        }
        if !input.is_empty() {
            return Err(undecodable(codec::Undecodable));
        }
        self.recovered.version = commit.version;
        self.recovered.time = commit.time;
        self.recovered.report.frames_replayed += 1;
        Ok(())
    }

    /// Applies one operation; none when it contradicts what came before.
    fn operation(&mut self, commit: LoggedCommit<'_>, operation: Operation<'_>) -> Option<()> {
        match operation {
            Operation::Set { keyspace, key, value } => self.gather(commit, keyspace, key, Some(value))?,
            Operation::Remove { keyspace, key } => self.gather(commit, keyspace, key, None)?,
            Operation::CreateKeyspace { keyspace, name } => {
                if !self.recovered.catalog.may_add(keyspace, name) {
                    return None;
                }
                let state = KeyspaceState::new(keyspace, name, Index::new());
                self.recovered.catalog.add(Arc::clone(&state));
                self.keyspaces.insert(u64::from(keyspace), state);
            }
            Operation::DropKeyspace { keyspace: DEFAULT_NUMBER } => return None,
            Operation::DropKeyspace { keyspace } => {
                self.put_gathered();
                self.last_keyspace = None;
                let dropped = self.keyspaces.remove(u64::from(keyspace))?;
                self.recovered.catalog.remove(&dropped.name);
            }
            Operation::SetRetention(retention) => {
                self.put_gathered();
                self.recovered.retention = retention;
                self.horizon = horizon(retention, NO_READERS);
            }
        }
        Some(())
    }

    fn gather(&mut self, commit: LoggedCommit<'_>, keyspace: u32, key: &[u8], value: Option<&[u8]>) -> Option<()> {
        if self.last_keyspace != Some(keyspace) {
            self.keyspaces.get(u64::from(keyspace))?;
            self.last_keyspace = Some(keyspace);
        }
        let record = Record::new(key, value, (commit.version, commit.time));
        self.gathered_bytes += record.length();
        self.gathered.push(Gathered { keyspace, prefix: prefix_after(key, 0), record });
        if self.gathered.len() >= GATHER || self.gathered_bytes >= GATHER_BYTES {
            self.put_gathered();
        }
        Some(())
    }

    /// Puts what was gathered into the indexes.
    fn put_gathered(&mut self) {
        // The sort keeps the versions of a key in their order.
        sorting::sort_by(&mut self.gathered, |a, b| {
            (a.keyspace, a.prefix).cmp(&(b.keyspace, b.prefix)).then_with(|| compare(a.record.key(), b.record.key()))
        });
        let mut gathered = self.gathered.drain(..).peekable();
        while let Some(keyspace) = gathered.peek().map(|change| change.keyspace) {
            let records = std::iter::from_fn(|| next_record(&mut gathered, keyspace));
            let Some(state) = self.keyspaces.get(u64::from(keyspace)) else {
                unreachable!("what is gathered is put before its keyspace is dropped")
            };
            let mut tally = Tally::default();
            state.index.put_all(records, || self.horizon, &mut tally);
            state.index.add(tally);
        }
        drop(gathered);
        self.gathered_bytes = 0;
    }
}

/// The next record of a keyspace. Of several changes of a key in one commit the last counts.
fn next_record(gathered: &mut Peekable<impl Iterator<Item = Gathered>>, keyspace: u32) -> Option<Record> {
    loop {
        let change = gathered.next_if(|change| change.keyspace == keyspace)?;
        if gathered.peek().is_none_or(|next| !next.replaces(&change)) {
            return Some(change.record);
        }
    }
}

/// A closing frame is written after the next segment is durable: it cannot be missing or unfinished.
fn lost_successor(chain: &Chain, segment: u64) -> Error {
    let kind = if chain.unfinished == Some(segment) { Corruption::Header } else { Corruption::Missing };
    Error::corrupted(segment_name(segment), 0, kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::options::Retention;
    use crate::runtime::block_on;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const FIRST: u32 = DEFAULT_NUMBER + 1;

    fn payload(operations: &[Operation<'_>]) -> Vec<u8> {
        let mut buffer = Vec::new();
        codec::encode(&(operations.len() as u64), &mut buffer);
        for operation in operations {
            codec::encode(operation, &mut buffer);
        }
        buffer
    }

    /// What becomes of commits of these payloads and times.
    fn replayed(commits: &[(Vec<u8>, u64)]) -> Result<Recovered> {
        let mut recovered = Recovered::empty(Retention::None);
        let mut replay = Replay::new(&mut recovered, None);
        for (version, (payload, time)) in (1..).zip(commits) {
            let commit = LoggedCommit { version, time: *time, payload, offset: 0 };
            block_on(replay.commit("log", commit))?;
        }
        replay.put_gathered();
        Ok(recovered)
    }

    fn damage(commits: &[(Vec<u8>, u64)]) -> Option<Corruption> {
        replayed(commits).err().map(|error| match error.kind() {
            ErrorKind::Corrupted { kind, .. } => *kind,
            other => unreachable!("{other:?}"),
        })
    }

    fn create(keyspace: u32, name: &str) -> Operation<'_> {
        Operation::CreateKeyspace { keyspace, name }
    }

    #[test]
    fn an_operation_that_contradicts_those_before_it_is_damage() {
        let set = |keyspace| Operation::Set { keyspace, key: b"key", value: b"value" };
        let fits = [create(FIRST, "one"), create(FIRST + 1, "two"), set(FIRST), set(DEFAULT_NUMBER), set(FIRST + 1)];
        assert_eq!(damage(&[(payload(&fits), 0)]), None);
        let contradictions: [&[Operation<'_>]; 8] = [
            &[create(FIRST, "one"), create(FIRST, "two")],
            &[create(FIRST, "one"), create(FIRST + 1, "one")],
            &[create(u32::MAX, "last")],
            &[set(FIRST)],
            &[set(DEFAULT_NUMBER), Operation::Remove { keyspace: FIRST, key: b"key" }],
            &[create(FIRST, "one"), set(FIRST), Operation::DropKeyspace { keyspace: FIRST }, set(FIRST)],
            &[Operation::DropKeyspace { keyspace: FIRST }],
            &[Operation::DropKeyspace { keyspace: DEFAULT_NUMBER }],
        ];
        for operations in contradictions {
            assert_eq!(damage(&[(payload(operations), 0)]), Some(Corruption::Payload), "{operations:?}");
        }
    }

    #[test]
    fn bytes_after_the_last_operation_are_damage() {
        let mut longer = payload(&[create(FIRST, "one")]);
        longer.push(0);
        assert_eq!(damage(&[(longer, 0)]), Some(Corruption::Payload));
    }

    #[test]
    fn time_may_stand_still_but_not_go_back() {
        let at = |name, number, time| (payload(&[create(number, name)]), time);
        assert_eq!(damage(&[at("one", FIRST, 7), at("two", FIRST + 1, 7)]), None);
        assert_eq!(damage(&[at("one", FIRST, 7), at("two", FIRST + 1, 6)]), Some(Corruption::Sequence));
    }
}
