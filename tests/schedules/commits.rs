//! Commits that race: their order, what they acknowledge, and who hears of them.

use std::ops::RangeFull;
use std::sync::Arc;

use selkie::{Durability, ErrorKind, Isolation, Options, Readable, Visibility, Writable};
use shuttle::thread;

use crate::explore::{after_power_loss, attempt, explore, number, options, read, stored};

/// Moves a unit, and says whether it did.
fn transfer(db: &selkie::Database, from: &str, to: &str, isolation: Isolation) -> bool {
    let moved = attempt(db, isolation, |tx| {
        let (left, right) = (read(tx, from), read(tx, to));
        tx.insert(from, (left - 1).to_le_bytes())?;
        tx.insert(to, (right + 1).to_le_bytes())
    });
    moved.is_some()
}

fn no_money_is_made_or_lost(isolation: Isolation, options: &Options) {
    const ACCOUNTS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    let (db, storage) = stored(options);
    db.update(|tx| ACCOUNTS.iter().try_for_each(|account| tx.insert(account, 9_u64.to_le_bytes()))).unwrap();
    let before = db.version();
    let movers = [["a", "b", "c"], ["b", "a", "f"]].map(|path| {
        let db = Arc::clone(&db);
        thread::spawn(move || path.windows(2).filter(|pair| transfer(&db, pair[0], pair[1], isolation)).count() as u64)
    });
    let auditor = {
        let db = Arc::clone(&db);
        thread::spawn(move || {
            for _ in 0..2 {
                let view = db.begin_read().unwrap();
                let forward: u64 = view.iter().map(|entry| number(Some(entry.unwrap().1))).sum();
                let backward: u64 = view.iter().rev().map(|entry| number(Some(entry.unwrap().1))).sum();
                assert_eq!((forward, backward), (54, 54), "at {}", view.version());
            }
        })
    };
    let moved: u64 = movers.into_iter().map(|mover| mover.join().unwrap()).sum();
    auditor.join().unwrap();
    assert_eq!(db.version(), before + moved);
    let left = after_power_loss(&storage);
    assert_eq!(left.version(), before + moved);
    assert_eq!(left.begin_read().unwrap().iter().map(|entry| number(Some(entry.unwrap().1))).sum::<u64>(), 54);
}

#[test]
fn no_money_is_made_or_lost_by_serializable_transfers() {
    explore(|| no_money_is_made_or_lost(Isolation::Serializable, &options()));
}

#[test]
fn no_money_is_made_or_lost_by_transfers_of_snapshots() {
    explore(|| no_money_is_made_or_lost(Isolation::Snapshot, &options().visibility(Visibility::Applied)));
}

/// Two who write only where they find that nobody else did: one of them has to try again.
fn one_of_two_writes(is_taken: fn(&selkie::Transaction, &str) -> selkie::Result<bool>) {
    let (db, _storage) = stored(&options());
    let writers =
        [("ada", "eve"), ("eve", "ada")].map(|(own, other)| {
            let db = Arc::clone(&db);
            thread::spawn(move || {
                attempt(&db, Isolation::Serializable, |tx| {
                    if is_taken(tx, other)? { Ok(()) } else { tx.insert(own, "value") }
                })
            })
        });
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(db.begin_read().unwrap().count_range::<&str>(..).unwrap(), 1);
}

#[test]
fn of_two_who_read_what_the_other_writes_one_has_to_try_again() {
    explore(|| one_of_two_writes(|tx, other| tx.contains_key(other)));
}

#[test]
fn a_phantom_is_noticed() {
    explore(|| one_of_two_writes(|tx, _| Ok(tx.count_range::<&str>(..)? > 0)));
}

#[test]
fn no_increment_is_lost() {
    explore(|| {
        let (db, storage) = stored(&options());
        let counters = [Isolation::Serializable, Isolation::Snapshot, Isolation::Serializable].map(|isolation| {
            let db = Arc::clone(&db);
            thread::spawn(move || {
                let increment = |tx: &mut selkie::Transaction| {
                    let value = read(tx, "counter");
                    tx.insert("counter", (value + 1).to_le_bytes())
                };
                u64::from(attempt(&db, isolation, increment).is_some())
            })
        });
        let done: u64 = counters.into_iter().map(|counter| counter.join().unwrap()).sum();
        assert!(done > 0, "one of them is always first");
        assert_eq!(read(&db.begin_read().unwrap(), "counter"), done);
        assert_eq!(read(&after_power_loss(&storage).begin_read().unwrap(), "counter"), done);
    });
}

