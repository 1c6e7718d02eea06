//! Backups, databases restored from them, and checkpoints.

#![allow(clippy::unwrap_used)]

use std::io;
use std::sync::Arc;

use selkie::storage::{MemoryStorage, Storage};
use selkie::{Corruption, Database, Error, ErrorKind, KeyVersion, Options, Readable, Retention};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// All keyspaces of a database with all versions of their keys.
type Contents = Vec<(String, Vec<KeyVersion>)>;

fn contents(db: &Database) -> Contents {
    let view = db.begin_read().unwrap();
    let keyspace = |name: String| {
        let keyspace = db.keyspace(&name).unwrap();
        let versions = view.keyspace(&keyspace).history_range::<&str>(..).unwrap().map(Result::unwrap).collect();
        (name, versions)
    };
    db.keyspaces().into_iter().map(keyspace).collect()
}

fn backup(db: &Database) -> Vec<u8> {
    let mut bytes = Vec::new();
    let info = db.backup(&mut bytes).unwrap();
    assert_eq!(info.bytes, bytes.len() as u64);
    bytes
}

fn restore(backup: &[u8]) -> Database {
    Options::new().restore_storage(backup, Arc::new(MemoryStorage::new())).unwrap()
}

fn sample(db: &Database) {
    let users = db.keyspace("users").unwrap();
    db.keyspace("empty").unwrap();
    for round in 0..3 {
        for key in ["a", "b", "c"] {
            db.insert(key, format!("{key}{round}")).unwrap();
        }
        users.insert("ada", [round; 100]).unwrap();
    }
    db.remove("b").unwrap();
}

fn with_history() -> Database {
    let db = Options::new().history(Retention::Forever).in_memory().unwrap();
    sample(&db);
    db
}

#[test]
fn restored_database_has_the_contents_and_the_history() {
    let db = with_history();
    let restored = restore(&backup(&db));
    assert_eq!(contents(&restored), contents(&db));
    assert_eq!(restored.version(), db.version());
    assert_eq!(restored.retention(), Retention::Forever);
    assert_eq!(restored.at(5).unwrap().get("a").unwrap(), db.at(5).unwrap().get("a").unwrap());
}

#[test]
fn restored_database_takes_commits_and_reopens() {
    let db = with_history();
    let storage = MemoryStorage::new();
    let restored = Options::new().restore_storage(&backup(&db)[..], Arc::new(storage.clone())).unwrap();
    assert!(restored.recovery().created);
    assert_eq!(restored.insert("new", "value").unwrap().version(), db.version() + 1);
    restored.keyspace("later").unwrap().insert("key", "value").unwrap();
    let expected = contents(&restored);
    restored.close().unwrap();
    let reopened = Options::new().open_storage(Arc::new(storage.clone())).unwrap();
    assert_eq!(contents(&reopened), expected);
    reopened.insert("more", "value").unwrap();
    reopened.snapshot().unwrap();
    let expected = contents(&reopened);
    drop(reopened);
    assert_eq!(contents(&Options::new().open_storage(Arc::new(storage)).unwrap()), expected);
}

#[test]
fn damaged_snapshot_of_a_restored_database_is_an_error() {
    let storage = MemoryStorage::new();
    Options::new().restore_storage(&backup(&with_history())[..], Arc::new(storage.clone())).unwrap().close().unwrap();
    let mut files = storage.files();
    let (name, bytes) = files.iter_mut().find(|(name, _)| name.ends_with(".snapshot")).unwrap();
    let name = name.clone();
    bytes[200] ^= 1;
    let error = Options::new().open_storage(Arc::new(MemoryStorage::from_files(files))).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Corrupted { file, kind: Corruption::Block, .. } if *file == name));
}

#[test]
fn restored_database_refuses_what_was_forgotten_before() {
    let db = Database::in_memory();
    let inserted = db.insert("key", "value").unwrap().version();
    db.remove("key").unwrap();
    db.insert("other", "value").unwrap();
    db.collect_garbage().unwrap();
    for db in [&db, &restore(&backup(&db))] {
        let error = db.at(inserted).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::HistoryCollected { .. }), "{error}");
    }
}

#[test]
fn empty_database_can_be_backed_up() {
    let restored = restore(&backup(&Database::in_memory()));
    assert_eq!(restored.version(), 0);
    assert_eq!(restored.insert("key", "value").unwrap().version(), 1);
}

#[test]
fn backup_of_a_backup_is_equal() {
    let db = with_history();
    let first = restore(&backup(&db));
    assert_eq!(contents(&restore(&backup(&first))), contents(&db));
}

#[test]
fn commits_that_nobody_waited_for_are_in_the_backup() {
    let options = Options::new()
        .durability(selkie::Durability::Queued)
        .visibility(selkie::Visibility::Applied)
        .history(Retention::Forever);
    let db = options.open_storage(Arc::new(MemoryStorage::new())).unwrap();
    sample(&db);
    assert_eq!(contents(&restore(&backup(&db))), contents(&db));
}

