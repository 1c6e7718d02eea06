//! Readers beside commits, the collector and snapshots.

use std::sync::Arc;

use selkie::{Database, ErrorKind, Limits, Readable, Result, Retention, Visibility, Writable};
use shuttle::thread;

use crate::explore::{after_power_loss, explore, number, options, read, stored};

/// Both keys get the same value, again and again.
fn write_pairs(db: &Database) {
    for value in 2..4_u64 {
        db.update(|tx| ["left", "right"].iter().try_for_each(|key| tx.insert(key, value.to_le_bytes()))).unwrap();
    }
}

fn pairs(db: &Arc<Database>) -> thread::JoinHandle<()> {
    let db = Arc::clone(db);
    thread::spawn(move || write_pairs(&db))
}

#[test]
fn a_view_sees_one_moment_whatever_is_collected() {
    explore(|| {
        let (db, _storage) = stored(&options());
        let writer = pairs(&db);
        let collector = {
            let db = Arc::clone(&db);
            thread::spawn(move || db.collect_garbage().unwrap())
        };
        let view = db.begin_read().unwrap();
        let first = read(&view, "left");
        db.collect_garbage().unwrap();
        assert_eq!(read(&view, "right"), first);
        assert_eq!(view.iter().count(), if first == 0 { 0 } else { 2 });
        writer.join().unwrap();
        collector.join().unwrap();
        assert_eq!((read(&view, "left"), read(&view, "right")), (first, first));
    });
}

/// Commits of one change drop what they supersede themselves, unless somebody reads before them.
fn a_key_that_is_written_again_is_never_missing(db: &Arc<Database>) {
    db.insert("key", 1_u64.to_le_bytes()).unwrap();
    let writer = {
        let db = Arc::clone(db);
        thread::spawn(move || {
            db.insert("key", 2_u64.to_le_bytes()).unwrap();
            db.update(|tx| {
                let value = number(tx.get("key")?);
                tx.insert("key", (value + 1).to_le_bytes())
            })
            .unwrap();
        })
    };
    let view = db.begin_read().unwrap();
    let seen = read(&view, "key");
    let newest = number(db.get("key").unwrap());
    assert_eq!(seen, view.version());
    assert!((seen..=3).contains(&newest), "{newest} after {seen}");
    assert_eq!(read(&view, "key"), seen);
    writer.join().unwrap();
    assert_eq!((read(&view, "key"), number(db.get("key").unwrap())), (seen, 3));
}

#[test]
fn a_key_that_is_written_again_is_never_missing_in_memory() {
    explore(|| {
        let db = Arc::new(options().in_memory().unwrap());
        a_key_that_is_written_again_is_never_missing(&db);
    });
}

#[test]
fn a_key_that_is_written_again_is_never_missing_with_a_log() {
    explore(|| {
        let (db, _storage) = stored(&options().visibility(Visibility::Applied));
        a_key_that_is_written_again_is_never_missing(&db);
    });
}

#[test]
fn a_reader_that_a_limit_ends_has_one_moment_or_an_error() {
    explore(|| {
        let mut limits = Limits::default();
        limits.reader_bytes = 1;
        let (db, _storage) = stored(&options().limits(limits));
        db.insert("left", 1_u64.to_le_bytes()).unwrap();
        db.insert("right", 1_u64.to_le_bytes()).unwrap();
        let view = db.begin_read().unwrap();
        let writer = pairs(&db);
        let collector = {
            let db = Arc::clone(&db);
            thread::spawn(move || db.collect_garbage().unwrap())
        };
        let all: Result<Vec<_>> = view.iter().collect();
        match all {
            Ok(all) => assert!(all.iter().all(|(_, value)| value[0] == 1) && all.len() == 2, "{all:?}"),
            Err(error) => assert!(matches!(error.kind(), ErrorKind::ReaderEnded { .. }), "{error}"),
        }
        writer.join().unwrap();
        collector.join().unwrap();
    });
}

#[test]
fn a_snapshot_beside_commits_and_the_log_hold_them_all() {
    explore(|| {
        let (db, storage) = stored(&options().segment_bytes(4096).history(Retention::Versions(2)));
        db.insert("first", vec![1; 3000]).unwrap();
        let writer = {
            let db = Arc::clone(&db);
            thread::spawn(move || ["second", "third"].map(|key| drop(db.insert(key, vec![1; 3000]).unwrap())))
        };
        let info = db.snapshot().unwrap();
        assert!(after_power_loss(&storage).version() >= info.version);
        writer.join().unwrap();
        let left = after_power_loss(&storage);
        assert_eq!(left.version(), db.version());
        assert_eq!(
            left.begin_read().unwrap().keys::<&str>(..).map(Result::unwrap).collect::<Vec<_>>(),
            ["first", "second", "third"]
        );
        assert_eq!(left.history("first").unwrap().len(), 1);
    });
}

#[test]
fn keys_that_come_and_go_lose_none_that_stays() {
    explore(|| {
        let (db, _storage) = stored(&options());
        db.update(|tx| (0..8_u8).try_for_each(|key| tx.insert([key], "stays"))).unwrap();
        let writer = {
            let db = Arc::clone(&db);
            thread::spawn(move || {
                db.update(|tx| (8..14_u8).try_for_each(|key| tx.insert([key], "goes"))).unwrap();
                db.update(|tx| (8..14_u8).try_for_each(|key| tx.remove([key]))).unwrap();
            })
        };
        let collector = {
            let db = Arc::clone(&db);
            thread::spawn(move || db.collect_garbage().unwrap())
        };
        let view = db.begin_read().unwrap();
        let stays = view.iter().filter(|entry| entry.as_ref().unwrap().1 == "stays").count();
        assert_eq!(stays, 8);
        writer.join().unwrap();
        collector.join().unwrap();
        db.collect_garbage().unwrap();
        assert_eq!(db.begin_read().unwrap().iter().count(), 8);
    });
}
