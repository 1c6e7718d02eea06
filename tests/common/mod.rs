//! What several suites share: a storage that does as a test says, and the whole contents of a database.

#![allow(dead_code, reason = "every suite uses a part of this")]
#![allow(clippy::unwrap_used)]

pub(crate) mod busy;
pub(crate) mod campaign;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod corpus;
pub(crate) mod events;
pub(crate) mod pending;
pub(crate) mod unlocked;
#[cfg(all(target_arch = "wasm32", feature = "web"))]
pub(crate) mod web;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use selkie::storage::{Completion, FileEntry, Flush, MemoryStorage, Storage};
use selkie::{Database, Error, ErrorKind, KeyVersion, Options, Readable, Retention, SnapshotPolicy, Version};

/// What a storage is asked to do. A write that is to be flushed counts as a write and then as a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Write,
    Truncate,
    Sync,
    SyncDirectory,
    Remove,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Go,
    Fail,
    /// Half of a write is done, and then it fails.
    Short,
    /// Nothing of a write is done, and it says that all is.
    Pretend,
}

pub(crate) type Script = Box<dyn Fn(Operation, &str) -> Verdict + Send + Sync>;

/// A storage that asks a script before each change. The script can also wait, or look at the files.
pub(crate) struct ScriptedStorage {
    inner: MemoryStorage,
    script: Mutex<Arc<Script>>,
    calls: Mutex<Vec<(Operation, String, Verdict)>>,
}

impl ScriptedStorage {
    pub(crate) fn new(script: impl Fn(Operation, &str) -> Verdict + Send + Sync + 'static) -> Arc<Self> {
        Self::over(MemoryStorage::new(), script)
    }

    pub(crate) fn over(
        inner: MemoryStorage,
        script: impl Fn(Operation, &str) -> Verdict + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { inner, script: Mutex::new(Arc::new(Box::new(script))), calls: Mutex::default() })
    }

    /// From now on, everything succeeds at once.
    pub(crate) fn heal(&self) {
        *self.script.lock().unwrap() = Arc::new(Box::new(|_, _| Verdict::Go));
    }

    /// The changes asked for so far, and what became of them.
    pub(crate) fn calls(&self) -> Vec<(Operation, String, Verdict)> {
        self.calls.lock().unwrap().clone()
    }

    /// What a crash of the process at this moment would leave.
    pub(crate) fn crash(&self) -> MemoryStorage {
        self.inner.copy()
    }

    fn ask(&self, operation: Operation, file: &str) -> Verdict {
        let script = Arc::clone(&self.script.lock().unwrap());
        let verdict = script(operation, file);
        self.calls.lock().unwrap().push((operation, file.to_owned(), verdict));
        verdict
    }

    fn act(&self, operation: Operation, file: &str, action: impl FnOnce() -> Completion<()>) -> Completion<()> {
        if self.ask(operation, file) == Verdict::Go { action() } else { refused(file) }
    }
}

impl Storage for ScriptedStorage {
    fn lock(&self) -> Completion<()> {
        self.inner.lock()
    }

    fn unlock(&self) {
        self.inner.unlock();
    }

    fn list(&self) -> Completion<Vec<FileEntry>> {
        self.inner.list()
    }

