//! Keyspaces that come and go beside transactions.

use std::sync::Arc;

use selkie::{ErrorKind, Readable};
use shuttle::thread;

use crate::explore::{after_power_loss, explore, options, stored};

#[test]
fn a_keyspace_that_is_dropped_takes_what_was_written_with_it() {
    explore(|| {
        let (db, storage) = stored(&options());
        let old = db.keyspace("notes").unwrap();
        let writer = thread::spawn(move || match old.insert("old", "value") {
            Ok(_) => true,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::KeyspaceNotFound { .. }), "{error}");
                false
            }
        });
        db.drop_keyspace("notes").unwrap();
        let new = db.keyspace("notes").unwrap();
        new.insert("new", "value").unwrap();
        let _before_or_after = writer.join().unwrap();
        for db in [&*db, &after_power_loss(&storage)] {
            let notes = db.keyspace("notes").unwrap();
            let keys: Vec<_> = db.begin_read().unwrap().keyspace(&notes).keys::<&str>(..).map(Result::unwrap).collect();
            assert_eq!(keys, ["new"]);
        }
    });
}

#[test]
fn two_who_create_a_keyspace_have_the_same() {
    explore(|| {
        let (db, storage) = stored(&options());
        let creators = ["first", "second"].map(|key| {
            let db = Arc::clone(&db);
            thread::spawn(move || db.keyspace("notes").unwrap().insert(key, "value").unwrap().version())
        });
        for creator in creators {
            creator.join().unwrap();
        }
        for db in [&*db, &after_power_loss(&storage)] {
            let notes = db.keyspace("notes").unwrap();
            assert_eq!(db.begin_read().unwrap().keyspace(&notes).count_range::<&str>(..).unwrap(), 2);
        }
    });
}
