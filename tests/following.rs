//! A reader beside a writer: it sees prefixes of the commits, and whatever the writer does to the files it goes on.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::busy::{Busy, Work};
use common::unlocked::Unlocked;
use common::{Random, assert_filled, contents, fill, last_file, small_segments};
use selkie::storage::{Flush, MemoryStorage, Storage};
use selkie::{Database, ErrorKind, Options, Readable, Refreshed, Retention, Writable};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A storage that its writer has locked, and one that reads the same files; `crash` copies show a moment of them.
fn writer() -> (MemoryStorage, Database) {
    let files = MemoryStorage::new();
    let db = small_segments().history(Retention::Forever).open_storage(Arc::new(files.clone())).unwrap();
    (files, db)
}

/// Readers take the lock of a storage in memory, which a second one with the same files has free.
fn reader(files: &MemoryStorage) -> Database {
    Options::new().read_only(true).open_storage(Arc::new(Unlocked(files.clone()))).unwrap()
}

#[test]
fn a_reader_follows_through_changes_of_segment() {
    let (files, db) = writer();
    fill(&db, 0..10);
    let reader = reader(&files);
    assert_filled(&reader, 0..10);
    for end in 1..20 {
        fill(&db, (end * 10)..(end * 10 + 10));
        assert_eq!(reader.refresh(None).unwrap(), Refreshed::UpTo(db.version()));
        assert_filled(&reader, 0..(end * 10 + 10));
    }
    assert!(db.stats().log_rotations >= 3);
    assert_eq!(contents(&reader), contents(&db));
}

#[test]
fn views_keep_what_they_see_and_watches_report_every_commit() {
    let (files, db) = writer();
    db.insert("key", "old").unwrap();
    let reader = reader(&files);
    let view = reader.begin_read().unwrap();
    let mut watch = reader.watch::<&str>(..).unwrap();
    db.insert("key", "new").unwrap();
    db.remove("key").unwrap();
    reader.refresh(None).unwrap();
    assert_eq!(view.get("key").unwrap().unwrap(), "old");
    assert_eq!(reader.get("key").unwrap(), None);
    assert_eq!(watch.try_next().unwrap().unwrap().changes[0].value.as_deref(), Some(&b"new"[..]));
    assert_eq!(watch.try_next().unwrap().unwrap().changes[0].value, None);
    assert_eq!(watch.try_next().unwrap(), None);
    assert_eq!(reader.history("key").unwrap().len(), 3);
}

#[test]
fn a_reader_sees_no_more_than_it_was_told() {
    let (files, db) = writer();
    let versions: Vec<_> = (0..5).map(|key| db.insert(format!("{key}"), "").unwrap().version()).collect();
    let second = versions[1];
    let storage = Arc::new(Unlocked(files.clone()));
    let reader = Options::new().read_until(second).open_storage(storage).unwrap();
    assert_eq!((reader.version(), reader.begin_read().unwrap().iter().count()), (second, 2));
    assert_eq!(reader.refresh(Some(second)).unwrap(), Refreshed::UpTo(second));
    assert_eq!(reader.refresh(Some(second + 1)).unwrap(), Refreshed::UpTo(second + 1));
    assert_eq!(reader.begin_read().unwrap().iter().count(), 3);
}

#[test]
fn keyspaces_and_the_retention_are_followed() {
    let (files, db) = writer();
    let reader = reader(&files);
    let one = db.keyspace("one").unwrap();
    one.insert("a", "1").unwrap();
    db.keyspace("two").unwrap();
    db.drop_keyspace("two").unwrap();
    reader.refresh(None).unwrap();
    assert_eq!(contents(&reader), contents(&db));
    assert!(matches!(reader.insert("a", "1").unwrap_err().kind(), ErrorKind::InvalidArgument { .. }));
}

#[test]
fn a_snapshot_that_replaced_the_log_sends_the_reader_to_open_anew() {
    let (files, db) = writer();
    fill(&db, 0..100);
    let behind = reader(&files);
    fill(&db, 100..200);
    db.snapshot().unwrap();
    fill(&db, 200..210);
    db.snapshot().unwrap();
    assert_eq!(behind.refresh(None).unwrap(), Refreshed::Replaced);
    assert_filled(&behind, 0..100);
    assert_filled(&reader(&files), 0..210);
}

#[test]
fn a_reader_that_is_up_to_date_follows_across_a_snapshot() {
    let (files, db) = writer();
    fill(&db, 0..100);
    let reader = reader(&files);
    db.snapshot().unwrap();
    // The segment it stands in is gone. The one after it says that nothing was missed.
    fill(&db, 100..110);
    assert_eq!(reader.refresh(None).unwrap(), Refreshed::UpTo(db.version()));
    assert_filled(&reader, 0..110);
}

#[test]
fn a_retention_that_changes_is_followed_before_the_commits_after_it() {
    let files = MemoryStorage::new();
    let open = |retention| small_segments().history(retention).open_storage(Arc::new(files.clone())).unwrap();
    let db = open(Retention::None);
    fill(&db, 0..5);
    let reader = reader(&files);
    fill(&db, 0..5);
    drop(db);
    reader.refresh(None).unwrap();
    let db = open(Retention::Forever);
    for _ in 0..20 {
        db.insert("key", "value").unwrap();
    }
    reader.refresh(None).unwrap();
    assert_eq!(reader.history("key").unwrap(), db.history("key").unwrap());
    assert_eq!(reader.history("key").unwrap().len(), 20);
}

