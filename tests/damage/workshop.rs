//! Databases that are being built, and what they were after each commit.

use std::sync::Arc;

use selkie::storage::MemoryStorage;
use selkie::{Compression, Database, Durability, Options, Retention, SnapshotPolicy, Transaction, Version, Writable};

use crate::Files;
use crate::common::{Contents, contents};
use crate::past::past;
use crate::subject::Subject;

/// What a database was at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) contents: Contents,
    pub(crate) files: Files,
}

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) durability: Durability,
    pub(crate) compression: Compression,
    pub(crate) retained_snapshots: usize,
}

impl Settings {
    pub(crate) fn of(durability: Durability) -> Self {
        Self { durability, compression: Compression::default(), retained_snapshots: 1 }
    }

    fn options(&self) -> Options {
        let options = Options::new().durability(self.durability).compression(self.compression);
        options.retained_snapshots(self.retained_snapshots).segment_bytes(4096).snapshots(SnapshotPolicy::Never)
    }
}

pub(crate) struct Workshop {
    storage: MemoryStorage,
    settings: Settings,
    db: Database,
    moments: Vec<Moment>,
}

impl Workshop {
    pub(crate) fn new(durability: Durability) -> Self {
        Self::with(Settings::of(durability))
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let storage = MemoryStorage::new();
        let db = open(&storage, settings.options());
        let moments = vec![Moment { contents: contents(&db), files: storage.files() }];
        db.close().unwrap();
        let db = open(&storage, settings.options().history(Retention::Forever));
        let mut workshop = Self { storage, settings, db, moments };
        workshop.note();
        workshop
    }

    pub(crate) fn note(&mut self) {
        self.moments.push(Moment { contents: contents(&self.db), files: self.storage.files() });
    }

    pub(crate) fn version(&self) -> Version {
        self.db.version()
    }

    pub(crate) fn commit(mut self, change: impl Fn(&mut Transaction) -> selkie::Result<()>) -> Self {
        self.db.update(change).unwrap();
        self.note();
        self
    }

    pub(crate) fn commits(mut self, count: u32, value_bytes: usize) -> Self {
        for _ in 0..count {
            let number = self.version() + 1;
            self = self.set(&format!("key {}", number % 3), vec![number as u8; value_bytes]);
        }
        self
    }

    pub(crate) fn set(self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.commit(|tx| tx.insert(key, value.as_ref()))
    }

    /// A commit in a keyspace, which is created if it is not there.
    pub(crate) fn set_in(mut self, name: &str, key: &str, value: impl AsRef<[u8]>) -> Self {
        let keyspace = self.db.keyspace(name).unwrap();
        self.note();
        self.commit(|tx| tx.keyspace_mut(&keyspace).insert(key, value.as_ref()))
    }

    pub(crate) fn drop_keyspace(mut self, name: &str) -> Self {
        if self.db.keyspaces().iter().any(|other| other == name) {
            self.db.drop_keyspace(name).unwrap();
            self.note();
        }
        self
    }

    /// Commits over two keyspaces, one more that is dropped again, and a removal.
    pub(crate) fn keyspaces(mut self) -> Self {
        let users = self.db.keyspace("users").unwrap();
        self.note();
        let mut workshop = self.commit(|tx| {
            tx.remove("key 1")?;
            tx.keyspace_mut(&users).insert("ada", "1815")
        });
        workshop.db.keyspace("gone").unwrap();
        workshop.note();
        workshop.drop_keyspace("gone")
    }

    pub(crate) fn snapshot(mut self) -> Self {
        self.db.snapshot().unwrap();
        self.note();
        self
    }

    /// Goes on in what a crash would have left.
    pub(crate) fn crash(self) -> Self {
        let storage = self.storage.copy();
        self.reopen(storage)
    }

    /// Closes the database and opens it again.
    pub(crate) fn close_and_open(self) -> Self {
        self.db.clone().close().unwrap();
        let storage = self.storage.clone();
        self.reopen(storage)
    }

    fn reopen(self, storage: MemoryStorage) -> Self {
        let db = open(&storage, self.settings.options());
        let mut workshop = Self { storage, db, ..self };
        workshop.note();
        workshop
    }

    pub(crate) fn crashed(self) -> Subject {
        let is_synced = self.settings.durability == Durability::Immediate;
        Subject::new(self.storage.files(), self.moments, past(&self.db), false, is_synced)
    }

    pub(crate) fn closed(self) -> Subject {
        let past = past(&self.db);
        self.db.close().unwrap();
        Subject::new(self.storage.files(), self.moments, past, true, true)
    }
}

fn open(storage: &MemoryStorage, options: Options) -> Database {
    options.open_storage(Arc::new(storage.clone())).unwrap()
}
