//! The keyspaces of a database, by name and by number.

use std::sync::Arc;

use crate::index::{Index, ReadPoint};
use crate::locks::Apart;
use crate::locks::atomic::{AtomicU64, Ordering};
use crate::{Error, ErrorKind, Result, Version};

/// The name of the keyspace that is always there.
pub(crate) const DEFAULT_NAME: &str = "default";
pub(crate) const DEFAULT_NUMBER: u32 = 0;

/// The longest name of a keyspace, in bytes.
const NAME_BYTES: usize = 255;

/// A keyspace: an index of its own within the one history of the database.
#[derive(Debug)]
pub(crate) struct KeyspaceState {
    pub(crate) number: u32,
    pub(crate) name: Arc<str>,
    /// Apart from the count of those who hold the keyspace, which each transaction changes.
    pub(crate) index: Apart<Arc<Index>>,
    /// The commit that created it, and its time; zeros when it was there before the database was opened.
    pub(crate) created: (Version, u64),
    /// The commit that dropped it, and its time; the greatest numbers while it stands.
    dropped_at: AtomicU64,
    dropped_time: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Catalog {
    /// In the order of their names.
    keyspaces: Vec<Arc<KeyspaceState>>,
    /// Numbers are never used again, so that the log stays unambiguous.
    pub(crate) next_number: u32,
}

impl KeyspaceState {
    pub(crate) fn new(number: u32, name: &str, index: Index) -> Arc<Self> {
        Self::created(number, name, index, (0, 0))
    }

    pub(crate) fn created(number: u32, name: &str, index: Index, created: (Version, u64)) -> Arc<Self> {
        Arc::new(Self {
            number,
            name: name.into(),
            index: Arc::new(index).into(),
            created,
            dropped_at: AtomicU64::new(u64::MAX),
            dropped_time: AtomicU64::new(u64::MAX),
        })
    }

    /// Refuses to read at a point at which the keyspace was dropped already.
    pub(crate) fn check(&self, point: ReadPoint) -> Result<()> {
        let dropped = self.dropped_at.load(Ordering::Acquire) <= point.version
            && self.dropped_time.load(Ordering::Relaxed) <= point.time;
        if dropped { Err(self.not_found()) } else { Ok(()) }
    }

    pub(crate) fn not_found(&self) -> Error {
        Error::new(ErrorKind::KeyspaceNotFound { name: Arc::clone(&self.name) })
    }

    pub(crate) fn mark_dropped(&self, version: Version, time: u64) {
        self.dropped_time.store(time, Ordering::Relaxed);
        self.dropped_at.store(version, Ordering::Release);
    }
}

impl Catalog {
    /// The catalog of a new database.
    pub(crate) fn new() -> Self {
        let mut catalog = Self { keyspaces: Vec::new(), next_number: DEFAULT_NUMBER };
        catalog.add(KeyspaceState::new(DEFAULT_NUMBER, DEFAULT_NAME, Index::new()));
        catalog
    }

    /// A catalog without any keyspace, to be filled from a snapshot.
    pub(crate) fn empty(next_number: u32) -> Self {
        Self { keyspaces: Vec::new(), next_number }
    }

    /// Whether a logged creation fits to what is there. No keyspace has the greatest number, because the next one could
    /// not have a greater one.
    pub(crate) fn may_add(&self, number: u32, name: &str) -> bool {
        number != u32::MAX && self.by_number(number).is_none() && self.by_name(name).is_none()
    }

    pub(crate) fn add(&mut self, keyspace: Arc<KeyspaceState>) {
        self.next_number = self.next_number.max(keyspace.number + 1);
        match self.place(&keyspace.name) {
            Ok(place) => self.keyspaces[place] = keyspace,
            Err(place) => self.keyspaces.insert(place, keyspace),
        }
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Arc<KeyspaceState>> {
        let place = self.place(name).ok()?;
        Some(self.keyspaces.remove(place))
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&Arc<KeyspaceState>> {
        let place = self.place(name).ok()?;
        self.keyspaces.get(place)
    }

    fn place(&self, name: &str) -> std::result::Result<usize, usize> {
        self.keyspaces.binary_search_by(|keyspace| (*keyspace.name).cmp(name))
    }

    pub(crate) fn by_number(&self, number: u32) -> Option<&Arc<KeyspaceState>> {
        self.iter().find(|keyspace| keyspace.number == number)
    }

    /// The keyspaces in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<KeyspaceState>> {
        self.keyspaces.iter()
    }
}

/// Refuses names that cannot be stored.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > NAME_BYTES {
        return Err(Error::invalid(format!("a keyspace's name has 1 to {NAME_BYTES} bytes, not {}", name.len())));
    }
    Ok(())
}
