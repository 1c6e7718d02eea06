//! Databases in the storages of browsers: what another platform wrote opens, what is damaged is told as elsewhere.
#![cfg(all(target_arch = "wasm32", feature = "web"))]
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::web::{Files, Place, on_both_storages};
use selkie::storage::MemoryStorage;
use selkie::{Database, ErrorKind, Options, Readable, Result, Retention, SnapshotPolicy};

on_both_storages! {
    native_files_open_and_go_back
    damaged_files_are_told_as_elsewhere
    snapshots_replace_the_log
    large_values_survive
    a_place_has_one_database_at_a_time
}

fn options() -> Options {
    Options::new().snapshots(SnapshotPolicy::Never)
}

async fn open(place: &Place) -> Result<Database> {
    options().open_storage_async(place.storage().await).await
}

fn open_in_memory(files: &Files) -> Result<Database> {
    options().open_storage(Arc::new(MemoryStorage::from_files(files.clone())))
}

/// Files that a native release wrote: a snapshot, a closed segment, and one that a crash left open.
fn native_files() -> Files {
    macro_rules! file {
        ($name:literal) => {
            ($name.to_owned(), include_bytes!(concat!("fixtures/format-1/", $name)).to_vec())
        };
    }
    [
        file!("database"),
        file!("0000000000000002.snapshot"),
        file!("0000000000000002.log"),
        file!("0000000000000003.log"),
    ]
    .into()
}

/// Everything that can be read, and the past where it is kept: without a retention, what is superseded may be there still.
fn contents(database: &Database) -> Vec<String> {
    let mut contents = vec![format!("{} {:?}", database.version(), database.retention())];
    for name in database.keyspaces() {
        let keyspace = database.keyspace(&name).unwrap();
        let view = database.begin_read().unwrap();
        let view = view.keyspace(&keyspace);
        for entry in view.iter() {
            let (key, value) = entry.unwrap();
            contents.push(format!("{name} {key:?} {value:?}"));
            if database.retention() != Retention::None {
                contents.push(format!("{:?}", view.history(&key).unwrap()));
            }
        }
    }
    contents
}

fn outcome(opened: &Result<Database>) -> Vec<String> {
    match opened {
        Ok(database) => contents(database),
        Err(error) => match error.kind() {
            ErrorKind::Corrupted { file, offset, kind } => vec![format!("{file} at {offset}: {kind:?}")],
            other => vec![format!("{other:?}")],
        },
    }
}

async fn native_files_open_and_go_back(place: Place) -> Result<()> {
    let native = native_files();
    place.write(&native).await;
    assert_eq!(place.files().await, native, "byte for byte");

    let database = open(&place).await?;
    assert_eq!(database.version(), 14);
    assert_eq!(contents(&database), contents(&open_in_memory(&native)?));
    assert_eq!(database.insert_async("new", "15").await?.version(), 15);
    database.snapshot_async().await?;
    database.insert_async("newer", "16").await?;
    let written = contents(&database);
    database.close_async().await?;

    let files = place.files().await;
    assert_eq!(contents(&open_in_memory(&files)?), written);
    assert_eq!(contents(&open(&place).await?), written);
    Ok(())
}

/// The same files with one thing wrong with them, in many ways.
fn damaged() -> Vec<Files> {
    let native = native_files();
    let mut damaged = Vec::new();
    for (name, bytes) in &native {
        let mut add = |changed: Option<Vec<u8>>| {
            let mut files = native.clone();
            match changed {
                Some(bytes) => drop(files.insert(name.clone(), bytes)),
                None => drop(files.remove(name)),
            }
            damaged.push(files);
        };
        add(None);
        for place in (0..bytes.len()).step_by(bytes.len() / 6) {
            add(Some(bytes[..place].to_vec()));
            let mut flipped = bytes.clone();
            flipped[place] ^= 0x40;
            add(Some(flipped));
        }
        add(Some([&bytes[..], &[0; 100]].concat()));
        add(Some([&bytes[..], b"torn"].concat()));
    }
    damaged
}

async fn damaged_files_are_told_as_elsewhere(place: Place) -> Result<()> {
    let mut failed = 0;
    for files in damaged() {
        let expected = outcome(&open_in_memory(&files));
        let place = place.another();
        place.write(&files).await;
        let opened = open(&place).await;
        assert_eq!(outcome(&opened), expected);
        if let Ok(database) = opened {
            database.close_async().await?;
        } else {
            failed += 1;
            assert_eq!(place.files().await, files, "a refused database is left as it is");
        }
    }
    assert!(failed > 10, "{failed} were refused");
    Ok(())
}

async fn snapshots_replace_the_log(place: Place) -> Result<()> {
    for round in 0..4_u32 {
        let database = open(&place).await?;
        for number in 0..50 {
            database.insert_async(format!("key {number}"), format!("{round} {number}")).await?;
        }
        database.snapshot_async().await?;
        let expected = contents(&database);
        // Without closing: the storage is given back when the last handle goes.
        drop(database);
        let files = place.files().await;
        assert_eq!(contents(&open_in_memory(&files)?), expected);
        assert!(files.len() <= 5, "{:?}", files.keys());
    }
    Ok(())
}

async fn large_values_survive(place: Place) -> Result<()> {
    let value = |length: usize| (0..length).map(|byte| ((byte * 7) >> 5) as u8).collect::<Vec<_>>();
    let lengths = [0, 1, 64 << 10, 1 << 20, 20 << 20];
    let database = open(&place).await?;
    for length in lengths {
        database.insert_async(length.to_string(), value(length)).await?;
    }
    database.close_async().await?;
    let database = open(&place).await?;
    for length in lengths {
        assert!(database.get(length.to_string())?.unwrap() == value(length), "{length}");
    }
    database.close_async().await
}

async fn a_place_has_one_database_at_a_time(place: Place) -> Result<()> {
    let first = open(&place).await?;
    assert!(matches!(open(&place).await.unwrap_err().kind(), ErrorKind::Locked { .. }));
    first.close_async().await?;
    open(&place).await?.close_async().await
}
