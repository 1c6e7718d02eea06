//! Readers that are open for long: what they cost, and the limits that end them. Natively only: it takes threads.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use common::campaign::{Campaign, count};
use common::unlocked::Unlocked;
use selkie::storage::MemoryStorage;
use selkie::{
    Database, Error, ErrorKind, Isolation, Limits, Options, Readable, Refreshed, Result, Retention, TransactionOptions,
    View, Writable,
};

fn limited(set: impl FnOnce(&mut Limits)) -> Options {
    let mut limits = Limits::default();
    set(&mut limits);
    Options::new().limits(limits)
}

fn limited_in_time() -> Options {
    limited(|limits| limits.reader_time = Some(Duration::from_millis(20)))
}

fn assert_ended<T>(outcome: Result<T>, version: u64, name: &str) {
    let error = outcome.err().unwrap();
    assert!(
        matches!(error.kind(), ErrorKind::ReaderEnded { version: at, limit } if (*at, *limit) == (version, name)),
        "{error}"
    );
}

/// Commits until so many readers were ended.
fn commit_until_ended(db: &Database, count: u64) {
    let start = Instant::now();
    while db.stats().readers_ended < count {
        db.insert("other", "value").unwrap();
        assert!(start.elapsed() < Duration::from_secs(60), "no reader was ended");
    }
}

#[test]
fn every_read_of_a_view_that_was_ended_says_so() {
    let db = limited_in_time().in_memory().unwrap();
    let users = db.keyspace("users").unwrap();
    users.insert("ada", "1815").unwrap();
    db.insert("key", "old").unwrap();
    let view = db.begin_read().unwrap();
    let at = view.version();
    let (mut range, mut keys, mut reversed) = (view.iter(), view.keys::<&str>(..), view.iter().rev());
    let (mut cursor, mut history) = (view.cursor(), view.history_range::<&str>(..).unwrap());
    assert!(cursor.next().unwrap());
    db.remove("key").unwrap();
    commit_until_ended(&db, 1);

    let ended = "reader_time";
    assert_ended(view.get("key"), at, ended);
    assert_ended(view.get("nothing"), at, ended);
    assert_ended(view.get_with("key", <[u8]>::len), at, ended);
    assert_ended(view.get_many(["key"]), at, ended);
    assert_ended(view.contains_key("key"), at, ended);
    assert_ended(view.first_key_value(), at, ended);
    assert_ended(view.last_key_value(), at, ended);
    assert_ended(view.count_range::<&str>(..), at, ended);
    assert_ended(view.scan::<&str>(.., |_, _| ControlFlow::Continue(())), at, ended);
    assert_ended(view.scan_back::<&str>(.., |_, _| ControlFlow::Continue(())), at, ended);
    assert_ended(view.history("key"), at, ended);
    assert_ended(view.history_range::<&str>(..).unwrap().next().unwrap(), at, ended);
    assert_ended(view.keyspace(&users).get("ada"), at, ended);
    assert_ended(view.cursor().first(), at, ended);
    assert_ended(view.prefix("k").next().unwrap(), at, ended);
    assert_ended(range.next().unwrap(), at, ended);
    assert_ended(keys.next_back().unwrap(), at, ended);
    #[expect(clippy::iter_nth_zero, reason = "it leaps where `next` steps")]
    let item = reversed.nth(0).unwrap();
    assert_ended(item, at, ended);
    for _ in 0..3 {
        assert_ended(cursor.next(), at, ended);
        assert_ended(cursor.previous(), at, ended);
        assert_ended(cursor.previous(), at, ended);
        assert_eq!(cursor.key(), Some(&b"key"[..]), "it stays where it was");
    }
    assert_ended(history.next().unwrap(), at, ended);
    assert!(range.next().is_none() && keys.next().is_none() && history.next().is_none());
    // The error is an item, and the last.
    let of_users = view.keyspace(&users);
    assert_eq!([of_users.iter().count(), of_users.keys::<&str>(..).count(), view.iter().count()], [1, 1, 1]);
    let mut of_users = of_users.iter();
    assert_ended(of_users.next().unwrap(), at, ended);
    assert_eq!((of_users.nth(1).is_none(), of_users.count()), (true, 0));

    assert!(!db.begin_read().unwrap().contains_key("key").unwrap());
}

