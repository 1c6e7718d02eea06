//! Where one segment ends and the next begins.

use std::sync::Arc;

use selkie::storage::{Flush, MemoryStorage, Storage};
use selkie::{Corruption, ErrorKind, Options, Refreshed};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::build::{self, Segment};
use super::{DATABASE, Files, check_refused, files, open, open_read_only, parse};

/// A segment of one commit.
fn first() -> Segment {
    Segment::new(DATABASE, 1, 1, 1, 0).commit(1, 72, &[build::set(0, b"k", b"v")])
}

fn with_segments<const N: usize>(segments: [Vec<u8>; N]) -> Files {
    let mut all = files([("database", build::database_file(1, DATABASE))]);
    all.extend((1..).zip(segments).map(|(number, bytes)| (format!("{number:016x}.log"), bytes)));
    all
}

#[test]
fn segments_that_do_not_follow_one_another_are_refused() {
    use Corruption::{Header, Sequence};

    let third = Segment::new(DATABASE, 3, 1, 2, 72).bytes;
    let second = |epoch| Segment::new(DATABASE, 2, epoch, 2, first().end()).bytes;
    let first_of_epoch = |epoch| {
        let first = Segment::new(DATABASE, 1, epoch, 1, 0);
        first.commit(1, 72, &[build::set(0, b"k", b"v")]).bytes
    };
    assert_eq!(open(&with_segments([first_of_epoch(2), second(2)])).unwrap().version(), 1);
    check_refused([
        ("the only segment without a header", Header, with_segments([vec![0; 72]])),
        ("a last segment that is longer than a header", Header, with_segments([first().bytes, vec![0; 73]])),
        ("no header before a successor", Header, with_segments([first().bytes, vec![0; 72], third])),
        ("an epoch that goes back", Sequence, with_segments([first_of_epoch(2), second(1)])),
    ]);
}

#[test]
fn a_segment_that_was_not_begun_does_not_count() -> selkie::Result<()> {
    for unfinished in [vec![], vec![0; 10], vec![0; 72]] {
        let files = with_segments([first().bytes, unfinished]);
        assert_eq!(open_read_only(&files)?.version(), 1);
        let db = open(&files)?;
        assert_eq!(db.recovery().ignored_files, ["0000000000000002.log"]);
        assert_eq!(db.insert("new", "1")?.version(), 2);
    }
    Ok(())
}

#[test]
fn whatever_lies_behind_a_segment_with_a_successor_a_closing_frame_replaces_it() -> selkie::Result<()> {
    let log = first();
    let closed = log.clone().closing(2);
    let zeros = vec![0; 4096];
    let behind = [
        vec![],
        vec![0xa5; 48],
        log.clone().empty_frame(2).bytes[log.bytes.len()..].to_vec(),
        closed.bytes[log.bytes.len()..].to_vec(),
        [&closed.bytes[log.bytes.len()..], &zeros].concat(),
    ];
    for behind in behind {
        let second = Segment::new(DATABASE, 2, 2, 2, log.end()).bytes;
        let storage = MemoryStorage::from_files(with_segments([[&log.bytes[..], &behind].concat(), second]));
        let db = Options::new().open_storage(Arc::new(storage.clone()))?;
        assert_eq!((db.version(), db.recovery().bytes_cut), (1, 0));
        let found = storage.files()["0000000000000001.log"].clone();
        assert_eq!(parse::segment(&found).closed, Some(2));
        assert_eq!(found, closed.bytes, "nothing is behind it");
    }
    Ok(())
}

#[test]
fn a_recovery_goes_on_in_a_segment_with_a_salt_of_its_own() -> selkie::Result<()> {
    let storage = MemoryStorage::from_files(with_segments([first().bytes]));
    drop(Options::new().open_storage(Arc::new(storage.clone()))?);
    let files = storage.files();
    let [before, after] = [1, 2].map(|number| parse::segment(&files[&format!("{number:016x}.log")]).salt);
    assert_ne!(before, after, "frames of one segment are none in another");
    Ok(())
}

/// A reader of the first segment, beside a writer that appends a commit of these operations.
fn refreshed(operations: &[Vec<u8>]) -> (selkie::Database, selkie::Result<Refreshed>) {
    let storage = MemoryStorage::from_files(with_segments([first().bytes]));
    let reader = Options::new().read_only(true).open_storage(Arc::new(storage.clone())).unwrap();
    let commit = first().commit(2, 72, operations).bytes.split_off(first().bytes.len());
    let write = storage.write("0000000000000001.log", first().end(), commit.into(), Flush::No);
    write.try_take().unwrap().unwrap();
    let refreshed = reader.refresh(None);
    (reader, refreshed)
}

#[test]
fn a_reader_refuses_the_commits_that_an_opening_refuses() {
    for operation in [
        vec![5, 0],
        build::set(9, b"k", b"v"),
        build::drop_keyspace(0),
        build::drop_keyspace(9),
        build::create_keyspace(0, "other"),
        build::create_keyspace(1, "default"),
        build::create_keyspace(u64::from(u32::MAX), "other"),
    ] {
        let (reader, refreshed) = refreshed(std::slice::from_ref(&operation));
        let error = refreshed.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Corrupted { kind: Corruption::Payload, .. }),
            "{operation:?}: {error}"
        );
        assert_eq!((reader.version(), reader.keyspaces()), (1, vec!["default".to_owned()]));
    }
}

#[test]
fn of_several_changes_of_a_key_in_one_commit_a_reader_takes_the_last() -> selkie::Result<()> {
    let value = |value: &[u8]| build::set(0, b"k", value);
    let (reader, refreshed) = refreshed(&[value(b"1"), build::set(0, b"a", b""), value(b"2"), value(b"3")]);
    assert_eq!(refreshed?, Refreshed::UpTo(2));
    let files = with_segments([first().commit(2, 72, &[value(b"1"), value(b"3")]).bytes]);
    for db in [reader, open(&files)?] {
        assert_eq!(db.get("k")?.as_deref(), Some(&b"3"[..]));
        let versions: Vec<_> = db.history("k")?.iter().map(|revision| revision.version).collect();
        assert_eq!(versions, [2], "the first is not kept");
    }
    Ok(())
}
