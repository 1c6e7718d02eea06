//! A client runs transactions on a database and records what it did and heard.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use selkie::{Database, ErrorKind, Isolation, Result, TransactionOptions};

use crate::common::Random;
use crate::history::{Attempt, Clock, Key, Operation, Outcome};
use crate::steps;
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
            steps::write(&mut tx, step, element, operations)?;
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
            steps::read(&view, step, operations)?;
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

/// Reads all keys that anybody ever appended to, in one transaction.
pub(crate) fn read_all(db: &Database, shared: &Shared, attempts: &[Attempt]) -> Attempt {
    let began = shared.clock.tick();
    let view = db.begin_read().unwrap();
    let keys: BTreeSet<Key> = attempts.iter().flat_map(Attempt::appended).map(|(key, _)| key).collect();
    let mut operations = Vec::new();
    for key in keys {
        steps::read(&view, &Step::Get(key), &mut operations).unwrap();
    }
    Attempt { began, ended: shared.clock.tick(), outcome: Outcome::Committed, operations }
}
