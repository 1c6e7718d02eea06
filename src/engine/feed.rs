//! Recent changes, buffered for those who watch.
//!
//! The buffer is filled only while somebody watches. It is one for all watches and bounded in bytes: a watch that
//! falls behind is told so, and from which version it can go on.

use std::collections::VecDeque;
use std::sync::Arc;

use super::catalog::KeyspaceState;
use super::commit::Change;
use crate::index::Record;
use crate::locks::Mutex;
use crate::locks::atomic::{AtomicUsize, Ordering};
use crate::{Error, ErrorKind, Result, Version};

/// What buffering a change costs beside its key and value, in bytes.
const CHANGE_OVERHEAD: u64 = 64;

#[derive(Debug)]
pub(crate) struct Feed {
    state: Mutex<State>,
    watchers: AtomicUsize,
    limit: u64,
}

#[derive(Debug, Default)]
struct State {
    commits: VecDeque<Arc<BufferedCommit>>,
    bytes: u64,
    /// The newest commit that the buffer had to drop.
    dropped: Version,
    closed: bool,
}

/// A commit's changes, as the buffer holds them.
#[derive(Debug)]
pub(crate) struct BufferedCommit {
    pub(crate) version: Version,
    pub(crate) time: u64,
    pub(crate) changes: Vec<(Arc<KeyspaceState>, Record)>,
    bytes: u64,
}

impl Feed {
    pub(crate) fn new(limit: u64) -> Self {
        Self { state: Mutex::default(), watchers: AtomicUsize::new(0), limit }
    }

    /// Buffers a commit, when anybody watches. The caller holds the commit lock.
    pub(crate) fn push<'a>(&self, version: Version, time: u64, changes: impl Iterator<Item = Change<'a>>) {
        if self.watchers.load(Ordering::Relaxed) == 0 {
            return;
        }
        let changes: Vec<_> = changes.map(|(keyspace, record)| (Arc::clone(keyspace), record.clone())).collect();
        let bytes = changes.iter().map(|(_, record)| record.length() as u64 + CHANGE_OVERHEAD).sum();
        let mut state = self.state.lock();
        state.bytes += bytes;
        state.commits.push_back(Arc::new(BufferedCommit { version, time, changes, bytes }));
        while state.bytes > self.limit {
            let Some(oldest) = state.commits.pop_front() else { break };
            state.bytes -= oldest.bytes;
            state.dropped = oldest.version;
        }
    }

    /// Begins to buffer. The caller holds the commit lock, so that nothing is missed between.
    pub(crate) fn subscribe(&self) {
        self.watchers.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn unsubscribe(&self) {
        let mut state = self.state.lock();
        if self.watchers.fetch_sub(1, Ordering::Relaxed) == 1 {
            let newest = state.commits.back().map_or(0, |commit| commit.version);
            state.dropped = state.dropped.max(newest);
            state.commits.clear();
            state.bytes = 0;
        }
    }

    /// The first buffered commit after `seen`, up to and including `published`.
    pub(crate) fn next(&self, seen: Version, published: Version) -> Result<Option<Arc<BufferedCommit>>> {
        let state = self.state.lock();
        if seen < state.dropped {
            return Err(Error::new(ErrorKind::Lagged { resume: seen }));
        }
        let position = state.commits.partition_point(|commit| commit.version <= seen);
        match state.commits.get(position).filter(|commit| commit.version <= published) {
            Some(commit) => Ok(Some(Arc::clone(commit))),
            None if state.closed => Err(Error::new(ErrorKind::Closed)),
            None => Ok(None),
        }
    }

    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Index;

    #[test]
    fn the_buffer_stays_within_its_limit_and_is_empty_without_watchers() {
        let keyspace = KeyspaceState::new(0, "default", Index::new());
        let record = Record::pending(b"key", Some(&[0; 100]));
        let feed = Feed::new(1_000);
        feed.subscribe();
        for version in 1..=1_000 {
            feed.push(version, 0, std::iter::once((&keyspace, &record)));
            let state = feed.state.lock();
            assert!(state.bytes <= 1_000);
            assert_eq!(state.bytes, state.commits.iter().map(|commit| commit.bytes).sum::<u64>());
        }
        assert!(matches!(feed.next(5, 1_000).unwrap_err().kind(), ErrorKind::Lagged { resume: 5 }));
        assert_eq!(feed.next(999, 1_000).unwrap().unwrap().version, 1_000);
        feed.unsubscribe();
        let state = feed.state.lock();
        assert_eq!((state.bytes, state.commits.len()), (0, 0));
    }
}
