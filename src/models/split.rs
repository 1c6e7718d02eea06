//! A leaf that is split or merged under readers and writers: no key is lost, and none is seen before it is there.

use std::sync::Arc;

use loom::thread;

use crate::Version;
use crate::index::{Blob, Horizon, Index, ReadPoint, Record, Tally};

const NOW: ReadPoint = ReadPoint { version: u64::MAX, time: u64::MAX };
const KEEP_NEWEST: Horizon = Horizon { point: NOW, keep: 1 };

fn put(index: &Index, key: u8, version: Version, value: Option<&[u8]>) {
    let mut tally = Tally::default();
    index.put_all([Record::new(&[key], value, (version, version))], || KEEP_NEWEST, &mut tally);
    index.add(tally);
}

pub(super) fn set(index: &Index, key: u8, version: Version) {
    put(index, key, version, Some(&[key]));
}

fn has(index: &Index, key: u8) -> bool {
    index.read(&[key], NOW, |record| record.is_some_and(Record::is_value))
}

/// An index with a full leaf.
fn full() -> Arc<Index> {
    let index = Index::new();
    [2, 4, 6, 8].into_iter().zip(1..).for_each(|(key, version)| set(&index, key, version));
    Arc::new(index)
}

#[test]
fn readers_find_every_key_while_its_leaf_is_split() {
    loom::model(|| {
        let index = full();
        let writer = {
            let index = Arc::clone(&index);
            thread::spawn(move || set(&index, 5, 9))
        };
        assert!([2, 8].iter().all(|key| has(&index, *key)));
        writer.join().unwrap();
        assert!([2, 4, 5, 6, 8].iter().all(|key| has(&index, *key)) && !has(&index, 3));
    });
}

#[test]
fn two_writers_that_split_the_same_leaf_lose_nothing() {
    loom::model(|| {
        let index = full();
        let writer = {
            let index = Arc::clone(&index);
            thread::spawn(move || set(&index, 9, 9))
        };
        set(&index, 1, 10);
        writer.join().unwrap();
        assert!([1, 2, 4, 6, 8, 9].iter().all(|key| has(&index, *key)));
        assert_eq!(index.tally().keys, 6);
    });
}

#[test]
fn a_writer_and_a_merge_of_its_leaf_lose_nothing() {
    loom::model(|| {
        let index = full();
        set(&index, 9, 9);
        for key in [4, 6, 8, 9] {
            put(&index, key, 10, None);
        }
        let collector = {
            let index = Arc::clone(&index);
            thread::spawn(move || index.collect(Blob::new(b""), 3, KEEP_NEWEST).dropped)
        };
        set(&index, 7, 11);
        assert!(has(&index, 2) && has(&index, 7));
        collector.join().unwrap();
        assert!(has(&index, 2) && has(&index, 7) && !has(&index, 8));
    });
}
