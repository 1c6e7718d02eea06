use std::collections::BTreeMap;
#[cfg(not(target_arch = "wasm32"))]
use std::sync::atomic::AtomicBool;

use super::*;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOW: ReadPoint = ReadPoint { version: u64::MAX, time: u64::MAX };
const KEEP_ALL: Horizon = Horizon { point: ReadPoint { version: 0, time: 0 }, keep: usize::MAX };
const KEEP_NEWEST: Horizon = Horizon { point: NOW, keep: 1 };

fn put(index: &Index, key: &[u8], version: Version, value: Option<&[u8]>, horizon: Horizon) {
    let mut tally = Tally::default();
    index.put_all([Record::new(key, value, (version, version))], || horizon, &mut tally);
    index.add(tally);
}

fn set(index: &Index, key: &[u8], version: Version) {
    put(index, key, version, Some(&version.to_be_bytes()), KEEP_ALL);
}

fn get(index: &Index, key: &[u8], point: ReadPoint) -> Option<Record> {
    index.read(key, point, |record| Some(record?.clone()))
}

fn forward(walk: &mut Walk<'_>) -> Option<Vec<u8>> {
    walk.settle_front().then(|| walk.front().unwrap().key().to_vec()).inspect(|_| walk.advance_front())
}

fn backward(walk: &mut Walk<'_>) -> Option<Vec<u8>> {
    walk.settle_back().then(|| walk.back().unwrap().key().to_vec()).inspect(|_| walk.advance_back())
}

fn all(index: &Index) -> Walk<'_> {
    Walk::new(index, NOW, Bound::Unbounded, Bound::Unbounded)
}

/// What is done a thousand times otherwise is done so often: an interpreter is slow, and its leaves are small.
const THOUSAND: usize = if cfg!(miri) { 20 } else { 1_000 };

/// A fixed sequence of numbers that looks random.
fn scramble(seed: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(seed), |state| {
        Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    })
    .map(|state| state >> 33)
    .skip(1)
}

#[test]
fn walks_agree_with_a_sorted_map_in_both_directions() {
    let index = Index::new();
    let mut model = BTreeMap::new();
    for (version, number) in scramble(1).take(3 * THOUSAND).enumerate() {
        let key = format!("key-{:05}", number % 2_000).into_bytes();
        if number.is_multiple_of(5) {
            put(&index, &key, version as u64 + 1, None, KEEP_ALL);
            model.remove(&key);
        } else {
            set(&index, &key, version as u64 + 1);
            model.insert(key, version as u64 + 1);
        }
    }
    let expected: Vec<_> = model.keys().cloned().collect();
    let mut walk = all(&index);
    assert_eq!(std::iter::from_fn(|| forward(&mut walk)).collect::<Vec<_>>(), expected);
    let mut walk = all(&index);
    let mut reversed: Vec<_> = std::iter::from_fn(|| backward(&mut walk)).collect();
    reversed.reverse();
    assert_eq!(reversed, expected);
    assert_eq!(index.tally().keys, expected.len() as i64);
}

#[test]
fn reads_of_an_index_that_was_never_split_find_their_leaf_without_a_search() {
    let index = Index::new();
    set(&index, b"a", 1);
    assert!(index.router.routes().leaf_for(b"a").is_none());
    (0..20).for_each(|_| assert!(get(&index, b"b", NOW).is_none()));
    assert!(index.router.routes().leaf_for(b"a").is_some());
}

#[test]
fn both_ends_of_a_walk_meet_once() {
    let index = Index::new();
    for number in 0..500_u32 {
        set(&index, &number.to_be_bytes(), 1);
    }
    let low = Bound::Included(Blob::new(&7_u32.to_be_bytes()));
    let high = Bound::Excluded(Blob::new(&450_u32.to_be_bytes()));
    for pattern in 0..if cfg!(miri) { 1 } else { 64_u64 } {
        let mut walk = Walk::new(&index, NOW, low.clone(), high.clone());
        let mut seen = 0;
        let mut turns = scramble(pattern);
        while let Some(key) =
            if turns.next().unwrap().is_multiple_of(3) { forward(&mut walk) } else { backward(&mut walk) }
        {
            let number = u32::from_be_bytes(key[..].try_into().unwrap());
            assert!((7..450).contains(&number));
            seen += 1;
        }
        assert_eq!(seen, 443, "pattern {pattern}");
    }
}

#[test]
fn bounds_that_are_reversed_or_empty_yield_nothing() {
    let index = Index::new();
    for number in 0..200_u8 {
        set(&index, &[number], 1);
    }
    let blob = |byte: u8| Blob::new(&[byte]);
    for (low, high) in [
        (Bound::Included(blob(150)), Bound::Excluded(blob(3))),
        (Bound::Excluded(blob(3)), Bound::Excluded(blob(3))),
        (Bound::Included(blob(250)), Bound::Unbounded),
        (Bound::Unbounded, Bound::Excluded(Blob::empty())),
    ] {
        assert!(!Walk::new(&index, NOW, low.clone(), high.clone()).settle_front());
        assert!(!Walk::new(&index, NOW, low, high).settle_back());
    }
}

