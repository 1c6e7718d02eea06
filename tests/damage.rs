//! Every byte of every file damaged in every way we can think of: nothing wrong is ever read.
//!
//! A damaged database opens with everything, or without a torn tail where a crash could have left one, or it is refused
//! with a typed error and its files stay as they are. A file that ends exactly between two frames is the one state
//! in which nothing is left to be noticed: a crash before the next commit leaves the very same bytes. That passes
//! only where the database was not closed, and only by truncating or zeroing the end of the last segment.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{Contents, Random, contents, last_file};
use selkie::storage::MemoryStorage;
use selkie::{Database, Durability, ErrorKind, Options, Retention, Writable};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// The header of a segment is durable before anything follows it, so it cannot be lost in a crash.
const SEGMENT_HEADER_BYTES: usize = 72;

type Files = BTreeMap<String, Vec<u8>>;

/// A database that is being built, and what it held after each commit.
struct Workshop {
    storage: MemoryStorage,
    durability: Durability,
    db: Database,
    states: Vec<Contents>,
}

impl Workshop {
    fn new(durability: Durability) -> Self {
        let storage = MemoryStorage::new();
        let db = open(&storage, durability).unwrap();
        let states = vec![contents(&db)];
        db.close().unwrap();
        let options = Options::new().durability(durability).history(Retention::Forever).segment_bytes(4096);
        let db = options.open_storage(Arc::new(storage.clone())).unwrap();
        let mut workshop = Self { storage, durability, db, states };
        workshop.note();
        workshop
    }

    fn note(&mut self) {
        self.states.push(contents(&self.db));
    }

    fn commits(mut self, count: u32, value_bytes: usize) -> Self {
        for _ in 0..count {
            let number = self.states.len();
            self.db.insert(format!("key {}", number % 3), vec![number as u8; value_bytes]).unwrap();
            self.note();
        }
        self
    }

    /// Commits over two keyspaces, one more that is dropped again, and a removal.
    fn keyspaces(mut self) -> Self {
        let users = self.db.keyspace("users").unwrap();
        self.note();
        let change = |tx: &mut selkie::Transaction| {
            tx.remove("key 1")?;
            tx.keyspace_mut(&users).insert("ada", "1815")
        };
        self.db.update(change).unwrap();
        self.note();
        self.db.keyspace("gone").unwrap();
        self.note();
        self.db.drop_keyspace("gone").unwrap();
        self.note();
        self
    }

    fn snapshot(self) -> Self {
        self.db.snapshot().unwrap();
        self
    }

    /// Goes on in what a crash would have left.
    fn crash(self) -> Self {
        let storage = self.storage.copy();
        let db = open(&storage, self.durability).unwrap();
        Self { storage, db, ..self }
    }

    fn crashed(self) -> Subject {
        let is_synced = self.durability == Durability::Immediate;
        Subject { is_synced, ..Subject::new(&self.storage.copy(), self.states, false) }
    }

    fn closed(self) -> Subject {
        self.db.close().unwrap();
        Subject::new(&self.storage, self.states, true)
    }
}

fn open(storage: &MemoryStorage, durability: Durability) -> selkie::Result<Database> {
    Options::new().durability(durability).segment_bytes(4096).open_storage(Arc::new(storage.clone()))
}

/// How often each outcome was seen.
#[derive(Debug, Default)]
struct Tally {
    identical: u32,
    cut: u32,
    /// An earlier state without a trace of the later one.
    without_trace: u32,
    refused: u32,
    silent: u32,
}

/// A kind of damage: flipped bytes always leave a trace, while what is cut off or zeroed may be gone without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    Flip,
    Loss,
    Missing,
}

/// A database at rest, and what it held after each commit.
struct Subject {
    files: Files,
    states: Vec<Contents>,
    closed: bool,
    /// Whether each commit was synced before the next began: all but the last frame are told of by a later one.
    is_synced: bool,
    last_segment: String,
    tally: Tally,
}

impl Subject {
    fn new(storage: &MemoryStorage, states: Vec<Contents>, closed: bool) -> Self {
        let (files, last_segment) = (storage.files(), last_file(storage, ".log"));
        let subject = Self { files, states, closed, is_synced: closed, last_segment, tally: Tally::default() };
        let undamaged = MemoryStorage::from_files(subject.files.clone());
        let found = contents(&common::open(&undamaged).unwrap());
        assert_eq!(&found, subject.states.last().unwrap());
        subject
    }

    /// Opens the files with one of them replaced, or missing, and counts what comes of it.
    fn try_with(&mut self, damage: Damage, read_only: bool, file: &str, place: usize, bytes: Option<Vec<u8>>) {
        let mut files = self.files.clone();
        match bytes {
            Some(bytes) => files.insert(file.to_owned(), bytes),
            None => files.remove(file),
        };
        let storage = MemoryStorage::from_files(files.clone());
        let opened = Options::new().read_only(read_only).open_storage(Arc::new(storage.clone()));
        let outcome = match &opened {
            Ok(db) => self.judge(damage, file, place, db),
            Err(error) if matches!(error.kind(), ErrorKind::Corrupted { .. } | ErrorKind::UnsupportedFormat { .. }) => {
                assert_eq!(storage.files(), files, "a refused open changed the files");
                &mut self.tally.refused
            }
            Err(_) => &mut self.tally.silent,
        };
        *outcome += 1;
        let report = opened.map(|db| (db.version(), db.recovery().clone()));
        assert_eq!(self.tally.silent, 0, "{damage:?} at {place} of {file}: {report:?}");
    }

