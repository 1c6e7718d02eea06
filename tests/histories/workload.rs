//! What the transactions do: random steps on a few keys that all want and many that few want.

use std::ops::Range;

use crate::common::Random;
use crate::history::Key;

/// The keys of one era. All transactions of an era use the same ones, so that lists stay short and meet often.
const ERA_KEYS: u64 = 64;
const ERA_TRANSACTIONS: u64 = 120;
const HOT_KEYS: u64 = 4;
const STEPS: u64 = 8;

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Append(Key),
    /// The same, with the key removed in between.
    Replace(Key),
    /// An append that is undone within the transaction: nobody may ever read its element.
    Undone(Key),
    Get(Key),
    /// The first or the last so many entries of a range.
    Scan {
        keys: Range<Key>,
        limit: usize,
        backward: bool,
    },
}

/// How a transaction is run and ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Write,
    GiveUp,
    /// A view, which cannot write.
    Read,
    /// A view that takes its time, while what it sees is superseded and collected.
    ReadSlowly,
}

/// A transaction, which may take several attempts.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) steps: Vec<Step>,
}

impl Plan {
    /// The plan for the transaction with this number among all of the history.
    pub(crate) fn new(number: u64, random: &mut Random) -> Self {
        let kind = match random.below(100) {
            0..=2 => Kind::GiveUp,
            3..=22 => Kind::Read,
            23 => Kind::ReadSlowly,
            _ => Kind::Write,
        };
        let reads_only = matches!(kind, Kind::Read | Kind::ReadSlowly);
        let first = number / ERA_TRANSACTIONS * ERA_KEYS;
        let steps = (0..=random.below(STEPS)).map(|_| step(first, reads_only, random)).collect();
        Self { kind, steps }
    }
}

fn step(first: u64, reads_only: bool, random: &mut Random) -> Step {
    let choice = if reads_only { 50 + random.below(50) } else { random.below(100) };
    match choice {
        0..40 => Step::Append(key(first, random)),
        40..46 => Step::Replace(key(first, random)),
        46..50 => Step::Undone(key(first, random)),
        50..80 => Step::Get(key(first, random)),
        _ => {
            let from = if random.below(2) == 0 { 0 } else { random.below(ERA_KEYS) };
            let to = (from + 1 + random.below(12)).min(ERA_KEYS);
            let limit = if random.below(2) == 0 { usize::MAX } else { 1 + random.below(4) as usize };
            let keys = (first + from) as Key..(first + to) as Key;
            Step::Scan { keys, limit, backward: random.below(3) == 0 }
        }
    }
}

fn key(first: u64, random: &mut Random) -> Key {
    let limit = if random.below(5) < 2 { HOT_KEYS } else { ERA_KEYS };
    (first + random.below(limit)) as Key
}
