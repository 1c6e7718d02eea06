//! What is lost of a damaged snapshot, section by section.

use std::sync::Arc;
use std::time::{Duration, Instant};

use selkie::storage::{MemoryStorage, Storage};
use selkie::{Compression, Corruption, LossCause, LostData};

use crate::common::Random;
use crate::examine::{Told, examine, wait};
use crate::shape::{self, FILE_HEAD_BYTES, SECTION_HEAD_BYTES, Shape, sections};

fn sections_of(shape: &Shape) -> (String, Vec<(usize, usize)>) {
    let name = shape.snapshot();
    let sections = sections(&shape.files[&name]);
    assert!(sections.len() >= 5, "too few blocks");
    (name, sections)
}

#[test]
fn a_damaged_block_costs_its_keys() {
    let shape = shape::snapshot_and_log();
    let (name, sections) = sections_of(&shape);
    for (offset, bytes) in &sections[1..sections.len() - 1] {
        // In the head the length of the section is lost as well, so that the next one has to be found.
        for place in [*offset, offset + 13, offset + 20, offset + SECTION_HEAD_BYTES, offset + bytes - 1] {
            let files = shape.with(&name, |bytes| bytes[place] ^= 4);
            let repair = examine(&shape, &files, &mut Random(1)).repair;
            assert_eq!((repair.version, repair.losses.len()), (shape.last_version(), 1), "{:?}", repair.losses);
            let loss = &repair.losses[0];
            assert_eq!((&loss.file, loss.offset, loss.bytes), (&name, *offset as u64, *bytes as u64));
            assert_eq!(loss.cause, LossCause::Damage(Corruption::Block));
            let LostData::Keys(ranges) = &loss.data else { panic!("{loss}") };
            assert_eq!(ranges.len(), 1);
            let keys = shape.last().values();
            let count = keys.keys().filter(|key| ranges[0].contains(key)).count();
            assert!((10..200).contains(&count), "{count} keys of {loss}");
        }
    }
}

#[test]
fn two_damaged_blocks_in_a_row_are_one_loss_and_others_are_two() {
    let shape = shape::snapshot_and_log();
    let (name, sections) = sections_of(&shape);
    let flipped = |blocks: [usize; 2]| {
        let files = shape.with(&name, |bytes| blocks.iter().for_each(|block| bytes[sections[*block].0] ^= 1));
        examine(&shape, &files, &mut Random(1)).repair.losses
    };
    let losses = flipped([1, 2]);
    assert_eq!((losses.len(), losses[0].bytes), (1, (sections[1].1 + sections[2].1) as u64));
    assert_eq!(flipped([1, 3]).len(), 2);
}

#[test]
fn a_damaged_footer_costs_the_past_and_a_damaged_file_head_nothing() {
    let shape = shape::snapshot_and_log();
    let (name, sections) = sections_of(&shape);
    let (footer, bytes) = *sections.last().unwrap();
    let files = shape.with(&name, |bytes| bytes[footer + SECTION_HEAD_BYTES] ^= 1);
    let repair = examine(&shape, &files, &mut Random(1)).repair;
    assert_eq!(repair.losses.len(), 1);
    assert_eq!((repair.losses[0].offset, repair.losses[0].bytes), (footer as u64, bytes as u64));
    assert_eq!((&repair.losses[0].data, repair.keys), (&LostData::Past, shape.last().live_keys()));
    assert!(repair.past_from > 0 && repair.past_from < repair.version);

    let files = shape.with(&name, |bytes| bytes[3] ^= 1);
    let examined = examine(&shape, &files, &mut Random(1));
    assert!(!examined.verification.is_intact());
    assert_eq!((examined.repair.losses, examined.repair.past_from), (Vec::new(), 0));
}

#[test]
fn a_damaged_header_costs_the_names() {
    let shape = shape::history();
    let (name, sections) = sections_of(&shape);
    let (header, bytes) = sections[0];
    for place in [header, header + 21, header + SECTION_HEAD_BYTES + 9] {
        let files = shape.with(&name, |bytes| bytes[place] ^= 1);
        let repair = examine(&shape, &files, &mut Random(1)).repair;
        assert_eq!((repair.version, repair.losses.len()), (shape.last_version(), 1), "{:?}", repair.losses);
        let loss = &repair.losses[0];
        assert_eq!((loss.offset, loss.bytes, &loss.data), (header as u64, bytes as u64, &LostData::Names));
        assert_eq!((repair.keys, repair.versions), (shape.last().live_keys(), shape.last().versions()));
        assert_eq!(repair.keyspaces, ["default", "keyspace 1", "later"]);
    }
}

