//! docs/FORMAT.md is true: what is built from it byte by byte opens, what Selkie writes is read by a parser made
//! from it, and files of every released format stay readable.
#![allow(clippy::unwrap_used)]

mod build;
mod fixture;
mod parse;
mod segments;

use std::collections::BTreeMap;
use std::sync::Arc;

use selkie::storage::MemoryStorage;
use selkie::{Compression, Corruption, Database, ErrorKind, Options, Readable, Retention, SnapshotPolicy, Writable};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use web_time::{Duration, UNIX_EPOCH};

use build::{Buffer, Segment, Snapshot, block, entry, revision, time};
use parse::{Operation, set};

type Files = BTreeMap<String, Vec<u8>>;

const DATABASE: u64 = 0xDA7A_BA5E;

fn files<const N: usize>(files: [(&str, Vec<u8>); N]) -> Files {
    files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

fn open(files: &Files) -> selkie::Result<Database> {
    Options::new().open_storage(Arc::new(MemoryStorage::from_files(files.clone())))
}

fn open_read_only(files: &Files) -> selkie::Result<Database> {
    let storage = MemoryStorage::from_files(files.clone());
    let db = Options::new().read_only(true).open_storage(Arc::new(storage.clone()))?;
    assert_eq!(storage.files(), *files, "reading changes nothing");
    Ok(db)
}

/// The payload of a snapshot's header: keyspaces 0, 1 and 2, kept for ever.
fn snapshot_header(database: u64, segment: u64, version: u64) -> Vec<u8> {
    let header = Buffer::default().int(database).int(segment).int(version).int(time(version));
    let header = header.int(3).int(300).int(3);
    header.int(0).text(b"default").int(1).text(b"old").int(2).text(b"users").0
}

/// A snapshot at version 4 that segment 3 continues.
fn snapshot(format: u32, database: u64) -> Snapshot {
    let default = [
        entry(b"a", false, &[revision(4, Some(b"four")), revision(1, Some(b"one"))]),
        entry(b"gone", true, &[revision(3, None), revision(2, Some(b"here"))]),
        entry(b"long", false, &[revision(4, Some(b"l4")), revision(3, Some(b"l3"))]),
    ];
    // The key goes on in the next block; its last part says that older revisions are gone.
    let rest = [entry(b"long", true, &[revision(2, Some(b""))]), entry(b"z", false, &[revision(4, Some(b"z"))])];
    let users = block(2, &[[&b"\x03ada"[..], &[1, 0, 2, 0, 1, 240], &[b'x'; 240]].concat()]);
    let packed = build::lz4(&users[..=users.len() - 240], 240 - 1 - 5, b"xxxxx");
    Snapshot::new(format)
        .section(1, &snapshot_header(database, 3, 4))
        .section(2, &block(0, &default))
        .section(2, &block(0, &rest))
        .stored_section(2, users.len(), &packed)
}

/// A database with a snapshot, two segments after it, and a torn tail.
fn built_by_hand() -> Files {
    let third = Segment::new(DATABASE, 3, 1, 5, 4000)
        .commit(5, 72, &[build::set(0, b"a", b"five"), build::remove(0, b"z")])
        .commit(6, 72, &[build::create_keyspace(300, "logs")])
        .commit(7, 72, &[build::set(300, b"k", &vec![7; 70_000]), build::drop_keyspace(1)]);
    let fourth = Segment::new(DATABASE, 4, 2, 8, third.end()).commit(8, 72, &[]).commit(
        9,
        72,
        &[build::set(2, b"bea", b"9"), build::set_retention(&[2, 3600, 70_005])],
    );
    let torn_tail = [&fourth.bytes[..], b"torn", &[0; 20]].concat();
    files([
        ("database", build::database_file(1, DATABASE)),
        ("0000000000000003.snapshot", snapshot(1, DATABASE).footer([3, 5, 9], 1)),
        ("0000000000000003.log", third.closing(8).bytes),
        ("0000000000000004.log", torn_tail),
    ])
}

#[test]
fn the_checksum_is_the_known_one() {
    assert_eq!(build::crc32(b"123456789"), 0xCBF4_3926);
}

#[test]
fn a_database_built_by_hand_opens() -> selkie::Result<()> {
    let db = open_read_only(&built_by_hand())?;
    let recovery = db.recovery();
    assert_eq!(recovery.snapshot.as_deref(), Some("0000000000000003.snapshot"));
    assert_eq!((recovery.snapshot_entries, recovery.segments, recovery.frames_replayed), (5, 2, 5));
    assert_eq!(recovery.bytes_cut, 4);
    assert_eq!(db.version(), 9);
    assert_eq!(db.retention(), Retention::Age(Duration::new(3600, 70_005)));
    assert_eq!(db.keyspaces(), ["default", "logs", "users"]);

    let view = db.begin_read()?;
    let entries: selkie::Result<Vec<_>> = view.iter().collect();
    assert_eq!(entries?, [("a".into(), "five".into()), ("long".into(), "l4".into())]);
    assert_eq!(db.keyspace("logs")?.get("k")?, Some(vec![7; 70_000].into()));
    assert_eq!(db.keyspace("users")?.get("ada")?, Some(vec![b'x'; 240].into()));
    assert_eq!(db.keyspace("users")?.get("bea")?, Some("9".into()));
    Ok(())
}

#[test]
fn its_history_is_what_the_files_say() -> selkie::Result<()> {
    let db = open_read_only(&built_by_hand())?;
    let history: Vec<_> = db.history("a")?.into_iter().map(|kept| (kept.version, kept.time, kept.value)).collect();
    let at = |version| UNIX_EPOCH + Duration::from_nanos(time(version));
    let expected = [(5, "five"), (4, "four"), (1, "one")];
    assert_eq!(history, expected.map(|(version, value)| (version, at(version), Some(value.into()))));
    let long: Vec<_> = db.history("long")?.into_iter().map(|kept| kept.version).collect();
    assert_eq!(long, [4, 3, 2]);

    assert_eq!(db.at(2)?.get("gone")?, Some("here".into()));
    assert_eq!(db.at(3)?.get("gone")?, None);
    assert!(matches!(db.at(1)?.get("gone").unwrap_err().kind(), ErrorKind::HistoryCollected { .. }));
    assert!(matches!(db.at(1)?.get("long").unwrap_err().kind(), ErrorKind::HistoryCollected { .. }));
    assert!(
        matches!(db.at(0).unwrap_err().kind(), ErrorKind::HistoryCollected { .. }),
        "a key was forgotten at version 1"
    );
    assert_eq!(db.as_of(at(4))?.get("a")?, Some("four".into()));
    Ok(())
}

#[test]
fn writing_goes_on_in_a_new_segment_after_the_cut() -> selkie::Result<()> {
    let before = built_by_hand();
    let storage = MemoryStorage::from_files(before.clone());
    let db = Options::new().open_storage(Arc::new(storage.clone()))?;
    assert_eq!(db.insert("new", "1")?.version(), 10);
    let after = storage.files();
    let cut = before["0000000000000004.log"].len() - 24;
    assert_eq!(after["0000000000000004.log"][..cut], before["0000000000000004.log"][..cut]);
    let fourth = parse::segment(&after["0000000000000004.log"]);
    assert_eq!((fourth.commits.len(), fourth.end, fourth.closed), (2, cut as u64, Some(10)));
    let fifth = parse::segment(&after["0000000000000005.log"]);
    assert_eq!((fifth.database, fifth.number, fifth.epoch), (DATABASE, 5, 3));
    assert_eq!((fifth.first_sequence, fifth.previous_end), (10, cut as u64));
    assert_eq!(fifth.commits[0].operations, [set(0, b"new", b"1")]);
    Ok(())
}

#[test]
fn each_retention_has_its_number() -> selkie::Result<()> {
    let age = Retention::Age(Duration::from_millis(1500));
    let retentions: [(&[u64], Retention); 4] = [
        (&[0], Retention::None),
        (&[1, 70_000], Retention::Versions(70_000)),
        (&[2, 1, 500_000_000], age),
        (&[3], Retention::Forever),
    ];
    for (fields, expected) in retentions {
        let log = Segment::new(DATABASE, 1, 1, 1, 0).commit(1, 72, &[build::set_retention(fields)]);
        let files = files([("database", build::database_file(1, DATABASE)), ("0000000000000001.log", log.bytes)]);
        assert_eq!(open_read_only(&files)?.retention(), expected);

        let storage = MemoryStorage::new();
        let _db = Options::new().history(expected).open_storage(Arc::new(storage.clone()))?;
        let commits = parse::segment(&storage.files()["0000000000000001.log"]).commits;
        let written = commits.into_iter().flat_map(|commit| commit.operations).next();
        let expected = (expected != Retention::None).then(|| Operation::SetRetention(fields.to_vec()));
        assert_eq!(written, expected);
    }
    Ok(())
}

/// Each of these files is refused as damaged in the way that is expected.
fn check_refused<const N: usize>(cases: [(&str, Corruption, Files); N]) {
    for (name, expected, files) in cases {
        let kind = match open(&files) {
            Err(error) => match error.kind() {
                ErrorKind::Corrupted { kind, .. } => Some(*kind),
                _ => None,
            },
            Ok(_) => None,
        };
        assert_eq!(kind, Some(expected), "{name}");
    }
}

#[test]
fn what_a_reader_must_refuse_is_refused() {
    use Corruption::{Foreign, Frame, Header, Missing, Payload, Sequence};

    let base = files([
        ("database", build::database_file(1, DATABASE)),
        ("0000000000000001.log", Segment::new(DATABASE, 1, 1, 1, 0).bytes),
    ]);
    let with = |name: &str, bytes: Vec<u8>| {
        let mut files = base.clone();
        files.insert(name.to_owned(), bytes);
        files
    };
    let log = |segment: Segment| with("0000000000000001.log", segment.bytes);
    let first = || Segment::new(DATABASE, 1, 1, 1, 0);
    let one = || [build::set(0, b"k", b"v")];
    let damaged = |synced_to: u64| {
        let mut log = first().commit(1, 72, &one()).commit(2, synced_to, &one());
        log.bytes[72 + 48] ^= 1;
        log
    };
    let cases = [
        ("no segment", Missing, files([("database", build::database_file(1, DATABASE))])),
        ("data, and no database file", Missing, files([("0000000000000001.log", first().commit(1, 72, &[]).bytes)])),
        (
            "a database file and a log that were swapped",
            Header,
            files([
                ("database", first().commit(1, 72, &one()).bytes),
                ("0000000000000001.log", build::database_file(1, DATABASE)),
            ]),
        ),
        ("a foreign segment", Foreign, log(Segment::new(7, 1, 1, 1, 0))),
        ("a segment under a wrong name", Foreign, log(Segment::new(DATABASE, 2, 1, 1, 0))),
        ("a log that does not begin at 1", Sequence, log(Segment::new(DATABASE, 1, 1, 2, 0))),
        ("a gap between frames", Sequence, log(first().commit(1, 72, &one()).commit(3, 72, &one()))),
        ("a time that goes back", Sequence, log(first().commit(1, 72, &one()).commit_at(time(0), 2, 72, &one()))),
        ("an unknown operation", Payload, log(first().commit(1, 72, &[vec![5, 0]]))),
        ("an unknown keyspace", Payload, log(first().commit(1, 72, &[build::set(9, b"k", b"v")]))),
        ("the default keyspace dropped", Payload, log(first().commit(1, 72, &[build::drop_keyspace(0)]))),
        (
            "the greatest number of a keyspace",
            Payload,
            log(first().commit(1, 72, &[build::create_keyspace(u64::from(u32::MAX), "last")])),
        ),
        ("bytes after the operations", Payload, log(first().commit(1, 72, &[vec![1, 0, 0, 9]]))),
        ("a keyspace twice", Payload, log(first().commit(1, 72, &[build::create_keyspace(1, "default")]))),
        ("a bad frame that was synced", Frame, log(damaged(73))),
        ("a closing frame and no successor", Missing, log(first().commit(1, 72, &one()).closing(2))),
        (
            "a closing frame and half a successor",
            Header,
            files([
                ("database", build::database_file(1, DATABASE)),
                ("0000000000000001.log", first().commit(1, 72, &one()).closing(2).bytes),
                ("0000000000000002.log", vec![0; 72]),
            ]),
        ),
        ("a gap between segments", Missing, with("0000000000000003.log", Segment::new(DATABASE, 3, 1, 1, 72).bytes)),
    ];
    check_refused(cases);

    let newer = [
        with("database", build::database_file(2, DATABASE)),
        with("0000000000000001.snapshot", snapshot(2, DATABASE).footer([3, 5, 9], 0)),
        with("0000000000000002.log", Segment::of_format(2, DATABASE, 2, 1, 2, 136).bytes),
    ];
    for files in newer {
        let mut files = files;
        files.insert("0000000000000001.log".to_owned(), first().commit(1, 72, &one()).bytes);
        assert!(matches!(open(&files).unwrap_err().kind(), ErrorKind::UnsupportedFormat { format: 2, .. }));
    }

    // The same bad frame without evidence that it was durable is a torn tail.
    let db = open(&log(damaged(72))).unwrap();
    assert_eq!((db.version(), db.recovery().frames_replayed), (0, 0));
    assert!(db.recovery().bytes_cut > 0);
}

#[test]
fn of_several_operations_on_a_key_in_a_commit_the_last_counts() -> selkie::Result<()> {
    let twice = [build::set_retention(&[3]), build::set(0, b"k", b"first"), build::set(0, b"k", b"last")];
    let files = files([
        ("database", build::database_file(1, DATABASE)),
        ("0000000000000001.log", Segment::new(DATABASE, 1, 1, 1, 0).commit(1, 72, &twice).bytes),
    ]);
    let db = open(&files)?;
    assert_eq!(db.history("k")?.len(), 1);
    assert_eq!(db.get("k")?, Some("last".into()));
    db.snapshot()?;
    Ok(())
}

#[test]
fn a_snapshot_counts_only_as_a_whole() {
    let whole = snapshot(1, DATABASE).footer([3, 5, 9], 0);
    let log = Segment::new(DATABASE, 1, 1, 1, 0).commit(1, 72, &[build::set(0, b"k", b"log")]);
    let second = Segment::new(DATABASE, 2, 1, 2, log.end());
    let third = Segment::new(DATABASE, 3, 1, 2, 72);
    let header = Buffer::default().int(DATABASE).int(3).int(4).int(time(3)).int(3);
    let header = header.int(1).int(1).int(0).text(b"default").0;
    let entries = [entry(b"a", false, &[revision(4, Some(b"later than the snapshot"))])];
    let damaged = [
        Snapshot::new(1).section(1, &header).section(2, &block(0, &entries)).footer([1, 1, 1], 0),
        whole[..whole.len() - 10].to_vec(),
        [&whole[..], &[0]].concat(),
        snapshot(1, DATABASE).footer([3, 5, 10], 0),
        snapshot(1, DATABASE).section(2, &block(1, &[])).footer([4, 5, 9], 0),
        snapshot(1, DATABASE).section(1, &snapshot_header(DATABASE, 3, 4)).footer([3, 5, 9], 0),
        snapshot(1, 7).footer([3, 5, 9], 0),
    ];
    for bytes in damaged {
        let mut files = files([
            ("database", build::database_file(1, DATABASE)),
            ("0000000000000003.snapshot", bytes),
            ("0000000000000001.log", log.bytes.clone()),
            ("0000000000000002.log", second.bytes.clone()),
            ("0000000000000003.log", third.bytes.clone()),
        ]);
        let db = open(&files).unwrap();
        assert_eq!(db.get("k").unwrap(), Some("log".into()), "the log from the beginning is enough");
        assert_eq!(db.recovery().ignored_files, ["0000000000000003.snapshot"]);

        files.remove("0000000000000001.log");
        assert!(
            matches!(open(&files).unwrap_err().kind(), ErrorKind::Corrupted { .. }),
            "there is nothing else to open from"
        );
    }
}

/// A snapshot without keys.
fn empty_snapshot(segment: u64, version: u64) -> Vec<u8> {
    let header = Buffer::default().int(DATABASE).int(segment).int(version).int(time(4)).int(3);
    let header = header.int(1).int(1).int(0).text(b"default");
    Snapshot::new(1).section(1, &header.0).footer([0, 0, 0], 0)
}

#[test]
fn a_snapshot_that_no_commit_can_follow_is_damage() {
    for (version, is_refused) in [(u64::MAX, true), (u64::MAX - 1, false)] {
        let snapshot = empty_snapshot(2, version);
        let restored = Options::new().restore_storage(&snapshot[..], Arc::new(MemoryStorage::new()));
        let files = files([
            ("database", build::database_file(1, DATABASE)),
            ("0000000000000002.snapshot", snapshot),
            ("0000000000000002.log", Segment::new(DATABASE, 2, 1, version.wrapping_add(1), 0).bytes),
        ]);
        for outcome in [open(&files).map(|db| db.version()), restored.map(|db| db.version())] {
            match outcome {
                Ok(found) => assert!(!is_refused && found == version),
                Err(error) => assert!(is_refused && matches!(error.kind(), ErrorKind::Corrupted { .. }), "{error}"),
            }
        }
    }
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
fn space_beyond_the_frames_is_allocated_and_reads_as_zeros_until_the_segment_ends() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::open(directory.path().join("db")).unwrap();
    db.insert("key", "value").unwrap();
    let segment = || std::fs::read(directory.path().join("db/0000000000000001.log")).unwrap();
    let open = segment();
    let end = parse::segment(&open).end as usize;
    assert!(open.len() > end + 100_000, "{} bytes of {}", end, open.len());
    assert!(open[end..].iter().all(|byte| *byte == 0));
    db.close().unwrap();
    let closed = segment();
    assert_eq!(closed[..end], open[..end]);
    assert!(closed.len() < end + 100);
}

#[test]
fn what_selkie_writes_is_what_the_format_says() -> selkie::Result<()> {
    for compression in [Compression::None, Compression::Lz4] {
        let storage = MemoryStorage::new();
        let options = Options::new().history(Retention::Versions(3)).compression(compression);
        let db = options.snapshots(SnapshotPolicy::Never).open_storage(Arc::new(storage.clone()))?;
        let users = db.keyspace("users")?;
        db.insert("k", "one")?;
        db.insert("k", vec![b'x'; 300])?;
        db.remove("k")?;
        db.keyspace("gone")?;
        db.drop_keyspace("gone")?;
        db.update(|tx| {
            tx.keyspace_mut(&users).insert("ada", "1815")?;
            tx.insert("n", "")
        })?;
        let before = storage.files();
        assert_eq!(db.snapshot()?.segment, 2);
        db.insert("after", "1")?;
        let database = check_files_before_closing(&before);
        let snapshot = parse::snapshot(&storage.files()["0000000000000002.snapshot"]);
        check_snapshot(&snapshot, &before, compression);
        assert_eq!(snapshot.database, database);
        db.close()?;

        let after = storage.files();
        let names: Vec<&str> = after.keys().map(String::as_str).collect();
        let expected = ["0000000000000002.log", "0000000000000002.snapshot", "0000000000000003.log", "database"];
        assert_eq!(names, expected);
        let second = parse::segment(&after["0000000000000002.log"]);
        let third = parse::segment(&after["0000000000000003.log"]);
        assert_eq!((second.first_sequence, second.closed), (9, Some(10)));
        assert_eq!(second.commits[0].operations, [set(0, b"after", b"1")]);
        assert_eq!((third.database, third.number, third.epoch), (database, 3, second.epoch));
        assert_ne!(third.salt, second.salt, "frames of one segment are none in another");
        assert_eq!((third.first_sequence, third.previous_end, third.commits.len()), (10, second.end, 0));
    }
    Ok(())
}

fn check_files_before_closing(files: &Files) -> u64 {
    let database = parse::database_file(&files["database"]);
    let first = parse::segment(&files["0000000000000001.log"]);
    assert_eq!(files.len(), 2);
    assert_eq!((first.database, first.number, first.epoch), (database, 1, 1));
    assert_eq!((first.first_sequence, first.previous_end, first.closed), (1, 0, None));
    assert!(first.commits.is_sorted_by_key(|commit| commit.time));
    let operations: Vec<_> = first.commits.into_iter().map(|commit| commit.operations).collect();
    let expected = [
        vec![Operation::SetRetention(vec![1, 3])],
        vec![Operation::CreateKeyspace(1, b"users".to_vec())],
        vec![set(0, b"k", b"one")],
        vec![set(0, b"k", &[b'x'; 300])],
        vec![Operation::Remove(0, b"k".to_vec())],
        vec![Operation::CreateKeyspace(2, b"gone".to_vec())],
        vec![Operation::DropKeyspace(2)],
        vec![set(1, b"ada", b"1815"), set(0, b"n", b"")],
    ];
    assert_eq!(operations, expected);
    database
}

fn check_snapshot(snapshot: &parse::Snapshot, files: &Files, compression: Compression) {
    let commits = parse::segment(&files["0000000000000001.log"]).commits;
    let time = |version: u64| commits[version as usize - 1].time;
    assert_eq!((snapshot.segment, snapshot.version, snapshot.time), (2, 8, time(8)));
    assert_eq!((&snapshot.retention[..], snapshot.next_keyspace), (&[1, 3][..], 3));
    assert_eq!(snapshot.keyspaces, [(0, b"default".to_vec()), (1, b"users".to_vec())]);
    assert_eq!(snapshot.compressed, compression == Compression::Lz4);
    let value = |bytes: &[u8]| Some(bytes.to_vec());
    let of_k = vec![(5, time(5), None), (4, time(4), value(&[b'x'; 300])), (3, time(3), value(b"one"))];
    let expected = [
        (0, b"k".to_vec(), false, of_k),
        (0, b"n".to_vec(), false, vec![(8, time(8), value(b""))]),
        (1, b"ada".to_vec(), false, vec![(8, time(8), value(b"1815"))]),
    ];
    assert_eq!(snapshot.entries, expected);
}
