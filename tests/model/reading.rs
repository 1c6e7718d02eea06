//! One read, made of the database and of the model.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::ops::{Bound, ControlFlow};

use bytes::Bytes;
use selkie::{Readable, Result};

use crate::model::{Entries, within};
use crate::operations::{Bounds, Move, Read, Step};

/// What a read has looked at, as a serializable transaction has to note it.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    pub(crate) keys: Vec<Vec<u8>>,
    pub(crate) ranges: Vec<Bounds>,
}

type Pair = (Vec<u8>, Vec<u8>);

/// Reads from the database and compares with the entries that should be there.
pub(crate) fn check(reader: &impl Readable, entries: &Entries, read: &Read, noted: &mut Noted) -> Result<()> {
    match read {
        Read::Get(key) => {
            assert_eq!(reader.get(key)?.as_deref(), entries.get(key).map(|value| &value[..]));
            noted.keys.push(key.clone());
        }
        Read::GetWith(key) => {
            assert_eq!(reader.get_with(key, <[u8]>::to_vec)?, entries.get(key).cloned());
            noted.keys.push(key.clone());
        }
        Read::Contains(key) => {
            assert_eq!(reader.contains_key(key)?, entries.contains_key(key));
            noted.keys.push(key.clone());
        }
        Read::GetMany(keys) => {
            let expected: Vec<_> = keys.iter().map(|key| entries.get(key).cloned().map(Bytes::from)).collect();
            assert_eq!(reader.get_many(keys)?, expected);
            noted.keys.extend_from_slice(keys);
        }
        Read::Range(bounds, steps) => {
            walk(reader.range(bounds.clone()), entries, bounds, steps, pair, noted)?;
        }
        Read::Keys(bounds, steps) => {
            walk(reader.keys(bounds.clone()), entries, bounds, steps, |(key, _)| Bytes::from(key), noted)?;
        }
        Read::Prefix(prefix, steps) => {
            let within_prefix = entries.iter().filter(|(key, _)| key.starts_with(prefix));
            let entries = within_prefix.map(|(key, value)| (key.clone(), value.clone())).collect();
            let bounds = (Bound::Included(prefix.clone()), prefix_end(prefix));
            walk(reader.prefix(prefix), &entries, &bounds, steps, pair, noted)?;
        }
        Read::First => {
            let expected = entries.iter().next();
            assert_eq!(reader.first_key_value()?, expected.map(|(key, value)| pair((key.clone(), value.clone()))));
            noted.ranges.push((Bound::Unbounded, end_at(expected.map(|(key, _)| key))));
        }
        Read::Last => {
            let expected = entries.iter().next_back();
            assert_eq!(reader.last_key_value()?, expected.map(|(key, value)| pair((key.clone(), value.clone()))));
            noted.ranges.push((end_at(expected.map(|(key, _)| key)), Bound::Unbounded));
        }
        Read::Count(bounds) => {
            assert_eq!(reader.count_range(bounds.clone())?, select(entries, bounds).len());
            noted.ranges.push(bounds.clone());
        }
        Read::Scan(bounds, limit) => scan(reader, entries, bounds, *limit, noted)?,
        Read::Cursor(moves) => cursor(reader, entries, moves, noted)?,
    }
    Ok(())
}

fn pair((key, value): Pair) -> (Bytes, Bytes) {
    (key.into(), value.into())
}

fn end_at(key: Option<&Vec<u8>>) -> Bound<Vec<u8>> {
    key.map_or(Bound::Unbounded, |key| Bound::Included(key.clone()))
}

fn prefix_end(prefix: &[u8]) -> Bound<Vec<u8>> {
    let kept = prefix.iter().rposition(|byte| *byte != u8::MAX);
    kept.map_or(Bound::Unbounded, |last| {
        let mut end = prefix[..=last].to_vec();
        end[last] += 1;
        Bound::Excluded(end)
    })
}