/// The log goes on in a keyspace of which the snapshot has no key, so that only the log tells that there is one.
#[test]
fn a_keyspace_that_only_the_log_knows_is_there_without_the_header() {
    let shape = shape::empty_keyspace();
    let name = shape.snapshot();
    let files = shape.with(&name, |bytes| bytes[FILE_HEAD_BYTES] ^= 1);
    let repair = examine(&shape, &files, &mut Random(1)).repair;
    assert_eq!((repair.version, repair.losses.len()), (shape.last_version(), 1));
    assert_eq!(repair.keyspaces, ["default", "keyspace 1"]);
}

#[test]
fn a_backup_that_is_kept_as_a_value_is_not_taken_for_the_rest_of_the_snapshot() {
    let shape = shape::backup_as_value();
    let (name, sections) = sections_of(&shape);
    for (offset, _) in &sections[1..] {
        for zeroed in [4, 64, 4096] {
            let end = shape.files[&name].len().min(offset + zeroed);
            let files = shape.with(&name, |bytes| bytes[*offset..end].fill(0));
            let repair = examine(&shape, &files, &mut Random(1)).repair;
            assert!(!repair.losses.is_empty());
        }
    }
}

/// Each head in turn: the file goes on where the next section begins, and nothing else is lost.
fn assert_only_the_damaged_block_is_lost(shape: &Shape) {
    let (name, sections) = sections_of(shape);
    for (offset, bytes) in &sections[1..sections.len() - 1] {
        let files = shape.with(&name, |bytes| bytes[offset + 5] ^= 64);
        let repair = examine(shape, &files, &mut Random(1)).repair;
        assert_eq!((repair.version, repair.losses.len()), (shape.last_version(), 1), "{:?}", repair.losses);
        assert_eq!((repair.losses[0].offset, repair.losses[0].bytes), (*offset as u64, *bytes as u64));
    }
}

/// No piece reaches the footer of the backup, so that only the outer snapshot tells where its own blocks go on.
#[test]
fn blocks_of_a_backup_in_chunks_are_not_taken_for_blocks_of_the_snapshot() {
    for compression in [Compression::None, Compression::Lz4] {
        for chunk_bytes in [200_000, 500_000] {
            assert_only_the_damaged_block_is_lost(&shape::backup_in_chunks(compression, chunk_bytes));
        }
    }
}

#[test]
fn a_section_of_a_backup_that_leads_to_the_next_block_is_not_taken_for_the_one_before() {
    assert_only_the_damaged_block_is_lost(&shape::backup_in_sections());
}

/// Two heads, and the same with everything from the middle of the other section on cut off.
fn damage_two(shape: &Shape) {
    let (name, sections) = sections_of(shape);
    for (first, (offset, _)) in sections.iter().enumerate().skip(1) {
        for (other, bytes) in &sections[first + 1..] {
            for cut in [false, true] {
                let files = shape.with(&name, |file| {
                    file[*offset] ^= 1;
                    file[*other] ^= 1;
                    file.truncate(if cut { other + bytes / 2 } else { file.len() });
                });
                let _told = Told(format!("sections at {offset} and {other}, cut: {cut}"));
                assert!(!examine(shape, &files, &mut Random(1)).repair.losses.is_empty());
            }
        }
    }
}

#[test]
fn two_damages_of_a_snapshot_with_a_backup_in_it_bring_nothing_foreign() {
    damage_two(&shape::backup_as_value());
    damage_two(&shape::backup_in_chunks(Compression::None, 200_000));
}

#[test]
fn a_snapshot_that_was_cut_goes_on_after_a_damaged_head() {
    let shape = shape::snapshot_and_log();
    let (name, sections) = sections_of(&shape);
    let (first, last) = (sections[1], sections[sections.len() - 2]);
    let files = shape.with(&name, |bytes| {
        bytes[first.0] ^= 1;
        bytes.truncate(last.0 + last.1 / 2);
    });
    let losses = examine(&shape, &files, &mut Random(1)).repair.losses;
    assert_eq!((losses[0].offset, losses[0].bytes), (first.0 as u64, first.1 as u64), "{losses:?}");
}

