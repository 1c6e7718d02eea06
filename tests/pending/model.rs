//! Random commits that nobody waits for, against a simple model.

use std::collections::BTreeMap;
use std::sync::Arc;

use selkie::storage::MemoryStorage;
use selkie::{
    CommitFuture, Database, Durability, Keyspace, Options, Readable, SnapshotPolicy, TransactionOptions, Writable,
};

use crate::common::Random;
use crate::common::events::{async_tests, turn};
use crate::common::pending::PendingStorage;

type Model = BTreeMap<&'static str, BTreeMap<Vec<u8>, Vec<u8>>>;

const NAMES: [&str; 3] = ["default", "one", "two"];
const OPERATIONS: usize = if cfg!(target_arch = "wasm32") { 300 } else { 1_000 };

struct Session {
    random: Random,
    storage: Arc<PendingStorage>,
    db: Database,
    model: Model,
    keyspaces: BTreeMap<&'static str, Keyspace>,
    in_flight: Vec<CommitFuture>,
}

fn options(random: &mut Random) -> Options {
    let levels = [Durability::None, Durability::Queued, Durability::Buffered, Durability::Immediate];
    let durability = levels[random.below(4) as usize];
    Options::new()
        .durability(durability)
        .visibility(selkie::Visibility::Applied)
        .segment_bytes(8 << 10)
        .snapshots(SnapshotPolicy::Never)
}

impl Session {
    async fn new(seed: u64, files: &MemoryStorage) -> Self {
        let mut random = Random(seed);
        let storage = PendingStorage::telling(Arc::new(files.clone()), seed.is_multiple_of(2));
        let opening = options(&mut random).open_storage_async(storage.clone());
        let db = storage.drive(opening).await.unwrap();
        let (model, keyspaces, in_flight) = (Model::new(), BTreeMap::new(), Vec::new());
        let mut session = Self { random, storage, db, model, keyspaces, in_flight };
        session.keyspace("default").await;
        session
    }

    async fn keyspace(&mut self, name: &'static str) {
        let keyspace = self.drive_db(async move |db| db.keyspace_async(name).await).await.unwrap();
        self.keyspaces.insert(name, keyspace);
        self.model.entry(name).or_default();
    }

    async fn drive<T>(&mut self, future: impl Future<Output = T>) -> T {
        let Self { random, storage, .. } = self;
        storage.drive_with(future, |storage| storage.pump_any(random)).await
    }

    async fn step(&mut self) {
        let name = NAMES[self.random.below(3) as usize];
        match self.random.below(100) {
            0 => self.reopen().await,
            1 => drop(self.drive_db(async |db| db.snapshot_async().await).await.unwrap()),
            2 => self.drive_db(async |db| db.sync_async().await).await.unwrap(),
            3 => self.keyspace(name).await,
            4 if name != "default" && self.model.contains_key(name) => {
                self.drive_db(async move |db| db.drop_keyspace_async(name).await).await.unwrap();
                self.model.remove(name);
                self.keyspaces.remove(name);
            }
            5..20 => self.transaction(),
            20..30 => self.settle().await,
            30..40 => self.check(),
            40..60 => {
                self.storage.pump_any(&mut self.random);
                turn().await;
            }
            _ => self.write(name),
        }
    }

    async fn drive_db<T>(&mut self, work: impl AsyncFnOnce(Database) -> T) -> T {
        let db = self.db.clone();
        self.drive(work(db)).await
    }

    fn key(&mut self) -> Vec<u8> {
        vec![b'a' + self.random.below(26) as u8; 1 + self.random.below(3) as usize]
    }

    fn write(&mut self, name: &'static str) {
        let Some(keyspace) = self.keyspaces.get(name).cloned() else { return };
        let key = self.key();
        let entries = self.model.get_mut(name).unwrap();
        let commit = if self.random.below(3) == 0 {
            entries.remove(&key);
            keyspace.remove_async(&key)
        } else {
            let value = vec![7; self.random.below(500) as usize];
            entries.insert(key.clone(), value.clone());
            keyspace.insert_async(&key, &value)
        };
        self.in_flight.push(commit);
    }

    fn transaction(&mut self) {
        let mut tx = self.db.begin_with(TransactionOptions::new()).unwrap();
        for _ in 0..self.random.below(6) {
            let key = self.key();
            let entries = self.model.get_mut("default").unwrap();
            assert_eq!(tx.get(&key).unwrap().as_deref(), entries.get(&key).map(|value| &value[..]));
            tx.insert(&key, b"of a transaction").unwrap();
            entries.insert(key, b"of a transaction".to_vec());
        }
        self.in_flight.push(tx.commit_async());
    }

    /// Waits for everything in flight. Commits have consecutive versions in their order.
    async fn settle(&mut self) {
        let mut last = 0;
        for commit in std::mem::take(&mut self.in_flight) {
            let version = self.drive(commit).await.unwrap().version();
            assert!(version >= last);
            last = version;
        }
    }

    async fn reopen(&mut self) {
        let db = self.db.clone();
        self.drive(db.close_async()).await.unwrap();
        self.settle().await;
        let opening = options(&mut self.random).open_storage_async(self.storage.clone());
        self.db = self.drive(opening).await.unwrap();
        for name in self.model.keys().copied().collect::<Vec<_>>() {
            self.keyspace(name).await;
        }
        self.check();
    }

    fn check(&self) {
        let view = self.db.begin_read().unwrap();
        assert!(self.db.keyspaces().iter().eq(self.model.keys()));
        for (name, entries) in &self.model {
            let part = view.keyspace(&self.keyspaces[name]);
            let found = part.iter().map(Result::unwrap).map(|(key, value)| (key.to_vec(), value.to_vec()));
            assert!(found.eq(entries.clone()), "of keyspace {name}");
        }
    }
}

async_tests! {
    async fn commits_that_nobody_waits_for_do_what_the_model_does() {
        for seed in 0..6 {
            let files = MemoryStorage::new();
            let mut session = Session::new(seed, &files).await;
            for _ in 0..OPERATIONS {
                session.step().await;
            }
            session.reopen().await;
            let db = session.db.clone();
            session.drive(db.close_async()).await.unwrap();
        }
    }
}
