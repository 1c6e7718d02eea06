//! Changes from the history that the index keeps.

use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::Arc;

use super::Keyspaces;
use crate::engine::catalog::KeyspaceState;
use crate::engine::readers::Term;
use crate::handle::Handle;
use crate::index::{ReadPoint, Record, Revision, Walk};
use crate::runtime::{breathe, from_ns};
use crate::sorting;
use crate::watch::{Change, Changes};
use crate::{Error, ErrorKind, Result, Version};

/// After how many keys the event loop may get a turn.
const BREATHE_KEYS: usize = 1 << 10;

/// Changes in the order of their commits.
#[derive(Debug)]
pub(super) struct Kept(VecDeque<(Arc<KeyspaceState>, Record)>);

impl Kept {
    /// Finds all changes after `since` and up to `until`, when none of them is forgotten.
    pub(super) async fn collect(
        handle: &Handle,
        keyspaces: &Keyspaces,
        since: Version,
        until: Version,
    ) -> Result<Self> {
        // A reader at `since` keeps everything newer. It is refused when a key that was there is forgotten.
        let _pin = handle.readers.guard(handle.pin_past(Term::Unlimited, ReadPoint::version(since))?);
        let mut changes = Vec::new();
        let mut keys: usize = 0;
        for keyspace in keyspaces.values() {
            let point = ReadPoint::version(until);
            let mut walk = Walk::with_removed(&keyspace.index, point, Bound::Unbounded, Bound::Unbounded);
            while walk.settle_front() {
                if let Some(newest) = walk.front() {
                    newer(keyspace, newest, since, &mut changes)?;
                }
                walk.advance_front();
                keys += 1;
                if keys.is_multiple_of(BREATHE_KEYS) {
                    breathe().await;
                }
            }
        }
        // It is stable: the changes of a commit stay in the order of keyspaces and keys.
        sorting::sort_by(&mut changes, |(_, a), (_, b)| a.version().cmp(&b.version()));
        Ok(Self(changes.into()))
    }

    pub(super) fn next(&mut self) -> Option<Changes> {
        let (_, first) = self.0.front()?;
        let (version, time) = (first.version(), first.time());
        let count = self.0.iter().take_while(|(_, record)| record.version() == version).count();
        let changes = self.0.drain(..count).map(|(keyspace, record)| Change::new(&keyspace, &record)).collect();
        Some(Changes { version, time: from_ns(time), changes })
    }
}

/// Adds the revisions of a key after `since`. A chain that was cut before it gets there may have lost some.
fn newer(
    keyspace: &Arc<KeyspaceState>,
    newest: &Revision,
    since: Version,
    changes: &mut Vec<(Arc<KeyspaceState>, Record)>,
) -> Result<()> {
    let mut next = Some(newest);
    while let Some(revision) = next {
        if revision.is_collected() {
            return Err(Error::new(ErrorKind::HistoryCollected { requested: since }));
        }
        if revision.version() <= since {
            break;
        }
        changes.push((Arc::clone(keyspace), revision.record.clone()));
        next = revision.older.as_deref();
    }
    Ok(())
}