#[test]
fn frames_that_a_later_writer_did_not_count_are_noticed() {
    let (files, db) = writer();
    fill(&db, 0..5);
    let before = files.copy();
    fill(&db, 5..6);
    let reader = reader(&files);
    // Another writer took over from the files as they were before the last commit.
    let other = before.clone();
    Options::new().open_storage(Arc::new(other)).unwrap().insert("elsewhere", "").unwrap();
    let mut taken_over = before.files();
    taken_over.insert("0000000000000001.log".to_owned(), files.files()["0000000000000001.log"].clone());
    drop(db);
    let replaced = MemoryStorage::from_files(taken_over);
    let reader_there = Options::new().read_until(reader.version()).open_storage(Arc::new(Unlocked(replaced))).unwrap();
    assert_eq!(reader_there.refresh(None).unwrap(), Refreshed::UpTo(reader_there.version()));
    assert!(!reader_there.contains_key("000005").unwrap());
}

#[test]
fn a_frame_that_a_later_writer_did_not_count_is_not_applied() {
    let (files, db) = writer();
    fill(&db, 0..5);
    let before = files.copy();
    let behind = reader(&files);
    fill(&db, 5..6);
    let ahead = reader(&files);
    // Another writer went on from before the last frame, which is still there: the first one cannot be kept from it.
    common::open(&before).unwrap().insert("elsewhere", "").unwrap();
    for (name, bytes) in before.files().into_iter().filter(|(name, _)| !files.files().contains_key(name)) {
        files.create(&name).try_take().unwrap().unwrap();
        append(&files, &name, &bytes);
    }
    assert_eq!(behind.refresh(None).unwrap(), Refreshed::UpTo(db.version()));
    assert_eq!(ahead.refresh(None).unwrap(), Refreshed::Replaced);
    for reader in [behind, reader(&files)] {
        assert_eq!(common::keys(&reader), ["000000", "000001", "000002", "000003", "000004", "elsewhere"]);
    }
    assert_filled(&ahead, 0..6);
}

#[test]
fn every_prefix_of_a_file_reads_as_a_prefix_of_the_commits() {
    let (files, db) = writer();
    let reader_files = files.copy();
    fill(&db, 0..8);
    let name = last_file(&files, ".log");
    let log = files.files()[&name].clone();
    let mut random = Random(7);
    for _ in 0..200 {
        let mut now = reader_files.files();
        let mut length = 72;
        now.insert(name.clone(), log[..length].to_vec());
        let storage = MemoryStorage::from_files(now);
        let reader = reader(&storage);
        let mut seen = reader.version();
        while length < log.len() {
            let more = (random.below(90) as usize).min(log.len() - length);
            append(&storage, &name, &log[length..length + more]);
            length += more;
            reader.refresh(None).unwrap();
            assert!(reader.version() >= seen);
            seen = reader.version();
            assert_filled(&reader, 0..(seen.saturating_sub(1) as u32));
        }
        assert_eq!(seen, db.version());
    }
}

/// How often a reader looks at the files, and whether it opens.
fn opens(files: &MemoryStorage, work: Work, during: usize, read_only: bool) -> (usize, bool) {
    let storage = Arc::new(Busy::new(files, work, during));
    let opened = Options::new().read_only(read_only).open_storage(storage.clone());
    let is_open = opened.inspect(|db| assert_filled(db, 0..10)).is_ok();
    (storage.looks(), is_open)
}

#[test]
fn a_reader_begins_again_while_files_change_and_no_longer() {
    let (files, db) = writer();
    fill(&db, 0..10);
    assert_eq!(opens(&files, Work::Nothing, 1, true), (2, true), "what is wrong once may pass");
    assert_eq!(opens(&files, Work::Nothing, 100, true), (2, false), "what is wrong twice, while nobody writes, stays");
    assert_eq!(opens(&files, Work::Appends, 8, true), (9, true));
    assert_eq!(opens(&files, Work::Appends, 100, true), (9, false), "no appending takes so long");
    assert_eq!(opens(&files, Work::Replaces, 100, true), (101, true));
    assert_eq!(opens(&files, Work::Replaces, 1000, true), (200, false), "there is an end to everything");
    assert_eq!(
        opens(&files, Work::Appends, 1, false),
        (1, false),
        "a writer is alone, and takes errors for what they are"
    );
}

fn append(storage: &MemoryStorage, name: &str, bytes: &[u8]) {
    let end = storage.files()[name].len() as u64;
    storage.write(name, end, bytes.to_vec().into(), Flush::No).try_take().unwrap().unwrap();
}

#[test]
fn only_readers_follow() {
    let db = Database::in_memory();
    assert!(matches!(db.refresh(None).unwrap_err().kind(), ErrorKind::InvalidArgument { .. }));
    let (_files, db) = writer();
    assert!(matches!(db.refresh(None).unwrap_err().kind(), ErrorKind::InvalidArgument { .. }));
    db.update(|tx| tx.insert("a", "1")).unwrap();
}
