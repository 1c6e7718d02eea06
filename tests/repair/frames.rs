//! What is lost of a damaged log, frame by frame.

use selkie::{Corruption, Loss, LossCause, LostData, Version};

use crate::common::Random;
use crate::examine::{examine, lost_commits};
use crate::shape::{self, Shape};

const SEGMENT_HEADER_BYTES: usize = 72;
const FRAME_HEADER_BYTES: usize = 48;

struct Frame {
    file: String,
    offset: usize,
    bytes: usize,
    version: Version,
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes[offset..offset + 8].try_into().unwrap())
}

fn is_segment(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "log")
}

/// The frames of all commits in the log.
fn frames(shape: &Shape) -> Vec<Frame> {
    let mut frames = Vec::new();
    for (file, bytes) in shape.files.iter().filter(|(name, _)| is_segment(name)) {
        let mut offset = SEGMENT_HEADER_BYTES;
        while offset < bytes.len() {
            let [length, kind] = [0, 4].map(|at| u64_at(bytes, offset + at) as u32 as usize);
            let size = FRAME_HEADER_BYTES + length.next_multiple_of(8);
            if kind == 1 {
                let version = u64_at(bytes, offset + 8);
                frames.push(Frame { file: file.clone(), offset, bytes: size, version });
            }
            offset += size;
        }
    }
    frames
}

fn damaged(frame: &Frame, kind: Corruption) -> (String, u64, u64, LossCause, LostData) {
    let data = LostData::Commits { first: frame.version, last: Some(frame.version) };
    (frame.file.clone(), frame.offset as u64, frame.bytes as u64, LossCause::Damage(kind), data)
}

fn parts(loss: &Loss) -> (String, u64, u64, LossCause, LostData) {
    (loss.file.clone(), loss.offset, loss.bytes, loss.cause, loss.data.clone())
}

#[test]
fn a_damaged_frame_ends_what_is_kept() {
    let shape = shape::log();
    let frames = frames(&shape);
    assert_eq!(frames.len() as Version, shape.last_version());
    for frame in &frames {
        for place in [0, 8, 44, frame.bytes - 1] {
            let files = shape.with(&frame.file, |bytes| bytes[frame.offset + place] ^= 2);
            let repair = examine(&shape, &files, &mut Random(1)).repair;
            assert_eq!(repair.version, frame.version - 1);
            assert_eq!(parts(&repair.losses[0]), damaged(frame, Corruption::Frame));
            assert!(repair.losses[1..].iter().all(|loss| loss.cause == LossCause::Behind));
            let behind: u64 = lost_commits(&repair)[1..].iter().map(|(first, last)| last.unwrap() - first + 1).sum();
            assert_eq!(behind, shape.last_version() - frame.version);
        }
    }
}

#[test]
fn a_damaged_header_costs_its_segment_only_if_the_salt_is_damaged() {
    let shape = shape::log();
    let frames = frames(&shape);
    for file in [&frames[0].file, &frames[frames.len() / 2].file] {
        for place in 0..SEGMENT_HEADER_BYTES {
            let files = shape.with(file, |bytes| bytes[place] ^= 32);
            let examined = examine(&shape, &files, &mut Random(1));
            assert!(examined.verification.opening.is_err());
            let losses = examined.repair.losses;
            if (40..48).contains(&place) {
                assert_eq!((&losses[0].file, losses[0].cause), (file, LossCause::Damage(Corruption::Header)));
            } else {
                assert_eq!((examined.repair.version, losses), (shape.last_version(), Vec::new()), "byte {place}");
            }
        }
    }
}

/// Every checksum is right, and still the header contradicts the segment before it.
#[test]
fn a_header_that_is_wrong_under_an_intact_checksum_is_told() {
    let shape = shape::log();
    let frames = frames(&shape);
    let file = &frames[frames.len() / 2].file;
    let before = frames.iter().rev().find(|frame| frame.file < *file).unwrap();
    let files = shape.with(file, |bytes| {
        bytes[57] ^= 64;
        let checksum = crc32fast::hash(&bytes[..68]);
        bytes[68..72].copy_from_slice(&checksum.to_le_bytes());
    });
    let repair = examine(&shape, &files, &mut Random(1)).repair;
    assert_eq!(repair.version, before.version);
    let loss = &repair.losses[0];
    assert_eq!((&loss.file, loss.offset), (&before.file, (before.offset + before.bytes) as u64));
    assert!(matches!(loss.cause, LossCause::Damage(_)), "{loss}");
}

#[test]
fn a_torn_tail_is_named_and_is_no_loss_of_what_was_durable() {
    let shape = shape::crashed_log();
    let frames = frames(&shape);
    let last = frames.last().unwrap();
    let files = shape.with(&last.file, |bytes| bytes.truncate(last.offset + FRAME_HEADER_BYTES + 100));
    let repair = examine(&shape, &files, &mut Random(1)).repair;
    assert_eq!((repair.version, repair.losses.len(), repair.is_lossless()), (last.version - 1, 1, true));
    let data = LostData::Commits { first: last.version, last: None };
    let bytes = (FRAME_HEADER_BYTES + 100) as u64;
    assert_eq!(parts(&repair.losses[0]), (last.file.clone(), last.offset as u64, bytes, LossCause::TornTail, data));
}