#[test]
fn a_read_point_sees_its_own_past_only() {
    let index = Index::new();
    set(&index, b"k", 5);
    set(&index, b"k", 9);
    assert!(get(&index, b"k", ReadPoint::version(4)).is_none());
    assert_eq!(get(&index, b"k", ReadPoint::version(8)).unwrap().value(), Some(&5_u64.to_be_bytes()[..]));
    assert_eq!(index.newest(b"k"), 9);
    let key = index.newer_in(Bound::Unbounded, Bound::Excluded(b"l"), 8).unwrap();
    assert_eq!((&key.0[..], key.1), (&b"k"[..], 9));
    assert!(index.newer_in(Bound::Excluded(b"k"), Bound::Unbounded, 8).is_none());
}

/// Reads enter what they find into the table, which has to follow every write, split, merge and collection.
#[test]
fn what_was_read_before_is_found_as_it_became() {
    const KEYS: u64 = 3 * THOUSAND as u64;
    let index = Index::new();
    let mut model: BTreeMap<u64, Version> = BTreeMap::new();
    for (number, version) in scramble(3).take(30 * THOUSAND).zip(1..) {
        // The keys in use wander, so that leaves are split ahead of them and merged behind.
        let number_of_key = (version / 10 + number % (KEYS / 5)) % KEYS;
        let key = number_of_key.to_be_bytes();
        match number / KEYS % 4 {
            0 | 1 => {
                set(&index, &key, version);
                model.insert(number_of_key, version);
            }
            2 => {
                put(&index, &key, version, None, KEEP_NEWEST);
                model.remove(&number_of_key);
            }
            _ => {}
        }
        let found = get(&index, &key, NOW).filter(Record::is_value).map(|record| record.version());
        assert_eq!(found, model.get(&number_of_key).copied());
        if version % (2 * THOUSAND as u64) == 0 {
            let mut next = Some(Blob::empty());
            while let Some(from) = next {
                next = index.collect(from, 16, KEEP_NEWEST).next;
            }
            for key in 0..KEYS {
                assert_eq!(index.newest(&key.to_be_bytes()), model.get(&key).copied().unwrap_or_default());
            }
        }
    }
}

#[test]
fn churn_leaves_no_empty_leaves_behind() {
    let index = Index::new();
    for number in 0..50_000_u32 {
        set(&index, &number.to_be_bytes(), u64::from(number) * 2 + 1);
        if let Some(old) = number.checked_sub(100) {
            put(&index, &old.to_be_bytes(), u64::from(number) * 2 + 2, None, KEEP_NEWEST);
        }
        if number.is_multiple_of(1_000) {
            let mut next = Some(Blob::empty());
            while let Some(from) = next {
                next = index.collect(from, 16, KEEP_NEWEST).next;
            }
        }
    }
    assert!(index.leaves.len() < 60, "{} leaves for 100 keys", index.leaves.len());
    assert_eq!(index.tally().keys, 100);
}

#[test]
fn a_built_index_equals_one_that_grew() {
    let mut builder = Builder::new();
    for number in 0..THOUSAND as u32 {
        builder.push(Revision::new(Record::new(&number.to_be_bytes(), Some(b"v"), (1, 1))));
    }
    let index = builder.finish();
    assert_eq!(index.tally().keys, THOUSAND as i64);
    for number in 0..THOUSAND as u32 {
        assert!(get(&index, &number.to_be_bytes(), NOW).is_some());
    }
    let mut walk = all(&index);
    assert_eq!(std::iter::from_fn(|| backward(&mut walk)).count(), THOUSAND);
    assert!(get(&Builder::new().finish(), b"", NOW).is_none());
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn concurrent_readers_miss_nothing_while_leaves_split_and_merge() {
    const STABLE: u32 = if cfg!(miri) { 12 } else { 400 };
    const ROUNDS: u64 = if cfg!(miri) { 2 } else { 12 };
    let index = Index::new();
    let stable: Vec<u32> = (0..STABLE).map(|number| number * 1_000).collect();
    for number in &stable {
        set(&index, &number.to_be_bytes(), 1);
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..3_u64 {
            let (index, done, stable) = (&index, &done, &stable);
            scope.spawn(move || {
                for turn in scramble(reader) {
                    let number = stable[turn as usize % stable.len()];
                    assert!(get(index, &number.to_be_bytes(), NOW).is_some(), "lost {number}");
                    if turn.is_multiple_of(64) {
                        assert_sees_all(index, stable, turn % 128 == 0);
                    }
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        let mut version = 2;
        for round in 0..ROUNDS {
            let extra: Vec<u32> = scramble(round)
                .take(4 * THOUSAND)
                .map(|n| (n % (u64::from(STABLE) * 1_000)) as u32)
                .filter(|n| n % 1_000 != 0)
                .collect();
            for (value, horizon) in [(Some(&b"x"[..]), KEEP_ALL), (None, KEEP_NEWEST)] {
                for number in &extra {
                    put(&index, &number.to_be_bytes(), version, value, horizon);
                    version += 1;
                }
            }
            let mut next = Some(Blob::empty());
            while let Some(from) = next {
                next = index.collect(from, 8, KEEP_NEWEST).next;
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(index.tally().keys, i64::from(STABLE));
    assert_eq!(index.tally().revisions, i64::from(STABLE));
}

#[cfg(not(target_arch = "wasm32"))]
fn assert_sees_all(index: &Index, stable: &[u32], reverse: bool) {
    let mut walk = all(index);
    let step = if reverse { backward } else { forward };
    let mut seen: Vec<u32> = std::iter::from_fn(|| step(&mut walk))
        .map(|key| u32::from_be_bytes(key[..].try_into().unwrap()))
        .filter(|number| number.is_multiple_of(1_000))
        .collect();
    if reverse {
        seen.reverse();
    }
    assert_eq!(seen, stable);
}
