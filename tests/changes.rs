//! The change feed: from the log, from the history, and beside watches.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use selkie::storage::MemoryStorage;
use selkie::{
    Changes, Database, Error, ErrorKind, Limits, Options, Retention, SnapshotPolicy, Version, Watch, Writable,
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// What a feed reports, without the type that tells who reports it.
fn since(db: &Database, version: Version) -> Vec<Changes> {
    db.changes_since(version).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Where a watch that lagged says to go on.
fn lagged(error: &Error) -> Version {
    let ErrorKind::Lagged { resume } = error.kind() else { panic!("{error}") };
    *resume
}

fn forget_nothing() -> Options {
    Options::new().history(Retention::Forever).snapshots(SnapshotPolicy::Never)
}

fn stored(options: Options) -> (Database, MemoryStorage) {
    let storage = MemoryStorage::new();
    (options.open_storage(Arc::new(storage.clone())).unwrap(), storage)
}

fn write(db: &Database, rounds: u8) {
    let users = db.keyspace("users").unwrap();
    for round in 0..rounds {
        db.insert("key", [round]).unwrap();
        users.insert([round], "user").unwrap();
        db.update(|tx| {
            // The order in which a transaction writes is not the one in which its changes are reported.
            tx.keyspace_mut(&users).insert("both", [round])?;
            tx.remove([round])?;
            tx.insert("both", [round; 600])
        })
        .unwrap();
    }
    db.remove("key").unwrap();
}

fn lines(changes: &[Changes]) -> Vec<String> {
    let change = |version: Version, change: &selkie::Change| {
        let mark = if change.value.is_some() { '+' } else { '-' };
        format!("{version} {} {mark}{}", change.keyspace, String::from_utf8_lossy(&change.key))
    };
    changes.iter().flat_map(|changes| changes.changes.iter().map(move |one| change(changes.version, one))).collect()
}

fn drain(watch: &mut Watch) -> Vec<Changes> {
    std::iter::from_fn(|| watch.try_next().unwrap()).collect()
}

#[test]
fn changes_come_in_the_order_of_commits() {
    let (db, _) = stored(forget_nothing());
    let start = db.version();
    db.insert("a", "1").unwrap();
    let users = db.keyspace("users").unwrap();
    users.insert("ada", "1815").unwrap();
    db.remove("a").unwrap();
    let expected = ["+a", "+ada", "-a"];
    let found = lines(&since(&db, start));
    assert_eq!(found.len(), expected.len());
    for (line, expected) in found.iter().zip(expected) {
        assert!(line.ends_with(expected), "{line}");
    }
    assert!(since(&db, db.version()).is_empty());
    assert_eq!(since(&db, db.version() - 1).len(), 1);
}

#[test]
fn log_and_history_and_watch_agree() {
    let (db, storage) = stored(forget_nothing());
    let users = db.keyspace("users").unwrap();
    let mut watches = [db.watch::<&str>(..).unwrap(), users.watch::<&str>(..).unwrap()];
    write(&db, 20);
    let versions = [0, 1, 5, 30, db.version() - 1];
    let logged = versions.map(|version| since(&db, version));
    let reported = watches.each_mut().map(drain);
    for (name, reported) in ["default", "users"].into_iter().zip(reported) {
        let mut filtered = logged[1].clone();
        for changes in &mut filtered {
            changes.changes.retain(|change| &*change.keyspace == name);
        }
        filtered.retain(|changes| !changes.changes.is_empty());
        assert_eq!(filtered, reported, "{name}");
    }

    // Once a snapshot has replaced the log, the history tells the same; and so it does after a restart.
    db.snapshot().unwrap();
    assert!(!storage.files().contains_key("0000000000000001.log"));
    assert_eq!(versions.map(|version| since(&db, version)), logged);
    drop((db, users, watches));
    let db = Options::new().open_storage(Arc::new(storage)).unwrap();
    assert_eq!(versions.map(|version| since(&db, version)), logged);
}

#[test]
fn memory_has_the_history_alone() {
    let kept = Options::new().history(Retention::Forever).in_memory().unwrap();
    let (stored, _) = stored(forget_nothing());
    // Setting its retention was the first commit of the stored one.
    kept.keyspace("one commit").unwrap();
    for db in [&kept, &stored] {
        write(db, 5);
    }
    assert_eq!(lines(&since(&kept, 0)), lines(&since(&stored, 0)));
}

#[test]
fn log_reaches_back_over_segments_and_restarts() {
    let options = || forget_nothing().segment_bytes(4096);
    let (db, storage) = stored(options());
    write(&db, 60);
    let changes = since(&db, 0);
    assert!(storage.files().len() > 5);
    drop(db);
    let db = options().open_storage(Arc::new(storage.clone())).unwrap();
    assert_eq!(since(&db, 0), changes);
    db.insert("key", "after").unwrap();
    assert_eq!(since(&db, 0).len(), changes.len() + 1);
    for version in 0..db.version() {
        let found = since(&db, version);
        assert!(found.iter().zip(changes.iter().filter(|one| one.version > version)).all(|(a, b)| a == b));
    }
    drop(db);
    let db = options().read_only(true).open_storage(Arc::new(storage)).unwrap();
    assert_eq!(since(&db, 0).len(), changes.len() + 1);
}

#[test]
fn what_is_forgotten_is_an_error() {
    let (db, _) = stored(Options::new().snapshots(SnapshotPolicy::Never));
    for round in 0..10 {
        db.insert("key", [round]).unwrap();
    }
    assert_eq!(since(&db, 2).len(), 8);
    db.snapshot().unwrap();
    db.collect_garbage().unwrap();
    assert!(matches!(db.changes_since(2).unwrap_err().kind(), ErrorKind::HistoryCollected { requested: 2 }));
    db.insert("key", "again").unwrap();
    assert!(matches!(db.changes_since(2).unwrap_err().kind(), ErrorKind::HistoryCollected { requested: 2 }));
    assert_eq!(since(&db, 10).len(), 1);
}

#[test]
fn forgotten_removal_is_an_error() {
    let db = Database::in_memory();
    let inserted = db.insert("key", "value").unwrap().version();
    let removed = db.remove("key").unwrap().version();
    db.insert("other", "value").unwrap();
    db.collect_garbage().unwrap();
    assert!(matches!(db.changes_since(inserted).unwrap_err().kind(), ErrorKind::HistoryCollected { .. }));
    assert_eq!(since(&db, removed).len(), 1);
}

#[test]
fn future_versions_are_refused() {
    let db = Database::in_memory();
    assert!(matches!(db.changes_since(1).unwrap_err().kind(), ErrorKind::InvalidArgument { .. }));
    assert!(since(&db, 0).is_empty());
}

#[test]
fn dropped_keyspaces_are_left_out_wherever_changes_come_from() {
    let (db, _) = stored(forget_nothing());
    write(&db, 3);
    db.drop_keyspace("users").unwrap();
    let logged = since(&db, 0);
    assert!(lines(&logged).iter().all(|line| line.contains(" default ")));
    db.snapshot().unwrap();
    assert_eq!(since(&db, 0), logged);
    db.keyspace("users").unwrap().insert("new", "value").unwrap();
    assert_eq!(since(&db, 0).len(), logged.len() + 1);
}

#[test]
fn snapshots_leave_what_an_iterator_still_reads() {
    let (db, storage) = stored(Options::new().snapshots(SnapshotPolicy::Never).segment_bytes(4096));
    write(&db, 30);
    let expected = since(&db, 0);
    let mut changes = db.changes_since(0).unwrap();
    let first = changes.next().unwrap().unwrap();
    write(&db, 10);
    db.snapshot().unwrap();
    assert!(storage.files().contains_key("0000000000000001.log"));
    let rest: Vec<_> = changes.by_ref().map(Result::unwrap).collect();
    assert_eq!([vec![first], rest].concat(), expected);
    drop(changes);
    db.insert("key", "value").unwrap();
    db.snapshot().unwrap();
    assert!(!storage.files().contains_key("0000000000000001.log"));
}

#[test]
fn missing_segment_is_an_error_and_not_a_gap() {
    let (db, storage) = stored(Options::new().snapshots(SnapshotPolicy::Never).segment_bytes(4096));
    write(&db, 30);
    let changes = db.changes_since(0).unwrap();
    selkie::storage::Storage::remove(&storage, "0000000000000002.log").try_take().unwrap().unwrap();
    let found: Vec<_> = changes.collect();
    let (last, before) = found.split_last().unwrap();
    let seen = before.last().unwrap().as_ref().unwrap().version;
    assert!(
        matches!(last.as_ref().unwrap_err().kind(), ErrorKind::HistoryCollected { requested } if *requested == seen)
    );
}

#[test]
fn closed_database_ends_the_changes() {
    let (db, _) = stored(forget_nothing());
    write(&db, 3);
    let mut changes = db.changes_since(0).unwrap();
    changes.next().unwrap().unwrap();
    db.clone().close().unwrap();
    assert!(matches!(changes.next().unwrap().unwrap_err().kind(), ErrorKind::Closed));
    assert!(changes.next().is_none());
    assert!(matches!(db.changes_since(0).unwrap_err().kind(), ErrorKind::Closed));
}

#[test]
fn queued_commits_are_reported() {
    let options = Options::new().durability(selkie::Durability::Queued).visibility(selkie::Visibility::Applied);
    let (db, _) = stored(options);
    write(&db, 3);
    assert_eq!(since(&db, 0).last().unwrap().version, db.version());
}

#[test]
fn lagged_watch_says_where_to_resume() {
    let mut limits = Limits::default();
    limits.watch_bytes = 2_000;
    let (db, _) = stored(Options::new().limits(limits));
    let mut watch = db.watch::<&str>(..).unwrap();
    db.insert("first", "value").unwrap();
    assert_eq!(watch.next().unwrap().changes[0].key, "first");
    write(&db, 50);
    let resume = lagged(&watch.try_next().unwrap_err());
    assert_eq!(resume, watch.version());
    assert_eq!(since(&db, resume)[0].version, resume + 2);
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::thread;

    use super::*;

    /// A consumer that goes on with another watch whenever it lagged.
    fn consume(db: &Database, last: &AtomicBool, lags: &AtomicU64) -> Vec<Changes> {
        let mut seen: Vec<Changes> = Vec::new();
        let mut watch = db.watch::<&str>(..).unwrap();
        loop {
            let done = last.load(Ordering::SeqCst);
            match watch.try_next() {
                Ok(Some(changes)) => seen.push(changes),
                Ok(None) if done => return seen,
                Ok(None) => thread::yield_now(),
                Err(error) => {
                    let resume = lagged(&error);
                    lags.fetch_add(1, Ordering::Relaxed);
                    watch = db.watch::<&str>(..).unwrap();
                    let missed = db.changes_since(resume).unwrap().map(Result::unwrap);
                    seen.extend(missed.take_while(|changes| changes.version <= watch.version()));
                }
            }
        }
    }

    #[test]
    fn lagged_watches_resume_losslessly_under_writers_and_snapshots() {
        let mut limits = Limits::default();
        limits.watch_bytes = 2_000;
        let options = Options::new().history(Retention::Forever).limits(limits).segment_bytes(8192);
        let (db, _) = stored(options.durability(selkie::Durability::Buffered));
        let start = db.version();
        let (last, lags) = (AtomicBool::new(false), AtomicU64::new(0));
        let seen = thread::scope(|scope| {
            let consumer = scope.spawn(|| consume(&db, &last, &lags));
            let writers = [0_u8, 1, 2].map(|writer| {
                let db = &db;
                scope.spawn(move || {
                    for count in 0..2_000_u32 {
                        db.insert([&[writer][..], &(count % 50).to_be_bytes()].concat(), [writer; 40]).unwrap();
                        if count % 500 == 0 {
                            db.snapshot().unwrap();
                        }
                    }
                })
            });
            for writer in writers {
                writer.join().unwrap();
            }
            last.store(true, Ordering::SeqCst);
            consumer.join().unwrap()
        });
        assert!(lags.load(Ordering::Relaxed) > 0);
        // The watch may have begun after the first commits; from there on nothing is missing or repeated.
        let first = seen[0].version;
        assert!(first > start);
        let versions: Vec<_> = seen.iter().map(|changes| changes.version).collect();
        assert_eq!(versions, (first..=db.version()).collect::<Vec<_>>());
        assert_eq!(seen, since(&db, first - 1));
    }
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn beside_snapshots_changes_are_there_or_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let options =
        Options::new().snapshots(SnapshotPolicy::Never).durability(selkie::Durability::Buffered).segment_bytes(4096);
    let db = options.open(directory.path()).unwrap();
    std::thread::scope(|scope| {
        let snapshots = scope.spawn(|| {
            for round in 0..400_u32 {
                (0..40).for_each(|_| drop(db.insert("key", [round as u8; 1_000]).unwrap()));
                db.snapshot().unwrap();
            }
        });
        while !snapshots.is_finished() {
            let version = db.version().saturating_sub(30);
            match db.changes_since(version).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
                Ok(changes) => assert!(changes.first().is_none_or(|first| first.version == version + 1)),
                Err(error) => assert!(matches!(error.kind(), ErrorKind::HistoryCollected { .. }), "{error}"),
            }
        }
    });
}
