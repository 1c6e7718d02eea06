//! The judgement of a history, by the crate `adya`: it finds the order of the versions in the lists, the dependencies
//! between the transactions in that, and the cycles among them that a model forbids.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use adya::history::{Interner, Mop, Op, OpType, ReadValue, Scalar};
use adya::{Opts, Workload};

use crate::history::{Attempt, Element, Key, Operation, Outcome};

/// As if the transactions ran one after the other, each at some moment between its beginning and its end.
pub(crate) const STRICT_SERIALIZABLE: &str = "strict-serializable";
/// As if they ran one after the other.
pub(crate) const SERIALIZABLE: &str = "serializable";
/// Each reads what was committed when it began, and no two of those that overlap write the same key.
pub(crate) const STRONG_SNAPSHOT_ISOLATION: &str = "strong-snapshot-isolation";
/// The same of what was committed at some moment before it began.
pub(crate) const SNAPSHOT_ISOLATION: &str = "snapshot-isolation";
pub(crate) const READ_COMMITTED: &str = "read-committed";

/// What is wrong with an element that nobody appended is not for `adya` to say, so it has a name of its own.
pub(crate) const UNWRITTEN: &str = "unwritten-element";

/// The longest search in one tangle of transactions. One that takes longer is an anomaly too: nothing was proved.
const SEARCH: Duration = Duration::from_secs(60);

/// The anomalies that a model forbids, by name, each with its proof.
pub(crate) type Anomalies = BTreeMap<String, Vec<String>>;

pub(crate) fn check(attempts: &[Attempt], model: &str) -> Anomalies {
    let options = Opts { models: vec![model.to_owned()], timeout: SEARCH, ..Opts::default() };
    let report = adya::check(&convert(attempts), Workload::ListAppend, &options);
    let proofs = |found: Vec<adya::Anomaly>| found.into_iter().map(|anomaly| anomaly.explanation).collect();
    let mut anomalies: Anomalies = report.anomalies.into_iter().map(|(name, found)| (name, proofs(found))).collect();
    let unwritten = unwritten(attempts);
    if !unwritten.is_empty() {
        anomalies.insert(UNWRITTEN.to_owned(), unwritten);
    }
    anomalies
}

/// A history in the form of `adya`: two events for each attempt, in the order of their moments.
fn convert(attempts: &[Attempt]) -> adya::History {
    let mut events: Vec<(u64, bool, usize)> = Vec::with_capacity(2 * attempts.len());
    for (number, attempt) in attempts.iter().enumerate() {
        events.push((attempt.began, false, number));
        events.push((attempt.ended, true, number));
    }
    events.sort_unstable();
    let mut interner = Interner::default();
    let mut operations = Vec::with_capacity(events.len());
    for (index, &(_, is_end, number)) in events.iter().enumerate() {
        operations.push(event(index as u64, number, is_end, &attempts[number], &mut interner));
    }
    adya::History::from_ops(operations, interner)
}

/// One event. Each attempt is a process, because the order of time has the order of a process in it.
fn event(index: u64, number: usize, is_end: bool, attempt: &Attempt, interner: &mut Interner) -> Op {
    let kind = match attempt.outcome {
        _ if !is_end => OpType::Invoke,
        Outcome::Committed => OpType::Ok,
        Outcome::Aborted => OpType::Fail,
        Outcome::Unknown => OpType::Info,
    };
    let heard = kind == OpType::Ok;
    let value = attempt.operations.iter().map(|operation| one(operation, heard, interner)).collect();
    Op { index, kind, process: Some(number as i64), value, time: None }
}

/// What was read counts only once the client heard that its transaction committed.
fn one(operation: &Operation, heard: bool, interner: &mut Interner) -> Mop {
    let mut id = |number: u64| interner.intern(Scalar::Int(number as i64));
    match operation {
        Operation::Append(key, element) => Mop::Append { key: id((*key).into()), value: id(*element) },
        Operation::Read(key, _) if !heard => Mop::Read { key: id((*key).into()), value: ReadValue::Nil },
        Operation::Read(key, list) => {
            let key = id((*key).into());
            Mop::Read { key, value: ReadValue::List(list.iter().map(|element| id(*element)).collect()) }
        }
    }
}

fn unwritten(attempts: &[Attempt]) -> Vec<String> {
    let written: BTreeSet<(Key, Element)> = attempts.iter().flat_map(Attempt::appended).collect();
    let committed = attempts.iter().filter(|attempt| attempt.outcome == Outcome::Committed);
    let read = committed.flat_map(|attempt| attempt.read().map(move |read| (attempt.began, read)));
    let elements = read.flat_map(|(began, (key, list))| list.iter().map(move |element| (began, key, *element)));
    let unwritten = elements.filter(|(_, key, element)| !written.contains(&(*key, *element)));
    unwritten.map(|(began, key, element)| format!("the attempt of {began} read {element} of key {key}")).collect()
}
