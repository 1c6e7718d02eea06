use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;

use super::section::{Kind, SECTION_HEAD_BYTES, file_head, seal};
use super::*;
use crate::checksum;
use crate::codec::{BlockHeader, EntryHeader, RevisionRecord, SnapshotFooter, SnapshotHeader, encode};
use crate::index::{Blob, Horizon, Index, ReadPoint, Record, Revision, Tally, Walk};
use crate::locks::Mutex;
use crate::options::Retention;
use crate::runtime::block_on;
use crate::storage::{Completion, FileEntry, Flush, Storage};
use crate::{Compression, Corruption, ErrorKind, Result, Version};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const KEEP_ALL: Horizon = Horizon { point: ReadPoint { version: 0, time: 0 }, keep: usize::MAX };
const KEEP_NEWEST: Horizon = Horizon { point: ReadPoint { version: u64::MAX, time: u64::MAX }, keep: 1 };
const COMPRESSIONS: [Compression; 2] = [Compression::None, Compression::Lz4];

/// A key and its revisions as version, time and value, and whether there were older ones.
type Dumped = (Vec<u8>, Vec<(Version, u64, Option<Vec<u8>>)>, bool);

/// Runs a future whose completions are all ready.
fn run<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    block_on(future)
}

fn put(index: &Index, key: &[u8], version: Version, value: Option<&[u8]>, horizon: Horizon) {
    let mut tally = Tally::default();
    index.put_all([Record::new(key, value, (version, version * 10))], || horizon, &mut tally);
    index.add(tally);
}

fn set(index: &Index, key: &[u8], version: Version, value: &[u8]) {
    put(index, key, version, Some(value), KEEP_ALL);
}

fn remove(index: &Index, key: &[u8], version: Version) {
    put(index, key, version, None, KEEP_ALL);
}

fn dump(index: &Index, point: ReadPoint) -> Vec<Dumped> {
    let mut walk = Walk::with_removed(index, point, Bound::Unbounded, Bound::Unbounded);
    let mut dumped = Vec::new();
    while walk.settle_front() {
        let newest = walk.front().unwrap();
        let revisions: Vec<&Revision> = newest.chain().collect();
        let collected = revisions.last().unwrap().older.is_some();
        let values = revisions
            .iter()
            .map(|revision| (revision.version(), revision.time(), revision.value().map(<[u8]>::to_vec)));
        dumped.push((newest.key().to_vec(), values.collect(), collected));
        walk.advance_front();
    }
    dumped
}

fn header_of(version: Version, keyspaces: &[u32]) -> SnapshotHeader {
    SnapshotHeader {
        database: 77,
        segment: 3,
        version,
        time: version * 10,
        retention: Retention::Versions(9),
        next_keyspace: 100,
        keyspaces: keyspaces.iter().map(|number| (*number, format!("keyspace-{number}"))).collect(),
    }
}

fn write_to_vec(header: &SnapshotHeader, contents: &[(u32, Arc<Index>)], compression: Compression) -> Vec<u8> {
    let mut bytes = Vec::new();
    let summary =
        run(write(&mut WriteSink::new(&mut bytes, "stream"), header, contents, compression, &|| (1, 10))).unwrap();
    let (read_header, read_summary) = verify_bytes(&bytes).unwrap();
    assert_eq!((read_header, read_summary), (header.clone(), summary));
    assert_eq!(summary.bytes, bytes.len() as u64);
    bytes
}

fn load_bytes(bytes: &[u8]) -> Result<Loaded> {
    run(load(&mut ReadSource::new(bytes, "stream"), "stream"))
}

fn verify_bytes(bytes: &[u8]) -> Result<(SnapshotHeader, Summary)> {
    run(verify(&mut ReadSource::new(bytes, "stream"), "stream"))
}

