//! A client runs transactions on a database and records what it did and heard.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use selkie::{Database, ErrorKind, Isolation, Readable, Result, Transaction, TransactionOptions, Writable};

use crate::common::Random;
use crate::history::{Attempt, Clock, Element, Key, Operation, Outcome};
use crate::workload::{Kind, Plan, Step};

/// How often a transaction is tried before its client turns to the next one.
const ATTEMPTS: u32 = 4;
/// The moment at which an attempt began is its own, and has room for the elements of its steps.
const ELEMENTS: u64 = 16;
const SLOW_STEP: Duration = Duration::from_micros(300);

/// What the clients of one history share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    planned: AtomicU64,
    pub(crate) committed: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Client<'a> {
    db: &'a Database,
    shared: &'a Shared,
    isolation: Isolation,
    random: Random,
    attempts: Vec<Attempt>,
}

/// What a client does after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Another,
    Again,
    Nothing,
}

impl<'a> Client<'a> {
    pub(crate) fn new(db: &'a Database, shared: &'a Shared, isolation: Isolation, seed: u64) -> Self {
        Self { db, shared, isolation, random: Random(seed), attempts: Vec::new() }
    }

    /// Runs transactions until it is told to stop, or hears that nothing can be written any more.
    pub(crate) fn run(mut self, stop: &AtomicBool) -> Vec<Attempt> {
        while !stop.load(Ordering::Relaxed) {
            let number = self.shared.planned.fetch_add(1, Ordering::Relaxed);
            let plan = Plan::new(number, &mut self.random);
            let mut next = Next::Again;
            for _ in 0..ATTEMPTS {
                if next == Next::Again {
                    next = self.attempt(&plan);
                }
            }
            if next == Next::Nothing {
                break;
            }
        }
        self.attempts
    }

    fn attempt(&mut self, plan: &Plan) -> Next {
        let began = self.shared.clock.tick();
        let mut operations = Vec::new();
        let result = match plan.kind {
            Kind::Write | Kind::GiveUp => self.write(plan, began, &mut operations),
            Kind::Read | Kind::ReadSlowly => self.read(plan, &mut operations),
        };
        let ended = self.shared.clock.tick();
        let (outcome, next) = heard(result);
        self.shared.committed.fetch_add(u64::from(outcome == Outcome::Committed), Ordering::Relaxed);
        self.attempts.push(Attempt { began, ended, outcome, operations });
        next
    }

    /// Returns whether it committed; otherwise it gave up.
    fn write(&mut self, plan: &Plan, began: u64, operations: &mut Vec<Operation>) -> Result<bool> {
        let mut tx = self.db.begin_with(TransactionOptions::new().isolation(self.isolation))?;
        for (step, element) in plan.steps.iter().zip(began * ELEMENTS..) {
            write(&mut tx, step, element, operations)?;
            self.pause(plan.kind);
        }
        if plan.kind == Kind::GiveUp {
            tx.rollback();
            return Ok(false);
        }
        tx.commit().map(|_| true)
    }

    fn read(&mut self, plan: &Plan, operations: &mut Vec<Operation>) -> Result<bool> {
        let view = self.db.begin_read()?;
        for step in &plan.steps {
            read(&view, step, operations)?;
            self.pause(plan.kind);
        }
        Ok(true)
    }

    /// Lets others come in between.
    fn pause(&mut self, kind: Kind) {
        if kind == Kind::ReadSlowly {
            thread::sleep(SLOW_STEP);
        } else if self.random.below(3) == 0 {
            thread::yield_now();
        }
    }
}

fn heard(result: Result<bool>) -> (Outcome, Next) {
    match result {
        Ok(true) => (Outcome::Committed, Next::Another),
        Ok(false) => (Outcome::Aborted, Next::Another),
        Err(error) => match error.kind() {
            ErrorKind::Conflict { .. } => (Outcome::Aborted, Next::Again),
            ErrorKind::DurabilityUnknown { .. } => (Outcome::Unknown, Next::Nothing),
            ErrorKind::Poisoned { .. } => (Outcome::Aborted, Next::Nothing),
            _ => panic!("{error}"),
        },
    }
}

fn write(tx: &mut Transaction, step: &Step, element: Element, operations: &mut Vec<Operation>) -> Result<()> {
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

fn read(reader: &impl Readable, step: &Step, operations: &mut Vec<Operation>) -> Result<()> {
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

/// Reads all keys that anybody ever appended to, in one transaction.
pub(crate) fn read_all(db: &Database, shared: &Shared, attempts: &[Attempt]) -> Attempt {
    let began = shared.clock.tick();
    let view = db.begin_read().unwrap();
    let keys: BTreeSet<Key> = attempts.iter().flat_map(Attempt::appended).map(|(key, _)| key).collect();
    let mut operations = Vec::new();
    for key in keys {
        read(&view, &Step::Get(key), &mut operations).unwrap();
    }
    Attempt { began, ended: shared.clock.tick(), outcome: Outcome::Committed, operations }
}
