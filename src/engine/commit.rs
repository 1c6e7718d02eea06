//! Committing: validate, claim the next version, apply, append, publish. A commit of one change that is visible at once
//! is appended and published while it is applied, see [`Engine::horizon_behind`].
//!
//! One lock orders the commits, and everything under it is short: the operations are encoded and checksummed before,
//! and the log is written and synced after. A version is claimed under the lock, so that versions, the order of
//! frames in the log and the order in which commits become visible are one and the same.
//!
//! A serializable transaction commits when nothing it read has changed since its snapshot. Then it reads what it
//! would have read at its own version, and the versions are a serial order. Under snapshot isolation the same
//! is asked only of the keys it writes and of those it read for update.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;

use super::Engine;
use super::catalog::KeyspaceState;
use super::leftovers::{ARE_KEPT, FEW_CHANGES};
use super::readers::Place;
use crate::codec::{self, Operation};
use crate::few::Few;
use crate::index::{Blob, Horizon, ReadPoint, Record, Tally, as_ref};
use crate::log;
use crate::log::frame::Frame;
use crate::options::{Durability, Visibility};
use crate::progress::Stage;
use crate::runtime::{self, CAN_WAIT};
use crate::{Error, ErrorKind, Result, Version};

/// The last commit of the one history. Its lock is the commit lock.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) version: Version,
    /// The time of the last commit: later commits have the same or a later time, whatever the wall clock does.
    pub(crate) time: u64,
    /// What writes may drop, as it was found not long ago.
    pub(crate) horizon: Option<Horizon>,
}

/// How many commits use one look at the readers. An older horizon only drops less.
const HORIZON_COMMITS: u64 = 16;

/// A change that a commit makes.
pub(crate) type Change<'a> = (&'a Arc<KeyspaceState>, &'a Record);

/// The changes of a commit, in the order of their keys within each keyspace.
pub(crate) trait WriteSet {
    fn changes(&self) -> impl Iterator<Item = Change<'_>> + Clone;
    /// How many changes there are.
    fn count(&self) -> usize;
    /// The keyspaces that are changed, each at least once.
    fn keyspaces(&self) -> impl Iterator<Item = &Arc<KeyspaceState>>;
    /// Gives all records the version and the time of the commit.
    fn stamp(&mut self, version: Version, time: u64);
    /// The records, to be put into the indexes.
    fn take(&mut self) -> impl Iterator<Item = (&Arc<KeyspaceState>, impl Iterator<Item = Record>)>;
}

impl WriteSet for [(Arc<KeyspaceState>, Record)] {
    fn changes(&self) -> impl Iterator<Item = Change<'_>> + Clone {
        self.iter().map(|(keyspace, record)| (keyspace, record))
    }

    fn count(&self) -> usize {
        self.len()
    }

    fn keyspaces(&self) -> impl Iterator<Item = &Arc<KeyspaceState>> {
        self.iter().map(|(keyspace, _)| keyspace)
    }

    fn stamp(&mut self, version: Version, time: u64) {
        for (_, record) in self {
            record.stamp(version, time);
        }
    }

    fn take(&mut self) -> impl Iterator<Item = (&Arc<KeyspaceState>, impl Iterator<Item = Record>)> {
        let parts = self.chunk_by(|(one, _), (next, _)| Arc::ptr_eq(one, next));
        parts.map(|part| (&part[0].0, part.iter().map(|(_, record)| record.clone())))
    }
}

/// What was read in a keyspace, to be found unchanged.
#[derive(Debug)]
pub(crate) struct Reads {
    pub(crate) keyspace: Arc<KeyspaceState>,
    pub(crate) keys: Few<Blob>,
    pub(crate) ranges: Vec<(Bound<Blob>, Bound<Blob>)>,
}

/// What has to be unchanged since the transaction's snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conditions<'a> {
    pub(crate) since: Version,
    /// The place that keeps what is to be found, if it was not ended.
    pub(crate) place: &'a Place,
    pub(crate) reads: &'a [Reads],
    /// Whether the written keys count as well.
    pub(crate) writes_too: bool,
}

/// A commit that was applied, and the stage its writer wants it to reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    pub(crate) version: Version,
    pub(crate) time: u64,
    pub(crate) stage: Stage,
}

pub(crate) fn stage_of(durability: Durability) -> Stage {
    match durability {
        Durability::None | Durability::Queued => Stage::Applied,
        Durability::Buffered | Durability::Interval { .. } => Stage::Written,
        Durability::Immediate => Stage::Synced,
    }
}

/// What a change takes at most in a payload beside its key and its value.
const CHANGE_BYTES: usize = 16;

