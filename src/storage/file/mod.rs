//! A storage in a directory of a file system.
//!
//! Every operation is done when its method returns, so every completion is ready. Files stay open once used, because
//! a sync must reach the handle that a write error would be reported to. A log may have more segments than a process
//! may have files, so from some number on those with nothing to sync are closed.
//!
//! Where a write goes is the caller's word. With preallocated space the length of a file does not tell where its
//! contents end, so this storage has nothing to check an offset against.

mod directory;
mod handle;

use std::collections::HashMap;
use std::fs::{self, DirEntry, File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::{Completion, FileEntry, Flush, Storage, name};
use crate::{Error, ErrorKind, Result};
use handle::Handle;

/// From this many open files on, those that need not be open are closed.
const OPEN_FILES: usize = 32;

/// The files of one directory, locked through a file named `lock` in it.
///
/// Other files may lie in the directory when their names are none that a [`Storage`] can have; so may directories.
/// They are not listed and not touched.
///
/// # Examples
///
/// ```
/// use selkie::storage::{FileStorage, Flush, Storage};
///
/// let directory = tempfile::tempdir().unwrap();
/// let storage = FileStorage::new(directory.path().join("database"));
/// storage.lock().try_take().unwrap()?;
/// storage.create("log-1").try_take().unwrap()?;
/// storage.write("log-1", 0, "hello".into(), Flush::Yes).try_take().unwrap()?;
/// storage.sync_directory().try_take().unwrap()?;
/// assert_eq!(storage.read("log-1", 1, 100).try_take().unwrap()?, "ello");
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug)]
pub struct FileStorage {
    directory: PathBuf,
    lock: Mutex<Option<File>>,
    handles: Mutex<HashMap<String, Arc<Handle>>>,
}

impl FileStorage {
    /// A storage in this directory, which [`lock`](Storage::lock) creates. Nothing is touched before that.
    ///
    /// A relative path is taken from the current directory of this moment.
    ///
    /// # Examples
    ///
    /// ```
    /// use selkie::storage::{FileStorage, Storage};
    ///
    /// assert!(FileStorage::new("database").location().ends_with("database"));
    /// ```
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        let directory = std::path::absolute(&directory).unwrap_or(directory);
        Self { directory, lock: Mutex::default(), handles: Mutex::default() }
    }

    fn take_lock(&self) -> Result<()> {
        let mut lock = self.lock.lock();
        directory::create(&self.directory).map_err(self.directory_error("create"))?;
        let path = self.directory.join(name::LOCK);
        let failed = |source| Error::io("lock", path.display().to_string(), source);
        let file = directory::open_lock(&path).map_err(failed)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Error::new(ErrorKind::Locked { path: self.location() }),
            TryLockError::Error(source) => failed(source),
        })?;
        self.forget_handles();
        *lock = Some(file);
        Ok(())
    }

    /// Without the lock another process may replace any file, and a handle would go on showing the old one.
    fn forget_handles(&self) {
        self.handles.lock().clear();
    }

    fn entries(&self) -> io::Result<Vec<FileEntry>> {
        fs::read_dir(&self.directory)?
            .filter_map(|entry| entry.map_or_else(|error| Some(Err(error)), file_entry))
            .collect()
    }

    fn create_file(&self, name: &str) -> Result<()> {
        name::check(name)?;
        let mut handles = self.handles.lock();
        let handle = Handle::create(&self.path(name)).map_err(self.file_error("create", name))?;
        keep_open(&mut handles, name, Arc::new(handle));
        Ok(())
    }

    fn remove_file(&self, name: &str) -> Result<()> {
        name::check(name)?;
        let mut handles = self.handles.lock();
        handles.remove(name);
        fs::remove_file(self.path(name)).map_err(self.file_error("remove", name))
    }

    fn handle(&self, name: &str) -> Result<Arc<Handle>> {
        name::check(name)?;
        let mut handles = self.handles.lock();
        if let Some(handle) = handles.get(name) {
            return Ok(Arc::clone(handle));
        }
        let handle = Arc::new(Handle::open(&self.path(name)).map_err(self.file_error("open", name))?);
        keep_open(&mut handles, name, Arc::clone(&handle));
        Ok(handle)
    }

    fn act<T>(&self, operation: &'static str, name: &str, action: impl FnOnce(&Handle) -> io::Result<T>) -> Result<T> {
        action(&*self.handle(name)?).map_err(self.file_error(operation, name))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn file_error(&self, operation: &'static str, name: &str) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::io(operation, self.path(name).display().to_string(), source)
    }

    fn directory_error(&self, operation: &'static str) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::io(operation, self.location(), source)
    }
}