/// Restores what is no intact backup, and checks that it is refused and leaves nothing.
fn assert_refused(damaged: &[u8], case: &str) {
    let storage = MemoryStorage::new();
    let error = Options::new().restore_storage(damaged, Arc::new(storage.clone())).unwrap_err();
    let named = match error.kind() {
        ErrorKind::Corrupted { file, .. } | ErrorKind::UnsupportedFormat { file, .. } => file == "backup",
        _ => false,
    };
    assert!(named, "{case}: {error}");
    assert!(storage.files().is_empty(), "{case}");
    storage.lock().try_take().unwrap().unwrap();
}

#[test]
fn every_truncation_is_refused() {
    let bytes = backup(&with_history());
    for length in 0..bytes.len() {
        assert_refused(&bytes[..length], &format!("length {length}"));
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_refused(&longer, "one byte more");
}

#[test]
fn every_changed_byte_is_refused() {
    let bytes = backup(&with_history());
    for offset in 0..bytes.len() {
        for mask in [1, 0x80] {
            let mut damaged = bytes.clone();
            damaged[offset] ^= mask;
            assert_refused(&damaged, &format!("offset {offset}, mask {mask}"));
        }
    }
}

fn is_occupied(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists)
}

#[test]
fn occupied_places_are_refused_and_left_alone() {
    let bytes = backup(&with_history());
    let storage = MemoryStorage::new();
    Options::new().open_storage(Arc::new(storage.clone())).unwrap().insert("key", "value").unwrap();
    let copy = |storage: &MemoryStorage| Arc::new(storage.clone());
    let before = storage.files();
    let error = Options::new().restore_storage(&bytes[..], copy(&storage)).unwrap_err();
    assert!(is_occupied(&error), "{error}");
    let error = with_history().checkpoint_storage(copy(&storage)).unwrap_err();
    assert!(is_occupied(&error), "{error}");
    assert_eq!(storage.files(), before);

    let other = MemoryStorage::from_files([("notes".to_owned(), vec![1])].into());
    let error = Options::new().restore_storage(&bytes[..], copy(&other)).unwrap_err();
    assert!(is_occupied(&error), "{error}");
    assert_eq!(other.files().len(), 1);
}

#[test]
fn restoring_read_only_is_refused() {
    let storage = MemoryStorage::new();
    let error = Options::new().read_only(true).restore_storage(&[][..], Arc::new(storage.clone())).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidArgument { .. }));
    assert!(storage.files().is_empty());
}

#[test]
fn checkpoint_opens_as_a_database_of_its_own() {
    let source = MemoryStorage::new();
    let db = Options::new().history(Retention::Forever).open_storage(Arc::new(source.clone())).unwrap();
    sample(&db);
    let copy = MemoryStorage::new();
    let info = db.checkpoint_storage(Arc::new(copy.clone())).unwrap();
    assert_eq!(info.version, db.version());
    db.insert("later", "value").unwrap();
    let opened = Options::new().open_storage(Arc::new(copy.clone())).unwrap();
    assert_eq!(opened.version(), info.version);
    assert_eq!(opened.get("later").unwrap(), None);
    db.remove("later").unwrap();
    assert_eq!(contents(&opened)[0].1.len(), contents(&db)[0].1.len() - 2);
    drop(opened);

    let mut mixed = copy.files();
    mixed.insert("database".to_owned(), source.files()["database"].clone());
    let error = Options::new().open_storage(Arc::new(MemoryStorage::from_files(mixed))).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Corrupted { kind: Corruption::Foreign, .. }), "{error}");
}

#[test]
fn closed_database_is_not_backed_up() {
    let db = with_history();
    let other = db.clone();
    db.close().unwrap();
    assert!(matches!(other.backup(Vec::new()).unwrap_err().kind(), ErrorKind::Closed));
}

#[test]
fn writer_errors_are_reported_and_release_the_reader() {
    let db = with_history();
    let mut short = [0; 10];
    assert!(matches!(db.backup(&mut short[..]).unwrap_err().kind(), ErrorKind::Io { file, .. } if file == "backup"));
    assert_eq!(db.stats().readers, 0);
}

/// A storage whose operations fail from a certain one on, as if the process had died there.
mod crash {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use selkie::storage::{Completion, FileEntry, Flush, MemoryStorage, Storage};
    use selkie::{Error, ErrorKind};

    #[derive(Debug)]
    pub(crate) struct CrashingStorage {
        pub(crate) inner: MemoryStorage,
        pub(crate) left: AtomicUsize,
    }

