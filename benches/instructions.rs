//! One hot path at a time, for callgrind: `cargo xtask instructions` counts what a path executes, and compares it with
//! benches/instructions.json. Instructions repeat where times do not.
//!
//! Without an argument the paths are named, with a name that path is done once.

#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

mod common;

use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::Arc;

use common::{VALUE, key, load, scramble};
use selkie::storage::MemoryStorage;
use selkie::{Database, Durability, Options, Readable, SnapshotPolicy, View, Writable};

const RECORDS: u64 = 10_000;
/// How often a short path is taken, so that what comes before and after it does not count.
const TURNS: u64 = 1_000;

struct Path {
    name: &'static str,
    run: fn(),
}

const PATHS: &[Path] = &[
    Path { name: "point reads, borrowed, in a view", run: borrowed_reads },
    Path { name: "first point reads, borrowed, in a view", run: first_reads },
    Path { name: "point reads, owned, without a view", run: own_reads },
    Path { name: "point reads of what is not there", run: missing_reads },
    Path { name: "scan by a closure", run: || over_view(scan) },
    Path { name: "scan by a closure, backwards", run: || over_view(scan_back) },
    Path { name: "iterator", run: || over_view(|view| view.iter().map(|entry| entry.unwrap().1.len()).sum()) },
    Path { name: "reversed iterator", run: || over_view(|view| view.iter().rev().map(|e| e.unwrap().1.len()).sum()) },
    Path { name: "count", run: || over_view(|view| view.count_range::<&[u8]>(..).unwrap()) },
    Path { name: "ranges of 100", run: ranges },
    Path { name: "inserts in memory", run: inserts },
    Path { name: "read-modify-write transactions in memory", run: transactions },
    Path { name: "a transaction of 1000 writes in memory", run: large_transaction },
    Path { name: "buffered commits", run: buffered_commits },
    Path { name: "recovery from the log", run: || recovery(false) },
    Path { name: "recovery from a snapshot", run: || recovery(true) },
];

/// What callgrind counts: its name is how it is found.
#[inline(never)]
fn counted_path<T>(path: impl FnOnce() -> T) -> T {
    black_box(path())
}

fn loaded() -> Database {
    let db = Database::in_memory();
    load(&db, RECORDS);
    db
}

fn keys(first: u64) -> Vec<[u8; 16]> {
    (0..TURNS).map(|turn| key(first + scramble(turn) % RECORDS)).collect()
}

fn read_all(view: &View, keys: &[[u8; 16]]) -> usize {
    keys.iter().map(|key| view.get_with(key, <[u8]>::len).unwrap().unwrap()).sum()
}

fn borrowed_reads() {
    let (db, keys) = (loaded(), keys(0));
    let view = db.begin_read().unwrap();
    read_all(&view, &keys);
    counted_path(|| read_all(&view, &keys));
}

fn first_reads() {
    let (db, keys) = (loaded(), keys(0));
    let view = db.begin_read().unwrap();
    counted_path(|| read_all(&view, &keys));
}

fn own_reads() {
    let (db, keys) = (loaded(), keys(0));
    read_all(&db.begin_read().unwrap(), &keys);
    counted_path(|| keys.iter().map(|key| db.get(key).unwrap().unwrap().len()).sum::<usize>());
}

fn missing_reads() {
    let (db, keys) = (loaded(), keys(RECORDS));
    let view = db.begin_read().unwrap();
    let found = counted_path(|| keys.iter().filter(|key| view.contains_key(key).unwrap()).count());
    assert_eq!(found, 0);
}

fn over_view(path: fn(&View) -> usize) {
    let db = loaded();
    let view = db.begin_read().unwrap();
    assert!(counted_path(|| path(&view)) > 0);
}

fn scan(view: &View) -> usize {
    let mut bytes = 0;
    view.scan::<&[u8]>(.., |_, value| add(&mut bytes, value)).unwrap();
    bytes
}

fn scan_back(view: &View) -> usize {
    let mut bytes = 0;
    view.scan_back::<&[u8]>(.., |_, value| add(&mut bytes, value)).unwrap();
    bytes
}

fn add(bytes: &mut usize, value: &[u8]) -> ControlFlow<()> {
    *bytes += value.len();
    ControlFlow::Continue(())
}

fn ranges() {
    let (db, keys) = (loaded(), keys(0));
    let view = db.begin_read().unwrap();
    let sum = || -> usize {
        keys[..100]
            .iter()
            .map(|key| view.range(key.as_slice()..).take(100).map(|entry| entry.unwrap().1.len()).sum::<usize>())
            .sum()
    };
    counted_path(sum);
}

fn inserts() {
    let (db, keys) = (loaded(), keys(0));
    counted_path(|| keys.iter().for_each(|key| drop(db.insert(key, VALUE).unwrap())));
}

fn transactions() {
    let (db, keys) = (loaded(), keys(0));
    let change = |key: &[u8; 16]| {
        db.update(|tx| {
            let mut value: [u8; 100] = tx.get_with(key, |value| value.try_into().unwrap())?.unwrap_or(VALUE);
            value[0] = value[0].wrapping_add(1);
            tx.insert(key, value)
        })
    };
    counted_path(|| keys.iter().for_each(|key| change(key).unwrap()));
}

fn large_transaction() {
    let (db, keys) = (loaded(), keys(0));
    counted_path(|| db.update(|tx| keys.iter().try_for_each(|key| tx.insert(key, VALUE))).unwrap());
}

fn options() -> Options {
    Options::new().durability(Durability::Buffered).snapshots(SnapshotPolicy::Never)
}

fn buffered_commits() {
    let (db, keys) = (options().open_storage(Arc::new(MemoryStorage::new())).unwrap(), keys(0));
    counted_path(|| keys.iter().for_each(|key| drop(db.insert(key, VALUE).unwrap())));
}

fn recovery(from_snapshot: bool) {
    let storage = Arc::new(MemoryStorage::new());
    let db = options().open_storage(storage.clone()).unwrap();
    load(&db, RECORDS);
    if from_snapshot {
        db.snapshot().unwrap();
    }
    db.close().unwrap();
    let db = counted_path(|| options().open_storage(storage).unwrap());
    assert_eq!(db.begin_read().unwrap().count_range::<&[u8]>(..).unwrap(), RECORDS as usize);
}

fn main() {
    // Cargo adds an argument of its own.
    let wanted = std::env::args().nth(1).filter(|argument| argument != "--bench");
    let Some(wanted) = wanted else {
        for path in PATHS {
            println!("{}", path.name);
        }
        return;
    };
    let path = PATHS.iter().find(|path| path.name == wanted);
    (path.unwrap_or_else(|| panic!("no path is named `{wanted}`")).run)();
}
