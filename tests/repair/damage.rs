//! Bytes flipped, ends cut off, pages zeroed and files missing, one at a time and several at once.

use selkie::{LostData, Repair};

use crate::common::Random;
use crate::examine::{Told, examine};
use crate::shape::{self, Files, Shape};

/// How often each outcome was seen.
#[derive(Debug, Default)]
struct Tally {
    lossless: u32,
    /// An earlier state, whole.
    earlier: u32,
    /// A state without some of the keys of a snapshot.
    partial: u32,
    /// Nothing at all.
    empty: u32,
}

struct Trials {
    shape: Shape,
    tally: Tally,
    random: Random,
}

impl Trials {
    fn new(shape: Shape) -> Self {
        let mut random = Random(11);
        let undamaged = examine(&shape, &shape.files, &mut random).repair;
        assert_eq!((undamaged.version, undamaged.losses.len()), (shape.last_version(), 0));
        Self { shape, tally: Tally::default(), random }
    }

    fn try_with(&mut self, told: String, files: &Files) {
        let _told = Told(told);
        let repair = examine(&self.shape, files, &mut self.random).repair;
        *self.outcome(&repair) += 1;
    }

    fn outcome(&mut self, repair: &Repair) -> &mut u32 {
        let has_ranges = repair.losses.iter().any(|loss| matches!(loss.data, LostData::Keys(_)));
        match repair.version {
            _ if has_ranges => &mut self.tally.partial,
            version if version == self.shape.last_version() => &mut self.tally.lossless,
            0 => &mut self.tally.empty,
            _ => &mut self.tally.earlier,
        }
    }

    /// One byte in so many, and more of the heads of files.
    fn flip_bytes(&mut self, step: usize, step_in_heads: usize) {
        for (file, bytes) in self.shape.files.clone() {
            let is_tried =
                |place: &usize| place.is_multiple_of(step) || *place < 100 && place.is_multiple_of(step_in_heads);
            for place in (0..bytes.len()).filter(is_tried) {
                let flipped = 1 << self.random.below(8);
                let files = self.shape.with(&file, |bytes| bytes[place] ^= flipped);
                self.try_with(format!("byte {place} of {file} flipped by {flipped}"), &files);
            }
        }
    }

    fn truncate(&mut self, step: usize) {
        for (file, bytes) in self.shape.files.clone() {
            for length in (0..bytes.len()).step_by(step) {
                let files = self.shape.with(&file, |bytes| bytes.truncate(length));
                self.try_with(format!("{file} cut to {length}"), &files);
            }
        }
    }

    fn zero_pages(&mut self, page_bytes: usize) {
        for (file, bytes) in self.shape.files.clone() {
            for start in (0..bytes.len()).step_by(page_bytes) {
                let end = bytes.len().min(start + page_bytes);
                let files = self.shape.with(&file, |bytes| bytes[start..end].fill(0));
                self.try_with(format!("{file} zeroed from {start} to {end}"), &files);
            }
        }
    }

    fn lose_files(&mut self) {
        for file in self.shape.files.clone().into_keys() {
            let mut files = self.shape.files.clone();
            files.remove(&file);
            self.try_with(format!("{file} missing"), &files);
        }
    }

    /// Two to four damages at once.
    fn damage_several(&mut self, rounds: u32) {
        let seed = std::env::var("REPAIR_SEED").ok().map(|seed| seed.parse().unwrap());
        for round in 0..if seed.is_some() { 1 } else { rounds } {
            let seed = seed.unwrap_or(u64::from(round) * 7919);
            let mut random = Random(seed);
            let mut files = self.shape.files.clone();
            for _ in 0..2 + random.below(3) {
                damage_once(&mut files, &mut random);
            }
            self.shape.closed = false;
            self.try_with(format!("REPAIR_SEED={seed} damages the same places again"), &files);
        }
    }

    fn finish(self, name: &str) -> Tally {
        println!("{name}: {} bytes, {:?}", self.shape.files.values().map(Vec::len).sum::<usize>(), self.tally);
        self.tally
    }
}

fn damage_once(files: &mut Files, random: &mut Random) {
    let names: Vec<_> = files.keys().cloned().collect();
    let name = &names[random.below(names.len() as u64) as usize];
    let bytes = files.get_mut(name).unwrap();
    let place = random.below(bytes.len().max(1) as u64) as usize;
    match random.below(8) {
        0 => drop(files.remove(name)),
        1 => bytes.truncate(place),
        2 => {
            let end = bytes.len().min(place + 512);
            bytes[place..end].fill(0);
        }
        _ if bytes.is_empty() => {}
        _ => bytes[place] ^= 1 << random.below(8),
    }
}

#[test]
fn a_log() {
    let mut trials = Trials::new(shape::log());
    trials.flip_bytes(31, 1);
    trials.truncate(61);
    trials.zero_pages(4096);
    trials.zero_pages(256);
    trials.lose_files();
    trials.damage_several(300);
    let tally = trials.finish("log");
    assert!(tally.lossless > 0 && tally.earlier > 0 && tally.empty > 0 && tally.partial == 0);
}

#[test]
fn a_log_copied_while_open() {
    let mut trials = Trials::new(shape::crashed_log());
    trials.flip_bytes(31, 1);
    trials.truncate(61);
    trials.zero_pages(4096);
    trials.zero_pages(256);
    trials.lose_files();
    trials.damage_several(300);
    let tally = trials.finish("log, crashed");
    assert!(tally.lossless > 0 && tally.earlier > 0 && tally.empty > 0 && tally.partial == 0);
}

#[test]
fn a_snapshot_and_a_log() {
    let mut trials = Trials::new(shape::snapshot_and_log());
    trials.flip_bytes(3989, 7);
    trials.truncate(9973);
    trials.zero_pages(4096);
    trials.lose_files();
    trials.damage_several(150);
    let tally = trials.finish("snapshot and log");
    assert!(tally.lossless > 0 && tally.earlier > 0 && tally.partial > 0);
}

#[test]
fn a_history_with_keyspaces() {
    let mut trials = Trials::new(shape::history());
    trials.flip_bytes(19_997, 9);
    trials.truncate(49_999);
    trials.zero_pages(65_536);
    trials.lose_files();
    trials.damage_several(40);
    let tally = trials.finish("history");
    assert!(tally.lossless > 0 && tally.earlier > 0 && tally.partial > 0);
}

#[test]
fn two_snapshots() {
    let mut trials = Trials::new(shape::two_snapshots());
    trials.flip_bytes(97, 3);
    trials.truncate(199);
    trials.zero_pages(512);
    trials.lose_files();
    trials.damage_several(300);
    let tally = trials.finish("two snapshots");
    assert!(tally.lossless > 0 && tally.earlier > 0);
}
