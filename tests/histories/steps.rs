//! One step of a transaction on a database, and its record.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use selkie::{Readable, Result, Transaction, Writable};

use crate::history::{Element, Key, Operation};
use crate::workload::Step;

pub(crate) fn write(
    tx: &mut Transaction,
    step: &Step,
    element: Element,
    operations: &mut Vec<Operation>,
) -> Result<()> {
    match step {
        Step::Append(key) => {
            append(tx, *key, element)?;
            operations.push(Operation::Append(*key, element));
        }
        Step::Replace(key) => {
            let list = tx.get(key.to_be_bytes())?;
            tx.remove(key.to_be_bytes())?;
            tx.insert(key.to_be_bytes(), longer(list, element))?;
            operations.push(Operation::Append(*key, element));
        }
        Step::Undone(key) => {
            let savepoint = tx.savepoint();
            append(tx, *key, element)?;
            tx.rollback_to(savepoint)?;
        }
        Step::Get(_) | Step::Scan { .. } => read(tx, step, operations)?,
    }
    Ok(())
}

fn append(tx: &mut Transaction, key: Key, element: Element) -> Result<()> {
    let list = tx.get(key.to_be_bytes())?;
    tx.insert(key.to_be_bytes(), longer(list, element))
}

fn longer(list: Option<Bytes>, element: Element) -> Vec<u8> {
    [&list.unwrap_or_default()[..], &element.to_le_bytes()].concat()
}

fn elements(list: &[u8]) -> Vec<Element> {
    list.chunks(8).map(|element| Element::from_le_bytes(element.try_into().unwrap())).collect()
}

pub(crate) fn read(reader: &impl Readable, step: &Step, operations: &mut Vec<Operation>) -> Result<()> {
    match step {
        Step::Get(key) => {
            let list = reader.get(key.to_be_bytes())?;
            operations.push(Operation::Read(*key, elements(&list.unwrap_or_default())));
        }
        Step::Scan { keys, limit, backward } => scan(reader, keys.clone(), *limit, *backward, operations)?,
        Step::Append(_) | Step::Replace(_) | Step::Undone(_) => unreachable!("a step that reads"),
    }
    Ok(())
}

/// Reads a range. Each key of it counts as read, as far as the scan came: those without an entry are empty lists.
fn scan(
    reader: &impl Readable,
    keys: Range<Key>,
    limit: usize,
    backward: bool,
    operations: &mut Vec<Operation>,
) -> Result<()> {
    let range = reader.range(keys.start.to_be_bytes()..keys.end.to_be_bytes());
    let entries: Vec<_> = if backward { range.rev().take(limit).collect() } else { range.take(limit).collect() };
    let entries = entries.into_iter().collect::<Result<Vec<_>>>()?;
    let place = |key: &Bytes| Key::from_be_bytes(key[..].try_into().unwrap());
    let looked_at = match entries.last().filter(|_| entries.len() == limit) {
        Some((last, _)) if backward => place(last)..keys.end,
        Some((last, _)) => keys.start..place(last) + 1,
        None => keys,
    };
    let mut lists: BTreeMap<Key, _> = entries.iter().map(|(key, list)| (place(key), elements(list))).collect();
    operations.extend(looked_at.map(|key| Operation::Read(key, lists.remove(&key).unwrap_or_default())));
    assert!(lists.is_empty(), "a scan found what is not in its range");
    Ok(())
}