#[test]
fn a_missing_segment_is_named_with_the_commits_in_it() {
    let shape = shape::log();
    let frames = frames(&shape);
    let file = &frames[frames.len() / 2].file;
    let mut files = shape.files.clone();
    files.remove(file);
    let repair = examine(&shape, &files, &mut Random(1)).repair;
    let inside: Vec<_> = frames.iter().filter(|frame| frame.file == *file).map(|frame| frame.version).collect();
    let data = LostData::Commits { first: inside[0], last: inside.last().copied() };
    let expected = (file.clone(), 0, 0, LossCause::Damage(Corruption::Missing), data);
    assert_eq!((repair.version, parts(&repair.losses[0])), (inside[0] - 1, expected));
}

#[test]
fn a_segment_of_another_database_is_not_used() {
    let (shape, other) = (shape::log(), shape::log());
    let frames = frames(&shape);
    let file = &frames[frames.len() / 2].file;
    let files = shape.with(file, |bytes| bytes.clone_from(&other.files[file]));
    let repair = examine(&shape, &files, &mut Random(1)).repair;
    assert_eq!(repair.losses[0].cause, LossCause::Damage(Corruption::Foreign));
    assert_eq!((&repair.losses[0].file, repair.losses[0].offset), (file, 0));
}

/// Whole snapshots, newest first, are what a repair begins with.
#[test]
fn the_newest_snapshot_that_is_whole_is_the_base() {
    let shape = shape::two_snapshots();
    let frames = frames(&shape);
    let snapshots: Vec<_> = shape.files.keys().filter(|name| name.ends_with(".snapshot")).collect();
    let [older, newer] = snapshots[..] else { panic!("{snapshots:?}") };
    let between = &frames[frames.len() / 4];
    let after = &frames[frames.len() - 5];

    let mut files = shape.with(&between.file, |bytes| bytes[between.offset] ^= 1);
    files.remove("database");
    let repair = examine(&shape, &files, &mut Random(1)).repair;
    assert_eq!((repair.version, repair.snapshot.as_ref()), (shape.last_version(), Some(newer)));
    assert_eq!(repair.losses, Vec::new());

    files.get_mut(newer).unwrap()[30] ^= 1;
    let repair = examine(&shape, &files, &mut Random(1)).repair;
    assert_eq!((repair.version, repair.snapshot.as_ref()), (between.version - 1, Some(older)));

    let mut files = shape.with(&after.file, |bytes| bytes[after.offset] ^= 1);
    files.get_mut(newer).unwrap()[30] ^= 1;
    let repair = examine(&shape, &files, &mut Random(1)).repair;
    assert_eq!((repair.version, repair.snapshot.as_ref()), (after.version - 1, Some(older)));
}

#[test]
fn a_missing_file_database_costs_nothing() {
    for shape in [shape::log(), shape::two_snapshots()] {
        let mut files = shape.files.clone();
        files.remove("database");
        let examined = examine(&shape, &files, &mut Random(1));
        assert!(examined.verification.opening.is_err());
        assert_eq!((examined.repair.version, examined.repair.losses.len()), (shape.last_version(), 0));
    }
}

/// A commit that is intact and contradicts what came before, in its second operation: the first must not count.
#[test]
fn a_commit_that_cannot_be_applied_is_lost_as_a_whole() {
    let shape = shape::pairs();
    let frames = frames(&shape);
    let frame = &frames[frames.len() / 2];
    let files = shape.with(&frame.file, |bytes| {
        let salt = bytes[40..48].to_vec();
        let payload = frame.offset + FRAME_HEADER_BYTES;
        assert_eq!(bytes[payload], 2, "two operations");
        let is_second = |place: &usize| bytes[*place..].starts_with(b"\0\0\x05secon");
        let second = (payload..frame.offset + frame.bytes).find(is_second).unwrap();
        bytes[second + 1] = 9;
        let checksum = crc32fast::hash(&bytes[payload..frame.offset + frame.bytes]);
        bytes[frame.offset + 40..frame.offset + 44].copy_from_slice(&checksum.to_le_bytes());
        let checksum = crc32fast::hash(&[&salt, &bytes[frame.offset..frame.offset + 44]].concat());
        bytes[frame.offset + 44..frame.offset + 48].copy_from_slice(&checksum.to_le_bytes());
    });
    let repair = examine(&shape, &files, &mut Random(1)).repair;
    assert_eq!(repair.version, frame.version - 1);
    assert_eq!(parts(&repair.losses[0]), damaged(frame, Corruption::Payload));
}
