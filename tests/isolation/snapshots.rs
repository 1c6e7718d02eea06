//! A transaction reads one state of the data, and its writes do not run over those of others.

use selkie::Isolation::Serializable;
use selkie::{Readable, Writable};

use crate::{LEVELS, assert_conflict, begin, commits, database, divisible_by, get, held, keys_of, update, values};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

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
        assert_eq!(held(&db), ["10", "20", "30"]);
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
        assert_eq!(values(&two), ["10", "20"]);
        assert_eq!(keys_of(&two, "20"), ["2"]);
        two.remove("2").unwrap();
        assert!(commits(one));
        assert_eq!(values(&two), ["10"]);
        assert_conflict(two.commit(), if level == Serializable { "1" } else { "2" });
        assert_eq!(held(&db), ["20", "30"]);
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
        assert_eq!(held(&db), ["11", "20"]);
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
        assert_eq!(held(&db), ["12", "18"]);
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
        assert_eq!(keys_of(&one, "20"), ["2"]);
        one.remove("2").unwrap();
        assert_eq!(one.get("2").unwrap(), None);
        assert_conflict(one.commit(), if level == Serializable { "1" } else { "2" });
        assert_eq!(held(&db), ["12", "18"]);
    }
}

#[test]
fn g_single_a_writer_does_not_conflict_with_one_that_gave_up() {
    for level in LEVELS {
        let db = database();
        let (mut one, mut two) = (begin(&db, level), begin(&db, level));
        assert_eq!(get(&one, "1"), "10");
        assert_eq!(values(&two), ["10", "20"]);
        update(&mut two, "1", "12");
        assert_eq!(keys_of(&one, "20"), ["2"]);
        one.remove("2").unwrap();
        update(&mut two, "2", "18");
        one.rollback();
        assert!(commits(two));
        assert_eq!(held(&db), ["12", "18"]);
    }
}
