//! The writes of a transaction that is not committed, in the order of their keys.
//!
//! They stand in sorted blocks, one after the other, of which none is empty, beside the first eight bytes of their keys,
//! so that a search meets few keys in other places of the memory. A transaction of a few writes has one short block, and
//! writes in ascending order are appended. Blocks grow with their number, so that making room in one, and for one among
//! the others, stays cheap in comparison with the search.

use std::cmp::Ordering;
use std::mem;
use std::ops::Bound;

use crate::few::Few;
use crate::index::{self, Record, prefix_after};

/// How many records a block has at most, while there are not very many blocks. An interpreter sees many with few keys.
const BLOCK: usize = if cfg!(miri) { 16 } else { 128 };

/// From so many times as many blocks on, blocks are longer.
const BLOCKS_PER_RECORD: usize = 32;

/// A block and a position in it.
type Place = (usize, usize);

/// Records with the prefixes of their keys.
#[derive(Debug)]
struct Block {
    /// The first prefix.
    first: u64,
    entries: Vec<(u64, Record)>,
}

/// The changes of a transaction in one keyspace, new values and removals, each key once.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    blocks: Few<Block>,
}

impl Overlay {
    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.blocks.iter().map(|block| block.entries.len()).sum()
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<&Record> {
        self.find(key).ok().map(|place| self.at(place))
    }

    /// Where a key is, or where it belongs.
    pub(crate) fn find(&self, key: &[u8]) -> Result<Place, Place> {
        let prefix = prefix_after(key, 0);
        let Some((last, block)) = self.blocks.iter().enumerate().next_back() else { return Err((0, 0)) };
        if block.entries.last().is_some_and(|greatest| compare(greatest, prefix, key).is_lt()) {
            return Err((last, block.entries.len()));
        }
        let begins_before = |block: &Block| match block.first.cmp(&prefix) {
            Ordering::Equal => block.entries[0].1.key() <= key,
            order => order.is_lt(),
        };
        let block = self.blocks.partition_point(begins_before).saturating_sub(1);
        let position = self.blocks[block].entries.binary_search_by(|entry| compare(entry, prefix, key));
        position.map(|position| (block, position)).map_err(|position| (block, position))
    }

    pub(crate) fn at(&self, (block, position): Place) -> &Record {
        &self.blocks[block].entries[position].1
    }

    /// Puts a record where [`find`](Self::find) said that its key is or belongs. Returns the one that was there.
    pub(crate) fn put(&mut self, place: Result<Place, Place>, record: Record) -> Option<Record> {
        match place {
            Ok((block, position)) => Some(mem::replace(&mut self.blocks[block].entries[position].1, record)),
            Err(place) => {
                self.insert_at(place, record);
                None
            }
        }
    }

    fn insert_at(&mut self, (block, position): Place, record: Record) {
        let entry = (prefix_after(record.key(), 0), record);
        let most = BLOCK.max(self.blocks.len() / BLOCKS_PER_RECORD);
        let is_end = block + 1 >= self.blocks.len();
        match self.blocks.get_mut(block) {
            Some(records) if records.entries.len() < most => records.insert(position, entry),
            Some(records) if !is_end || position < records.entries.len() => {
                let half = records.entries.len() / 2;
                let mut right = Block::new(records.entries.split_off(half));
                if position > half {
                    right.insert(position - half, entry);
                } else {
                    records.insert(position, entry);
                }
                self.blocks.insert(block + 1, right);
            }
            // Behind the last one: whoever writes in ascending order fills his blocks.
            _ => self.blocks.push(Block::new(vec![entry])),
        }
    }

    pub(crate) fn remove(&mut self, key: &[u8]) {
        let Ok((block, position)) = self.find(key) else { return };
        self.blocks[block].entries.remove(position);
        if let Some((first, _)) = self.blocks[block].entries.first() {
            self.blocks[block].first = *first;
        } else {
            self.blocks.remove(block);
        }
    }

    pub(crate) fn records(&self) -> Records<'_> {
        self.range(Bound::Unbounded, Bound::Unbounded)
    }

    pub(crate) fn records_mut(&mut self) -> impl Iterator<Item = &mut Record> {
        self.blocks.iter_mut().flat_map(|block| &mut block.entries).map(|(_, record)| record)
    }

    pub(crate) fn into_records(self) -> impl Iterator<Item = Record> {
        self.blocks.into_iter().flat_map(|block| block.entries).map(|(_, record)| record)
    }

    pub(crate) fn range(&self, low: Bound<&[u8]>, high: Bound<&[u8]>) -> Records<'_> {
        let front = match low {
            Bound::Unbounded => (0, 0),
            Bound::Included(key) => self.edge(key, false),
            Bound::Excluded(key) => self.edge(key, true),
        };
        let back = match high {
            Bound::Unbounded => (self.blocks.len(), 0),
            Bound::Included(key) => self.edge(key, true),
            Bound::Excluded(key) => self.edge(key, false),
        };
        Records { blocks: &self.blocks, front, back }
    }

    /// The place of the first record from a key on, or after it.
    fn edge(&self, key: &[u8], is_after: bool) -> Place {
        let (block, position) = match self.find(key) {
            Ok((block, position)) => (block, position + usize::from(is_after)),
            Err(place) => place,
        };
        settled(&self.blocks, (block, position))
    }
}

impl Block {
    fn new(entries: Vec<(u64, Record)>) -> Self {
        Self { first: entries[0].0, entries }
    }

