//! Crashes: copies of the live files, taken at moments of a run, are opened elsewhere in the same storage.
#![cfg(all(target_arch = "wasm32", feature = "web"))]
#![allow(clippy::unwrap_used)]

mod common;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::task::{Context, Waker};

use common::Random;
use common::events::turn;
use common::web::{Files, Place, files_of, on_both_storages};
use selkie::storage::HostStorage;
use selkie::{
    CommitFuture, Database, ErrorKind, Options, Readable, Result, SnapshotPolicy, TransactionOptions, Version, Writable,
};

const KEYS: u8 = 5;
const BURSTS: u32 = 10;
/// More than any frame of these tests has.
const FRAME_BYTES: usize = 600;

on_both_storages! {
    copies_of_a_run_have_what_was_acknowledged
    torn_tails_are_cut
    damage_of_closed_segments_is_told
}

fn options() -> Options {
    Options::new().snapshots(SnapshotPolicy::Never).segment_bytes(8 << 10)
}

async fn open(place: &Place) -> Result<Database> {
    options().open_storage_async(place.storage().await).await
}

async fn create(place: &Place) -> Result<(Arc<HostStorage>, Database)> {
    let storage = place.storage().await;
    let database = options().open_storage_async(storage.clone()).await?;
    Ok((storage, database))
}

fn value(number: Version) -> Vec<u8> {
    [number.to_le_bytes().as_slice(), &vec![number as u8; number as usize % 90]].concat()
}

/// A commit of all keys together, whose version is to be the number.
fn commit(database: &Database, number: Version) -> CommitFuture {
    let mut transaction = database.begin_with(TransactionOptions::new().write_only()).unwrap();
    for key in 0..KEYS {
        transaction.insert([key], value(number)).unwrap();
    }
    transaction.commit_async()
}

/// Nothing but the commit of the database's version is there, and it is there as a whole.
fn assert_whole(database: &Database) -> Result<()> {
    let view = database.begin_read()?;
    let values: Vec<_> = view.iter().map(|entry| entry.map(|(_, value)| value)).collect::<Result<_>>()?;
    let keys = if database.version() == 0 { 0 } else { KEYS };
    assert_eq!(values, vec![value(database.version()); keys.into()]);
    Ok(())
}

/// Opens the files in another place, and commits to them.
async fn recover(place: &Place, files: &Files, expected: RangeInclusive<Version>) -> Result<u64> {
    let another = place.another();
    another.write(files).await;
    let database = open(&another).await?;
    let (version, cut) = (database.version(), database.recovery().bytes_cut);
    assert!(expected.contains(&version), "version {version} is none of {expected:?}");
    assert_whole(&database)?;
    assert_eq!(commit(&database, version + 1).await?.version(), version + 1);
    database.close_async().await?;
    let database = open(&another).await?;
    assert_eq!((database.version(), database.recovery().bytes_cut), (version + 1, 0));
    assert_whole(&database)?;
    database.close_async().await?;
    Ok(cut)
}

/// Lets a future and the storage come a part of their way.
async fn advance(future: &mut (impl Future + Unpin), turns: u64) {
    for _ in 0..turns {
        let _ready = std::pin::Pin::new(&mut *future).poll(&mut Context::from_waker(Waker::noop()));
        turn().await;
    }
}

async fn copies_of_a_run_have_what_was_acknowledged(place: Place) -> Result<()> {
    let mut random = Random(js_sys::Math::random().to_bits());
    wasm_bindgen_test::console_log!("a run of {random:?}");
    let (storage, database) = create(&place).await?;
    let (mut acknowledged, mut committed) = (0, 0);
    let mut copies = Vec::new();
    for _ in 0..BURSTS {
        let burst = 1 + random.below(12);
        let commits: Vec<_> = (1..=burst).map(|number| commit(&database, committed + number)).collect();
        committed += burst;
        let mut snapshot = Box::pin(database.snapshot_async());
        let with_snapshot = random.below(4) == 0;
        if with_snapshot {
            advance(&mut snapshot, 1 + random.below(8)).await;
        }
        copies.push((files_of(&*storage).await, acknowledged..=committed));
        for commit in commits {
            acknowledged = commit.await?.version();
            if random.below(20) == 0 {
                copies.push((files_of(&*storage).await, acknowledged..=committed));
            }
        }
        if with_snapshot {
            snapshot.await?;
        }
    }
    assert_eq!(acknowledged, committed);
    database.close_async().await?;
    for (files, expected) in copies {
        recover(&place, &files, expected).await?;
    }
    Ok(())
}

/// The names of the segments of the log, in their order.
fn segments(files: &Files) -> Vec<String> {
    files.keys().filter(|name| name.strip_suffix(".log").is_some()).cloned().collect()
}

/// Zeros at the end might be space that was prepared.
fn torn_bytes(tail: &[u8]) -> u64 {
    tail.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1)
}

async fn torn_tails_are_cut(place: Place) -> Result<()> {
    let (storage, database) = create(&place).await?;
    let mut files = files_of(&*storage).await;
    let log = segments(&files).pop().unwrap();
    // Where the frame of each version ends.
    let mut ends = vec![files[&log].len()];
    for number in 1..=8 {
        commit(&database, number).await?;
        files = files_of(&*storage).await;
        ends.push(files[&log].len());
    }
    assert_eq!(segments(&files), [log.as_str()]);
    let mut random = Random(1);
    for _ in 0..4 {
        let length = ends[0] + random.below((ends[8] - ends[0]) as u64) as usize;
        let whole = ends.iter().rposition(|end| *end <= length).unwrap();
        let mut torn = files.clone();
        torn.get_mut(&log).unwrap().truncate(length);
        assert_eq!(recover(&place, &torn, whole as u64..=whole as u64).await?, torn_bytes(&torn[&log][ends[whole]..]));

        let mut torn = files.clone();
        torn.get_mut(&log).unwrap()[ends[7] + random.below((ends[8] - ends[7]) as u64) as usize] ^= 1;
        assert_eq!(recover(&place, &torn, 7..=7).await?, torn_bytes(&torn[&log][ends[7]..]));
    }
    database.close_async().await
}

async fn damage_of_closed_segments_is_told(place: Place) -> Result<()> {
    let (storage, database) = create(&place).await?;
    for number in 1..=120 {
        commit(&database, number).await?;
    }
    let files = files_of(&*storage).await;
    let mut closed = segments(&files);
    closed.pop();
    assert!(closed.len() >= 3, "{:?}", files.keys());
    let mut random = Random(2);
    for _ in 0..6 {
        let name = &closed[random.below(closed.len() as u64) as usize];
        let place_of_damage = random.below(files[name].len() as u64) as usize;
        let mut damaged = files.clone();
        damaged.get_mut(name).unwrap()[place_of_damage] ^= 0x10;
        let another = place.another();
        another.write(&damaged).await;
        let Err(error) = open(&another).await else {
            panic!("damage of {name} at {place_of_damage} was not noticed");
        };
        let ErrorKind::Corrupted { file, offset, .. } = error.kind() else { panic!("{error}") };
        assert_eq!(file, name);
        let damaged_frame = *offset as usize..*offset as usize + FRAME_BYTES;
        assert!(damaged_frame.contains(&place_of_damage), "{offset}");
        assert_eq!(another.files().await, damaged, "a refused database is left as it is");
    }
    database.close_async().await
}
