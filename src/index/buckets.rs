//! A hash table of records whose buckets are cache lines: seven records each, and of each hash a tag.
//!
//! Who looks for a record waits for the memory twice, for the bucket and for the record. Tables that have their tags in
//! an array apart wait three times.
//!
//! A record that finds its bucket full goes into the next one with room. Each bucket counts the records that passed it,
//! so that a search knows where it ends and nothing has to mark what is gone: the scheme of F14
//! (<https://engineering.fb.com/2019/04/25/developer-tools/f14/>).

use super::record::Record;

/// So many records stand in a cache line, beside their tags.
const WAYS: usize = 7;

/// How many records a bucket is meant for, so that few pass one that is full.
const FILLED: usize = 5;

/// With so many for each bucket there will be more buckets.
const CROWDED: usize = 6;

/// A piece of the hash of each record, 0 where there is none, and in the last place how many records passed.
type Marks = [u8; WAYS + 1];

#[derive(Default)]
#[repr(C, align(64))]
struct Bucket {
    marks: Marks,
    records: [Option<Record>; WAYS],
}

/// Records by their hashes, which the caller computes.
#[derive(Default)]
pub(super) struct Buckets {
    buckets: Box<[Bucket]>,
    length: usize,
}

impl Bucket {
    /// The place of a key.
    #[inline]
    fn find(&self, tag: u8, key: &[u8]) -> Option<usize> {
        let mut candidates = matches(self.marks, tag);
        while candidates != 0 {
            let way = candidates.trailing_zeros() as usize / 8;
            if self.records.get(way)?.as_ref().is_some_and(|record| record.key() == key) {
                return Some(way);
            }
            candidates &= candidates - 1;
        }
        None
    }

    fn passed(&mut self) -> &mut u8 {
        &mut self.marks[WAYS]
    }

    /// Puts a record into a free place. Gives it back where all are taken.
    fn put(&mut self, tag: u8, record: Record) -> Result<(), Record> {
        let way = matches(self.marks, 0).trailing_zeros() as usize / 8;
        let Some(place) = self.records.get_mut(way) else { return Err(record) };
        *place = Some(record);
        self.marks[way] = tag;
        Ok(())
    }
}

