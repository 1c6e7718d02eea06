//! A range conflicts as far as it was read.

use selkie::Isolation::Serializable;
use selkie::{Database, Readable, Transaction, Writable};

use crate::{begin, commits, database};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

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