#[test]
fn many_heads_in_a_row_are_followed_once() {
    let shape = shape::heads_as_value(9, 3000);
    let (name, sections) = sections_of(&shape);
    let files = shape.with(&name, |bytes| bytes[sections[1].0] ^= 1);
    let begun = Instant::now();
    let losses = examine(&shape, &files, &mut Random(1)).repair.losses;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!((losses.len(), losses[0].bytes), (1, sections[1].1 as u64));
}

/// The numbers of the inner sections fit between those of the blocks that are left.
#[test]
fn a_footer_within_a_damaged_block_does_not_end_the_snapshot() {
    let shape = shape::heads_as_value(2, 2);
    let (name, sections) = sections_of(&shape);
    let files = shape.with(&name, |bytes| sections[1..5].iter().for_each(|(offset, _)| bytes[*offset] ^= 1));
    let losses = examine(&shape, &files, &mut Random(1)).repair.losses;
    let lost = sections[1..5].iter().map(|(_, bytes)| *bytes as u64).sum::<u64>();
    assert_eq!((losses.len(), losses[0].bytes), (1, lost), "{losses:?}");
}

/// The greatest number as a payload has it.
const GREATEST: [u8; 9] = [253, 255, 255, 255, 255, 255, 255, 255, 255];

/// Changes the payload of a section, and its head so that all its checksums are right.
fn replace_payload(bytes: &mut Vec<u8>, (offset, length): (usize, usize), change: impl FnOnce(&mut Vec<u8>)) {
    let mut payload = bytes[offset + SECTION_HEAD_BYTES..offset + length].to_vec();
    change(&mut payload);
    let (length_now, checksum) = (payload.len() as u32, crc32fast::hash(&payload));
    bytes.splice(offset + SECTION_HEAD_BYTES..offset + length, payload);
    for (word, value) in [(8, length_now), (12, length_now), (16, checksum)] {
        bytes[offset + word..offset + word + 4].copy_from_slice(&value.to_le_bytes());
    }
    let checksum = crc32fast::hash(&bytes[offset..offset + 20]);
    bytes[offset + 20..offset + 24].copy_from_slice(&checksum.to_le_bytes());
}

#[test]
fn a_footer_that_claims_the_greatest_number_of_blocks_is_damaged() {
    let shape = shape::snapshot_and_log();
    let (name, sections) = sections_of(&shape);
    let footer = *sections.last().unwrap();
    let files = shape.with(&name, |bytes| {
        replace_payload(bytes, footer, |payload| drop(payload.splice(..1, GREATEST)));
    });
    let losses = examine(&shape, &files, &mut Random(1)).repair.losses;
    assert_eq!((losses.len(), &losses[0].data), (1, &LostData::Past));
}

/// No commit could follow, so that it cannot be true: the log says what the version was.
#[test]
fn a_header_that_claims_the_greatest_version_is_damaged() {
    let shape = shape::snapshot_and_log();
    let (name, sections) = sections_of(&shape);
    let files = shape.with(&name, |bytes| {
        // After the database, in nine bytes, and the segment.
        replace_payload(bytes, sections[0], |payload| drop(payload.splice(10..11, GREATEST)));
    });
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::from_files(files));
    let verification = wait(selkie::verify_storage(&storage)).unwrap();
    assert!(verification.opening.is_err());
    let repair = verification.repair.unwrap();
    assert_eq!((repair.version, repair.is_lossless()), (shape.last_version(), false));
    assert_eq!(repair.losses[0].data, LostData::Names);
}

#[test]
fn a_header_without_keyspaces_is_examined() {
    let shape = shape::snapshot_and_log();
    let (name, sections) = sections_of(&shape);
    let mut files = shape.with(&name, |bytes| {
        replace_payload(bytes, sections[0], |payload| {
            let default = payload.windows(7).position(|name| name == b"default").unwrap();
            // Before the name there are its length, its number, and how many there are.
            payload.truncate(default - 3);
            payload.push(0);
        });
    });
    // Without the log nothing but the snapshot can be kept.
    files.retain(|file, _| !file.starts_with("0000000000000001"));
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::from_files(files));
    let verification = wait(selkie::verify_storage(&storage)).unwrap();
    assert!(verification.opening.is_err());
    assert!(verification.repair.is_ok_and(|repair| repair.keys == 0 && !repair.is_lossless()));
}
