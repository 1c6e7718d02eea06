//! A side door to the records: the newest one of each key that was read, by the hash of the key.
//!
//! In a large index every step of the way to a key waits for memory: the leaf, its entries, the record. Here it is two
//! steps. The table holds no key of its own: it shares the records with the leaves, and is right because of two rules.
//!
//! - A record is entered under the read lock of its leaf, where it is the newest one of its key.
//! - Whoever puts another record in its place, or takes the key away, holds the write lock of the leaf, and does the same
//!   here before he gives it back, and before the new version is published.
//!
//! So a record that is found here is the newest of its key, or one whose successor is not published yet. Older ones are
//! found in the leaf alone, and so is whatever was never read: a load, or a write of a new key, does nothing here.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::buckets::Buckets;
use super::leaf::CAPACITY;
use super::record::Record;
use super::revision::Revision;
use crate::locks::RwLock;

/// So many threads hardly ever meet in one of these.
const SHARDS: usize = if cfg!(any(loom, shuttle)) { 1 } else { 256 };

/// A shard of which no more than one place in so many is taken gives memory back.
const SPARSE_PART: usize = 8;

/// A part of the table, on cache lines of its own.
#[repr(align(64))]
struct Shard(RwLock<Buckets>);

/// Records by the hashes of their keys.
pub(super) struct Table {
    hasher: RandomState,
    shards: Box<[Shard]>,
}

impl Table {
    /// With room for so many keys.
    pub(super) fn new(keys: usize) -> Self {
        let part = || Buckets::with_capacity(keys.div_ceil(SHARDS));
        let shards = (0..SHARDS).map(|_| Shard(RwLock::new(part()))).collect();
        Self { hasher: RandomState::default(), shards }
    }

    /// Reads the record of a key under a lock, if it is there and `is_wanted`. Gives `reader` back otherwise.
    #[inline]
    pub(super) fn read<R, F: FnOnce(Option<&Record>) -> R>(
        &self,
        key: &[u8],
        is_wanted: impl Fn(&Record) -> bool,
        reader: F,
    ) -> Result<R, F> {
        let hash = self.hasher.hash_one(key);
        let records = self.shard(hash).read();
        match records.find(hash, key) {
            Some(record) if is_wanted(record) => Ok(reader(Some(record))),
            _ => Err(reader),
        }
    }

    /// Enters the newest record of a key. The caller holds the lock of its leaf.
    pub(super) fn enter(&self, record: &Record) {
        self.enter_at(self.hasher.hash_one(record.key()), record);
    }

    /// Enters the newest records of all keys of a leaf. The caller holds its lock.
    pub(super) fn enter_all(&self, entries: &[Revision]) {
        let mut hashes = [0; CAPACITY];
        // The processor can wait for all of these keys at once, and could not between locks.
        for (hash, entry) in hashes.iter_mut().zip(entries) {
            *hash = self.hasher.hash_one(entry.key());
        }
        for (hash, entry) in hashes.iter().zip(entries) {
            self.enter_at(*hash, entry);
        }
    }

    fn enter_at(&self, hash: u64, record: &Record) {
        self.shard(hash).write().insert(hash, record.clone(), |other| self.hasher.hash_one(other.key()));
    }

    /// Puts a newer record in the place of one that is there. The caller holds the write lock of its leaf.
    pub(super) fn replace(&self, newer: &Record) {
        let hash = self.hasher.hash_one(newer.key());
        let mut records = self.shard(hash).write();
        if let Some(record) = records.find_mut(hash, newer.key()) {
            *record = newer.clone();
        }
    }

    /// Takes a key away. The caller holds the write lock of its leaf.
    pub(super) fn remove(&self, key: &[u8]) {
        let hash = self.hasher.hash_one(key);
        let mut records = self.shard(hash).write();
        if records.remove(hash, key) && records.len() < records.capacity() / SPARSE_PART {
            let room = 2 * records.len();
            records.resize(room, |other| self.hasher.hash_one(other.key()));
        }
    }

    #[inline]
    fn shard(&self, hash: u64) -> &RwLock<Buckets> {
        // The buckets go by the lower half and the highest eight bits.
        &self.shards[(hash >> 48) as usize % SHARDS].0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: u32 = if cfg!(miri) { 100 } else { 5_000 };

    fn record(key: u32, version: u64) -> Record {
        Record::new(&key.to_le_bytes(), Some(b"value"), (version, 0))
    }

    fn version(table: &Table, key: u32) -> Option<u64> {
        table.read(&key.to_le_bytes(), |_| true, |found| found.map(Record::version)).unwrap_or(None)
    }

    #[test]
    fn what_is_entered_is_found_until_it_is_removed() {
        let table = Table::new(100);
        (0..2 * KEYS).for_each(|key| table.enter(&record(key, 1)));
        (0..4 * KEYS).for_each(|key| table.replace(&record(key, 2)));
        (0..KEYS).for_each(|key| table.remove(&key.to_le_bytes()));
        for key in 0..4 * KEYS {
            assert_eq!(version(&table, key), (KEYS..2 * KEYS).contains(&key).then_some(2));
        }
        (0..10).for_each(|_| table.enter(&record(7, 3)));
        assert_eq!(table.shards.iter().map(|shard| shard.0.read().len()).sum::<usize>(), KEYS as usize + 1);
        (0..2 * KEYS).for_each(|key| table.remove(&key.to_le_bytes()));
        let room = table.shards.iter().map(|shard| shard.0.read().capacity()).max();
        assert!(room < Some(2 * SPARSE_PART), "{room:?} places are kept for what is gone");
    }

    #[test]
    fn a_record_that_is_not_wanted_is_not_read() {
        let table = Table::new(1);
        table.enter(&record(1, 5));
        assert!(table.read(&1_u32.to_le_bytes(), |record| record.version() < 5, |_| ()).is_err());
    }
}
