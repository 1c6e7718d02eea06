//! The simple model: every version's whole state, kept for ever.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::rc::Rc;

use selkie::{Retention, SystemTime, Version};

use crate::operations::Bounds;

pub(crate) type Entries = BTreeMap<Vec<u8>, Vec<u8>>;
/// A keyspace that was created: dropping one and creating another of its name gives another number.
pub(crate) type Number = usize;
/// The changes of a transaction, or of a commit.
pub(crate) type Changes = BTreeMap<(Number, Vec<u8>), Option<Vec<u8>>>;

#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) version: Version,
    pub(crate) time: Option<SystemTime>,
    pub(crate) changes: Changes,
    state: BTreeMap<Number, Rc<Entries>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Keyspace {
    pub(crate) name: &'static str,
    pub(crate) created: Version,
    pub(crate) dropped: Option<Version>,
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) commits: Vec<Commit>,
    pub(crate) keyspaces: Vec<Keyspace>,
    /// How many revisions of each key were promised throughout.
    pub(crate) promised: u32,
}

/// What a transaction read, or asked to find unchanged.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) number: Number,
    pub(crate) bounds: Bounds,
}

impl Seen {
    pub(crate) fn key(number: Number, key: &[u8]) -> Self {
        Self { number, bounds: (Bound::Included(key.to_vec()), Bound::Included(key.to_vec())) }
    }

    pub(crate) fn covers(&self, number: Number, key: &[u8]) -> bool {
        self.number == number && within(&self.bounds, key)
    }
}

pub(crate) fn within((low, high): &Bounds, key: &[u8]) -> bool {
    let above = match low {
        Bound::Unbounded => true,
        Bound::Included(low) => key >= &low[..],
        Bound::Excluded(low) => key > &low[..],
    };
    above
        && match high {
            Bound::Unbounded => true,
            Bound::Included(high) => key <= &high[..],
            Bound::Excluded(high) => key < &high[..],
        }
}

/// Whether no key at all can lie within the bounds.
pub(crate) fn is_empty(bounds: &Bounds) -> bool {
    match bounds {
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => low >= high,
        _ => false,
    }
}

pub(crate) fn promised_by(retention: Retention) -> u32 {
    match retention {
        Retention::Forever => u32::MAX,
        Retention::Versions(count) => count.max(1),
        _ => 1,
    }
}

impl Model {
    pub(crate) fn new(retention: Retention) -> Self {
        let first = Commit { version: 0, time: None, changes: Changes::new(), state: BTreeMap::new() };
        let default = Keyspace { name: "default", created: 0, dropped: None };
        Self { commits: vec![first], keyspaces: vec![default], promised: promised_by(retention) }
    }

    pub(crate) fn version(&self) -> Version {
        self.commits.last().unwrap().version
    }

    pub(crate) fn keeps_everything(&self) -> bool {
        self.promised == u32::MAX
    }

    pub(crate) fn commit(&mut self, version: Version, changes: Changes) {
        let mut state = self.commits.last().unwrap().state.clone();
        for ((number, key), value) in &changes {
            let entries = Rc::make_mut(state.entry(*number).or_default());
            match value {
                Some(value) => entries.insert(key.clone(), value.clone()),
                None => entries.remove(key),
            };
        }
        self.commits.push(Commit { version, time: None, changes, state });
    }

    /// What a keyspace holds at a version.
    pub(crate) fn entries(&self, version: Version, number: Number) -> Rc<Entries> {
        let commit = self.commits.iter().rfind(|commit| commit.version <= version).unwrap();
        commit.state.get(&number).cloned().unwrap_or_default()
    }

    /// The newest version at or before a time.
    pub(crate) fn version_at(&self, time: SystemTime) -> Version {
        self.commits.iter().rfind(|commit| commit.time.is_some_and(|at| at <= time)).map_or(0, |commit| commit.version)
    }

    pub(crate) fn is_dropped(&self, number: Number, version: Version) -> bool {
        self.keyspaces[number].dropped.is_some_and(|dropped| dropped <= version)
    }

    /// The keyspace of a name that stands, or the last one that did.
    pub(crate) fn find(&self, name: &str) -> Option<Number> {
        self.keyspaces.iter().rposition(|keyspace| keyspace.name == name)
    }

    /// The versions of a key up to a version, newest first.
    pub(crate) fn history(&self, version: Version, number: Number, key: &[u8]) -> Vec<(Version, Option<Vec<u8>>)> {
        let place = (number, key.to_vec());
        let visible = self.commits.iter().rev().filter(|commit| commit.version <= version);
        visible.filter_map(|commit| commit.changes.get(&place).map(|value| (commit.version, value.clone()))).collect()
    }

    /// The newest version that changed a key, when that is newer than `since`.
    pub(crate) fn changed_since(&self, since: Version, number: Number, key: &[u8]) -> Option<Version> {
        let place = (number, key.to_vec());
        let newer = self.commits.iter().rev().take_while(|commit| commit.version > since);
        newer.filter(|commit| commit.changes.contains_key(&place)).map(|commit| commit.version).next()
    }

    /// Whether anything that was seen changed since.
    pub(crate) fn conflicts(&self, since: Version, seen: &[Seen]) -> bool {
        let newer = self.commits.iter().rev().take_while(|commit| commit.version > since);
        newer
            .flat_map(|commit| commit.changes.keys())
            .any(|(number, key)| seen.iter().any(|seen| seen.covers(*number, key)))
    }

    /// Forgets what a crash took back.
    pub(crate) fn crash_to(&mut self, version: Version) {
        self.commits.retain(|commit| commit.version <= version);
        for keyspace in &mut self.keyspaces {
            keyspace.dropped = keyspace.dropped.filter(|dropped| *dropped <= version);
            if keyspace.created > version {
                keyspace.name = "";
            }
        }
    }
}