impl Buckets {
    /// With room for so many records.
    pub(super) fn with_capacity(records: usize) -> Self {
        let count = records.div_ceil(FILLED);
        Self { buckets: (0..count).map(|_| Bucket::default()).collect(), length: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn capacity(&self) -> usize {
        self.buckets.len() * FILLED
    }

    /// The record of a key.
    #[inline]
    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<&Record> {
        let (place, way) = self.position(hash, key)?;
        self.buckets[place].records[way].as_ref()
    }

    #[inline]
    pub(super) fn find_mut(&mut self, hash: u64, key: &[u8]) -> Option<&mut Record> {
        let (place, way) = self.position(hash, key)?;
        self.buckets[place].records[way].as_mut()
    }

    /// Puts a record in, in the place of one with the same key if there is one.
    pub(super) fn insert(&mut self, hash: u64, record: Record, rehash: impl Fn(&Record) -> u64) {
        if let Some(other) = self.find_mut(hash, record.key()) {
            *other = record;
            return;
        }
        if self.length == self.buckets.len() * CROWDED {
            self.resize(2 * self.length.max(FILLED), rehash);
        }
        self.add(hash, record);
    }

    /// Takes a key away. Returns whether it was there.
    pub(super) fn remove(&mut self, hash: u64, key: &[u8]) -> bool {
        let Some((place, way)) = self.position(hash, key) else { return false };
        self.buckets[place].marks[way] = 0;
        self.buckets[place].records[way] = None;
        self.length -= 1;
        let mut before = self.home(hash);
        while before != place {
            let passed = self.buckets[before].passed();
            // Who was too many to be counted cannot be taken off the count.
            *passed -= u8::from(*passed < u8::MAX);
            before = self.after(before);
        }
        true
    }

    /// Moves all records into buckets with room for so many, or for as many as there are.
    pub(super) fn resize(&mut self, records: usize, rehash: impl Fn(&Record) -> u64) {
        let smaller = std::mem::replace(self, Self::with_capacity(records.max(self.length)));
        for record in smaller.buckets.into_iter().flat_map(|bucket| bucket.records).flatten() {
            self.add(rehash(&record), record);
        }
    }

    /// Puts in a record whose key is not there, where there is room.
    fn add(&mut self, hash: u64, mut record: Record) {
        let mut place = self.home(hash);
        while let Err(back) = self.buckets[place].put(tag(hash), record) {
            let passed = self.buckets[place].passed();
            *passed = passed.saturating_add(1);
            record = back;
            place = self.after(place);
        }
        self.length += 1;
    }

    #[inline]
    fn position(&self, hash: u64, key: &[u8]) -> Option<(usize, usize)> {
        let mut place = self.home(hash);
        for _ in 0..self.buckets.len() {
            let bucket = &self.buckets[place];
            if let Some(way) = bucket.find(tag(hash), key) {
                return Some((place, way));
            }
            if bucket.marks[WAYS] == 0 {
                return None;
            }
            place = self.after(place);
        }
        None
    }

    /// The bucket where the search for a hash begins: its lower half, as a fraction of all buckets.
    #[inline]
    fn home(&self, hash: u64) -> usize {
        (((hash & u64::from(u32::MAX)) * self.buckets.len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, place: usize) -> usize {
        if place + 1 == self.buckets.len() { 0 } else { place + 1 }
    }
}

/// What a bucket says of a hash: its highest bits, and never 0.
#[inline]
fn tag(hash: u64) -> u8 {
    (hash >> 56) as u8 | 1
}

/// The bytes that are a tag, each by its highest bit. The lowest one that is set is right, others above it may not be.
#[inline]
fn matches(marks: Marks, tag: u8) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let different = u64::from_le_bytes(marks) ^ (ONES * u64::from(tag));
    different.wrapping_sub(ONES) & !different & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const KEYS: u64 = if cfg!(miri) { 60 } else { 600 };

    fn record(key: u64, version: u64) -> Record {
        Record::new(&key.to_le_bytes(), Some(b"value"), (version, 0))
    }

    /// Few hashes, so that many records pass many buckets.
    fn crowded(key: u64) -> u64 {
        key % 3 * 0x0111_0000_5555_5555
    }

    fn spread(key: u64) -> u64 {
        key.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn is_like_a_map(hash: fn(u64) -> u64, keys: u64) {
        let rehash = |record: &Record| hash(u64::from_le_bytes(record.key().try_into().unwrap()));
        let (mut buckets, mut map) = (Buckets::default(), HashMap::new());
        for turn in 0..keys * 8 {
            let key = spread(turn) >> 40 & (keys.next_power_of_two() - 1);
            if turn % 3 == 2 {
                assert_eq!(buckets.remove(hash(key), &key.to_le_bytes()), map.remove(&key).is_some());
            } else {
                buckets.insert(hash(key), record(key, turn), rehash);
                map.insert(key, turn);
            }
            assert_eq!(buckets.len(), map.len());
        }
        let is_right = |buckets: &Buckets| {
            for key in 0..keys * 2 {
                let found = buckets.find(hash(key), &key.to_le_bytes()).map(Record::version);
                assert_eq!(found, map.get(&key).copied());
            }
        };
        is_right(&buckets);
        buckets.resize(0, rehash);
        is_right(&buckets);
        assert!(buckets.capacity() < map.len() + FILLED);
        for key in map.keys() {
            assert!(buckets.remove(hash(*key), &key.to_le_bytes()));
        }
        assert_eq!(buckets.len(), 0);
        let passed = buckets.buckets.iter().map(|bucket| bucket.marks[WAYS]).filter(|passed| *passed < u8::MAX).max();
        assert!(passed.is_none_or(|passed| passed == 0), "a bucket counts {passed:?} records that are gone");
    }

    #[test]
    fn buckets_are_like_a_map() {
        is_like_a_map(spread, KEYS);
    }

    #[test]
    fn buckets_are_like_a_map_when_all_records_pass() {
        is_like_a_map(crowded, KEYS / 2);
        is_like_a_map(crowded, KEYS * 2);
    }

    #[test]
    fn a_bucket_is_a_cache_line() {
        assert_eq!(size_of::<Bucket>(), 64);
    }

    #[test]
    fn a_tag_is_found_wherever_it_stands() {
        for place in 0..8 {
            let mut marks = [0, 3, 5, 7, 9, 11, 13, 15];
            marks[place] = 0xff;
            assert_eq!(matches(marks, 0xff).trailing_zeros() as usize / 8, place);
        }
        assert_eq!(matches([1, 2, 3, 0, 0, 0, 0, 0], 5), 0);
    }
}
