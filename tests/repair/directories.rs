//! Repairing from one directory to another, and what is refused.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use selkie::storage::{MemoryStorage, Storage};
use selkie::{Database, Error, ErrorKind};

use crate::examine::wait;
use crate::shape;

fn read(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())).collect()
}

/// A database of three keys in a directory, whose last commit is damaged.
fn damaged(directory: &Path) {
    let db = Database::open(directory).unwrap();
    for key in ["a", "b", "c"] {
        db.insert(key, "value").unwrap();
    }
    db.close().unwrap();
    let log = directory.join("0000000000000001.log");
    let mut bytes = std::fs::read(&log).unwrap();
    bytes[72 + 2 * 64 + 50] ^= 1;
    std::fs::write(&log, bytes).unwrap();
}

fn is_io(error: &Error, wanted: io::ErrorKind) -> bool {
    matches!(error.kind(), ErrorKind::Io { source, .. } if source.kind() == wanted)
}

#[test]
fn a_directory_is_repaired_into_another() {
    let place = tempfile::tempdir().unwrap();
    let (source, destination) = (place.path().join("source"), place.path().join("not/there"));
    damaged(&source);
    let before = read(&source);
    assert!(Database::open(&source).is_err());
    let repair = selkie::repair(&source, &destination).unwrap();
    assert_eq!((repair.version, repair.keys, repair.losses.len()), (2, 2, 1));
    assert_eq!(selkie::verify(&source).unwrap().repair.unwrap(), repair);
    assert_eq!(read(&source), before);
    assert!(selkie::verify(&destination).unwrap().is_intact());
    let db = Database::open(&destination).unwrap();
    assert!(db.get("b").unwrap().is_some() && db.get("c").unwrap().is_none());
}

#[test]
fn a_destination_with_anything_in_it_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (source, destination) = (place.path().join("source"), place.path().join("destination"));
    damaged(&source);
    selkie::repair(&source, &destination).unwrap();
    let before = read(&destination);
    assert!(is_io(&selkie::repair(&source, &destination).unwrap_err(), io::ErrorKind::AlreadyExists));
    assert_eq!(read(&destination), before);
    let itself = selkie::repair(&source, &source).unwrap_err();
    assert!(matches!(itself.kind(), ErrorKind::Locked { .. }), "{itself}");
}

#[test]
fn where_there_is_no_database_nothing_is_created() {
    let place = tempfile::tempdir().unwrap();
    let destination = place.path().join("destination");
    for source in ["missing", "empty"] {
        let source = place.path().join(source);
        if source.ends_with("empty") {
            std::fs::create_dir(&source).unwrap();
        }
        assert!(is_io(&selkie::repair(&source, &destination).unwrap_err(), io::ErrorKind::NotFound));
        assert!(!destination.exists());
    }
    assert!(!place.path().join("missing").exists());
}

#[test]
fn a_repair_that_is_refused_leaves_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let (source, destination) = (place.path().join("source"), place.path().join("not/there"));
    damaged(&source);
    // A file of a later format is no damage.
    let log = source.join("0000000000000002.log");
    let mut bytes = std::fs::read(&log).unwrap();
    bytes[8] = 2;
    let checksum = crc32fast::hash(&bytes[..68]);
    bytes[68..72].copy_from_slice(&checksum.to_le_bytes());
    std::fs::write(&log, bytes).unwrap();
    let refused = selkie::repair(&source, &destination).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::UnsupportedFormat { format: 2, .. }), "{refused}");
    assert!(!place.path().join("not").exists());
}

#[test]
fn a_database_that_is_open_is_locked() {
    let place = tempfile::tempdir().unwrap();
    let (source, destination) = (place.path().join("source"), place.path().join("destination"));
    let db = Database::open(&source).unwrap();
    let refused = selkie::repair(&source, &destination).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::Locked { .. }), "{refused}");
    db.close().unwrap();
    assert!(selkie::repair(&source, &destination).unwrap().losses.is_empty());
}

#[test]
fn files_of_a_later_format_are_refused_and_not_taken_for_damage() {
    let shape = shape::two_snapshots();
    for (name, checksummed) in [("0000000000000004.log", 68), ("0000000000000003.snapshot", 12), ("database", 20)] {
        let mut files = shape.files.clone();
        let later = |bytes: &mut Vec<u8>| {
            bytes[8] = 2;
            let checksum = crc32fast::hash(&bytes[..checksummed]);
            bytes[checksummed..checksummed + 4].copy_from_slice(&checksum.to_le_bytes());
        };
        later(files.get_mut(name).unwrap());
        // It does not open because of this one.
        files.get_mut("0000000000000007.log").unwrap()[80] ^= 1;
        let source: Arc<dyn Storage> = Arc::new(MemoryStorage::from_files(files));
        let destination = MemoryStorage::new();
        let refused = wait(selkie::repair_storage(&source, Arc::new(destination.clone()))).unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::UnsupportedFormat { format: 2, .. }), "{name}: {refused}");
        assert!(destination.files().is_empty());
        let verification = wait(selkie::verify_storage(&source)).unwrap();
        assert!(matches!(verification.repair.unwrap_err().kind(), ErrorKind::UnsupportedFormat { .. }));
    }
}