/// A commit's frame.
pub(crate) fn encode_changes<'a>(changes: impl Iterator<Item = Change<'a>> + Clone) -> Frame {
    let (count, bytes) = changes
        .clone()
        .fold((0_u64, CHANGE_BYTES), |(count, bytes), (_, record)| (count + 1, bytes + CHANGE_BYTES + record.length()));
    let mut buffer = Frame::buffer(bytes);
    codec::encode(&count, &mut buffer);
    for (keyspace, record) in changes {
        let (keyspace, key) = (keyspace.number, record.key());
        match record.value() {
            Some(value) => codec::encode(&Operation::Set { keyspace, key, value }, &mut buffer),
            None => codec::encode(&Operation::Remove { keyspace, key }, &mut buffer),
        }
    }
    Frame::new(buffer)
}

impl Engine {
    /// Commits changes under conditions. The changes are applied when this returns; durability follows.
    pub(crate) fn commit(
        &self,
        write_set: &mut (impl WriteSet + ?Sized),
        conditions: Option<Conditions<'_>>,
        durability: Durability,
    ) -> Result<Ticket> {
        self.check_writable()?;
        self.check_history_limit()?;
        self.wait_for_room()?;
        let mut frame = self.log.is_some().then(|| encode_changes(write_set.changes()));
        let ticket = {
            let mut head = self.head.try_lock().unwrap_or_else(|| {
                if CAN_WAIT {
                    warm_up(write_set.changes());
                }
                self.head.lock()
            });
            self.check_writable()?;
            for keyspace in write_set.keyspaces() {
                keyspace.check(ReadPoint::version(head.version))?;
            }
            if let Some(conditions) = conditions {
                validate(conditions, head.version, write_set.changes())?;
            }
            let ticket = self.claim(&mut head, durability);
            write_set.stamp(ticket.version, ticket.time);
            self.feed.push(ticket.version, ticket.time, write_set.changes());
            let publishes_itself = write_set.count() == 1 && self.is_visible_at_once(ticket);
            let own = conditions.map(|conditions| conditions.place);
            // Of a commit of one change this is asked for once, under the lock of the leaf that it goes into.
            self.apply(&mut head, ticket, write_set, |horizon| {
                if !publishes_itself {
                    return horizon;
                }
                self.append(ticket, durability, frame.take());
                self.horizon_behind(ticket, own, horizon)
            });
            if !publishes_itself {
                self.append(ticket, durability, frame);
            }
            debug_assert!(!publishes_itself || self.progress.published() >= ticket.version, "its change was put");
            ticket
        };
        self.after_commit(ticket.version);
        Ok(ticket)
    }

    /// Commits an operation on the catalog, which `change` carries out at the version and time it is given.
    pub(crate) fn commit_operation<'a, T>(
        &self,
        change: impl FnOnce(Version, u64) -> (Operation<'a>, T),
    ) -> Result<(Ticket, T)> {
        self.check_writable()?;
        self.wait_for_room()?;
        let mut head = self.head.lock();
        self.check_writable()?;
        let durability = self.options.durability;
        let ticket = self.claim(&mut head, durability);
        let (operation, value) = change(ticket.version, ticket.time);
        // It may have been another retention.
        head.horizon = None;
        self.append(ticket, durability, Some(operation_frame(&operation)));
        drop(head);
        self.after_commit(ticket.version);
        Ok((ticket, value))
    }

    fn claim(&self, head: &mut Head, durability: Durability) -> Ticket {
        head.version += 1;
        head.time = head.time.max(runtime::now_ns());
        let stage = if self.log.is_some() { stage_of(durability) } else { Stage::Applied };
        Ticket { version: head.version, time: head.time, stage }
    }

    /// Puts the changes of a commit into the indexes. `horizon_now` makes the horizon out of the one that was found
    /// before, when [`Index::put_all`](crate::index::Index::put_all) asks for it.
    pub(super) fn apply(
        &self,
        head: &mut Head,
        ticket: Ticket,
        write_set: &mut (impl WriteSet + ?Sized),
        mut horizon_now: impl FnMut(Horizon) -> Horizon,
    ) {
        let horizon = match head.horizon {
            Some(horizon) if !ticket.version.is_multiple_of(HORIZON_COMMITS) => horizon,
            _ => *head.horizon.insert(self.horizon()),
        };
        let are_kept = ARE_KEPT && write_set.count() <= FEW_CHANGES;
        for (keyspace, records) in write_set.take() {
            let mut tally = Tally::default();
            if are_kept {
                records.for_each(|record| {
                    self.collector.leftovers.put(keyspace, record, || horizon_now(horizon), &mut tally);
                });
            } else {
                keyspace.index.put_all(records, || horizon_now(horizon), &mut tally);
            }
            keyspace.index.add(tally);
            if tally.superseded() > 0 {
                self.collector.expect_garbage();
            }
        }
    }