/// Writes and loads with and without compression, and compares everything. Returns the last summary.
fn round_trip(version: Version, contents: Vec<(u32, Index)>) -> Summary {
    let contents: Vec<_> = contents.into_iter().map(|(number, index)| (number, Arc::new(index))).collect();
    let numbers: Vec<u32> = contents.iter().map(|(number, _)| *number).collect();
    let header = header_of(version, &numbers);
    let mut summary = Summary::default();
    for compression in COMPRESSIONS {
        let loaded = load_bytes(&write_to_vec(&header, &contents, compression)).unwrap();
        assert_eq!(loaded.header, header);
        assert_eq!(loaded.contents.len(), contents.len());
        for ((number, index), (read_number, read_index)) in contents.iter().zip(&loaded.contents) {
            assert_eq!(number, read_number);
            let expected = dump(index, ReadPoint::version(version));
            assert!(dump(read_index, ReadPoint::version(u64::MAX)) == expected, "keyspace {number}");
        }
        summary = loaded.summary;
    }
    summary
}

/// An index with values, removals, history and chains that lost their end.
fn mixed(count: u32) -> Index {
    let index = Index::new();
    for number in 0..count {
        let key = format!("key-{number:06}");
        let first = u64::from(number % 7) + 1;
        set(&index, key.as_bytes(), first, b"first");
        match number % 5 {
            0 => set(&index, key.as_bytes(), first + 10, &[b'x'; 40]),
            1 => remove(&index, key.as_bytes(), first + 10),
            2 => put(&index, key.as_bytes(), first + 10, Some(b"only"), KEEP_NEWEST),
            3 => put(&index, key.as_bytes(), first + 10, None, KEEP_NEWEST),
            _ => {}
        }
    }
    index
}

fn payload_of(block: BlockHeader, entries: &[(&[u8], &[Version], bool)]) -> Vec<u8> {
    let mut payload = Vec::new();
    encode(&block, &mut payload);
    for (key, versions, collected) in entries {
        let collected = *collected;
        encode(&EntryHeader { key, revisions: versions.len() as u32, collected }, &mut payload);
        for version in *versions {
            encode(&RevisionRecord { version: *version, time: 0, value: Some(b"v") }, &mut payload);
        }
    }
    payload
}

/// A snapshot of any block payloads, with everything around them in order.
fn sealed(header: &SnapshotHeader, payloads: &[Vec<u8>], footer: SnapshotFooter) -> Vec<u8> {
    let mut bytes = file_head().to_vec();
    let mut payload = Vec::new();
    let mut checksum = crc32fast::Hasher::new();
    encode(header, &mut payload);
    checksum.update(&seal(Kind::Header, 0, &payload, Compression::None, &mut bytes).to_le_bytes());
    let mut number = 0;
    for block in payloads {
        number += 1;
        checksum.update(&seal(Kind::Block, number, block, Compression::None, &mut bytes).to_le_bytes());
    }
    payload.clear();
    encode(&SnapshotFooter { checksum: checksum.finalize(), ..footer }, &mut payload);
    seal(Kind::Footer, number + 1, &payload, Compression::None, &mut bytes);
    bytes
}

fn corruption(result: Result<impl std::fmt::Debug>) -> (u64, Corruption) {
    match result.unwrap_err().kind() {
        ErrorKind::Corrupted { file, offset, kind } if file == "stream" => (*offset, *kind),
        other => panic!("not corrupted: {other:?}"),
    }
}

#[test]
fn an_empty_database_round_trips() {
    assert_eq!(round_trip(0, vec![]).blocks, 0);
    let summary = round_trip(0, vec![(0, Index::new())]);
    assert_eq!((summary.blocks, summary.entries, summary.revisions), (0, 0, 0));
}

#[test]
fn history_removals_and_cut_chains_round_trip() {
    let summary = round_trip(100, vec![(0, mixed(20_000))]);
    assert!(summary.blocks > 1);
    assert_eq!((summary.entries, summary.revisions), (20_000, 4_000 * (2 + 2 + 1 + 1 + 1)));
}

