//! Every kind of fault at every call of the storage, for a fixed piece of work in a new database and in one that a crash
//! left: the error names what failed, nothing acknowledged is lost, and after an error of the log nothing is written any
//! more. Then several faults at random calls.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::campaign::{Campaign, count, variable};
use common::{Random, keys, small_segments};
use selkie::storage::sim::{Fault, SimStorage};
use selkie::{Corruption, Database, ErrorKind, Result, SnapshotPolicy};

const COMMITS: usize = 12;
const FAULTS: [Fault; 6] = [Fault::Io, Fault::Full, Fault::Short, Fault::LostSync, Fault::LostNames, Fault::Stall];
/// How many runs with faults at random calls there are.
const RUNS: u64 = 200;
/// Images of the files after a run, besides those that have everything and nothing that was not synced.
const IMAGES: u64 = 6;

fn opened(storage: &SimStorage) -> Result<Database> {
    small_segments().open_storage(Arc::new(storage.clone()))
}

/// What a crash left: a snapshot, segments after it, and a commit that no later one attests.
fn crashed() -> (SimStorage, Vec<String>) {
    let storage = SimStorage::new();
    let db = opened(&storage).unwrap();
    let before: Vec<_> = (0..COMMITS).map(|number| format!("before {number:02}")).collect();
    for (number, key) in before.iter().enumerate() {
        if number == COMMITS / 3 {
            db.snapshot().unwrap();
        }
        db.insert(key, vec![number as u8; 700]).unwrap();
    }
    (storage.restart(), before)
}

/// Commits, with segments that change and a snapshot on the way. Adds what was acknowledged.
fn work(db: &Database, acknowledged: &mut Vec<String>) {
    let mut is_over = false;
    for number in 0..COMMITS {
        if number == COMMITS / 2 {
            // Whether it succeeds makes no difference to the commits.
            let _snapshot = db.snapshot();
        }
        let key = format!("key {number:02}");
        match db.insert(&key, vec![number as u8; 700]) {
            Ok(_) if !is_over => acknowledged.push(key),
            Err(error) if !is_over && matches!(error.kind(), ErrorKind::DurabilityUnknown { .. }) => is_over = true,
            Err(error) if matches!(error.kind(), ErrorKind::Poisoned { .. }) => is_over = true,
            outcome => panic!("{outcome:?} where it is over: {is_over}"),
        }
        assert!(keys(db).starts_with(acknowledged), "reads go on");
    }
}

/// Ends every stall after a moment, as long as something runs.
fn with_patience<T>(storage: &SimStorage, action: impl FnOnce() -> T) -> T {
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_micros(500));
                storage.release();
            }
        });
        let result = action();
        is_done.store(true, Ordering::Relaxed);
        result
    })
}

/// All that was acknowledged, and at most the one commit that was on its way.
fn check(storage: &SimStorage, acknowledged: &[String], what: &str) {
    storage.recording().last_crash_point(|point| {
        let random = (0..IMAGES).map(|seed| point.random_image(seed));
        for image in random.chain([point.everything(), point.nothing_unsynced()]) {
            let db = opened(&SimStorage::from_files(image)).unwrap_or_else(|error| panic!("{what}: {error}"));
            let found = keys(&db);
            assert!(found.starts_with(acknowledged), "{what}: {found:?} instead of {acknowledged:?}");
            assert!(found.len() <= acknowledged.len() + 1, "{what}: {found:?} instead of {acknowledged:?}");
        }
    });
}

/// Whoever opens the database again, on the machine that had the fault, relies on nothing that the medium does not have.
fn check_reopened(storage: &SimStorage, acknowledged: &[String], what: &str) {
    let storage = storage.restart();
    let db = opened(&storage).unwrap_or_else(|error| panic!("{what}, reopened: {error}"));
    let mut found = keys(&db);
    assert!(found.starts_with(acknowledged), "{what}, reopened: {found:?} instead of {acknowledged:?}");
    db.insert("last", "").unwrap();
    found.push("last".to_owned());
    storage.recording().last_crash_point(|point| {
        let db = opened(&SimStorage::from_files(point.nothing_unsynced()));
        assert_eq!(keys(&db.unwrap_or_else(|error| panic!("{what}, reopened, lost power: {error}"))), found, "{what}");
    });
}

