//! Nothing of a transaction shows before its commit, and all of it after.

use selkie::Isolation::{Serializable, Snapshot};
use selkie::Writable;

use crate::{LEVELS, assert_conflict, begin, commits, database, get, held, update, values};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn g0_dirty_write_never_mixes_two_transactions() {
    for level in LEVELS {
        let db = database();
        let (mut one, mut two) = (begin(&db, level), begin(&db, level));
        one.insert("1", "11").unwrap();
        two.insert("1", "12").unwrap();
        one.insert("2", "21").unwrap();
        one.commit().unwrap();
        assert_eq!(held(&db), ["11", "21"]);
        two.insert("2", "22").unwrap();
        // Nothing was read: under serializability the second comes after the first. Snapshots ask more.
        let second_wins = commits(two);
        assert_eq!(second_wins, level == Serializable);
        let expected = if second_wins { ["12", "22"] } else { ["11", "21"] };
        assert_eq!(held(&db), expected);
    }
}

#[test]
fn g0_of_two_that_found_their_rows_the_first_one_stays() {
    for level in LEVELS {
        let db = database();
        let (mut one, mut two) = (begin(&db, level), begin(&db, level));
        update(&mut one, "1", "11");
        update(&mut two, "1", "12");
        update(&mut one, "2", "21");
        one.commit().unwrap();
        assert_eq!(held(&db), ["11", "21"]);
        update(&mut two, "2", "22");
        assert_conflict(two.commit(), "1");
        assert_eq!(held(&db), ["11", "21"]);
    }
}

#[test]
fn two_writes_of_one_key_are_a_conflict_of_snapshots_and_an_order_of_serial_transactions() {
    for level in LEVELS {
        let db = database();
        let (mut one, mut two) = (begin(&db, level), begin(&db, level));
        two.insert("1", "12").unwrap();
        one.insert("1", "11").unwrap();
        assert!(commits(one));
        if level == Serializable {
            assert!(commits(two));
        } else {
            assert_conflict(two.commit(), "1");
        }
        let expected = if level == Serializable { "12" } else { "11" };
        assert_eq!(db.get("1").unwrap().unwrap(), expected);
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
fn g1a_what_was_given_up_or_dropped_is_not_there_for_later_transactions() {
    for level in LEVELS {
        let db = database();
        let (mut one, mut two) = (begin(&db, level), begin(&db, level));
        update(&mut one, "1", "101");
        two.remove("2").unwrap();
        one.rollback();
        drop(two);
        let three = begin(&db, level);
        assert_eq!((values(&three), held(&db)), (vec!["10".into(), "20".into()], vec!["10".into(), "20".into()]));
        assert!(commits(three));
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
        let both = commits(two);
        assert_eq!(both, level == Snapshot);
        assert_eq!(held(&db), if both { ["11", "22"] } else { ["11", "20"] });
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
fn otv_a_writer_that_found_its_rows_does_not_vanish_what_was_observed() {
    for level in LEVELS {
        let db = database();
        let (mut one, mut two) = (begin(&db, level), begin(&db, level));
        update(&mut one, "1", "11");
        update(&mut one, "2", "19");
        update(&mut two, "1", "12");
        one.commit().unwrap();
        let three = begin(&db, level);
        assert_eq!(values(&three), ["11", "19"]);
        update(&mut two, "2", "18");
        assert_eq!(values(&three), ["11", "19"]);
        assert_conflict(two.commit(), "1");
        assert!(commits(three));
        assert_eq!(held(&db), ["11", "19"]);
    }
}
