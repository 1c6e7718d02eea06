//! Verifying finds all damage, and no damage where there is none.

#![allow(clippy::unwrap_used)]
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeMap;
use std::sync::Arc;

use selkie::storage::{MemoryStorage, Storage};
use selkie::{Corruption, Database, Durability, Error, ErrorKind, FileKind, Options, SnapshotPolicy, Verification};

type Files = BTreeMap<String, Vec<u8>>;

const SEGMENT_HEADER_BYTES: usize = 72;

fn options() -> Options {
    Options::new().snapshots(SnapshotPolicy::Never).segment_bytes(4096)
}

fn fill(db: &Database, from: u32, to: u32) {
    for number in from..to {
        db.insert(format!("key {number}"), [number as u8; 100]).unwrap();
    }
}

/// A closed database of a snapshot and several segments.
fn several_files() -> Files {
    let storage = MemoryStorage::new();
    let db = options().open_storage(Arc::new(storage.clone())).unwrap();
    fill(&db, 0, 50);
    db.snapshot().unwrap();
    fill(&db, 50, 150);
    db.close().unwrap();
    storage.files()
}

/// What a crash leaves of a database with 20 commits.
fn crashed() -> Files {
    let storage = MemoryStorage::new();
    let db = Options::new().durability(Durability::Buffered).open_storage(Arc::new(storage.clone())).unwrap();
    fill(&db, 0, 20);
    let files = storage.files();
    drop(db);
    files
}

fn verify(files: &Files) -> Verification {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::from_files(files.clone()));
    let before = files.clone();
    let verification = wait(selkie::verify_storage(&storage)).unwrap();
    let reopened = options().read_only(true).open_storage(storage);
    assert_eq!(verification.opening.is_ok(), reopened.is_ok());
    assert_eq!(&before, files);
    verification
}

/// The storage in memory answers at once.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a storage in memory did not answer"),
    }
}

fn is_segment(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "log")
}

fn segments(files: &Files) -> Vec<String> {
    files.keys().filter(|name| is_segment(name)).cloned().collect()
}

fn snapshot_name(files: &Files) -> String {
    files.keys().find(|name| name.ends_with(".snapshot")).unwrap().clone()
}

fn damage(verification: &Verification) -> Vec<(String, u64, Corruption)> {
    let place = |error: &Error| match error.kind() {
        ErrorKind::Corrupted { file, offset, kind } => (file.clone(), *offset, *kind),
        other => panic!("not damage: {other}"),
    };
    verification.damage().map(place).collect()
}

#[test]
fn an_intact_database_is_intact() {
    let files = several_files();
    let verification = verify(&files);
    assert!(verification.is_intact(), "{verification:?}");
    assert_eq!(verification.files.len(), files.len());
    let records =
        |kind| verification.files.iter().filter(|file| file.kind == kind).map(|file| file.records).sum::<u64>();
    assert_eq!([records(FileKind::Snapshot), records(FileKind::Segment)], [50, 100]);
}

#[test]
fn damage_in_several_files_at_once_is_all_listed() {
    let mut files = several_files();
    let segments = segments(&files);
    assert!(segments.len() > 3);
    let snapshot = snapshot_name(&files);
    let end = files[&snapshot].len();
    let frame = SEGMENT_HEADER_BYTES as u64;
    // The frames of these commits are of equal length, about 170 bytes.
    for (name, offset) in [
        ("database", 9),
        (&snapshot, 60),
        (&snapshot, end - 5),
        (&segments[0], 80),
        (&segments[0], 2000),
        (&segments[1], 5),
    ] {
        files.get_mut(name).unwrap()[offset] ^= 0x40;
    }
    let verification = verify(&files);
    assert!(!verification.is_intact());
    let found = damage(&verification);
    let kinds = |name: &str| found.iter().filter(|(file, ..)| file == name).map(|found| found.2).collect::<Vec<_>>();
    assert_eq!(kinds("database"), [Corruption::Header]);
    assert_eq!(kinds(&snapshot), [Corruption::Block, Corruption::Footer]);
    assert_eq!(kinds(&segments[0]), [Corruption::Frame, Corruption::Frame]);
    assert_eq!(kinds(&segments[1]), [Corruption::Header]);
    assert_eq!(found.len(), 6, "{found:?}");
    assert!(found.contains(&(segments[0].clone(), frame, Corruption::Frame)));
}

#[test]
fn flipped_bytes_of_a_closed_database_are_found() {
    let files = several_files();
    for (name, bytes) in &files {
        // Each offset takes a full verification, so that only some are tried.
        for offset in (0..bytes.len()).step_by(13) {
            let mut damaged = files.clone();
            damaged.get_mut(name).unwrap()[offset] ^= 1;
            let verification = verify(&damaged);
            let is_found = verification
                .damage()
                .any(|error| matches!(error.kind(), ErrorKind::Corrupted { file, .. } if file == name));
            let is_after_end = is_segment(name) && offset + 48 >= bytes.len();
            assert!(is_found || is_after_end, "{name} at {offset}: {verification:?}");
        }
    }
}

#[test]
fn a_missing_segment_is_listed() {
    let mut files = several_files();
    let missing = segments(&files)[1].clone();
    files.remove(&missing);
    let verification = verify(&files);
    assert!(damage(&verification).contains(&(missing.clone(), 0, Corruption::Missing)), "{verification:?}");
    let last = segments(&files).pop().unwrap();
    files.remove(&last);
    let found = damage(&verify(&files));
    assert!(found.iter().any(|(file, _, kind)| *file == last && *kind == Corruption::Missing), "{found:?}");
}

#[test]
fn a_torn_tail_is_no_damage() {
    let mut files = crashed();
    let segment = segments(&files).pop().unwrap();
    let bytes = files.get_mut(&segment).unwrap();
    bytes.truncate(bytes.len() - 10);
    let verification = verify(&files);
    assert!(verification.is_intact(), "{verification:?}");
    let report = verification.files.iter().find(|file| file.name == segment).unwrap();
    assert_eq!(report.records, 19);
    assert!(report.torn_bytes > 0);
    assert_eq!(verification.opening.unwrap().bytes_cut, report.torn_bytes);
}

#[test]
fn an_unfinished_snapshot_is_no_damage_while_the_log_has_everything() {
    let mut files = crashed();
    let whole = several_files();
    let snapshot = snapshot_name(&whole);
    files.insert(snapshot.clone(), whole[&snapshot][..100].to_vec());
    let verification = verify(&files);
    assert!(verification.is_intact(), "{verification:?}");
    assert!(verification.files.iter().any(|file| file.name == snapshot && file.unfinished));

    let mut files = whole;
    files.get_mut(&snapshot).unwrap().truncate(100);
    assert!(!verify(&files).is_intact());
}

#[test]
fn an_open_database_is_locked() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::open(directory.path()).unwrap();
    assert!(matches!(selkie::verify(directory.path()).unwrap_err().kind(), ErrorKind::Locked { .. }));
    db.close().unwrap();
    assert!(selkie::verify(directory.path()).unwrap().is_intact());
}

#[test]
fn where_there_is_no_database_nothing_is_created() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    assert!(matches!(selkie::verify(&missing).unwrap_err().kind(), ErrorKind::Io { .. }));
    assert!(matches!(Options::new().read_only(true).open(&missing).unwrap_err().kind(), ErrorKind::Io { .. }));
    assert!(!missing.exists());
}