/// One run with faults over what is there before. Says how many of them happened, and after how many calls it ended.
fn run((storage, before): (SimStorage, Vec<String>), faults: &[(u64, Fault)], again: &str) -> (usize, u64) {
    let what: Vec<String> = faults.iter().map(|(call, fault)| format!("{fault} at call {call}")).collect();
    let what = format!("{} over {} commits{again}", what.join(", "), before.len());
    let all = before.len() + COMMITS;
    for (call, fault) in faults {
        storage.inject(*call, *fault);
    }
    let mut acknowledged = before;
    with_patience(&storage, || match opened(&storage) {
        Ok(db) => {
            work(&db, &mut acknowledged);
            let closed = db.close();
            assert!(closed.is_ok() || storage.struck() > 0, "{what}: {closed:?}");
        }
        Err(error) => assert!(matches!(error.kind(), ErrorKind::Io { .. }), "{what}: {error}"),
    });
    let (struck, calls) = (storage.struck(), storage.calls() as u64);
    assert!(struck > 0 || acknowledged.len() == all, "{what} has not happened, and {acknowledged:?}");
    let only_stalls = faults.iter().all(|(_, fault)| *fault == Fault::Stall);
    assert!(!only_stalls || acknowledged.len() == all, "{what}: a stall is no failure");
    check(&storage, &acknowledged, &what);
    check_reopened(&storage, &acknowledged, &what);
    (struck, calls)
}

/// One fault in each run, at the first call, at the second, and so on.
fn fail_at_each_call(fault: Fault, start: impl Fn() -> (SimStorage, Vec<String>)) {
    let (mut call, mut all_struck) = (0, 0);
    loop {
        let (struck, calls) = run(start(), &[(call, fault)], "");
        all_struck += struck;
        if calls <= call {
            break;
        }
        call += 1;
    }
    println!("{fault}: {all_struck} of {call} calls");
    count(all_struck as u64, "fault injections");
    assert!(all_struck > 3, "{fault} hardly ever happened");
}

#[test]
fn whatever_fails_at_whichever_call_nothing_acknowledged_is_lost() {
    for fault in FAULTS {
        fail_at_each_call(fault, || (SimStorage::new(), Vec::new()));
    }
}

#[test]
fn whatever_fails_after_a_crash_nothing_acknowledged_before_is_lost() {
    for fault in FAULTS {
        fail_at_each_call(fault, crashed);
    }
}

/// In many more calls than a piece of work has, some of the faults do not happen.
#[test]
fn several_faults_at_random_calls_lose_nothing_acknowledged() {
    let campaign = Campaign::of(RUNS);
    let (first, mut runs, mut all_struck) = (variable("SELKIE_SEED", 1), 0, 0);
    while campaign.goes_on(runs) {
        let seed = first + runs;
        let mut random = Random(seed);
        let faults: Vec<_> = (0..=random.below(3))
            .map(|_| (random.below(60), FAULTS[random.below(FAULTS.len() as u64) as usize]))
            .collect();
        let start = if seed.is_multiple_of(2) { (SimStorage::new(), Vec::new()) } else { crashed() };
        all_struck += run(start, &faults, &format!("; again: SELKIE_SEED={seed}")).0;
        runs += 1;
    }
    count(all_struck as u64, "fault injections");
    assert!(all_struck as u64 > runs / 2, "{all_struck} faults in {runs} runs");
}

