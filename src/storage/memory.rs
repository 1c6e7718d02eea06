//! A storage in memory, for tests and for databases that are not kept.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Weak};

use bytes::Bytes;

use super::{Completion, FileEntry, Flush, Storage, name};
use crate::locks::Mutex;
use crate::{Error, ErrorKind, Result};

const LOCATION: &str = "memory";

/// Files in memory, which live as long as the last clone of their storage.
///
/// A clone shares the files but not the lock: it is a second handle to the same place, as a second process would
/// have to a directory. Dropping the clone that holds the lock gives the lock back.
///
/// It is stricter than a file system: a write anywhere but at the end of its file is an error. Preallocation does
/// nothing, so a file ends with its last write.
///
/// # Examples
///
/// ```
/// use selkie::ErrorKind;
/// use selkie::storage::{MemoryStorage, Storage};
///
/// let storage = MemoryStorage::new();
/// storage.lock().try_take().unwrap()?;
/// let refused = storage.clone().lock().try_take().unwrap();
/// assert!(matches!(refused.unwrap_err().kind(), ErrorKind::Locked { .. }));
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Default)]
pub struct MemoryStorage {
    shared: Arc<Mutex<Shared>>,
    identity: Arc<()>,
}

#[derive(Default)]
struct Shared {
    files: Files,
    /// The identity of the handle that holds the lock; it dangles once that handle is dropped.
    holder: Weak<()>,
}

/// They are few, so that looking through all of them is as fast as any other way.
type Files = Vec<(String, Vec<u8>)>;

fn place(files: &Files, name: &str) -> Option<usize> {
    files.iter().position(|(file, _)| file == name)
}

impl MemoryStorage {
    /// A storage without files.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(selkie::storage::MemoryStorage::new().files().is_empty());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// A storage that holds these files, unlocked.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use selkie::storage::MemoryStorage;
    ///
    /// let files = BTreeMap::from([("log-1".to_string(), vec![1, 2, 3])]);
    /// assert_eq!(MemoryStorage::from_files(files.clone()).files(), files);
    /// ```
    pub fn from_files(files: BTreeMap<String, Vec<u8>>) -> Self {
        let shared = Shared { files: files.into_iter().collect(), holder: Weak::new() };
        Self { shared: Arc::new(Mutex::new(shared)), identity: Arc::default() }
    }

    /// A copy of all files by name.
    ///
    /// # Examples
    ///
    /// ```
    /// use selkie::storage::{MemoryStorage, Storage};
    ///
    /// let storage = MemoryStorage::new();
    /// storage.create("log-1").try_take().unwrap()?;
    /// assert_eq!(storage.files()["log-1"], b"");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.shared.lock().files.iter().cloned().collect()
    }

    /// A separate storage with the same contents, unlocked: what a crash of the process at this moment would leave.
    ///
    /// # Examples
    ///
    /// ```
    /// use selkie::storage::{MemoryStorage, Storage};
    ///
    /// let storage = MemoryStorage::new();
    /// let before = storage.copy();
    /// storage.create("log-1").try_take().unwrap()?;
    /// assert!(before.files().is_empty());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::from_files(self.files())
    }

    fn take_lock(&self) -> Result<()> {
        let mut shared = self.shared.lock();
        if shared.holder.strong_count() > 0 {
            return Err(Error::new(ErrorKind::Locked { path: LOCATION.to_owned() }));
        }
        shared.holder = Arc::downgrade(&self.identity);
        Ok(())
    }

    /// Runs `action` on the files, with failures named after the operation and the file.
    fn act<T>(
        &self,
        operation: &'static str,
        name: &str,
        action: impl FnOnce(&mut Files) -> io::Result<T>,
    ) -> Completion<T> {
        let result = name::check(name)
            .and_then(|()| action(&mut self.shared.lock().files).map_err(|source| Error::io(operation, name, source)));
        Completion::ready(result)
    }

    fn act_on_file<T>(
        &self,
        operation: &'static str,
        name: &str,
        action: impl FnOnce(&mut Vec<u8>) -> io::Result<T>,
    ) -> Completion<T> {
        self.act(operation, name, |files| {
            place(files, name).ok_or_else(missing).and_then(|place| action(&mut files[place].1))
        })
    }
}

impl Storage for MemoryStorage {
    fn lock(&self) -> Completion<()> {
        Completion::ready(self.take_lock())
    }

    fn unlock(&self) {
        let mut shared = self.shared.lock();
        if shared.holder.ptr_eq(&Arc::downgrade(&self.identity)) {
            shared.holder = Weak::new();
        }
    }

    fn list(&self) -> Completion<Vec<FileEntry>> {
        let shared = self.shared.lock();
        let entry = |(name, bytes): &(String, Vec<u8>)| FileEntry { name: name.clone(), length: bytes.len() as u64 };
        Completion::ready(Ok(shared.files.iter().map(entry).collect()))
    }

    fn create(&self, name: &str) -> Completion<()> {
        self.act("create", name, |files| {
            if place(files, name).is_some() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            files.push((name.to_owned(), Vec::new()));
            Ok(())
        })
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> Completion<Bytes> {
        self.act_on_file("read", name, |bytes| {
            let start = offset.min(bytes.len() as u64) as usize;
            let end = start.saturating_add(length).min(bytes.len());
            Ok(Bytes::copy_from_slice(&bytes[start..end]))
        })
    }

    fn write(&self, name: &str, offset: u64, data: Bytes, _flush: Flush) -> Completion<()> {
        self.act_on_file("write", name, |bytes| {
            if offset != bytes.len() as u64 {
                return Err(not_at_the_end(offset, bytes.len()));
            }
            bytes.extend_from_slice(&data);
            Ok(())
        })
    }

    fn reserve(&self, name: &str, _length: u64) -> Completion<()> {
        self.act_on_file("reserve", name, |_| Ok(()))
    }

    fn truncate(&self, name: &str, length: u64) -> Completion<()> {
        self.act_on_file("truncate", name, |bytes| {
            bytes.truncate(length.min(bytes.len() as u64) as usize);
            Ok(())
        })
    }

    fn sync(&self, name: &str) -> Completion<()> {
        self.act_on_file("sync", name, |_| Ok(()))
    }

    fn sync_directory(&self) -> Completion<()> {
        Completion::ready(Ok(()))
    }

    fn remove(&self, name: &str) -> Completion<()> {
        self.act("remove", name, |files| place(files, name).map(|place| drop(files.remove(place))).ok_or_else(missing))
    }

    fn location(&self) -> String {
        LOCATION.to_owned()
    }
}

impl Clone for MemoryStorage {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), identity: Arc::default() }
    }
}

impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.shared.lock();
        f.write_str("MemoryStorage ")?;
        f.debug_map().entries(shared.files.iter().map(|(name, bytes)| (name, bytes.len()))).finish()
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

fn not_at_the_end(offset: u64, end: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("a write at {offset}, where the file ends at {end}"))
}
