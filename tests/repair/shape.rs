//! Databases to be damaged, and what they held after each commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use selkie::storage::MemoryStorage;
use selkie::{Compression, Database, Options, Retention, SnapshotPolicy, Transaction, Version, Writable};

use crate::common::Random;
use crate::state::State;

pub(crate) const FILE_HEAD_BYTES: usize = 16;
pub(crate) const SECTION_HEAD_BYTES: usize = 24;

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A database at rest.
pub(crate) struct Shape {
    pub(crate) files: Files,
    /// Whether it was closed, so that no loss at its end goes unnoticed.
    pub(crate) closed: bool,
    /// What it held after each commit, from none on.
    pub(crate) states: Vec<State>,
}

/// A database that is being made.
struct Workshop {
    storage: MemoryStorage,
    db: Database,
    states: Vec<State>,
    random: Random,
}

impl Shape {
    pub(crate) fn last(&self) -> &State {
        self.states.last().unwrap()
    }

    pub(crate) fn last_version(&self) -> Version {
        self.last().version
    }

    /// The database with one file changed.
    pub(crate) fn with(&self, file: &str, change: impl FnOnce(&mut Vec<u8>)) -> Files {
        let mut files = self.files.clone();
        change(files.get_mut(file).unwrap());
        files
    }

    /// The name of the only snapshot.
    pub(crate) fn snapshot(&self) -> String {
        let mut names = self.files.keys().filter(|name| name.ends_with(".snapshot"));
        let name = names.next().unwrap().clone();
        assert_eq!(names.next(), None);
        name
    }
}

impl Workshop {
    fn new(options: Options) -> Self {
        let storage = MemoryStorage::new();
        let empty = options.clone().open_storage(Arc::new(storage.clone())).unwrap();
        let states = vec![State::of(&empty)];
        empty.close().unwrap();
        let db = options.history(Retention::Forever).open_storage(Arc::new(storage.clone())).unwrap();
        Self { storage, db, states, random: Random(3) }.note()
    }

    fn note(mut self) -> Self {
        assert_eq!(self.db.version(), self.states.len() as Version, "a state for each commit");
        self.states.push(State::of(&self.db));
        self
    }

    fn value(&mut self, bytes: u64) -> Vec<u8> {
        let length = bytes / 2 + self.random.below(bytes);
        (0..length).map(|_| self.random.next() as u8).collect()
    }

    /// Sets keys out of `keys` to values of about so many bytes, and removes one now and then.
    fn commits(mut self, count: u32, keys: u64, value_bytes: u64) -> Self {
        for _ in 0..count {
            let key = format!("key {:05}", self.random.below(keys));
            if self.random.below(8) == 0 {
                self.db.remove(&key).unwrap();
            } else {
                let value = self.value(value_bytes);
                self.db.insert(&key, value).unwrap();
            }
            self = self.note();
        }
        self
    }

    /// Sets many keys with one commit.
    fn fill(mut self, keyspace: &str, keys: u64, value_bytes: u64) -> Self {
        let values: Vec<_> = (0..keys).map(|key| (format!("key {key:05}"), self.value(value_bytes))).collect();
        let keyspace = self.db.keyspace(keyspace).unwrap();
        let change = |tx: &mut Transaction| {
            let mut part = tx.keyspace_mut(&keyspace);
            values.iter().try_for_each(|(key, value)| part.insert(key, value))
        };
        self.db.update(change).unwrap();
        self.note()
    }

    /// Sets keys that begin with a letter, with one commit.
    fn prefixed(mut self, letter: char, keys: u64) -> Self {
        let values: Vec<_> = (0..keys).map(|key| (format!("{letter} {key:05}"), self.value(1000))).collect();
        let change = |tx: &mut Transaction| values.iter().try_for_each(|(key, value)| tx.insert(key, value));
        self.db.update(change).unwrap();
        self.note()
    }

    /// Keeps pieces of something under consecutive keys.
    fn pieces(mut self, pieces: Vec<Vec<u8>>) -> Self {
        for (number, piece) in pieces.into_iter().enumerate() {
            self.db.insert(format!("b {number:05}"), piece).unwrap();
            self = self.note();
        }
        self
    }

    fn create(self, keyspace: &str) -> Self {
        self.db.keyspace(keyspace).unwrap();
        self.note()
    }

    fn drop(self, keyspace: &str) -> Self {
        self.db.drop_keyspace(keyspace).unwrap();
        self.note()
    }

    /// Gives one key so many versions that they take several blocks of a snapshot.
    fn long_history(mut self, keyspace: &str) -> Self {
        let keyspace = self.db.keyspace(keyspace).unwrap();
        for _ in 0..16 {
            let value = self.value(100_000);
            keyspace.insert("key 00007", value).unwrap();
            self = self.note();
        }
        self
    }

    fn snapshot(self) -> Self {
        self.db.snapshot().unwrap();
        self
    }

    fn closed(self) -> Shape {
        self.db.close().unwrap();
        Shape { files: self.storage.files(), closed: true, states: self.states }
    }

    fn crashed(self) -> Shape {
        Shape { files: self.storage.files(), closed: false, states: self.states }
    }
}

fn options() -> Options {
    let options = Options::new().snapshots(SnapshotPolicy::Never).retained_snapshots(1);
    options.segment_bytes(4096).compression(Compression::None)
}