#[test]
fn a_scan_that_outlives_its_view_shows_nothing_wrong() {
    let db = limited_in_time().in_memory().unwrap();
    (0..1_000).for_each(|number| drop(db.insert(key(number), "value").unwrap()));
    let view = db.begin_read().unwrap();
    let mut seen = 0;
    let outcome = view.scan::<&str>(.., |found, _| {
        if seen == 0 {
            db.remove(key(500)).unwrap();
            commit_until_ended(&db, 1);
            db.collect_garbage().unwrap();
        }
        assert_eq!(found, key(seen).as_bytes());
        seen += 1;
        ControlFlow::Continue(())
    });
    assert!(seen < 500);
    assert_ended(outcome, 1_000, "reader_time");
}

#[test]
fn views_of_the_past_are_ended_too() {
    let db = limited_in_time().history(Retention::Forever).in_memory().unwrap();
    let first = db.insert("key", "old").unwrap().version();
    db.insert("key", "new").unwrap();
    let views = [db.at(first).unwrap(), db.as_of(SystemTime::now()).unwrap()];
    commit_until_ended(&db, 2);
    for view in &views {
        assert_ended(view.get("key"), view.version(), "reader_time");
    }
    assert_eq!(db.at(first).unwrap().get("key").unwrap().unwrap(), "old");
}

#[test]
fn a_transaction_that_was_ended_does_not_commit() {
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        let db = limited_in_time().in_memory().unwrap();
        db.insert("key", "value").unwrap();
        let mut tx = db.begin_with(TransactionOptions::new().isolation(isolation)).unwrap();
        tx.insert("key", tx.get("key").unwrap().unwrap()).unwrap();
        let mut idle = db.begin_write().unwrap();
        let at = db.version();
        db.remove("key").unwrap();
        commit_until_ended(&db, 2);
        db.collect_garbage().unwrap();
        // The removal that it is in conflict with is gone, and nothing tells of it any more.
        assert_ended(tx.commit(), at, "reader_time");
        assert_ended(idle.insert("other", "value"), at, "reader_time");
        assert!(!db.contains_key("key").unwrap());
    }
}

