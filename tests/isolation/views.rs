//! Readers that only read: they never fail, wait or hold a writer up.

use selkie::Isolation::Serializable;
use selkie::{Options, Retention, Writable};

use crate::{begin, commits, database, get, values};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

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
