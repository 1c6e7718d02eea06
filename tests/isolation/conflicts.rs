//! What counts as a change of what a transaction relied on, and what its error says.

use selkie::Isolation::Serializable;
use selkie::{ErrorKind, Readable, Savepoint, Writable};

use crate::{LEVELS, assert_conflict, begin, commits, database, get};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

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
    for reads_a_range in [false, true] {
        let db = database();
        let users = db.keyspace("users").unwrap();
        let mut tx = begin(&db, Serializable);
        if reads_a_range {
            assert_eq!(tx.keyspace(&users).iter().count(), 0);
        } else {
            assert!(!tx.keyspace(&users).contains_key("ada").unwrap());
        }
        tx.insert("1", "11").unwrap();
        db.drop_keyspace("users").unwrap();
        assert!(matches!(tx.commit().unwrap_err().kind(), ErrorKind::KeyspaceNotFound { .. }));
    }
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