/// Closing writes the snapshot that is due, if the background has not begun it. All who close hear the same.
#[test]
fn whatever_fails_in_the_last_snapshot_nothing_acknowledged_is_lost() {
    for fault in FAULTS {
        let (mut struck, mut failed) = (0, 0);
        for call in 0..40 {
            let what = format!("{fault} at call {call} of the last snapshot");
            let storage = SimStorage::new();
            let options = small_segments().snapshots(SnapshotPolicy::LogSize(1000));
            let db = options.open_storage(Arc::new(storage.clone())).unwrap();
            storage.inject(storage.calls() as u64 + call, fault);
            let written = with_patience(&storage, || db.insert("key", vec![1; 2000]));
            let acknowledged = if written.is_ok() { vec!["key".to_owned()] } else { Vec::new() };
            let other = db.clone();
            let closed = with_patience(&storage, || db.close());
            assert_eq!(closed.is_ok(), other.close().is_ok(), "{what}");
            assert!(closed.is_ok() || storage.struck() > 0, "{what}: {closed:?}");
            struck += storage.struck();
            failed += usize::from(closed.is_err());
            check(&storage, &acknowledged, &what);
            check_reopened(&storage, &acknowledged, &what);
        }
        println!("{fault}: {struck} faults, {failed} failures");
        count(struck as u64, "fault injections");
        assert!(struck > 1 && (failed == 0) == (fault == Fault::Stall), "{fault}: {struck} faults, {failed} failures");
    }
}

/// The log may have been creating a segment meanwhile, of which its own sync would not write the name any more.
#[test]
fn a_sync_of_the_directory_that_fails_for_a_snapshot_ends_all_writing() {
    let mut failed = 0;
    for call in 0..100 {
        let storage = SimStorage::new();
        let db = opened(&storage).unwrap();
        db.insert("key", "value").unwrap();
        storage.inject(storage.calls() as u64 + call, Fault::LostNames);
        let outcome = db.snapshot();
        if storage.struck() == 0 {
            continue;
        }
        failed += 1;
        assert!(outcome.is_err());
        let error = db.insert("key", "later").unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Poisoned { .. }), "{error}");
    }
    // That of the new segment, that of the snapshot, and that of what it replaces.
    assert_eq!(failed, 3);
}

/// It removes what it created, beginning with the file that makes it a database.
#[test]
fn a_restore_that_fails_leaves_nothing_and_a_crash_meanwhile_nothing_that_opens_in_part() {
    let (storage, before) = crashed();
    let mut backup = Vec::new();
    opened(&storage).unwrap().backup(&mut backup).unwrap();
    for call in 0.. {
        let storage = SimStorage::new();
        storage.inject(call, Fault::Io);
        let restored = small_segments().restore_storage(&backup[..], Arc::new(storage.clone()));
        if storage.struck() == 0 {
            assert!(call > 8, "{call} calls");
            assert_eq!(keys(&restored.unwrap()), before);
            break;
        }
        assert!(restored.is_err() && storage.files().is_empty(), "call {call}: {:?}", storage.files().keys());
        storage.recording().crash_points(|point| {
            let image = point.everything();
            let expected = if image.is_empty() { &[][..] } else { &before };
            match opened(&SimStorage::from_files(image)) {
                Ok(db) => assert_eq!(keys(&db), expected, "call {call}"),
                Err(error) => {
                    let is_refused = matches!(error.kind(), ErrorKind::Corrupted { file, .. } if file == "database");
                    assert!(is_refused, "call {call}: {error}");
                }
            }
        });
    }
}

#[test]
fn a_snapshot_that_the_medium_wrote_wrongly_replaces_nothing() {
    let mut wrong = 0;
    for call in 0..200 {
        let storage = SimStorage::new();
        let db = opened(&storage).unwrap();
        (0..20).for_each(|key| drop(db.insert([key], [key; 100]).unwrap()));
        let made = storage.calls() as u64;
        storage.inject(made + call, Fault::Wrong);
        let outcome = db.snapshot();
        let last = storage.recording().to_string();
        if !last.lines().any(|line| line.contains(".snapshot") && line.ends_with(&Fault::Wrong.to_string())) {
            continue;
        }
        wrong += 1;
        let error = outcome.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Corrupted { kind, .. } if *kind != Corruption::Missing), "{error}");
        drop(db);
        assert_eq!(keys(&opened(&SimStorage::from_files(storage.files())).unwrap()).len(), 20);
    }
    assert!(wrong > 0, "no write of a snapshot was hit");
}
