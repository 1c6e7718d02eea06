//! What the clients of a database did and heard, with the moments at which they did.
//!
//! Values are lists. A transaction appends elements, each of which is appended once in all of a history, and reads
//! lists. So a list tells which transactions wrote it and in which order.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) type Key = u32;
pub(crate) type Element = u64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operation {
    Append(Key, Element),
    Read(Key, Vec<Element>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Committed,
    Aborted,
    /// The client never heard, because of a crash.
    Unknown,
}

/// One attempt at a transaction. A transaction that is tried again is another attempt, with elements of its own.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// The moment before its first call.
    pub(crate) began: u64,
    /// The moment after its last one.
    pub(crate) ended: u64,
    pub(crate) outcome: Outcome,
    pub(crate) operations: Vec<Operation>,
}

impl Attempt {
    pub(crate) fn appended(&self) -> impl Iterator<Item = (Key, Element)> {
        self.operations.iter().filter_map(|operation| match operation {
            Operation::Append(key, element) => Some((*key, *element)),
            Operation::Read(..) => None,
        })
    }

    pub(crate) fn read(&self) -> impl Iterator<Item = (Key, &[Element])> {
        self.operations.iter().filter_map(|operation| match operation {
            Operation::Read(key, list) => Some((*key, &list[..])),
            Operation::Append(..) => None,
        })
    }
}

/// The moments of a history. All that was over before one of them was taken is before it.
#[derive(Debug, Default)]
pub(crate) struct Clock(AtomicU64);

impl Clock {
    pub(crate) fn tick(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// Those who had not heard before the crash at this moment never will. An abort is one, whoever hears of it.
pub(crate) fn cut(attempts: &mut [Attempt], crash: u64) {
    for attempt in attempts.iter_mut().filter(|attempt| attempt.ended > crash) {
        if attempt.outcome == Outcome::Committed {
            attempt.outcome = Outcome::Unknown;
        }
    }
}

/// Decides what was unknown by what was read after the crash: what is there is committed, with what it had read, and
/// what is not there must never be seen again. Until that moment it was open, so that others need not have seen it.
pub(crate) fn decide(attempts: &mut [Attempt], moment: u64, recovered: &Attempt) {
    let found: BTreeSet<Element> = recovered.read().flat_map(|(_, list)| list).copied().collect();
    for attempt in attempts.iter_mut().filter(|attempt| attempt.outcome == Outcome::Unknown) {
        let is_there = attempt.appended().any(|(_, element)| found.contains(&element));
        attempt.outcome = if is_there { Outcome::Committed } else { Outcome::Aborted };
        attempt.ended = moment;
    }
}