    fn insert(&mut self, position: usize, entry: (u64, Record)) {
        self.entries.insert(position, entry);
        self.first = self.entries[0].0;
    }
}

fn compare((prefix, record): &(u64, Record), other: u64, key: &[u8]) -> Ordering {
    prefix.cmp(&other).then_with(|| index::compare(record.key(), key))
}

/// The end of a block is the beginning of the next one.
fn settled(blocks: &[Block], (block, position): Place) -> Place {
    let is_end = blocks.get(block).is_some_and(|block| position == block.entries.len());
    if is_end { (block + 1, 0) } else { (block, position) }
}

/// Records of an overlay in the order of their keys, from both ends.
#[derive(Debug, Clone)]
pub(crate) struct Records<'a> {
    blocks: &'a [Block],
    front: Place,
    /// The place after the last one.
    back: Place,
}

impl<'a> Iterator for Records<'a> {
    type Item = &'a Record;

    fn next(&mut self) -> Option<&'a Record> {
        let (block, position) = self.front;
        if self.front >= self.back {
            return None;
        }
        self.front = settled(self.blocks, (block, position + 1));
        Some(&self.blocks[block].entries[position].1)
    }
}

impl DoubleEndedIterator for Records<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        self.back = match self.back {
            (block, 0) => (block - 1, self.blocks[block - 1].entries.len() - 1),
            (block, position) => (block, position - 1),
        };
        let (block, position) = self.back;
        Some(&self.blocks[block].entries[position].1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const KEYS: u32 = if cfg!(miri) { 150 } else { 3_000 };

    /// Keys of which some have the same first eight bytes.
    fn bytes(key: u32) -> Vec<u8> {
        [b"some-", &key.to_be_bytes()[..]].concat()
    }

    fn put(overlay: &mut Overlay, key: u32, value: u8) -> Option<Record> {
        let record = Record::pending(&bytes(key), Some(&[value]));
        overlay.put(overlay.find(record.key()), record)
    }

    fn key_of(record: &Record) -> u32 {
        record.key()[5..].try_into().map(u32::from_be_bytes).unwrap()
    }

    /// Every second number below twice `KEYS`, in ascending, descending and mixed order.
    fn orders() -> [Vec<u32>; 3] {
        let ascending: Vec<u32> = (0..KEYS).map(|key| 2 * key).collect();
        let mixed = ascending.iter().map(|key| key.wrapping_mul(7_919) % (2 * KEYS)).collect();
        [ascending.clone(), ascending.into_iter().rev().collect(), mixed]
    }

    #[test]
    fn it_is_a_sorted_map_in_whatever_order_it_was_written() {
        for order in orders() {
            let (mut overlay, mut model) = (Overlay::default(), BTreeMap::new());
            for (turn, key) in order.iter().enumerate() {
                let replaced = put(&mut overlay, *key, turn as u8).map(|record| record.bytes()[0]);
                assert_eq!(replaced, model.insert(*key, turn as u8));
                if turn % 3 == 0 {
                    let gone = order[turn / 2];
                    overlay.remove(&bytes(gone));
                    model.remove(&gone);
                }
            }
            let found = overlay.records().map(|record| (key_of(record), record.bytes()[0]));
            assert!(found.eq(model.iter().map(|(key, value)| (*key, *value))));
            assert!(overlay.blocks.iter().all(|block| (1..=BLOCK).contains(&block.entries.len())));
            assert!(overlay.blocks.iter().all(|block| block.first == block.entries[0].0));
            assert!(overlay.records_mut().map(|record| key_of(record)).eq(model.keys().copied()));
            for key in 0..2 * KEYS {
                assert_eq!(overlay.get(&bytes(key)).is_some(), model.contains_key(&key));
            }
            assert!(overlay.into_records().map(|record| key_of(&record)).eq(model.into_keys()));
        }
    }

    #[test]
    fn ranges_are_those_of_a_sorted_map_from_both_ends() {
        let [_, _, order] = orders();
        let mut overlay = Overlay::default();
        assert!(overlay.records().next_back().is_none());
        let model: BTreeSet<u32> = order.iter().copied().collect();
        for key in order {
            put(&mut overlay, key, 0);
        }
        let bounds = |key: u32| [Bound::Unbounded, Bound::Included(key), Bound::Excluded(key)];
        let pairs = (0..2 * KEYS).step_by(97).flat_map(|low| [(low, low + 2), (low, low + 301), (low, 3 * KEYS)]);
        for (low, high) in
            pairs.flat_map(|(low, high)| bounds(low).map(|low| bounds(high).map(|high| (low, high)))).flatten()
        {
            let (low_key, high_key) = (low.map(bytes), high.map(bytes));
            let (low_key, high_key) = (low_key.as_ref().map(|key| &key[..]), high_key.as_ref().map(|key| &key[..]));
            let expected: Vec<u32> = model.range((low, high)).copied().collect();
            let range = || overlay.range(low_key, high_key).map(key_of);
            assert!(range().eq(expected.iter().copied()), "{low:?} {high:?}");
            assert!(range().rev().eq(expected.iter().rev().copied()), "{low:?} {high:?}");
            let (mut range, mut from_both) = (range(), Vec::new());
            while let Some(key) = range.next() {
                from_both.extend([Some(key), range.next_back()].into_iter().flatten());
            }
            from_both.sort_unstable();
            assert_eq!(from_both, expected);
        }
    }
}
