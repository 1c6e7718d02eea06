//! What snapshots allow and serializability does not: transactions that each change what the other has read.

use selkie::Isolation::{Serializable, Snapshot};
use selkie::Writable;

use crate::{LEVELS, assert_conflict, begin, commits, database, divisible_by, get, held, values};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

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
        let skewed = commits(two);
        assert_eq!(skewed, level == Snapshot);
        assert_eq!(held(&db), if skewed { ["11", "21"] } else { ["11", "20"] });
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
            assert_eq!(held(&db), ["10", "20", "30"]);
        } else {
            assert!(commits(two));
            assert_eq!(held(&db), ["10", "20", "30", "42"]);
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
        let skewed = commits(one);
        assert_eq!(skewed, level == Snapshot);
        assert_eq!(held(&db), if skewed { ["0", "25"] } else { ["10", "25"] });
    }
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
