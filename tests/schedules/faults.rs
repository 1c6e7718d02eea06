//! A storage that fails while threads commit.

use std::sync::Arc;

use selkie::ErrorKind;
use selkie::storage::sim::Fault;
use shuttle::thread;

use crate::explore::{after_power_loss, explore, options, stored};

/// Every writer hears of the failure or is durable; none waits for ever, and none is acknowledged after it.
fn a_failure_reaches_every_writer(fault: Fault, later: u64) {
    let (db, storage) = stored(&options());
    storage.inject(storage.calls() as u64 + later, fault);
    let writers = ["first", "second", "third"].map(|key| {
        let db = Arc::clone(&db);
        thread::spawn(move || match db.insert(key, "value") {
            Ok(_) => Some(key),
            Err(error) => {
                let kind = error.kind();
                let is_told = matches!(kind, ErrorKind::DurabilityUnknown { .. } | ErrorKind::Poisoned { .. });
                assert!(is_told || matches!(kind, ErrorKind::Io { .. }), "{error}");
                None
            }
        })
    });
    let acknowledged: Vec<&str> = writers.into_iter().filter_map(|writer| writer.join().unwrap()).collect();
    if storage.struck() > 0 {
        let error = db.insert("later", "value").unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Poisoned { .. }), "{error}");
    }
    let left = after_power_loss(&storage);
    for key in acknowledged {
        assert!(left.contains_key(key).unwrap(), "{key}");
    }
}

#[test]
fn a_write_that_fails_is_told_to_every_writer() {
    explore(|| {
        a_failure_reaches_every_writer(Fault::Full, 0);
        a_failure_reaches_every_writer(Fault::Short, 2);
    });
}

#[test]
fn a_sync_that_fails_is_told_to_every_writer() {
    explore(|| {
        a_failure_reaches_every_writer(Fault::LostSync, 1);
        a_failure_reaches_every_writer(Fault::Io, 3);
    });
}

#[test]
fn of_two_who_open_a_storage_one_is_refused() {
    explore(|| {
        let storage = selkie::storage::sim::SimStorage::new();
        let openers = [(); 2].map(|()| {
            let storage = storage.clone();
            thread::spawn(move || options().open_storage(Arc::new(storage)))
        });
        let mut opened = openers.map(|opener| opener.join().unwrap());
        opened.sort_by_key(Result::is_err);
        let [Ok(db), Err(error)] = opened else { panic!("both or none of them opened it") };
        assert!(matches!(error.kind(), ErrorKind::Locked { .. }), "{error}");
        db.insert("key", "value").unwrap();
    });
}
