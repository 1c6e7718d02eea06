//! What a reader beside a writer has: the same files, and a lock that keeps nobody out.

use bytes::Bytes;
use selkie::storage::{Completion, FileEntry, Flush, MemoryStorage, Storage};

/// The files of a storage, whose lock keeps nobody out.
#[derive(Debug)]
pub(crate) struct Unlocked(pub(crate) MemoryStorage);

impl Storage for Unlocked {
    fn lock(&self) -> Completion<()> {
        Completion::ready(Ok(()))
    }

    fn unlock(&self) {}

    fn list(&self) -> Completion<Vec<FileEntry>> {
        self.0.list()
    }

    fn create(&self, name: &str) -> Completion<()> {
        unreachable!("a reader creates {name}")
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> Completion<Bytes> {
        self.0.read(name, offset, length)
    }

    fn write(&self, name: &str, _offset: u64, _data: Bytes, _flush: Flush) -> Completion<()> {
        unreachable!("a reader writes {name}")
    }

    fn truncate(&self, name: &str, _length: u64) -> Completion<()> {
        unreachable!("a reader truncates {name}")
    }

    fn sync(&self, name: &str) -> Completion<()> {
        unreachable!("a reader syncs {name}")
    }

    fn sync_directory(&self) -> Completion<()> {
        unreachable!("a reader syncs the directory")
    }

    fn remove(&self, name: &str) -> Completion<()> {
        unreachable!("a reader removes {name}")
    }

    fn location(&self) -> String {
        self.0.location()
    }
}
