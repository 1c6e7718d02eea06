//! The directory of a file storage: its creation, its lock and its sync.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use crate::storage::name;

/// Creates the directory and those above it that are missing, such that each survives a power loss.
pub(super) fn create(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let parent = directory.parent();
    parent.map_or(Ok(()), create)?;
    match fs::create_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => {}
        result => result?,
    }
    parent.map_or(Ok(()), sync)
}

pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).open(path)
}

#[cfg(unix)]
pub(super) fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Syncs a directory of which a sync may have failed: what that forgot is written again with the name that is new.
pub(super) fn sync_again(directory: &Path) -> io::Result<()> {
    let scratch = directory.join(name::SCRATCH);
    File::create(&scratch)?;
    fs::remove_file(&scratch)?;
    sync(directory)
}

/// Windows has no call to sync a directory: NTFS keeps the creation and removal of files in its own journal.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
pub(super) fn sync(_directory: &Path) -> io::Result<()> {
    Ok(())
}
