//! The data that every engine gets: random keys of 16 bytes with values of 100, the same in every run.
//!
//! Each value begins with a stamp that follows from its key, and a counter. Reads add the stamps up, so that a reader
//! has to touch the value, and whoever returns a wrong one, or none, is found out. The rest is random, so that
//! compression gains nothing.

use rand::rngs::SmallRng;
use rand::{Rng, RngCore, SeedableRng};
use rand_distr::{Distribution, Zipf};

pub(crate) const KEY: usize = 16;
pub(crate) const VALUE: usize = 100;
const SEED: u64 = 0x05e1_41e5;
const STAMP: usize = 8;
const COUNTER: usize = 16;
/// The usual exponent of YCSB.
const SKEW: f64 = 0.99;

pub(crate) type Key = [u8; KEY];
pub(crate) type Value = [u8; VALUE];

/// The keys, in the order in which they are loaded, which is random.
pub(crate) struct Data {
    keys: Vec<Key>,
    filling: Vec<u8>,
}

impl Data {
    pub(crate) fn new(entries: usize) -> Self {
        let mut random = SmallRng::seed_from_u64(SEED);
        let keys = (0..entries).map(|_| random.random()).collect();
        let mut filling = vec![0; 1 << 16];
        random.fill_bytes(&mut filling);
        Self { keys, filling }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn key(&self, index: usize) -> &Key {
        &self.keys[index]
    }

    /// What is loaded for a key.
    pub(crate) fn value(&self, index: usize) -> Value {
        let mut value = [0; VALUE];
        value[..STAMP].copy_from_slice(&stamp_of(self.key(index)).to_le_bytes());
        let start = (index * 61) % (self.filling.len() - VALUE);
        value[COUNTER..].copy_from_slice(&self.filling[start..start + VALUE - COUNTER]);
        value
    }

    /// A value of any length, stamped in the same way.
    pub(crate) fn large_value(&self, index: usize, length: usize) -> Vec<u8> {
        let mut value: Vec<u8> = self.filling.iter().copied().cycle().skip(index % 4_096).take(length).collect();
        value[..STAMP].copy_from_slice(&stamp_of(self.key(index)).to_le_bytes());
        value
    }

    /// All entries in the order of the keys, for engines whose best way to load wants them so.
    pub(crate) fn sorted(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_unstable_by_key(|&index| self.keys[index]);
        order
    }

    /// Indices drawn evenly.
    pub(crate) fn uniform(&self, seed: u64, count: usize) -> Vec<usize> {
        let mut random = SmallRng::seed_from_u64(SEED ^ seed);
        (0..count).map(|_| random.random_range(0..self.len())).collect()
    }

    /// Indices of which few are drawn often. Their keys are spread over the whole range, since keys are random.
    pub(crate) fn zipf(&self, seed: u64, count: usize) -> Vec<usize> {
        let mut random = SmallRng::seed_from_u64(SEED ^ seed);
        let Ok(zipf) = Zipf::new(self.len() as f64, SKEW) else { return Vec::new() };
        (0..count).map(|_| (zipf.sample(&mut random) as usize - 1).min(self.len() - 1)).collect()
    }

    /// What reading these entries must add up to.
    pub(crate) fn sum(&self, indices: impl IntoIterator<Item = usize>) -> u64 {
        indices.into_iter().fold(0, |sum, index| sum.wrapping_add(stamp_of(self.key(index))))
    }
}

fn stamp_of(key: &Key) -> u64 {
    let (high, low) = key.split_at(STAMP);
    word(high).rotate_left(17) ^ word(low)
}

fn word(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

/// What a reader adds up of each value.
#[inline]
pub(crate) fn stamp(value: &[u8]) -> u64 {
    word(value)
}

/// How often a value was changed by [`increment`].
pub(crate) fn counter(value: &[u8]) -> u64 {
    value.get(STAMP..).map_or(0, word)
}

/// The change of every read-modify-write: one is added to the counter.
pub(crate) fn increment(value: &mut [u8]) {
    let next = counter(value) + 1;
    if let Some(counter) = value.get_mut(STAMP..COUNTER) {
        counter.copy_from_slice(&next.to_le_bytes());
    }
}