#[test]
fn a_loaded_index_answers_and_takes_writes() {
    let contents = [(0, Arc::new(mixed(1_000)))];
    let bytes = write_to_vec(&header_of(100, &[0]), &contents, Compression::Lz4);
    let loaded = load_bytes(&bytes).unwrap().contents.remove(0).1;
    let seen_at = |key: &[u8], version| {
        loaded.read_revisions(key, |entry| entry.unwrap().visible(ReadPoint::version(version)).cloned())
    };
    assert_eq!(seen_at(b"key-000000", 10).unwrap().value(), Some(&b"first"[..]));
    assert!(seen_at(b"key-000001", 100).unwrap().is_tombstone());
    assert!(seen_at(b"key-000002", 3).unwrap().is_collected());
    assert!(seen_at(b"key-000004", 1).is_none());
    assert_eq!(loaded.tally(), contents[0].1.tally());
    set(&loaded, b"key-000004x", 101, b"new");
    let mut walk =
        Walk::new(&loaded, ReadPoint::version(101), Bound::Included(Blob::new(b"key-000004a")), Bound::Unbounded);
    assert!(walk.settle_front());
    assert_eq!(walk.front().unwrap().key(), b"key-000004x");
}

#[test]
fn keyspaces_keep_their_order_and_may_be_empty() {
    let contents = vec![(7, mixed(10)), (0, Index::new()), (3, mixed(3_000)), (5, mixed(1)), (9, Index::new())];
    assert_eq!(round_trip(100, contents).entries, 3_011);
}

#[test]
fn later_versions_are_left_out() {
    let index = Index::new();
    set(&index, b"a", 1, b"old");
    set(&index, b"a", 6, b"new");
    set(&index, b"b", 7, b"new");
    remove(&index, b"c", 5);
    set(&index, b"c", 8, b"new");
    let summary = round_trip(5, vec![(0, index)]);
    assert_eq!((summary.entries, summary.revisions), (2, 2));
}

#[test]
fn a_version_that_is_collected_is_refused() {
    let index = Index::new();
    set(&index, b"a", 1, b"old");
    put(&index, b"a", 6, Some(b"new"), KEEP_NEWEST);
    let mut bytes = Vec::new();
    let mut sink = WriteSink::new(&mut bytes, "stream");
    let result = run(write(&mut sink, &header_of(5, &[0]), &[(0, Arc::new(index))], Compression::None, &|| (0, 0)));
    assert!(matches!(result.unwrap_err().kind(), ErrorKind::HistoryCollected { requested: 5 }));
}

#[test]
fn a_large_value_makes_a_large_block() {
    let index = Index::new();
    let value: Vec<u8> = (0..3_u32 << 20).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    set(&index, b"a", 1, b"small");
    set(&index, b"b", 2, &value);
    set(&index, b"c", 3, b"small");
    let summary = round_trip(3, vec![(0, index)]);
    assert_eq!((summary.blocks, summary.entries, summary.revisions), (2, 3, 3));
}

#[test]
fn a_long_chain_is_split_over_blocks() {
    let index = Index::new();
    set(&index, b"a", 1, b"before");
    put(&index, b"b", 1, Some(b"lost"), KEEP_ALL);
    put(&index, b"b", 2, Some(b"oldest"), KEEP_NEWEST);
    for version in 3..40_003 {
        set(&index, b"b", version, &[version as u8; 100]);
    }
    set(&index, b"c", 40_003, b"after");
    let summary = round_trip(40_003, vec![(0, index)]);
    assert_eq!((summary.blocks, summary.entries, summary.revisions), (6, 3, 40_003));
}

#[test]
fn what_does_not_get_smaller_is_not_compressed() {
    let index = Index::new();
    set(&index, b"a", 1, b"\x01\x02\x03");
    let contents = [(0, Arc::new(index))];
    let header = header_of(1, &[0]);
    let plain = write_to_vec(&header, &contents, Compression::None);
    assert!(write_to_vec(&header, &contents, Compression::Lz4).len() <= plain.len());
}