#[test]
fn a_reader_is_ended_in_time_without_any_commit() {
    let db = limited_in_time().in_memory().unwrap();
    db.insert("key", [0; 1000]).unwrap();
    let view = db.begin_read().unwrap();
    db.insert("key", "new").unwrap();
    let start = Instant::now();
    while view.contains_key("key").is_ok() {
        assert!(start.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(5));
    }
    while db.stats().history_bytes > 0 {
        assert!(start.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!((db.stats().readers, db.stats().readers_ended), (1, 1));
}

#[test]
fn the_oldest_readers_make_room_for_commits() {
    let db = limited(|limits| (limits.reader_bytes, limits.history_bytes) = (10_000, 20_000)).in_memory().unwrap();
    let mut views: Vec<View> = Vec::new();
    for turn in 0..1_000_u32 {
        db.insert("key", [0; 100]).unwrap();
        if turn % 10 == 0 {
            views.push(db.begin_read().unwrap());
        }
        assert!(db.stats().history_bytes <= 10_200);
    }
    let alive: Vec<bool> = views.iter().map(|view| view.get("key").is_ok()).collect();
    assert!(!alive[0] && alive[99] && alive.is_sorted(), "{alive:?}");
    assert_ended(views[0].get("key"), 1, "reader_bytes");
    assert_eq!(db.stats().readers_ended, alive.iter().filter(|alive| !**alive).count() as u64);
    assert!(db.stats().oldest_reader > 1);
}

/// As in an index of an application, whose keys say everything.
#[test]
fn versions_without_a_value_count_as_well() {
    let db = limited(|limits| limits.reader_bytes = 100_000).in_memory().unwrap();
    db.insert("first", "").unwrap();
    let view = db.begin_read().unwrap();
    for number in 0..2_000 {
        db.insert(key(number), "").unwrap();
        db.remove(key(number)).unwrap();
    }
    assert_ended(view.get("first"), 1, "reader_bytes");
}

#[test]
fn readers_of_a_database_that_follows_are_ended_too() {
    let files = MemoryStorage::new();
    let db = Options::new().open_storage(Arc::new(files.clone())).unwrap();
    db.insert("key", [0; 100]).unwrap();
    let limits = limited(|limits| limits.reader_bytes = 1_000);
    let follower = limits.read_only(true).open_storage(Arc::new(Unlocked(files))).unwrap();
    let view = follower.begin_read().unwrap();
    (0..100).for_each(|_| drop(db.insert("key", [0; 100]).unwrap()));
    assert_eq!(follower.refresh(None).unwrap(), Refreshed::UpTo(101));
    assert_ended(view.get("key"), 1, "reader_bytes");
    assert!(follower.stats().history_bytes <= 1_000);
}

#[test]
fn a_transaction_that_was_ended_does_not_read_its_own_writes_either() {
    let db = limited_in_time().in_memory().unwrap();
    let mut tx = db.begin_write().unwrap();
    tx.insert("own", "value").unwrap();
    commit_until_ended(&db, 1);
    assert_ended(tx.get("own"), 0, "reader_time");
    assert_ended(tx.contains_key("own"), 0, "reader_time");
}

#[test]
fn what_no_reader_holds_ends_none() {
    let db = limited(|limits| limits.reader_bytes = 1_000).history(Retention::Forever).in_memory().unwrap();
    for _ in 0..100 {
        db.insert("key", [0; 100]).unwrap();
        db.begin_read().unwrap().get("key").unwrap();
    }
    assert_eq!(db.stats().readers_ended, 0);
}

#[test]
fn backups_and_snapshots_are_not_ended() {
    let directory = tempfile::tempdir().unwrap();
    let options = limited(|limits| (limits.reader_time, limits.reader_bytes) = (Some(Duration::ZERO), 0));
    let db = options.open(directory.path().join("db")).unwrap();
    db.insert("a", [1; 1_000]).unwrap();
    let mut seen = Vec::new();
    let commits = |bytes: &[u8]| {
        for _ in 0..100 {
            db.insert("a", [2; 1_000]).unwrap();
            db.collect_garbage().unwrap();
        }
        bytes.len()
    };
    db.backup(Watching(&mut seen, commits)).unwrap();
    let restored = Options::new().restore(&seen[..], directory.path().join("copy")).unwrap();
    assert_eq!(restored.get("a").unwrap().unwrap(), [1; 1_000][..]);
}

/// What a backup holds back, no end of a reader would free.
#[test]
fn readers_beside_a_backup_that_holds_back_more_go_on() {
    let db = limited(|limits| limits.reader_bytes = 10_000).in_memory().unwrap();
    (0..1_000).for_each(|number| drop(db.insert(key(number), [1; 1_000]).unwrap()));
    let before = db.begin_read().unwrap();
    db.insert(key(0), [1; 1_000]).unwrap();
    let mut copied = Vec::new();
    let mut beside = Vec::new();
    let commits = |bytes: &[u8]| {
        for _ in 0..20 {
            db.insert(key(0), [2; 1_000]).unwrap();
            let mut tx = db.begin_write().unwrap();
            tx.insert(key(1), tx.get(key(2)).unwrap().unwrap()).unwrap();
            db.insert(key(0), [3; 1_000]).unwrap();
            tx.commit().unwrap();
            beside.push(db.begin_read().unwrap());
        }
        bytes.len()
    };
    db.backup(Watching(&mut copied, commits)).unwrap();
    assert!(!beside.is_empty() && beside.iter().all(|view| view.contains_key(key(1)).is_ok()));
    assert_ended(before.get(key(0)), before.version(), "reader_bytes");
    db.insert(key(0), "").unwrap();
    assert!(beside[0].get(key(0)).is_err() && db.stats().history_bytes <= 10_000);
}

struct Watching<'a, F>(&'a mut Vec<u8>, F);

impl<F: FnMut(&[u8]) -> usize> std::io::Write for Watching<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok((self.1)(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_statistics_tell_of_a_reader_that_stays() {
    let db = Database::in_memory();
    db.insert("key", [0; 100]).unwrap();
    let view = db.begin_read().unwrap();
    assert_eq!(db.stats().longest_reader, Duration::ZERO);
    db.insert("key", [0; 100]).unwrap();
    thread::sleep(Duration::from_millis(5));
    let stats = db.stats();
    assert_eq!((stats.readers, stats.oldest_reader, stats.history_bytes, stats.readers_ended), (1, 1, 100, 0));
    assert!(stats.longest_reader >= Duration::from_millis(5));
    drop(view);
    assert_eq!(db.stats().longest_reader, Duration::ZERO);
}

const KEYS: usize = 300;

fn key(number: usize) -> String {
    format!("{number:04}")
}

/// What every key holds in a round, and whether a key has a value in it.
fn is_there(round: u64, number: usize) -> bool {
    !(round + number as u64).is_multiple_of(3)
}

fn write_round(db: &Database, round: u64) {
    let mut tx = db.begin_with(TransactionOptions::new().write_only()).unwrap();
    for number in 0..KEYS {
        if is_there(round, number) {
            tx.insert(key(number), round.to_le_bytes()).unwrap();
        } else {
            tx.remove(key(number)).unwrap();
        }
    }
    tx.commit().unwrap();
}

fn assert_entry(round: u64, number: usize, value: Option<&[u8]>) {
    assert_eq!(value, is_there(round, number).then_some(&round.to_le_bytes()[..]), "{number} in round {round}");
}

/// Reads all keys of a view in one of the ways there are. What it gets is of the view's round, or it fails.
fn read_all(view: &impl Readable, round: u64, way: u64) -> Result<()> {
    let expected = || (0..KEYS).filter(|number| is_there(round, *number));
    match way % 7 {
        0 => (0..KEYS).try_for_each(|number| {
            assert_entry(round, number, view.get(key(number))?.as_deref());
            Ok(())
        })?,
        1 => {
            let mut numbers = expected();
            for entry in view.iter() {
                let (found, value) = entry?;
                let number = numbers.next().unwrap();
                assert_eq!((found, &value[..]), (key(number).into(), &round.to_le_bytes()[..]));
            }
            assert_eq!(numbers.next(), None, "round {round}");
        }
        2 => {
            let found: Vec<_> = view.keys::<&str>(..).rev().collect::<Result<_>>()?;
            assert!(found.iter().rev().eq(expected().map(key).collect::<Vec<_>>().iter()), "round {round}");
        }
        3 => {
            let mut numbers = Vec::new();
            let outcome = view.scan::<&str>(.., |found, value| {
                assert_eq!(value, &round.to_le_bytes()[..]);
                numbers.push(String::from_utf8(found.to_vec()).unwrap());
                ControlFlow::Continue(())
            });
            let all: Vec<_> = expected().map(key).collect();
            assert!(all.starts_with(&numbers), "round {round}");
            outcome?;
            assert_eq!(numbers, all);
        }
        4 => assert_eq!(view.count_range::<&str>(..)?, expected().count(), "round {round}"),
        5 => {
            let all = view.get_many((0..KEYS).map(key))?;
            all.iter().enumerate().for_each(|(number, value)| assert_entry(round, number, value.as_deref()));
        }
        _ => {
            let mut cursor = view.cursor();
            for number in expected() {
                assert!(cursor.next()?, "round {round}");
                assert_eq!(cursor.key(), Some(key(number).as_bytes()), "round {round}");
            }
            assert!(!cursor.next()?);
        }
    }
    Ok(())
}

fn is_ended(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ReaderEnded { .. })
}

/// Reads views in all ways until they are ended. Returns how many reads were right.
fn read_until(db: &Database, done: &AtomicBool, seed: u64) -> u64 {
    let (mut right, mut way) = (0, seed);
    while !done.load(Ordering::Relaxed) {
        let view = db.begin_read().unwrap();
        loop {
            way += 1;
            match read_all(&view, view.version(), way) {
                Ok(()) => right += 1,
                Err(error) => {
                    assert!(is_ended(&error), "{error}");
                    break;
                }
            }
            if way.is_multiple_of(200) || done.load(Ordering::Relaxed) {
                break;
            }
        }
    }
    right
}

/// A read that begins before its view is ended, and comes to its end after what it needs was collected, fails.
fn race(set: impl FnOnce(&mut Limits), campaign: &Campaign) -> (u64, u64) {
    let db = limited(set).in_memory().unwrap();
    let (done, right) = (AtomicBool::new(false), AtomicU64::new(0));
    write_round(&db, 1);
    let mut round = 1;
    thread::scope(|scope| {
        for seed in 0..3 {
            let (db, done, right) = (&db, &done, &right);
            scope.spawn(move || right.fetch_add(read_until(db, done, seed), Ordering::Relaxed));
        }
        while campaign.goes_on(round) {
            round += 1;
            write_round(&db, round);
            db.collect_garbage().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    (right.into_inner(), db.stats().readers_ended)
}

#[test]
fn a_read_is_right_or_says_that_it_was_ended() {
    let by_time = race(|limits| limits.reader_time = Some(Duration::from_micros(300)), &Campaign::of(250));
    let by_bytes = race(|limits| limits.reader_bytes = 30_000, &Campaign::of(250));
    for (right, ended) in [by_time, by_bytes] {
        assert!(right > 0 && ended > 0, "{right} reads were right and {ended} readers were ended");
    }
    count(by_time.0 + by_bytes.0, "reads beside limits that end readers");
}
