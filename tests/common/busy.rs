//! What a reader finds while a writer is at work on the files: they change each time it looks, and reads fail meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use selkie::storage::{Completion, FileEntry, Flush, MemoryStorage, Storage};
use selkie::{Error, ErrorKind};

use super::unlocked::Unlocked;

/// What the writer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Nothing,
    Appends,
    Replaces,
}

/// Files whose writer is at work during the first looks at them.
#[derive(Debug)]
pub(crate) struct Busy {
    files: Unlocked,
    work: Work,
    during: usize,
    looks: AtomicUsize,
}

impl Busy {
    pub(crate) fn new(files: &MemoryStorage, work: Work, during: usize) -> Self {
        Self { files: Unlocked(files.clone()), work, during, looks: AtomicUsize::new(0) }
    }

    pub(crate) fn looks(&self) -> usize {
        self.looks.load(Ordering::Relaxed)
    }
}

impl Storage for Busy {
    fn list(&self) -> Completion<Vec<FileEntry>> {
        let look = self.looks.fetch_add(1, Ordering::Relaxed) + 1;
        let mut entries = self.files.0.list().try_take().unwrap().unwrap();
        if look <= self.during {
            match self.work {
                Work::Nothing => {}
                Work::Appends => entries.iter_mut().for_each(|entry| entry.length += look as u64),
                Work::Replaces => entries.push(FileEntry { name: format!("{look:016x}.snapshot"), length: 0 }),
            }
        }
        Completion::ready(Ok(entries))
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> Completion<Bytes> {
        if self.looks() > self.during {
            return self.files.read(name, offset, length);
        }
        let source = std::io::ErrorKind::NotFound.into();
        Completion::ready(Err(Error::new(ErrorKind::Io { operation: "read", file: name.to_owned(), source })))
    }

    fn lock(&self) -> Completion<()> {
        self.files.lock()
    }

    fn unlock(&self) {
        self.files.unlock();
    }

    fn create(&self, name: &str) -> Completion<()> {
        self.files.create(name)
    }

    fn write(&self, name: &str, offset: u64, data: Bytes, flush: Flush) -> Completion<()> {
        self.files.write(name, offset, data, flush)
    }

    fn truncate(&self, name: &str, length: u64) -> Completion<()> {
        self.files.truncate(name, length)
    }

    fn sync(&self, name: &str) -> Completion<()> {
        self.files.sync(name)
    }

    fn sync_directory(&self) -> Completion<()> {
        self.files.sync_directory()
    }

    fn remove(&self, name: &str) -> Completion<()> {
        self.files.remove(name)
    }

    fn location(&self) -> String {
        self.files.location()
    }
}