    impl CrashingStorage {
        fn act<T: Send + 'static>(&self, action: impl FnOnce() -> Completion<T>) -> Completion<T> {
            if self.left.load(Ordering::Relaxed) == 0 {
                let source = std::io::Error::other("crashed");
                return Completion::ready(Err(Error::new(ErrorKind::Io {
                    operation: "act",
                    file: String::new(),
                    source,
                })));
            }
            self.left.fetch_sub(1, Ordering::Relaxed);
            action()
        }
    }

    impl Storage for CrashingStorage {
        fn lock(&self) -> Completion<()> {
            self.inner.lock()
        }
        fn unlock(&self) {
            self.inner.unlock();
        }
        fn list(&self) -> Completion<Vec<FileEntry>> {
            self.act(|| self.inner.list())
        }
        fn create(&self, name: &str) -> Completion<()> {
            self.act(|| self.inner.create(name))
        }
        fn read(&self, name: &str, offset: u64, length: usize) -> Completion<Bytes> {
            self.act(|| self.inner.read(name, offset, length))
        }
        fn write(&self, name: &str, offset: u64, data: Bytes, flush: Flush) -> Completion<()> {
            self.act(|| self.inner.write(name, offset, data, flush))
        }
        fn truncate(&self, name: &str, length: u64) -> Completion<()> {
            self.act(|| self.inner.truncate(name, length))
        }
        fn sync(&self, name: &str) -> Completion<()> {
            self.act(|| self.inner.sync(name))
        }
        fn sync_directory(&self) -> Completion<()> {
            self.act(|| self.inner.sync_directory())
        }
        fn remove(&self, name: &str) -> Completion<()> {
            self.act(|| self.inner.remove(name))
        }
        fn location(&self) -> String {
            self.inner.location()
        }
    }
}

#[test]
fn restore_cut_short_by_a_crash_never_opens_as_if_fine() {
    let db = with_history();
    let bytes = backup(&db);
    for operations in 0.. {
        let storage = crash::CrashingStorage { inner: MemoryStorage::new(), left: operations.into() };
        let inner = storage.inner.clone();
        let restored = Options::new().restore_storage(&bytes[..], Arc::new(storage));
        let done = restored.is_ok();
        drop(restored);
        let left = inner.copy();
        let is_empty = left.files().is_empty();
        match Options::new().open_storage(Arc::new(left.copy())) {
            Ok(opened) if is_empty => assert_eq!(opened.version(), 0),
            Ok(opened) => assert_eq!(contents(&opened), contents(&db), "{operations} operations"),
            Err(error) => {
                let refused = matches!(error.kind(), ErrorKind::Corrupted { file, .. } if file == "database");
                assert!(refused && !done, "{operations} operations: {error}");
                let again = Options::new().restore_storage(&bytes[..], Arc::new(left)).unwrap_err();
                assert!(is_occupied(&again));
            }
        }
        if done {
            assert!(operations > 8);
            break;
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use selkie::Writable;

    use super::*;

    #[test]
    fn backup_under_writers_is_a_prefix() {
        let options = Options::new().history(Retention::Forever).segment_bytes(64 << 10);
        let db = options.open_storage(Arc::new(MemoryStorage::new())).unwrap();
        let other = db.keyspace("other").unwrap();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for writer in 0..3_u32 {
                let (db, other, stop) = (&db, &other, &stop);
                scope.spawn(move || {
                    // Without a bound the history would outgrow the backups that read it.
                    for count in 0_u32..2_000 {
                        db.update(|tx| {
                            tx.insert(writer.to_be_bytes(), count.to_be_bytes())?;
                            tx.keyspace_mut(other).insert(writer.to_be_bytes(), count.to_be_bytes())
                        })
                        .unwrap();
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                    }
                });
            }
            for _ in 0..10 {
                let mut bytes = Vec::new();
                let info = db.backup(&mut bytes).unwrap();
                let restored = restore(&bytes);
                assert_eq!(restored.version(), info.version);
                let restored = contents(&restored);
                // The history is kept for ever: what was there then is what is there now, up to that version.
                let mut expected = contents(&db);
                for (_, versions) in &mut expected {
                    versions.retain(|version| version.version <= info.version);
                }
                assert_eq!(restored, expected);
                assert_eq!(restored[0].1, restored[1].1);
                db.snapshot().unwrap();
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(db.stats().readers, 0);
    }

    #[test]
    fn directories_are_restored_and_copied() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let db = Options::new().history(Retention::Forever).open(at("original")).unwrap();
        sample(&db);
        let bytes = backup(&db);
        Options::new().restore(&bytes[..], at("restored")).unwrap().close().unwrap();
        assert_eq!(contents(&Database::open(at("restored")).unwrap()), contents(&db));
        db.checkpoint(at("copy")).unwrap();
        assert_eq!(contents(&Database::open(at("copy")).unwrap()), contents(&db));
        assert!(is_occupied(&Options::new().restore(&bytes[..], at("copy")).unwrap_err()));
        assert!(matches!(db.checkpoint(at("original")).unwrap_err().kind(), ErrorKind::Locked { .. }));
        Options::new().restore(&bytes[..100], at("damaged")).unwrap_err();
        assert_eq!(Database::open(at("damaged")).unwrap().version(), 0);
    }
}