    fn create(&self, name: &str) -> Completion<()> {
        self.act(Operation::Create, name, || self.inner.create(name))
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> Completion<Bytes> {
        self.inner.read(name, offset, length)
    }

    fn write(&self, name: &str, offset: u64, data: Bytes, flush: Flush) -> Completion<()> {
        match self.ask(Operation::Write, name) {
            Verdict::Go => {}
            Verdict::Fail => return refused(name),
            Verdict::Pretend => return Completion::ready(Ok(())),
            Verdict::Short => {
                let half = data.slice(..data.len() / 2);
                // What matters is the failure that follows.
                let _half = self.inner.write(name, offset, half, Flush::No);
                return refused(name);
            }
        }
        let written = self.inner.write(name, offset, data, Flush::No);
        if flush == Flush::Yes && self.ask(Operation::Sync, name) != Verdict::Go { refused(name) } else { written }
    }

    fn truncate(&self, name: &str, length: u64) -> Completion<()> {
        self.act(Operation::Truncate, name, || self.inner.truncate(name, length))
    }

    fn sync(&self, name: &str) -> Completion<()> {
        self.act(Operation::Sync, name, || self.inner.sync(name))
    }

    fn sync_directory(&self) -> Completion<()> {
        self.act(Operation::SyncDirectory, "", || self.inner.sync_directory())
    }

    fn remove(&self, name: &str) -> Completion<()> {
        self.act(Operation::Remove, name, || self.inner.remove(name))
    }

    fn location(&self) -> String {
        "scripted".to_owned()
    }
}

impl fmt::Debug for ScriptedStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptedStorage")
    }
}

fn refused(file: &str) -> Completion<()> {
    let source = io::ErrorKind::StorageFull.into();
    Completion::ready(Err(Error::new(ErrorKind::Io { operation: "obey the script", file: file.to_owned(), source })))
}

/// Everything that can be read from a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) version: Version,
    pub(crate) retention: Retention,
    pub(crate) keyspaces: BTreeMap<String, KeyspaceContents>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyspaceContents {
    entries: Vec<(Bytes, Bytes)>,
    history: Vec<KeyVersion>,
}

pub(crate) fn contents(db: &Database) -> Contents {
    let view = db.begin_read().unwrap();
    let of_keyspace = |name: String| {
        let keyspace = db.keyspace(&name).unwrap();
        let part = view.keyspace(&keyspace);
        let entries = part.iter().map(Result::unwrap).collect();
        let history = part.history_range::<&[u8]>(..).unwrap().map(Result::unwrap).collect();
        (name, KeyspaceContents { entries, history })
    };
    let keyspaces = db.keyspaces().into_iter().map(of_keyspace).collect();
    Contents { version: db.version(), retention: db.retention(), keyspaces }
}

pub(crate) fn open(storage: &MemoryStorage) -> selkie::Result<Database> {
    Options::new().open_storage(Arc::new(storage.clone()))
}

/// The keys of the default keyspace.
pub(crate) fn keys(db: &Database) -> Vec<String> {
    let view = db.begin_read().unwrap();
    view.iter().map(|entry| String::from_utf8(entry.unwrap().0.to_vec()).unwrap()).collect()
}

/// The name of the last file of a kind.
pub(crate) fn last_file(storage: &MemoryStorage, suffix: &str) -> String {
    storage.files().into_keys().rfind(|name| name.ends_with(suffix)).unwrap()
}

pub(crate) fn fill(db: &Database, keys: std::ops::Range<u32>) {
    for key in keys {
        db.insert(format!("{key:06}"), format!("value {key}")).unwrap();
    }
}

#[track_caller]
pub(crate) fn assert_filled(db: &Database, expected: std::ops::Range<u32>) {
    let expected: Vec<_> = expected.map(|key| format!("{key:06}")).collect();
    assert_eq!(keys(db), expected);
    for key in expected {
        let number: u32 = key.parse().unwrap();
        assert_eq!(db.get(&key).unwrap().unwrap(), format!("value {number}"));
    }
}

/// The files with the last one of a kind changed.
pub(crate) fn with_last(storage: &MemoryStorage, suffix: &str, change: impl FnOnce(&mut Vec<u8>)) -> MemoryStorage {
    let mut files = storage.files();
    change(files.get_mut(&last_file(storage, suffix)).unwrap());
    MemoryStorage::from_files(files)
}

pub(crate) fn small_segments() -> Options {
    Options::new().segment_bytes(4096).snapshots(SnapshotPolicy::Never)
}

/// Numbers without a pattern, the same for the same seed.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
