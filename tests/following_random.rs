//! A reader that looks at the files between any two operations of a writer sees a prefix of the commits, whole ones.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use common::events::async_tests;
use common::pending::PendingStorage;
use common::unlocked::Unlocked;
use common::{Random, ScriptedStorage, Verdict};
use selkie::storage::MemoryStorage;
use selkie::{Database, ErrorKind, Options, Readable, Refreshed, SnapshotPolicy, Version, Watch, Writable};
use std::io::ErrorKind::NotFound;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

type Contents = BTreeMap<String, Vec<(Bytes, Bytes)>>;

fn contents(db: &Database) -> Contents {
    let view = db.begin_read().unwrap();
    let of = |name: String| {
        let keyspace = db.keyspace(&name).unwrap();
        let entries = view.keyspace(&keyspace).iter().map(Result::unwrap).collect();
        (name, entries)
    };
    db.keyspaces().into_iter().map(of).collect()
}

/// A reader with what it has seen so far.
struct Reader {
    files: MemoryStorage,
    database: Option<Database>,
    watch: Option<Watch>,
    watched: Vec<Version>,
    seen: Vec<(Version, Contents)>,
    refreshed: u32,
    replaced: u32,
}

impl Reader {
    fn new(files: &MemoryStorage) -> Self {
        let (database, watch, watched, seen) = (None, None, Vec::new(), Vec::new());
        Self { files: files.clone(), database, watch, watched, seen, refreshed: 0, replaced: 0 }
    }

    fn look(&mut self, random: &mut Random) {
        match &self.database {
            None => self.open(),
            Some(database) => {
                let version = database.version();
                let until = (random.below(2) == 0).then(|| version + random.below(4));
                match database.refresh(until).unwrap() {
                    Refreshed::UpTo(reached) => {
                        assert_eq!(reached, database.version());
                        assert!(reached >= version && until.is_none_or(|until| reached <= until));
                        self.refreshed += 1;
                        self.see();
                    }
                    Refreshed::Replaced => {
                        self.replaced += 1;
                        self.open();
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    fn open(&mut self) {
        self.watch = None;
        match Options::new().read_only(true).open_storage(Arc::new(Unlocked(self.files.clone()))) {
            Ok(database) => {
                self.watch = Some(database.watch::<&str>(..).unwrap());
                self.database = Some(database);
                self.see();
            }
            // The database is being created.
            Err(error) if matches!(error.kind(), ErrorKind::Io { source, .. } if source.kind() == NotFound) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn see(&mut self) {
        let (Some(database), Some(watch)) = (&self.database, &mut self.watch) else { return };
        while let Some(changes) = watch.try_next().unwrap() {
            self.watched.push(changes.version);
        }
        self.seen.push((database.version(), contents(database)));
    }
}

/// One step of the writer.
fn step(db: &Database, random: &mut Random) -> selkie::Result<()> {
    let name = ["one", "two", "three"][random.below(3) as usize];
    let key = |random: &mut Random| [b'a' + random.below(20) as u8];
    match random.below(40) {
        0 => db.keyspace(name).map(drop),
        1 => match db.drop_keyspace(name) {
            Err(error) if matches!(error.kind(), ErrorKind::KeyspaceNotFound { .. }) => Ok(()),
            dropped => dropped,
        },
        2 => db.snapshot().map(drop),
        3..8 => db.remove(key(random)).map(drop),
        8..16 if db.keyspaces().iter().any(|existing| existing == name) => {
            db.keyspace(name)?.insert(key(random), random.next().to_le_bytes()).map(drop)
        }
        _ => db.update(|tx| {
            let changes = 1 + random.below(4);
            (0..changes).try_for_each(|_| tx.insert(key(random), vec![7; random.below(300) as usize]))
        }),
    }
}

#[test]
fn every_look_between_two_operations_of_the_writer_is_a_prefix() {
    let (mut refreshed, mut replaced) = (0, 0);
    for seed in 0..20 {
        let mut random = Random(seed);
        let files = MemoryStorage::new();
        let readers = Arc::new(Mutex::new((Reader::new(&files), Reader::new(&files), Random(seed + 1000))));
        let looking = Arc::clone(&readers);
        let storage = ScriptedStorage::over(files.clone(), move |_, _| {
            let (often, seldom, random) = &mut *looking.lock().unwrap();
            often.look(random);
            if random.below(20) == 0 {
                seldom.look(random);
            }
            Verdict::Go
        });
        let mut truth = BTreeMap::new();
        for _ in 0..3 {
            let options = Options::new().segment_bytes(4096).snapshots(SnapshotPolicy::Never);
            let db = options.open_storage(storage.clone()).unwrap();
            truth.insert(db.version(), contents(&db));
            for _ in 0..60 {
                step(&db, &mut random).unwrap();
                truth.insert(db.version(), contents(&db));
            }
            db.close().unwrap();
        }
        let (often, seldom, random) = &mut *readers.lock().unwrap();
        for reader in [often, seldom] {
            reader.look(random);
            let mut last = 0;
            for (version, contents) in &reader.seen {
                assert!(*version >= last, "seed {seed}: from {last} back to {version}");
                last = *version;
                assert_eq!(Some(contents), truth.get(version), "seed {seed}, version {version}");
            }
            assert!(reader.watched.is_sorted());
            refreshed += reader.refreshed;
            replaced += reader.replaced;
        }
    }
    assert!(refreshed > 1_000 && replaced > 10, "{refreshed} refreshed, {replaced} replaced");
}

async_tests! {
    async fn the_writer_goes_on_between_any_two_calls_of_a_reader() {
        let (mut refreshed, mut reopened) = (0, 0);
        for seed in 0..10 {
            let mut random = Random(seed);
            let files = MemoryStorage::new();
            let options = Options::new().segment_bytes(4096).snapshots(SnapshotPolicy::Never);
            let db = options.open_storage(Arc::new(files.clone())).unwrap();
            let mut truth = BTreeMap::from([(db.version(), contents(&db))]);
            let mut go_on = |storage: &PendingStorage| {
                if random.below(2) == 0 {
                    step(&db, &mut random).unwrap();
                    truth.insert(db.version(), contents(&db));
                }
                storage.pump()
            };
            let mut seen = Vec::new();
            for _ in 0..5 {
                let storage = PendingStorage::over(Arc::new(Unlocked(files.clone())));
                let opening = Options::new().read_only(true).open_storage_async(storage.clone());
                let reader = storage.drive_with(opening, &mut go_on).await.unwrap();
                seen.push((reader.version(), contents(&reader)));
                for _ in 0..30 {
                    let refresh = storage.drive_with(reader.refresh_async(None), &mut go_on).await;
                    if refresh.unwrap() == Refreshed::Replaced {
                        reopened += 1;
                        break;
                    }
                    refreshed += 1;
                    seen.push((reader.version(), contents(&reader)));
                }
                storage.drive(reader.close_async()).await.unwrap();
            }
            for (version, contents) in seen {
                assert_eq!(Some(&contents), truth.get(&version), "seed {seed}, version {version}");
            }
        }
        assert!(refreshed > 200 && reopened > 2, "{refreshed} refreshed, {reopened} reopened");
    }
}