#[test]
fn the_bytes_are_those_of_the_specification() {
    let index = Index::new();
    set(&index, b"k", 5, b"vw");
    let header = SnapshotHeader { retention: Retention::None, keyspaces: vec![(0, "d".into())], ..header_of(5, &[]) };
    let bytes = write_to_vec(&header, &[(0, Arc::new(index))], Compression::None);
    assert_eq!(&bytes[..12], b"selkieSN\x01\0\0\0");
    assert_eq!(bytes[40..50], [77, 3, 5, 50, 0, 100, 1, 0, 1, b'd']);
    assert_eq!(bytes[50..66], [2, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0]);
    assert_eq!(bytes[74..86], [0, 1, 1, b'k', 1, 0, 5, 50, 1, 2, b'v', b'w']);
}

#[test]
fn every_damaged_byte_and_every_shorter_length_is_an_error() {
    let contents = [(0, Arc::new(mixed(12))), (1, Arc::new(mixed(3)))];
    let (mut cases, mut silent) = (0, 0);
    for compression in COMPRESSIONS {
        let bytes = write_to_vec(&header_of(100, &[0, 1]), &contents, compression);
        for length in 0..bytes.len() {
            cases += 1;
            silent += usize::from(verify_bytes(&bytes[..length]).is_ok() || load_bytes(&bytes[..length]).is_ok());
        }
        for position in 0..bytes.len() {
            for mask in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
                cases += 1;
                let mut damaged = bytes.clone();
                damaged[position] ^= mask;
                silent += usize::from(verify_bytes(&damaged).is_ok() || load_bytes(&damaged).is_ok());
            }
        }
    }
    assert!(cases > 5_000, "{cases}");
    assert_eq!(silent, 0);
}

#[test]
fn damage_has_a_kind_and_a_place() {
    let bytes = write_to_vec(&header_of(100, &[0]), &[(0, Arc::new(mixed(3)))], Compression::None);
    let header_length = u32::from_le_bytes(bytes[24..28].try_into().unwrap()) as usize;
    let block = 16 + SECTION_HEAD_BYTES + header_length;
    let block_length = u32::from_le_bytes(bytes[block + 8..block + 12].try_into().unwrap()) as usize;
    let footer = block + SECTION_HEAD_BYTES + block_length;
    let flipped = |position: usize| {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1;
        corruption(verify_bytes(&damaged))
    };
    assert_eq!(flipped(3), (0, Corruption::Header));
    assert_eq!(flipped(9), (0, Corruption::Header));
    assert_eq!(flipped(17), (16, Corruption::Block));
    assert_eq!(flipped(block + 30), (block as u64, Corruption::Block));
    assert_eq!(flipped(footer + 1), (footer as u64, Corruption::Block));
    assert_eq!(flipped(footer + SECTION_HEAD_BYTES), (footer as u64, Corruption::Footer));
    let cut = |length: usize| corruption(verify_bytes(&bytes[..length]));
    assert_eq!(cut(0), (0, Corruption::Truncated));
    assert_eq!(cut(16), (16, Corruption::Truncated));
    assert_eq!(cut(block + 5), (block as u64 + 5, Corruption::Truncated));
    assert_eq!(cut(footer), (footer as u64, Corruption::Footer));
    assert_eq!(cut(bytes.len() - 1), (bytes.len() as u64 - 1, Corruption::Truncated));
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(corruption(verify_bytes(&longer)), (footer as u64, Corruption::Footer));
}

#[test]
fn an_unknown_format_is_told_apart_from_damage() {
    let mut bytes = write_to_vec(&header_of(0, &[]), &[], Compression::None);
    bytes[8] = 2;
    let checksum = checksum::hash(&bytes[..12]);
    bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
    assert!(matches!(load_bytes(&bytes).unwrap_err().kind(), ErrorKind::UnsupportedFormat { format: 2, .. }));
}