impl Storage for FileStorage {
    fn lock(&self) -> Completion<()> {
        Completion::ready(self.take_lock())
    }

    fn unlock(&self) {
        if let Some(file) = self.lock.lock().take() {
            self.forget_handles();
            // A child process that is just starting may share the file, and closing it here would then not unlock it.
            // Should this fail, closing is all that is left to do.
            let _ = file.unlock();
        }
    }

    fn list(&self) -> Completion<Vec<FileEntry>> {
        Completion::ready(self.entries().map_err(self.directory_error("list")))
    }

    fn create(&self, name: &str) -> Completion<()> {
        Completion::ready(self.create_file(name))
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> Completion<Bytes> {
        Completion::ready(self.act("read", name, |file| file.read(offset, length)))
    }

    fn write(&self, name: &str, offset: u64, data: Bytes, flush: Flush) -> Completion<()> {
        let written = self.act("write", name, |file| file.write(offset, &data));
        Completion::ready(written.and_then(|()| match flush {
            Flush::No => Ok(()),
            Flush::Yes => self.act("sync", name, Handle::sync),
        }))
    }

    fn reserve(&self, name: &str, length: u64) -> Completion<()> {
        Completion::ready(self.act("reserve", name, |file| file.reserve(length)))
    }

    fn truncate(&self, name: &str, length: u64) -> Completion<()> {
        Completion::ready(self.act("truncate", name, |file| file.truncate(length)))
    }

    fn sync(&self, name: &str) -> Completion<()> {
        Completion::ready(self.act("sync", name, Handle::sync))
    }

    fn secure(&self, name: &str, start: u64, end: u64) -> Completion<()> {
        let written = self.act("write", name, |file| file.rewrite(start, end));
        let synced = written.and_then(|()| self.act("sync", name, Handle::sync));
        let again = || directory::sync_again(&self.directory).map_err(self.directory_error("sync"));
        Completion::ready(synced.and_then(|()| again()))
    }

    fn sync_directory(&self) -> Completion<()> {
        Completion::ready(directory::sync(&self.directory).map_err(self.directory_error("sync")))
    }

    fn remove(&self, name: &str) -> Completion<()> {
        Completion::ready(self.remove_file(name))
    }

    fn location(&self) -> String {
        self.directory.display().to_string()
    }
}

fn keep_open(handles: &mut HashMap<String, Arc<Handle>>, name: &str, handle: Arc<Handle>) {
    if handles.len() >= OPEN_FILES {
        // One that is in use may be about to be written.
        handles.retain(|_, handle| handle.is_unsynced() || Arc::strong_count(handle) > 1);
    }
    handles.insert(name.to_owned(), handle);
}

/// The entry of a regular file with a name of ours, unless it was removed since it was found.
#[expect(clippy::needless_pass_by_value, reason = "what `map_or_else` calls owns its argument")]
fn file_entry(entry: DirEntry) -> Option<io::Result<FileEntry>> {
    let name = entry.file_name().into_string().ok().filter(|name| name::is_valid(name))?;
    match entry.metadata() {
        Ok(metadata) => metadata.is_file().then_some(Ok(FileEntry { name, length: metadata.len() })),
        Err(error) => (error.kind() != io::ErrorKind::NotFound).then_some(Err(error)),
    }
}