    /// The horizon of a commit that was published already, while nobody else can read the leaf that it changes. If nobody
    /// reads before it, what it supersedes need not be kept: who begins to read from here on reads the new value, as soon
    /// as the leaf's lock is free. `own` is the place of the transaction that commits.
    fn horizon_behind(&self, ticket: Ticket, own: Option<&Place>, horizon: Horizon) -> Horizon {
        if !horizon.keeps_newest_only() || self.readers.is_needed_before(ticket.version, own) {
            return horizon;
        }
        Horizon { point: ReadPoint::version(ticket.version), ..horizon }
    }

    /// The stage at which a commit becomes visible.
    pub(super) fn visible_stage(&self, stage: Stage) -> Stage {
        match self.options.visibility {
            Visibility::Applied => Stage::Applied,
            Visibility::Durable => stage.min(stage_of(self.options.durability)),
        }
    }

    /// Whether a commit waits neither for the log nor for an earlier commit to become visible.
    fn is_visible_at_once(&self, ticket: Ticket) -> bool {
        self.log.is_none()
            || (self.visible_stage(ticket.stage) == Stage::Applied && self.progress.published() + 1 == ticket.version)
    }

    /// Hands the commit to the log, and publishes it as early as its visibility allows.
    fn append(&self, ticket: Ticket, durability: Durability, frame: Option<Frame>) {
        let Ticket { version, time, stage } = ticket;
        if let (Some(log), Some(frame)) = (&self.log, frame) {
            log.push(log::Record { frame, version, time, durability, visible: self.visible_stage(stage) });
            if !self.is_visible_at_once(ticket) {
                return;
            }
        }
        self.progress.publish(version);
    }

    /// What follows a commit once the commit lock is free: wakers may run anything, another commit included.
    fn after_commit(&self, version: Version) {
        self.progress.notify();
        self.drop_leftovers_after(version);
        if self.collector.wants_signal(version) || self.snapshot_is_due() {
            self.signal_maintenance();
        }
    }
}

/// Uses the time until the commit lock is free to fetch from memory what the commit will need under it.
#[cold]
fn warm_up<'a>(changes: impl Iterator<Item = Change<'a>>) {
    for (keyspace, record) in changes.take(FEW_CHANGES) {
        keyspace.index.warm_up(record.key());
    }
}

/// The frame of a commit that does one thing to the catalog.
fn operation_frame(operation: &Operation<'_>) -> Frame {
    let mut buffer = Frame::buffer(0);
    codec::encode(&1_u64, &mut buffer);
    codec::encode(operation, &mut buffer);
    Frame::new(buffer)
}

fn validate<'a>(conditions: Conditions<'_>, now: Version, changes: impl Iterator<Item = Change<'a>>) -> Result<()> {
    for reads in conditions.reads {
        if !reads.keys.is_empty() || !reads.ranges.is_empty() {
            reads.keyspace.check(ReadPoint::version(now))?;
        }
        for key in &reads.keys {
            check_unchanged(&reads.keyspace, key, conditions.since)?;
        }
        for (low, high) in &reads.ranges {
            let newer = reads.keyspace.index.newer_in(as_ref(low), as_ref(high), conditions.since);
            if let Some((key, version)) = newer {
                return Err(conflict(&reads.keyspace, &key, version));
            }
        }
    }
    if conditions.writes_too {
        for (keyspace, record) in changes {
            check_unchanged(keyspace, record.key(), conditions.since)?;
        }
    }
    // A removal in conflict may have been collected as soon as the place was ended.
    conditions.place.check(ReadPoint::version(conditions.since))
}

fn check_unchanged(keyspace: &KeyspaceState, key: &[u8], since: Version) -> Result<()> {
    let newest = keyspace.index.newest(key);
    if newest > since { Err(conflict(keyspace, key, newest)) } else { Ok(()) }
}

fn conflict(keyspace: &KeyspaceState, key: &[u8], version: Version) -> Error {
    Error::new(ErrorKind::Conflict { keyspace: Arc::clone(&keyspace.name), key: Bytes::copy_from_slice(key), version })
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use crate::{Database, Readable, Writable};

    fn versions(db: &Database) -> u64 {
        db.stats().versions
    }

    #[test]
    fn what_nobody_reads_goes_with_the_commit_that_supersedes_it() {
        let db = Database::in_memory();
        db.insert("key", "old").unwrap();
        db.insert("key", "new").unwrap();
        assert_eq!(versions(&db), 1);
        db.update(|tx| tx.get("key").and_then(|_| tx.insert("key", "newer"))).unwrap();
        assert_eq!(versions(&db), 1, "the transaction itself keeps nothing");
        let view = db.begin_read().unwrap();
        db.insert("key", "newest").unwrap();
        assert_eq!((versions(&db), view.get("key").unwrap().unwrap()), (2, "newer".into()));
    }
}
