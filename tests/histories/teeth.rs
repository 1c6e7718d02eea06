//! Histories that are not what they should be, from real runs: the checker must see what is wrong with them.

use selkie::{Durability, Isolation, Retention, Visibility};

use crate::checker::{SERIALIZABLE, STRICT_SERIALIZABLE, STRONG_SNAPSHOT_ISOLATION, check};
use crate::common::Random;
use crate::generations::{Ending, Setup, Story};
use crate::history::{Attempt, Operation, Outcome};

const TRANSACTIONS: u64 = 600;
const SETUP: Setup = Setup {
    isolation: Isolation::Serializable,
    durability: Durability::Immediate,
    visibility: Visibility::Durable,
    retention: Retention::None,
};

fn history(setup: Setup, ending: Ending) -> Vec<Attempt> {
    let mut story = Story::new(setup, Random(1));
    story.generation(TRANSACTIONS, ending);
    story.finish().0
}

/// A run in which nothing is wrong but what `spoil` did to its record.
fn spoiled(spoil: impl FnOnce(&mut Vec<Attempt>)) -> Vec<String> {
    let mut attempts = history(SETUP, Ending::Close);
    assert_eq!(check(&attempts, STRICT_SERIALIZABLE), [].into());
    spoil(&mut attempts);
    check(&attempts, STRICT_SERIALIZABLE).into_keys().collect()
}

/// The first attempt with this outcome that appended anything.
fn writer(attempts: &mut [Attempt], outcome: Outcome) -> &mut Attempt {
    let mut found = attempts.iter_mut().filter(|attempt| attempt.outcome == outcome);
    found.find(|attempt| attempt.appended().next().is_some()).unwrap()
}

#[test]
fn snapshots_let_write_skew_pass_and_nothing_else() {
    let attempts = history(Setup { isolation: Isolation::Snapshot, ..SETUP }, Ending::Close);
    assert_eq!(check(&attempts, STRONG_SNAPSHOT_ISOLATION), [].into());
    let skews: Vec<_> = check(&attempts, SERIALIZABLE).into_keys().collect();
    assert_eq!(skews, ["G2-item"]);
}

#[test]
fn a_crash_that_takes_what_was_acknowledged_is_condemned() {
    let setup = Setup { durability: Durability::None, ..SETUP };
    let anomalies = check(&history(setup, Ending::Crash), STRICT_SERIALIZABLE);
    assert!(anomalies.contains_key("G-single-item-realtime"), "{anomalies:#?}");
}

#[test]
fn reads_that_are_late_by_one_version_are_condemned() {
    let anomalies = spoiled(|attempts| {
        for attempt in attempts.iter_mut().step_by(10) {
            for operation in &mut attempt.operations {
                if let Operation::Read(_, list) = operation {
                    list.pop();
                }
            }
        }
    });
    assert!(anomalies.iter().any(|name| name.starts_with("G-single-item")), "{anomalies:?}");
}

#[test]
fn a_commit_that_is_taken_for_an_abort_is_condemned() {
    let anomalies = spoiled(|attempts| writer(attempts, Outcome::Committed).outcome = Outcome::Aborted);
    assert!(anomalies.contains(&"G1a".to_owned()), "{anomalies:?}");
}

#[test]
fn an_abort_that_is_taken_for_a_commit_is_condemned() {
    let anomalies = spoiled(|attempts| writer(attempts, Outcome::Aborted).outcome = Outcome::Committed);
    // Mostly the clock tells of it, and sometimes what was read is enough.
    let is_told = |name: &String| name.ends_with("-realtime") || name == "G-single-item";
    assert!(anomalies.iter().any(is_told), "{anomalies:?}");
}

#[test]
fn a_commit_that_is_recorded_too_late_is_condemned() {
    let anomalies = spoiled(|attempts| {
        let end = attempts.iter().map(|attempt| attempt.ended).max().unwrap();
        let late = writer(attempts, Outcome::Committed);
        (late.began, late.ended) = (end + 1, end + 2);
    });
    assert!(anomalies.iter().any(|name| name.ends_with("-realtime")), "{anomalies:?}");
}

#[test]
fn elements_in_another_order_are_condemned() {
    let anomalies = spoiled(|attempts| {
        for operation in &mut attempts.last_mut().unwrap().operations {
            if let Operation::Read(_, list) = operation {
                list.reverse();
            }
        }
    });
    assert!(anomalies.contains(&"incompatible-order".to_owned()), "{anomalies:?}");
}
