//! Histories that are wrong, one for each anomaly: the checker must say what it is, and which models allow it.

use crate::checker::{
    READ_COMMITTED, SERIALIZABLE, SNAPSHOT_ISOLATION, STRICT_SERIALIZABLE, STRONG_SNAPSHOT_ISOLATION, UNWRITTEN, check,
};
use crate::history::{Attempt, Element, Key, Operation, Outcome, cut, decide};

const X: Key = 1;
const Y: Key = 2;

/// From the strictest to the weakest; snapshot isolation allows what is not serializable, and strictness in time is
/// a matter of its own.
const MODELS: [&str; 5] =
    [STRICT_SERIALIZABLE, SERIALIZABLE, STRONG_SNAPSHOT_ISOLATION, SNAPSHOT_ISOLATION, READ_COMMITTED];

fn append(key: Key, element: Element) -> Operation {
    Operation::Append(key, element)
}

fn read(key: Key, list: impl Into<Vec<Element>>) -> Operation {
    Operation::Read(key, list.into())
}

fn attempt<const N: usize>(moments: (u64, u64), outcome: Outcome, operations: [Operation; N]) -> Attempt {
    Attempt { began: moments.0, ended: moments.1, outcome, operations: operations.into() }
}

/// A transaction that overlaps with all others.
fn concurrent<const N: usize>(operations: [Operation; N]) -> Attempt {
    attempt((0, 100), Outcome::Committed, operations)
}

/// One that begins when the one before is over.
fn in_turn<const N: usize>(turn: u64, operations: [Operation; N]) -> Attempt {
    attempt((10 * turn, 10 * turn + 5), Outcome::Committed, operations)
}

/// These models forbid the anomaly and name it, and the others of [`MODELS`] allow the history.
#[track_caller]
fn condemned(history: &[Attempt], name: &str, forbidding: &[&str]) {
    for model in MODELS {
        let anomalies = check(history, model);
        assert_eq!(anomalies.contains_key(name), forbidding.contains(&model), "{model}: {anomalies:#?}");
        assert_eq!(anomalies.is_empty(), !forbidding.contains(&model), "{model}: {anomalies:#?}");
    }
}

#[test]
fn histories_without_an_anomaly_pass() {
    let history = [
        in_turn(0, [append(X, 1), append(Y, 1), read(X, [1])]),
        in_turn(1, [read(X, [1]), append(X, 2), append(X, 3), read(X, [1, 2, 3])]),
        attempt((20, 25), Outcome::Aborted, [append(X, 4), read(Y, [1])]),
        in_turn(3, [read(X, [1, 2, 3]), read(Y, [1])]),
    ];
    condemned(&history, "none", &[]);
}

#[test]
fn g0_write_cycle() {
    let history = [
        concurrent([append(X, 1), append(Y, 1)]),
        concurrent([append(X, 2), append(Y, 2)]),
        concurrent([read(X, [1, 2])]),
        concurrent([read(Y, [2, 1])]),
    ];
    condemned(&history, "G0", &MODELS);
}

#[test]
fn g1a_aborted_read() {
    let aborted = attempt((0, 100), Outcome::Aborted, [append(X, 1)]);
    condemned(&[aborted, concurrent([read(X, [1]), append(Y, 1)])], "G1a", &MODELS);
}

#[test]
fn g1b_intermediate_read() {
    let history = [concurrent([append(X, 1), append(X, 2)]), concurrent([read(X, [1])])];
    condemned(&history, "G1b", &MODELS);
}

#[test]
fn g1c_circular_information_flow() {
    let history = [concurrent([append(X, 1), read(Y, [1])]), concurrent([append(Y, 1), read(X, [1])])];
    condemned(&history, "G1c", &MODELS);
}

#[test]
fn p4_lost_update() {
    let history = [
        concurrent([read(X, []), append(X, 1)]),
        concurrent([read(X, []), append(X, 2)]),
        concurrent([read(X, [1, 2])]),
    ];
    condemned(&history, "lost-update", &MODELS[..4]);
}

#[test]
fn an_update_that_vanished() {
    let history = [concurrent([append(X, 1)]), concurrent([read(X, [1])]), concurrent([append(X, 2), read(X, [2])])];
    condemned(&history, "incompatible-order", &MODELS);
}

#[test]
fn dirty_update() {
    let history = [
        attempt((0, 100), Outcome::Aborted, [append(X, 1)]),
        concurrent([append(X, 2)]),
        concurrent([read(X, [1, 2])]),
    ];
    condemned(&history, "dirty-update", &MODELS);
}

#[test]
fn g_single_read_skew() {
    let history = [concurrent([append(X, 1), append(Y, 1)]), concurrent([read(X, []), read(Y, [1])])];
    condemned(&history, "G-single-item", &MODELS[..4]);
}