#[test]
fn claimed_lengths_are_refused_before_anything_is_allocated() {
    let lengths: [(u32, u32, Corruption); 4] = [
        (1 << 30, 16, Corruption::Block),
        (u32::MAX, u32::MAX, Corruption::Block),
        (16, 17, Corruption::Block),
        (1 << 30, 1 << 30, Corruption::Truncated),
    ];
    for (raw, stored, expected) in lengths {
        let mut bytes = file_head().to_vec();
        let start = bytes.len();
        for word in [1, 0, raw, stored, 0] {
            bytes.extend_from_slice(&u32::to_le_bytes(word));
        }
        bytes.extend_from_slice(&checksum::hash(&bytes[start..]).to_le_bytes());
        bytes.extend_from_slice(&[0; 16]);
        assert_eq!(corruption(load_bytes(&bytes)).1, expected, "{raw} {stored}");
    }
}

#[test]
fn intact_payloads_out_of_order_are_refused() {
    let header = header_of(10, &[4, 2]);
    let block = |keyspace, entries: &[(&[u8], &[Version], bool)]| {
        payload_of(BlockHeader { keyspace, entries: entries.len() as u32 }, entries)
    };
    let check = |payloads: &[Vec<u8>], entries, revisions| {
        let footer =
            SnapshotFooter { blocks: payloads.len() as u64, entries, revisions, forgotten: (1, 10), checksum: 0 };
        load_bytes(&sealed(&header, payloads, footer)).map(|loaded| loaded.summary)
    };
    let (a, b): (&[u8], &[u8]) = (b"a", b"b");
    let good = [block(4, &[(a, &[9, 7], false)]), block(4, &[(a, &[5], true), (b, &[10], false)])];
    assert!(check(&good, 2, 4).is_ok());
    assert_eq!(corruption(check(&good, 3, 4)).1, Corruption::Footer);
    let bad = [
        vec![block(4, &[(b, &[1], false), (a, &[1], false)])],
        vec![block(4, &[(a, &[2], false), (a, &[1], false)])],
        vec![block(4, &[(a, &[1, 2], false)])],
        vec![block(4, &[(a, &[2, 2], false)])],
        vec![block(4, &[(a, &[11], false)])],
        vec![block(4, &[(a, &[0], false)])],
        vec![block(4, &[(a, &[], false)])],
        vec![block(4, &[])],
        vec![block(3, &[(a, &[1], false)])],
        vec![block(2, &[(a, &[1], false)]), block(4, &[(a, &[1], false)])],
        vec![block(4, &[(a, &[5], true)]), block(4, &[(a, &[4], false)])],
        vec![block(4, &[(a, &[5], false)]), block(4, &[(a, &[5], false)])],
        vec![block(4, &[(b, &[5], false)]), block(4, &[(a, &[5], false)])],
        vec![[block(4, &[(a, &[1], false)]), vec![0]].concat()],
        vec![payload_of(BlockHeader { keyspace: 4, entries: u32::MAX }, &[(a, &[1], false)])],
    ];
    for (case, payloads) in bad.iter().enumerate() {
        assert_eq!(corruption(check(payloads, 1, 1)).1, Corruption::Payload, "case {case}");
    }
}

#[test]
fn inconsistent_headers_are_refused() {
    let footer = SnapshotFooter { blocks: 0, entries: 0, revisions: 0, forgotten: (0, 0), checksum: 0 };
    let twice = header_of(1, &[1, 1]);
    let beyond = header_of(1, &[100]);
    let mut same_name = header_of(1, &[1, 2]);
    same_name.keyspaces[0].1 = same_name.keyspaces[1].1.clone();
    for header in [twice, beyond, same_name] {
        assert_eq!(corruption(load_bytes(&sealed(&header, &[], footer))), (16, Corruption::Payload));
    }
}

