//! What is lost of a damaged snapshot, section by section.

use selkie::{Corruption, LossCause, LostData};

use crate::common::Random;
use crate::examine::examine;
use crate::shape::{self, Shape};

const FILE_HEAD_BYTES: usize = 16;
const SECTION_HEAD_BYTES: usize = 24;

/// Where each section begins, and how long it is.
fn sections(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut sections = Vec::new();
    let mut offset = FILE_HEAD_BYTES;
    while offset < bytes.len() {
        let stored = u32::from_le_bytes(bytes[offset + 12..offset + 16].try_into().unwrap()) as usize;
        sections.push((offset, SECTION_HEAD_BYTES + stored));
        offset += SECTION_HEAD_BYTES + stored;
    }
    sections
}

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