#[test]
fn g_nonadjacent_long_fork() {
    let history = [
        concurrent([append(X, 1)]),
        concurrent([append(Y, 1)]),
        concurrent([read(X, [1]), read(Y, [])]),
        concurrent([read(X, []), read(Y, [1])]),
    ];
    condemned(&history, "G-nonadjacent-item", &MODELS[..4]);
}

#[test]
fn g2_item_write_skew() {
    let history = [concurrent([read(X, []), append(Y, 1)]), concurrent([read(Y, []), append(X, 1)])];
    condemned(&history, "G2-item", &MODELS[..2]);
}

#[test]
fn g2_two_edges_read_only_anomaly() {
    let history = [
        concurrent([read(X, []), read(Y, []), append(X, 1)]),
        concurrent([append(Y, 1)]),
        concurrent([read(X, []), read(Y, [1])]),
    ];
    condemned(&history, "G2-item", &MODELS[..2]);
}

#[test]
fn stale_read() {
    let history = [in_turn(0, [append(X, 1)]), in_turn(1, [read(X, [])])];
    condemned(&history, "G-single-item-realtime", &[STRICT_SERIALIZABLE, STRONG_SNAPSHOT_ISOLATION]);
}

#[test]
fn read_from_the_future() {
    let history = [in_turn(0, [read(X, [1])]), in_turn(1, [append(X, 1)])];
    condemned(&history, "G1c-realtime", &[STRICT_SERIALIZABLE, STRONG_SNAPSHOT_ISOLATION]);
}

#[test]
fn write_into_the_past() {
    let history = [in_turn(0, [append(X, 2)]), in_turn(1, [append(X, 1)]), in_turn(2, [read(X, [1, 2])])];
    condemned(&history, "G0-realtime", &[STRICT_SERIALIZABLE, STRONG_SNAPSHOT_ISOLATION]);
}

#[test]
fn own_write_not_seen() {
    let history = [concurrent([append(X, 1), read(X, [])]), concurrent([append(Y, 1)]), concurrent([read(Y, [1])])];
    condemned(&history, "internal", &MODELS[..4]);
}

#[test]
fn own_write_seen_too_early() {
    condemned(&[concurrent([read(X, [1]), append(X, 1)]), concurrent([read(X, [1])])], "future-read", &MODELS);
}

#[test]
fn element_applied_twice() {
    condemned(&[concurrent([append(X, 1)]), concurrent([read(X, [1, 1])])], "duplicate-elements", &MODELS);
}

#[test]
fn element_of_nobody() {
    condemned(&[concurrent([append(X, 1)]), concurrent([read(X, [7, 1])])], UNWRITTEN, &MODELS);
}

#[test]
fn acknowledged_and_lost() {
    let recovered = in_turn(2, [read(X, []), read(Y, [])]);
    let mut history = vec![in_turn(0, [append(X, 1), append(Y, 1)])];
    cut(&mut history, 10);
    decide(&mut history, 19, &recovered);
    history.push(recovered);
    condemned(&history, "G-single-item-realtime", &[STRICT_SERIALIZABLE, STRONG_SNAPSHOT_ISOLATION]);
}

#[test]
fn torn_by_a_crash() {
    let recovered = in_turn(2, [read(X, [1]), read(Y, [])]);
    let mut history = vec![in_turn(0, [append(X, 1), append(Y, 1)])];
    cut(&mut history, 3);
    assert_eq!(history[0].outcome, Outcome::Unknown);
    decide(&mut history, 19, &recovered);
    history.push(recovered);
    condemned(&history, "G-single-item", &MODELS[..4]);
}

#[test]
fn not_there_after_a_crash_and_back_after_the_next() {
    let recovered = in_turn(2, [read(X, [])]);
    let mut history = vec![in_turn(0, [append(X, 1)])];
    cut(&mut history, 3);
    decide(&mut history, 19, &recovered);
    history.extend([recovered, in_turn(3, [read(X, [1])])]);
    condemned(&history, "G1a", &MODELS);
}

#[test]
fn found_after_a_crash_need_not_have_been_seen_before_it() {
    for (outcome, anomalous) in [(Outcome::Unknown, false), (Outcome::Committed, true)] {
        let recovered = in_turn(2, [read(X, [1])]);
        let mut history = vec![attempt((0, 5), outcome, [append(X, 1)]), in_turn(1, [read(X, [])])];
        decide(&mut history, 19, &recovered);
        assert_eq!(history[0].outcome, Outcome::Committed);
        history.push(recovered);
        assert_eq!(check(&history, STRICT_SERIALIZABLE).contains_key("G-single-item-realtime"), anomalous);
        assert_eq!(check(&history, SERIALIZABLE), [].into());
    }
}

/// Without a decision, an unknown transaction may have happened or not.
#[test]
fn unknown_may_be_either() {
    let unknown = || attempt((0, 5), Outcome::Unknown, [append(X, 1)]);
    for list in [vec![], vec![1]] {
        condemned(&[unknown(), in_turn(1, [read(X, list), append(Y, 1)]), in_turn(2, [read(Y, [1])])], "none", &[]);
    }
}
