//! Isolation, anomaly by anomaly: interleaved transactions, with the outcome that each level promises.
//!
//! The names g0 to g2 are Adya's, as in the Hermitage suite. Every case begins with 1 = 10 and 2 = 20.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use Isolation::{Serializable, Snapshot};
use bytes::Bytes;
use selkie::{
    Database, ErrorKind, Isolation, Options, Readable, Result, Retention, Savepoint, Transaction, TransactionOptions,
    Writable,
};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const LEVELS: [Isolation; 2] = [Serializable, Snapshot];

fn database() -> Database {
    let db = Database::in_memory();
    db.update(|tx| {
        tx.insert("1", "10")?;
        tx.insert("2", "20")
    })
    .unwrap();
    db
}

fn begin(db: &Database, isolation: Isolation) -> Transaction {
    db.begin_with(TransactionOptions::new().isolation(isolation)).unwrap()
}

fn get(reader: &impl Readable, key: &str) -> String {
    let value = reader.get(key).unwrap().unwrap_or_default();
    String::from_utf8(value.to_vec()).unwrap()
}

fn values(reader: &impl Readable) -> Vec<String> {
    reader.iter().map(|entry| String::from_utf8(entry.unwrap().1.to_vec()).unwrap()).collect()
}

/// How many values can be divided, as the predicates of the suite ask.
fn divisible_by(reader: &impl Readable, divisor: u32) -> usize {
    values(reader).iter().filter(|value| value.parse::<u32>().unwrap().is_multiple_of(divisor)).count()
}