#[test]
fn scrambled_payloads_with_valid_checksums_never_panic() {
    let footer = SnapshotFooter { blocks: 1, entries: 2, revisions: 3, forgotten: (0, 0), checksum: 0 };
    let header = header_of(300, &[0]);
    let payload = payload_of(BlockHeader { keyspace: 0, entries: 2 }, &[(b"a", &[300, 2], true), (b"b", &[1], false)]);
    assert!(load_bytes(&sealed(&header, std::slice::from_ref(&payload), footer)).is_ok());
    for position in 0..payload.len() {
        for byte in 0..=255 {
            let mut scrambled = payload.clone();
            scrambled[position] = byte;
            let _ = load_bytes(&sealed(&header, &[scrambled], footer));
        }
    }
}

/// One file that takes and gives at most what the engine is promised.
#[derive(Debug, Default)]
struct OneFile(Mutex<Vec<u8>>);

impl Storage for OneFile {
    fn lock(&self) -> Completion<()> {
        Completion::ready(Ok(()))
    }

    fn unlock(&self) {}

    fn list(&self) -> Completion<Vec<FileEntry>> {
        Completion::ready(Ok(vec![]))
    }

    fn create(&self, _: &str) -> Completion<()> {
        Completion::ready(Ok(()))
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> Completion<Bytes> {
        assert_eq!(name, "snapshot-1");
        let file = self.0.lock();
        let rest = &file[(offset as usize).min(file.len())..];
        Completion::ready(Ok(Bytes::copy_from_slice(&rest[..length.min(rest.len())])))
    }

    fn write(&self, name: &str, offset: u64, data: Bytes, flush: Flush) -> Completion<()> {
        assert_eq!((name, flush), ("snapshot-1", Flush::No));
        let mut file = self.0.lock();
        assert_eq!(offset, file.len() as u64);
        assert!(!data.is_empty() && data.len() < 2 * CHUNK_BYTES);
        file.extend_from_slice(&data);
        Completion::ready(Ok(()))
    }

    fn truncate(&self, _: &str, _: u64) -> Completion<()> {
        Completion::ready(Ok(()))
    }

    fn sync(&self, _: &str) -> Completion<()> {
        Completion::ready(Ok(()))
    }

    fn sync_directory(&self) -> Completion<()> {
        Completion::ready(Ok(()))
    }

    fn remove(&self, _: &str) -> Completion<()> {
        Completion::ready(Ok(()))
    }

    fn location(&self) -> String {
        "memory".into()
    }
}

#[test]
fn a_file_of_a_storage_holds_the_same_as_a_stream() {
    let file = Arc::new(OneFile::default());
    let storage = || Arc::clone(&file) as Arc<dyn Storage>;
    let contents = [(0, Arc::new(mixed(100_000)))];
    let header = header_of(100, &[0]);
    let mut sink = StorageSink::new(storage(), "snapshot-1");
    let summary = run(sendable(write(&mut sink, &header, &contents, Compression::None, &|| (1, 10)))).unwrap();
    assert!(summary.bytes > 2 * CHUNK_BYTES as u64);
    assert!(*file.0.lock() == write_to_vec(&header, &contents, Compression::None));
    let mut source = StorageSource::new(storage(), "snapshot-1");
    let loaded = run(sendable(load(&mut source, "snapshot-1"))).unwrap();
    assert_eq!(loaded.summary, summary);
}

#[test]
fn names_and_numbers_agree() {
    assert_eq!(file_name(255), "00000000000000ff.snapshot");
    assert_eq!(file_number("00000000000000ff.snapshot"), Some(255));
    for other in ["ff.snapshot", "00000000000000FF.snapshot", "+0000000000000ff.snapshot", "00000000000000ff.log"] {
        assert_eq!(file_number(other), None);
    }
}

/// Snapshots are taken and read on other threads too.
#[cfg(not(target_arch = "wasm32"))]
fn sendable<F: Send>(future: F) -> F {
    future
}

#[cfg(target_arch = "wasm32")]
fn sendable<F>(future: F) -> F {
    future
}