#[test]
fn what_was_acknowledged_survives_a_loss_of_power_at_once() {
    explore(|| {
        let (db, storage) = stored(&options().segment_bytes(4096));
        let writers = ["first", "second"].map(|key| {
            let (db, storage) = (Arc::clone(&db), storage.clone());
            thread::spawn(move || {
                db.insert(key, vec![7; 3000]).unwrap();
                assert!(after_power_loss(&storage).contains_key(key).unwrap(), "{key}");
            })
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    });
}

#[test]
fn a_sync_covers_what_was_committed_before_it() {
    explore(|| {
        let storage = selkie::storage::sim::SimStorage::new();
        let options = options().durability(Durability::Queued);
        let db = Arc::new(options.open_storage(Arc::new(storage.clone())).unwrap());
        let other = {
            let db = Arc::clone(&db);
            thread::spawn(move || db.insert("other", "value").map(drop).unwrap())
        };
        db.insert("key", "value").unwrap();
        db.sync().unwrap();
        assert!(after_power_loss(&storage).contains_key("key").unwrap());
        other.join().unwrap();
    });
}

/// Nobody asks for what the log has of such commits but who reads it.
#[test]
fn the_changes_of_a_commit_that_is_visible_are_in_the_log() {
    explore(|| {
        let options = options().durability(Durability::None);
        let db = Arc::new(options.open_storage(Arc::new(selkie::storage::sim::SimStorage::new())).unwrap());
        let writer = {
            let db = Arc::clone(&db);
            thread::spawn(move || (0..4_u8).for_each(|key| drop(db.insert([key], "value").unwrap())))
        };
        let mut seen = 0;
        while seen < 4 {
            let changes: selkie::Result<Vec<_>> = db.changes_since(seen).unwrap().collect();
            seen = changes.unwrap().last().map_or(seen, |commit| commit.version);
            thread::yield_now();
        }
        writer.join().unwrap();
    });
}

#[test]
fn whoever_has_a_commit_acknowledged_sees_it_and_so_does_everybody_after_him() {
    explore(|| {
        let (db, _storage) = stored(&options());
        let writer = {
            let db = Arc::clone(&db);
            thread::spawn(move || {
                let version = db.insert("key", 1_u64.to_le_bytes()).unwrap().version();
                assert_eq!(read(&db.begin_read().unwrap(), "key"), 1);
                version
            })
        };
        db.insert("other", "value").unwrap();
        let early = db.begin_read().unwrap();
        let (seen, at) = (read(&early, "key"), early.version());
        let version = writer.join().unwrap();
        assert_eq!(seen == 1, version <= at, "a view at {at} of a commit with the number {version}");
        assert_eq!(read(&early, "key"), seen, "a view does not change");
    });
}

#[test]
fn a_watch_reports_every_commit_once_and_in_order() {
    explore(|| {
        let (db, _storage) = stored(&options());
        let mut watch = db.watch::<&str>(RangeFull).unwrap();
        let writers = [["a", "b"], ["c", "d"]].map(|keys| {
            let db = Arc::clone(&db);
            thread::spawn(move || keys.map(|key| db.insert(key, "value").unwrap().version()))
        });
        let heard: Vec<(u64, String)> = (0..4)
            .map(|_| watch.next().unwrap())
            .map(|changes| (changes.version, String::from_utf8(changes.changes[0].key.to_vec()).unwrap()))
            .collect();
        let [first, second] = writers.map(|writer| writer.join().unwrap());
        let mut written = [(first[0], "a"), (first[1], "b"), (second[0], "c"), (second[1], "d")];
        written.sort_unstable();
        assert_eq!(heard, written.map(|(version, key)| (version, key.to_owned())));
    });
}

#[test]
fn closing_beside_commits_loses_none_that_was_acknowledged() {
    explore(|| {
        let (db, storage) = stored(&options());
        let closing = db.begin_read().unwrap();
        let writer = {
            let db = Arc::clone(&db);
            thread::spawn(move || {
                (0..3_u64)
                    .take_while(|number| match db.insert(number.to_le_bytes(), "value") {
                        Ok(_) => true,
                        Err(error) => {
                            assert!(matches!(error.kind(), ErrorKind::Closed), "{error}");
                            false
                        }
                    })
                    .count()
            })
        };
        drop(closing);
        db.as_ref().clone().close().unwrap();
        let acknowledged = writer.join().unwrap();
        let left = after_power_loss(&storage);
        let found = left.begin_read().unwrap().count_range::<&str>(..).unwrap();
        assert!(found >= acknowledged, "{found} of {acknowledged}");
    });
}