fn commits(tx: Transaction) -> bool {
    match tx.commit() {
        Ok(_) => true,
        Err(error) if error.is_retryable() => false,
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn assert_conflict<T: std::fmt::Debug>(outcome: Result<T>, key: &str) {
    let error = outcome.unwrap_err();
    assert!(error.is_retryable());
    assert!(matches!(error.kind(), ErrorKind::Conflict { key: found, .. } if found == key.as_bytes()), "{error}");
}

#[test]
fn g0_dirty_write_never_mixes_two_transactions() {
    for level in LEVELS {
        let db = database();
        let (mut one, mut two) = (begin(&db, level), begin(&db, level));
        one.insert("1", "11").unwrap();
        two.insert("1", "12").unwrap();
        one.insert("2", "21").unwrap();
        one.commit().unwrap();
        assert_eq!(values(&db.begin_read().unwrap()), ["11", "21"]);
        two.insert("2", "22").unwrap();
        // Nothing was read: under serializability the second comes after the first. Snapshots ask more.
        let second_wins = commits(two);
        assert_eq!(second_wins, level == Serializable);
        let expected = if second_wins { ["12", "22"] } else { ["11", "21"] };
        assert_eq!(values(&db.begin_read().unwrap()), expected);
    }
}

#[test]
fn g1a_aborted_read_is_never_seen() {
    for level in LEVELS {
        let db = database();
        let (mut one, two) = (begin(&db, level), begin(&db, level));
        one.insert("1", "101").unwrap();
        assert_eq!(values(&two), ["10", "20"]);
        one.rollback();
        assert_eq!(values(&two), ["10", "20"]);
        assert!(commits(two));
    }
}

#[test]
fn g1b_intermediate_read_is_never_seen() {
    for level in LEVELS {
        let db = database();
        let (mut one, two) = (begin(&db, level), begin(&db, level));
        one.insert("1", "101").unwrap();
        assert_eq!(get(&two, "1"), "10");
        one.insert("1", "11").unwrap();
        one.commit().unwrap();
        assert_eq!(get(&two, "1"), "10");
        assert_eq!(db.get("1").unwrap().unwrap(), "11");
        assert!(commits(two));
    }
}

#[test]
fn g1c_circular_information_flow_is_never_seen() {
    for level in LEVELS {
        let db = database();
        let (mut one, mut two) = (begin(&db, level), begin(&db, level));
        one.insert("1", "11").unwrap();
        two.insert("2", "22").unwrap();
        assert_eq!(get(&one, "2"), "20");
        assert_eq!(get(&two, "1"), "10");
        assert!(commits(one));
        // Neither saw the other, which no serial order explains once both are there.
        assert_eq!(commits(two), level == Snapshot);
    }
}

#[test]
fn otv_observed_transactions_do_not_vanish() {
    for level in LEVELS {
        let db = database();
        let (mut one, mut two) = (begin(&db, level), begin(&db, level));
        one.insert("1", "11").unwrap();
        one.insert("2", "19").unwrap();
        two.insert("1", "12").unwrap();
        one.commit().unwrap();
        let three = begin(&db, level);
        assert_eq!(get(&three, "1"), "11");
        two.insert("2", "18").unwrap();
        let second_commits = commits(two);
        assert_eq!(second_commits, level == Serializable);
        assert_eq!((get(&three, "1"), get(&three, "2")), ("11".into(), "19".into()));
        assert!(commits(three));
    }
}

#[test]
fn pmp_a_predicate_gives_the_same_answer_again() {
    for level in LEVELS {
        let db = database();
        let (one, mut two) = (begin(&db, level), begin(&db, level));
        assert_eq!(divisible_by(&one, 30), 0);
        two.insert("3", "30").unwrap();
        two.commit().unwrap();
        assert_eq!(divisible_by(&one, 3), 0);
        assert!(commits(one));
    }
}

#[test]
fn pmp_a_write_by_predicate_does_not_miss_a_concurrent_change() {
    for level in LEVELS {
        let db = database();
        let (mut one, mut two) = (begin(&db, level), begin(&db, level));
        for key in ["1", "2"] {
            let value: u32 = get(&one, key).parse().unwrap();
            one.insert(key, (value + 10).to_string()).unwrap();
        }
        let doomed: Vec<Bytes> = two.iter().map(Result::unwrap).filter(|(_, v)| v == "20").map(|(k, _)| k).collect();
        two.remove(&doomed[0]).unwrap();
        assert!(commits(one));
        assert_conflict(two.commit(), if level == Serializable { "1" } else { "2" });
        assert_eq!(values(&db.begin_read().unwrap()), ["20", "30"]);
    }
}

#[test]
fn p4_no_update_is_lost() {
    for level in LEVELS {
        let db = database();
        let (mut one, mut two) = (begin(&db, level), begin(&db, level));
        assert_eq!((get(&one, "1"), get(&two, "1")), ("10".into(), "10".into()));
        one.insert("1", "11").unwrap();
        two.insert("1", "11").unwrap();
        assert!(commits(one));
        assert_conflict(two.commit(), "1");
    }
}

#[test]
fn g_single_read_skew_is_never_seen() {
    for level in LEVELS {
        let db = database();
        let one = begin(&db, level);
        assert_eq!(get(&one, "1"), "10");
        let mut two = begin(&db, level);
        assert_eq!((get(&two, "1"), get(&two, "2")), ("10".into(), "20".into()));
        two.insert("1", "12").unwrap();
        two.insert("2", "18").unwrap();
        two.commit().unwrap();
        assert_eq!(get(&one, "2"), "20");
        assert!(commits(one));
    }
}

#[test]
fn g_single_read_skew_through_a_predicate_is_never_seen() {
    for level in LEVELS {
        let db = database();
        let one = begin(&db, level);
        assert_eq!(divisible_by(&one, 5), 2);
        db.insert("1", "12").unwrap();
        assert_eq!(divisible_by(&one, 3), 0);
        assert!(commits(one));
    }
}

#[test]
fn g_single_a_writer_that_saw_an_old_value_conflicts() {
    for level in LEVELS {
        let db = database();
        let mut one = begin(&db, level);
        assert_eq!(get(&one, "1"), "10");
        db.update(|tx| {
            tx.insert("1", "12")?;
            tx.insert("2", "18")
        })
        .unwrap();
        let found: Vec<Bytes> = one.iter().map(Result::unwrap).filter(|(_, v)| v == "20").map(|(k, _)| k).collect();
        assert_eq!(found, ["2"]);
        one.remove("2").unwrap();
        assert_conflict(one.commit(), if level == Serializable { "1" } else { "2" });
    }
}

#[test]
fn g2_item_write_skew_passes_snapshots_and_not_serializability() {
    for level in LEVELS {
        let db = database();
        let (mut one, mut two) = (begin(&db, level), begin(&db, level));
        for tx in [&one, &two] {
            assert_eq!((get(tx, "1"), get(tx, "2")), ("10".into(), "20".into()));
        }
        one.insert("1", "11").unwrap();
        two.insert("2", "21").unwrap();
        assert!(commits(one));
        assert_eq!(commits(two), level == Snapshot);
    }
}

#[test]
fn g2_phantoms_pass_snapshots_and_not_serializability() {
    for level in LEVELS {
        let db = database();
        let (mut one, mut two) = (begin(&db, level), begin(&db, level));
        assert_eq!(divisible_by(&one, 3) + divisible_by(&two, 3), 0);
        one.insert("3", "30").unwrap();
        two.insert("4", "42").unwrap();
        assert!(commits(one));
        if level == Serializable {
            assert_conflict(two.commit(), "3");
        } else {
            assert!(commits(two));
        }
    }
}

#[test]
fn g2_two_edges_the_read_only_anomaly_passes_snapshots_and_not_serializability() {
    for level in LEVELS {
        let db = database();
        let mut one = begin(&db, level);
        assert_eq!(values(&one), ["10", "20"]);
        let mut two = begin(&db, level);
        let value: u32 = get(&two, "2").parse().unwrap();
        two.insert("2", (value + 5).to_string()).unwrap();
        assert!(commits(two));
        let three = begin(&db, level);
        assert_eq!(values(&three), ["10", "25"]);
        assert!(commits(three));
        one.insert("1", "0").unwrap();
        assert_eq!(commits(one), level == Snapshot);
    }
}

#[test]
fn a_view_that_saw_a_state_never_fails_and_every_writer_fits_around_it() {
    let db = database();
    let (view, mut writer) = (db.begin_read().unwrap(), begin(&db, Serializable));
    assert_eq!(values(&writer), ["10", "20"]);
    db.insert("1", "11").unwrap();
    let later = db.begin_read().unwrap();
    writer.insert("2", "21").unwrap();
    assert!(!commits(writer));
    assert_eq!((values(&view), values(&later)), (vec!["10".into(), "20".into()], vec!["11".into(), "20".into()]));
}

#[test]
fn views_neither_block_nor_fail_while_everything_changes() {
    let db = Options::new().history(Retention::None).in_memory().unwrap();
    db.insert("key", "0").unwrap();
    let views: Vec<_> = (1..=300)
        .map(|turn| {
            let view = db.begin_read().unwrap();
            db.insert("key", turn.to_string()).unwrap();
            if turn % 7 == 0 {
                db.remove("key").unwrap();
                db.insert("key", turn.to_string()).unwrap();
                db.collect_garbage().unwrap();
            }
            view
        })
        .collect();
    for (turn, view) in views.iter().enumerate() {
        assert_eq!(get(view, "key"), turn.to_string());
    }
}

#[test]
fn a_conflict_names_keyspace_and_key() {
    let db = database();
    let users = db.keyspace("users").unwrap();
    let mut tx = begin(&db, Serializable);
    assert!(!tx.keyspace(&users).contains_key("ada").unwrap());
    tx.insert("1", "11").unwrap();
    let changed = users.insert("ada", "1815").unwrap().version();
    let error = tx.commit().unwrap_err();
    let ErrorKind::Conflict { keyspace, key, version } = error.kind() else { panic!("{error}") };
    assert_eq!((&keyspace[..], &key[..], *version), ("users", &b"ada"[..], changed));
}

#[test]
fn a_transaction_that_read_a_dropped_keyspace_does_not_commit() {
    let db = database();
    let users = db.keyspace("users").unwrap();
    let mut tx = begin(&db, Serializable);
    assert!(!tx.keyspace(&users).contains_key("ada").unwrap());
    tx.insert("1", "11").unwrap();
    db.drop_keyspace("users").unwrap();
    assert!(matches!(tx.commit().unwrap_err().kind(), ErrorKind::KeyspaceNotFound { .. }));
}

#[test]
fn get_for_update_prevents_write_skew_under_snapshot_isolation() {
    let db = database();
    let (mut one, mut two) = (begin(&db, Snapshot), begin(&db, Snapshot));
    assert_eq!(one.get_for_update("2").unwrap().unwrap(), "20");
    assert_eq!(two.get_for_update("1").unwrap().unwrap(), "10");
    one.insert("1", "11").unwrap();
    two.insert("2", "21").unwrap();
    assert!(commits(one));
    assert_conflict(two.commit(), "1");
}

#[test]
fn removing_a_missing_key_is_a_change_of_it() {
    for level in LEVELS {
        let db = database();
        let mut tx = begin(&db, level);
        assert_eq!(tx.get_for_update("9").unwrap(), None);
        tx.insert("9", "90").unwrap();
        db.remove("9").unwrap();
        assert_conflict(tx.commit(), "9");
    }
}

#[test]
fn what_was_read_counts_after_it_was_rolled_back() {
    let db = database();
    let mut tx = begin(&db, Serializable);
    let place: Savepoint = tx.savepoint();
    assert_eq!(get(&tx, "1"), "10");
    tx.insert("1", "11").unwrap();
    tx.rollback_to(place).unwrap();
    tx.insert("2", "21").unwrap();
    db.insert("1", "12").unwrap();
    assert_conflict(tx.commit(), "1");
}

/// Keys 000 to 199, and a transaction that wrote something, with `read` done in it.
fn conflicts_after(read: impl FnOnce(&Transaction), changed: &str) -> bool {
    let db = Database::in_memory();
    db.update(|tx| (0..200).try_for_each(|number| tx.insert(format!("{number:03}"), "value"))).unwrap();
    let mut tx = begin(&db, Serializable);
    read(&tx);
    tx.insert("written", "").unwrap();
    db.insert(changed, "changed").unwrap();
    !commits(tx)
}

#[test]
fn a_range_that_was_read_in_part_conflicts_in_that_part_only() {
    let from_front = |tx: &Transaction| assert_eq!(tx.range("010"..).take(5).count(), 5);
    for (changed, conflicts) in [("009", false), ("010", true), ("0105", true), ("014", true), ("0141", false)] {
        assert_eq!(conflicts_after(from_front, changed), conflicts, "{changed}");
    }
    let from_back = |tx: &Transaction| assert_eq!(tx.range(.."100").rev().take(2).count(), 2);
    for (changed, conflicts) in [("100", false), ("099", true), ("0985", true), ("098", true), ("0979", false)] {
        assert_eq!(conflicts_after(from_back, changed), conflicts, "{changed}");
    }
    let from_both_ends = |tx: &Transaction| {
        let mut range = tx.range("010".."020");
        assert!(range.next().is_some() && range.next_back().is_some());
    };
    for (changed, conflicts) in [("010", true), ("0101", false), ("018", false), ("019", true), ("0199", true)] {
        assert_eq!(conflicts_after(from_both_ends, changed), conflicts, "{changed}");
    }
}

#[test]
fn a_range_that_was_read_to_its_end_conflicts_beyond_its_last_key() {
    let read = |tx: &Transaction| assert_eq!(tx.range("190".."300").count(), 10);
    for (changed, conflicts) in [("189", false), ("1999", true), ("2", true), ("3", true), ("300", false)] {
        assert_eq!(conflicts_after(read, changed), conflicts, "{changed}");
    }
}

#[test]
fn a_range_that_was_never_read_from_conflicts_with_nothing() {
    assert!(!conflicts_after(|tx| drop(tx.range("010"..)), "010"));
    assert!(!conflicts_after(|tx| drop(tx.cursor()), "010"));
}

#[test]
fn a_leaked_iterator_counts_in_full() {
    let leak = |tx: &Transaction| std::mem::forget(tx.range("010".."020"));
    assert!(conflicts_after(leak, "0195"));
    assert!(!conflicts_after(leak, "020"));
}

#[test]
fn a_cursor_conflicts_where_it_has_been() {
    let read = |tx: &Transaction| {
        let mut cursor = tx.cursor();
        assert!(cursor.seek("0105").unwrap() && cursor.next().unwrap() && cursor.previous().unwrap());
    };
    for (changed, conflicts) in [("0104", false), ("0105", true), ("012", true), ("0121", false)] {
        assert_eq!(conflicts_after(read, changed), conflicts, "{changed}");
    }
}

#[test]
fn reading_ones_own_write_conflicts_with_nothing() {
    let db = database();
    let mut tx = begin(&db, Serializable);
    tx.insert("1", "11").unwrap();
    assert_eq!(get(&tx, "1"), "11");
    db.insert("1", "12").unwrap();
    assert!(commits(tx));
    assert_eq!(db.get("1").unwrap().unwrap(), "11");
}

#[test]
fn a_reversed_range_is_empty() {
    let db = database();
    let mut tx = db.begin_write().unwrap();
    tx.insert("15", "").unwrap();
    assert_eq!(tx.range("2".."1").count() + tx.range("2"..="1").rev().count() + tx.keys("1".."1").count(), 0);
    assert_eq!(tx.count_range("2".."1").unwrap() + tx.remove_range("2".."1").unwrap(), 0);
    let excluded = (std::ops::Bound::Excluded("1"), std::ops::Bound::Excluded("1"));
    assert!(tx.range::<&str>(excluded).next().is_none());
    tx.scan("2".."1", |_, _| unreachable!()).unwrap();
    assert_eq!(db.begin_read().unwrap().history_range("2".."1").unwrap().count(), 0);
    db.insert("1", "11").unwrap();
    assert!(commits(tx));
}
