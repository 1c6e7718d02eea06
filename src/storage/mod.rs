//! The seam between the engine and the platform: a flat set of named append-only files.
//!
//! Everything that opens or recovers is asynchronous, because a browser's storage is. The write path submits at
//! once and gets a [`Completion`], which a file system answers before it returns and a browser answers later.
//!
//! What the engine relies on, and no more:
//!
//! - a file's bytes are written once, in order, at its end; only [`truncate`](Storage::truncate) takes bytes away;
//! - bytes beyond the last write, where a storage preallocates, read as zeros;
//! - after [`sync`](Storage::sync) completes, everything written to that file survives a power loss;
//! - after [`sync_directory`](Storage::sync_directory) completes, so do the files created and removed before;
//! - operations submitted on one file take effect in the order they were submitted;
//! - nothing is assumed of renaming, modification times or the order of a listing.

mod completion;
#[cfg(not(target_arch = "wasm32"))]
mod file;
#[cfg(all(target_arch = "wasm32", any(feature = "web", feature = "js")))]
mod host;
mod memory;
mod name;
#[cfg(feature = "testing")]
pub mod sim;
#[cfg(all(target_arch = "wasm32", feature = "web"))]
pub mod web;

use std::fmt;

use bytes::Bytes;

pub use completion::{Completer, Completion};
#[cfg(not(target_arch = "wasm32"))]
pub use file::FileStorage;
#[cfg(all(target_arch = "wasm32", any(feature = "web", feature = "js")))]
pub use host::HostStorage;
#[cfg(all(target_arch = "wasm32", feature = "js"))]
pub(crate) use host::in_words;
pub use memory::MemoryStorage;

/// A file of a storage, as listed.
///
/// # Examples
///
/// ```
/// use selkie::storage::{FileEntry, MemoryStorage, Storage};
///
/// let storage = MemoryStorage::new();
/// storage.create("file").try_take().unwrap()?;
/// let files = storage.list().try_take().unwrap()?;
/// assert_eq!(files, [FileEntry { name: "file".to_owned(), length: 0 }]);
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// The name, unique in its storage.
    pub name: String,
    /// The length in bytes, preallocated space included.
    pub length: u64,
}

/// Whether a write is to survive a power loss when it completes.
///
/// # Examples
///
/// ```
/// use selkie::storage::{Flush, MemoryStorage, Storage};
///
/// let storage = MemoryStorage::new();
/// storage.create("file").try_take().unwrap()?;
/// storage.write("file", 0, "hello".into(), Flush::Yes).try_take().unwrap()?;
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// The write is handed to the operating system.
    No,
    /// The write is synced to the medium.
    Yes,
}

/// A place to keep a database: a flat set of named append-only files under one exclusive lock.
///
/// The methods are those that the engine needs of a platform. Names consist of ASCII letters, digits, `-` and `.`,
/// do not begin with a `.`, and are not `lock` in any case; another name is an
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument). Every other failure is an
/// [`ErrorKind::Io`](crate::ErrorKind::Io) that names the operation and the file, except that [`lock`](Storage::lock)
/// answers [`ErrorKind::Locked`](crate::ErrorKind::Locked).
///
/// # Examples
///
/// The engine is the one who calls it, but anybody can:
///
/// ```
/// use selkie::storage::{Flush, MemoryStorage, Storage};
///
/// let storage = MemoryStorage::new();
/// storage.create("file").try_take().unwrap()?;
/// storage.write("file", 0, "hello".into(), Flush::Yes).try_take().unwrap()?;
/// assert_eq!(storage.read("file", 0, 100).try_take().unwrap()?, "hello");
/// # Ok::<(), selkie::Error>(())
/// ```
pub trait Storage: fmt::Debug + Send + Sync + 'static {
    /// Takes the exclusive lock on this place, creating the place when it does not exist.
    fn lock(&self) -> Completion<()>;

    /// Gives the lock back. Without a lock it does nothing.
    fn unlock(&self);

    /// All files but the lock, in any order.
    fn list(&self) -> Completion<Vec<FileEntry>>;

    /// Creates an empty file. A file of that name must not exist.
    fn create(&self, name: &str) -> Completion<()>;

    /// Reads up to `length` bytes from `offset`; fewer only at the end of the file.
    fn read(&self, name: &str, offset: u64, length: usize) -> Completion<Bytes>;

    /// Writes all of `data` at `offset`, which is the end of what was written so far.
    fn write(&self, name: &str, offset: u64, data: Bytes, flush: Flush) -> Completion<()>;

    /// Prepares space so that the file can grow to `length` bytes without changing its size on each write.
    ///
    /// It is a hint: a storage may do nothing. Space that is prepared reads as zeros.
    fn reserve(&self, _name: &str, _length: u64) -> Completion<()> {
        Completion::ready(Ok(()))
    }

    /// Cuts the file to `length` bytes. A file that is shorter already stays as it is.
    fn truncate(&self, name: &str, length: u64) -> Completion<()>;

    /// Makes everything written to the file survive a power loss.
    fn sync(&self, name: &str) -> Completion<()>;

    /// Makes the creation and removal of files survive a power loss.
    fn sync_directory(&self) -> Completion<()>;

    /// Makes a file that another process left, and its name, survive a power loss even where a sync failed before. The
    /// bytes from `start` to `end` may be in memory only, and a sync alone would pass them over.
    ///
    /// It does nothing where no process can leave such a file to another.
    fn secure(&self, _name: &str, _start: u64, _end: u64) -> Completion<()> {
        Completion::ready(Ok(()))
    }

    /// Removes a file.
    fn remove(&self, name: &str) -> Completion<()>;

    /// Whether operations that are under way at the same time are carried out one after the other, in the order of their
    /// calls, and a write that is not at the end of its file fails: so one does that follows a write which failed. The
    /// engine may then begin a write before it has heard of the operation before.
    fn keeps_order(&self) -> bool {
        false
    }

    /// Where this is, for messages: a path or a name.
    fn location(&self) -> String;
}