/// A log of several segments.
pub(crate) fn log() -> Shape {
    Workshop::new(options()).commits(60, 10, 300).closed()
}

/// The same, copied while it was open.
pub(crate) fn crashed_log() -> Shape {
    Workshop::new(options()).commits(60, 10, 300).crashed()
}

/// A snapshot of several blocks, and a log of several segments.
pub(crate) fn snapshot_and_log() -> Shape {
    let workshop = Workshop::new(options()).fill("default", 400, 1000).commits(5, 400, 300).snapshot();
    workshop.commits(40, 400, 300).closed()
}

/// Keyspaces that come and go, and a history that does not fit into one block of the snapshot.
pub(crate) fn history() -> Shape {
    let workshop = Workshop::new(options()).create("users").create("gone").create("a").fill("users", 100, 2000);
    let workshop = workshop.long_history("users").drop("gone").commits(20, 20, 2000).fill("a", 50, 300).snapshot();
    let workshop = workshop.fill("users", 10, 200).create("later").fill("later", 5, 100).drop("a");
    workshop.commits(20, 20, 300).closed()
}

/// Two snapshots, and the log from the older one on.
pub(crate) fn two_snapshots() -> Shape {
    let workshop = Workshop::new(options().retained_snapshots(2)).fill("default", 30, 200).snapshot();
    workshop.commits(30, 30, 300).snapshot().commits(20, 30, 300).closed()
}

/// A keyspace that has its first keys after the snapshot.
pub(crate) fn empty_keyspace() -> Shape {
    let workshop = Workshop::new(options()).create("users").commits(5, 10, 100).snapshot();
    workshop.fill("users", 10, 100).commits(5, 10, 100).closed()
}

/// A log whose commits set two keys each.
pub(crate) fn pairs() -> Shape {
    let mut workshop = Workshop::new(options());
    for number in 0..20 {
        let change = |tx: &mut Transaction| {
            tx.insert("first", format!("{number}"))?;
            tx.insert("secon", format!("{number}"))
        };
        workshop.db.update(change).unwrap();
        workshop = workshop.note();
    }
    workshop.closed()
}

/// A snapshot with a value that is itself a snapshot of several blocks, and other blocks after it.
pub(crate) fn backup_as_value() -> Shape {
    let backup = backup(Compression::None);
    let mut workshop = Workshop::new(options());
    workshop.db.insert("key", backup).unwrap();
    workshop = workshop.note();
    workshop.fill("default", 400, 1000).snapshot().commits(3, 400, 100).closed()
}

/// A snapshot with a backup of another database in pieces that are shorter than it and longer than its blocks, and with
/// keys before and after them.
pub(crate) fn backup_in_chunks(compression: Compression, chunk_bytes: usize) -> Shape {
    let backup = backup(compression);
    let chunks = backup.chunks(chunk_bytes).map(<[u8]>::to_vec);
    let workshop = Workshop::new(options().compression(compression)).prefixed('a', 200);
    workshop.pieces(chunks.collect()).prefixed('c', 300).snapshot().commits(3, 10, 100).closed()
}

/// The same in pieces that are one section each. A block of the outer snapshot ends with each, and has its number.
pub(crate) fn backup_in_sections() -> Shape {
    let backup = backup(Compression::None);
    let (head, mut rest) = backup.split_at(FILE_HEAD_BYTES);
    let mut pieces = vec![head.to_vec()];
    for (_, bytes) in sections(&backup) {
        let (section, after) = rest.split_at(bytes);
        pieces.push(section.to_vec());
        rest = after;
    }
    let workshop = Workshop::new(options()).pieces(pieces);
    workshop.prefixed('c', 300).snapshot().commits(3, 10, 100).closed()
}

/// A snapshot with a value of many heads of empty sections, the last of them a footer that does not end the file.
pub(crate) fn heads_as_value(first: u32, count: u32) -> Shape {
    let mut value = Vec::new();
    for number in 0..count {
        let kind = if number + 1 < count { 2_u32 } else { 3 };
        let head: Vec<u8> = [kind, first + number, 0, 0, 0].into_iter().flat_map(u32::to_le_bytes).collect();
        value.extend_from_slice(&head);
        value.extend_from_slice(&crc32fast::hash(&head).to_le_bytes());
    }
    Workshop::new(options()).pieces(vec![value]).prefixed('c', 700).snapshot().commits(3, 10, 100).closed()
}

/// Several blocks of keys that no shape has itself.
fn backup(compression: Compression) -> Vec<u8> {
    let kept = options().compression(compression).in_memory().unwrap();
    let mut random = Random(5);
    let mut value = || (0..1000).map(|_| random.next() as u8).collect::<Vec<_>>();
    let fill = |tx: &mut Transaction| (0..900).try_for_each(|key| tx.insert(format!("b inner {key:05}"), value()));
    kept.update(fill).unwrap();
    let mut backup = Vec::new();
    kept.backup(&mut backup).unwrap();
    backup
}

/// Where each section of a snapshot begins, and how long it is.
pub(crate) fn sections(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut sections = Vec::new();
    let mut offset = FILE_HEAD_BYTES;
    while offset < bytes.len() {
        let stored = u32::from_le_bytes(bytes[offset + 12..offset + 16].try_into().unwrap()) as usize;
        sections.push((offset, SECTION_HEAD_BYTES + stored));
        offset += SECTION_HEAD_BYTES + stored;
    }
    sections
}
