//! Files of each released format, as that release wrote them. They are never written again.

use std::sync::Arc;

use selkie::storage::MemoryStorage;
use selkie::{Options, Readable, Retention};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::{Files, files};

macro_rules! fixture {
    ($folder:literal: $($name:literal)*) => {
        files([$(($name, include_bytes!(concat!("../fixtures/", $folder, "/", $name)).to_vec())),*])
    };
}

/// A snapshot at version 8, a segment that was closed, and one that a crash left open.
fn format_1() -> Files {
    fixture!("format-1": "database" "0000000000000002.snapshot" "0000000000000002.log" "0000000000000003.log")
}

#[test]
fn format_1_opens() -> selkie::Result<()> {
    let db = Options::new().open_storage(Arc::new(MemoryStorage::from_files(format_1())))?;
    assert_eq!(db.version(), 14);
    assert_eq!(db.recovery().frames_replayed, 6);
    assert_eq!(db.retention(), Retention::Forever);
    assert_eq!(db.keyspaces(), ["default", "users"]);
    let entries: selkie::Result<Vec<_>> = db.begin_read()?.iter().collect();
    let long = vec![b'x'; 1000];
    let expected = [("binary", vec![0, 255]), ("greeting", b"hi".to_vec()), ("long", long)];
    assert_eq!(entries?, expected.map(|(key, value)| (key.into(), value.into())));

    let history = |key| Ok(db.history(key)?.into_iter().map(|kept| (kept.version, kept.value)).collect::<Vec<_>>());
    let greetings = history("greeting")?;
    let expected = [(14, Some("hi")), (13, None), (5, Some("hallo")), (2, Some("hello"))];
    assert_eq!(greetings, expected.map(|(version, value)| (version, value.map(Into::into))));
    assert_eq!(history("temporary")?, [(7, None), (6, Some("1".into()))]);

    let users = db.keyspace("users")?;
    assert_eq!(users.get("ada")?, Some("1816".into()));
    assert_eq!(users.get("bea")?, Some("1900".into()));
    assert_eq!(db.at(8)?.keyspace(&users).get("ada")?, Some("1815".into()));
    assert_eq!(db.at(8)?.get("greeting")?, Some("hallo".into()));
    Ok(())
}

#[test]
fn format_1_is_written_on() -> selkie::Result<()> {
    let storage = Arc::new(MemoryStorage::from_files(format_1()));
    let db = Options::new().open_storage(Arc::clone(&storage) as _)?;
    assert_eq!(db.insert("new", "15")?.version(), 15);
    db.snapshot()?;
    db.close()?;
    let db = Options::new().open_storage(storage)?;
    assert_eq!((db.version(), db.get("new")?), (15, Some("15".into())));
    assert_eq!(db.history("greeting")?.len(), 4);
    Ok(())
}