pub(crate) fn select(entries: &Entries, bounds: &Bounds) -> VecDeque<Pair> {
    let selected = entries.iter().filter(|(key, _)| within(bounds, key));
    selected.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Steps from both ends of a range at once.
fn walk<T: Debug + PartialEq>(
    mut actual: impl DoubleEndedIterator<Item = Result<T>>,
    entries: &Entries,
    bounds: &Bounds,
    steps: &[Step],
    item: impl Fn(Pair) -> T,
    noted: &mut Noted,
) -> Result<()> {
    let mut expected = select(entries, bounds);
    let (mut front, mut back) = (None, None);
    let mut finished = false;
    for step in steps {
        let turns = if matches!(step, Step::AllForward | Step::AllBackward) { expected.len() + 1 } else { 1 };
        for _ in 0..turns {
            let (found, wanted) = match step {
                Step::Next | Step::AllForward => (actual.next(), expected.pop_front()),
                Step::NextBack | Step::AllBackward => (actual.next_back(), expected.pop_back()),
                Step::Nth(count) => {
                    let passed = expected.drain(..(*count).min(expected.len())).next_back();
                    front = passed.map(|(key, _)| key).or(front);
                    (actual.nth(*count), expected.pop_front())
                }
                Step::NthBack(count) => {
                    let passed = expected.drain(expected.len().saturating_sub(*count)..).next();
                    back = passed.map(|(key, _)| key).or(back);
                    (actual.nth_back(*count), expected.pop_back())
                }
            };
            let backward = matches!(step, Step::NextBack | Step::NthBack(_) | Step::AllBackward);
            match &wanted {
                Some((key, _)) if backward => back = Some(key.clone()),
                Some((key, _)) => front = Some(key.clone()),
                None => finished = true,
            }
            assert_eq!(found.transpose()?, wanted.map(&item), "{step:?} of {steps:?} in {bounds:?}");
        }
    }
    if finished {
        noted.ranges.push(bounds.clone());
    } else {
        noted.ranges.extend(front.map(|key| (bounds.0.clone(), Bound::Included(key))));
        noted.ranges.extend(back.map(|key| (Bound::Included(key), bounds.1.clone())));
    }
    Ok(())
}

fn scan(reader: &impl Readable, entries: &Entries, bounds: &Bounds, limit: usize, noted: &mut Noted) -> Result<()> {
    let mut seen = VecDeque::new();
    reader.scan(bounds.clone(), |key, value| {
        seen.push_back((key.to_vec(), value.to_vec()));
        if seen.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let mut expected = select(entries, bounds);
    let end = match expected.get(limit - 1) {
        Some((key, _)) => Bound::Included(key.clone()),
        None => bounds.1.clone(),
    };
    expected.truncate(limit);
    assert_eq!(seen, expected);
    noted.ranges.push((bounds.0.clone(), end));
    scan_back(reader, entries, bounds, limit, noted)
}

fn scan_back(
    reader: &impl Readable,
    entries: &Entries,
    bounds: &Bounds,
    limit: usize,
    noted: &mut Noted,
) -> Result<()> {
    let mut seen = VecDeque::new();
    reader.scan_back(bounds.clone(), |key, value| {
        seen.push_front((key.to_vec(), value.to_vec()));
        if seen.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let mut expected = select(entries, bounds);
    let passed = expected.len().checked_sub(limit);
    let start = passed.map_or(bounds.0.clone(), |passed| Bound::Included(expected[passed].0.clone()));
    expected.drain(..passed.unwrap_or(0));
    assert_eq!(seen, expected);
    noted.ranges.push((start, bounds.1.clone()));
    Ok(())
}

fn cursor(reader: &impl Readable, entries: &Entries, moves: &[Move], noted: &mut Noted) -> Result<()> {
    let mut cursor = reader.cursor();
    let mut current: Option<Vec<u8>> = None;
    for step in moves {
        let from = || current.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let (stands, forward, start) = match step {
            Move::Seek(key) => (cursor.seek(key)?, true, Bound::Included(key.clone())),
            Move::SeekBack(key) => (cursor.seek_back(key)?, false, Bound::Included(key.clone())),
            Move::First => (cursor.first()?, true, Bound::Unbounded),
            Move::Last => (cursor.last()?, false, Bound::Unbounded),
            Move::Next => (cursor.next()?, true, from()),
            Move::Previous => (cursor.previous()?, false, from()),
        };
        let bounds = if forward { (start, Bound::Unbounded) } else { (Bound::Unbounded, start) };
        let mut selected = entries.iter().filter(|(key, _)| within(&bounds, key));
        let found = if forward { selected.next() } else { selected.next_back() };
        assert_eq!(stands, found.is_some(), "{step:?} of {moves:?}");
        assert_eq!(cursor.key(), found.map(|(key, _)| &key[..]), "{step:?} of {moves:?}");
        assert_eq!(cursor.value(), found.map(|(_, value)| &value[..]));
        let end = end_at(found.map(|(key, _)| key));
        noted.ranges.push(if forward { (bounds.0, end) } else { (end, bounds.1) });
        current = found.map(|(key, _)| key.clone());
    }
    Ok(())
}