    fn judge(&mut self, damage: Damage, file: &str, place: usize, db: &Database) -> &mut u32 {
        let found = contents(db);
        if found == *self.states.last().unwrap() {
            return &mut self.tally.identical;
        }
        let may_lose = !self.closed && file == self.last_segment && damage != Damage::Missing;
        let earliest = if self.is_synced && damage == Damage::Flip { self.states.len() - 2 } else { 0 };
        if !may_lose || !self.states[earliest..].contains(&found) {
            return &mut self.tally.silent;
        }
        match (damage, db.recovery().bytes_cut) {
            (Damage::Loss, 0) if place >= SEGMENT_HEADER_BYTES => &mut self.tally.without_trace,
            (_, 0) => &mut self.tally.silent,
            _ => &mut self.tally.cut,
        }
    }

    fn flip_every_bit(&mut self, bits: impl Fn(usize) -> std::ops::Range<u32>) {
        let mut random = Random(7);
        for (file, bytes) in self.files.clone() {
            for place in 0..bytes.len() {
                for bit in bits(place) {
                    let mut damaged = bytes.clone();
                    damaged[place] ^= 1 << bit;
                    self.try_with(Damage::Flip, true, &file, place, Some(damaged));
                }
                let mut damaged = bytes.clone();
                damaged[place] ^= 1 + random.below(255) as u8;
                self.try_with(Damage::Flip, false, &file, place, Some(damaged));
            }
        }
    }

    fn truncate_everywhere(&mut self) {
        for (file, bytes) in self.files.clone() {
            for length in 0..bytes.len() {
                self.try_with(Damage::Loss, false, &file, length, Some(bytes[..length].to_vec()));
            }
        }
    }

    fn zero_every_page(&mut self, page_bytes: usize) {
        for (file, bytes) in self.files.clone() {
            for start in (0..bytes.len()).step_by(page_bytes) {
                let mut damaged = bytes.clone();
                let end = bytes.len().min(start + page_bytes);
                damaged[start..end].fill(0);
                self.try_with(Damage::Loss, false, &file, start, Some(damaged));
            }
        }
    }

    fn lose_every_file(&mut self) {
        for file in self.files.clone().into_keys() {
            self.try_with(Damage::Missing, false, &file, 0, None);
        }
    }

    fn damage_everything(mut self, name: &str, bits: impl Fn(usize) -> std::ops::Range<u32>) {
        self.flip_every_bit(bits);
        self.truncate_everywhere();
        self.zero_every_page(4096);
        self.zero_every_page(512);
        self.zero_every_page(64);
        self.lose_every_file();
        println!("{name}: {} bytes, {:?}", self.files.values().map(Vec::len).sum::<usize>(), self.tally);
        assert!(self.tally.refused > 0);
    }
}

fn every_bit(_place: usize) -> std::ops::Range<u32> {
    0..8
}

fn one_bit(place: usize) -> std::ops::Range<u32> {
    let bit = place as u32 % 8;
    bit..bit + 1
}

#[test]
fn a_log_copied_while_open() {
    Workshop::new(Durability::Immediate)
        .commits(4, 10)
        .keyspaces()
        .crashed()
        .damage_everything("log, crashed", every_bit);
}

#[test]
fn a_log_copied_while_open_and_never_synced() {
    let workshop = Workshop::new(Durability::Buffered).commits(4, 10).keyspaces();
    workshop.crashed().damage_everything("log, crashed, not synced", every_bit);
}

#[test]
fn a_log_closed_cleanly() {
    Workshop::new(Durability::Immediate)
        .commits(4, 10)
        .keyspaces()
        .closed()
        .damage_everything("log, closed", every_bit);
}

#[test]
fn a_log_never_synced_and_closed_cleanly() {
    let workshop = Workshop::new(Durability::Queued).commits(4, 10).keyspaces();
    workshop.closed().damage_everything("log, queued, closed", every_bit);
}

#[test]
fn a_snapshot_and_log_copied_while_open() {
    let workshop = Workshop::new(Durability::Immediate).commits(4, 10).keyspaces().snapshot().commits(3, 10);
    workshop.crashed().damage_everything("snapshot and log, crashed", every_bit);
}

#[test]
fn a_snapshot_and_log_closed_cleanly() {
    let workshop = Workshop::new(Durability::Immediate).commits(4, 10).keyspaces().snapshot().commits(3, 10);
    workshop.closed().damage_everything("snapshot and log, closed", every_bit);
}

#[test]
fn a_snapshot_alone_closed_cleanly() {
    let workshop = Workshop::new(Durability::Immediate).commits(2, 10).keyspaces().snapshot();
    workshop.closed().damage_everything("snapshot, closed", every_bit);
}

#[test]
fn several_segments_copied_while_open() {
    let workshop = Workshop::new(Durability::Immediate).commits(5, 1500);
    workshop.crashed().damage_everything("segments, crashed", one_bit);
}

#[test]
fn several_segments_closed_cleanly() {
    let workshop = Workshop::new(Durability::Immediate).commits(5, 1500);
    workshop.closed().damage_everything("segments, closed", one_bit);
}

#[test]
fn a_log_copied_while_open_after_a_crash() {
    let workshop = Workshop::new(Durability::Immediate).commits(2, 10).crash().commits(2, 10);
    workshop.crashed().damage_everything("log, crashed twice", every_bit);
}

#[test]
fn a_log_closed_cleanly_after_a_crash() {
    let workshop = Workshop::new(Durability::Immediate).commits(2, 10).crash().commits(2, 10);
    workshop.closed().damage_everything("log, crashed and closed", every_bit);
}

#[test]
fn a_log_copied_right_after_reopening_a_crashed_one() {
    let workshop = Workshop::new(Durability::Immediate).commits(2, 10).crash();
    workshop.crashed().damage_everything("log, crashed and reopened", every_bit);
}
