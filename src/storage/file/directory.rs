//! The directory of a file storage: its creation, its lock and its sync.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// The name of a file that is there for a moment only. No file of a storage begins with a dot.
const SCRATCH: &str = ".scratch";

/// Creates the directory and those above it that are missing, such that each survives a power loss.
pub(super) fn create(directory: &Path) -> io::Result<()> {
    if directory.is_dir() && !is_empty(directory) {
        return Ok(());
    }
    let parent = directory.parent();
    parent.map_or(Ok(()), create)?;
    match fs::create_dir(directory) {
        Err(_) if directory.is_dir() => match parent.map_or(Ok(()), sync) {
            // Who created it had rights that we do not have, and has to sync it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            synced => synced,
        },
        created => created.and_then(|()| parent.map_or(Ok(()), sync)),
    }
}

/// Whoever created an empty directory may have been killed before that was durable. What is in it comes afterwards.
fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none())
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
    let scratch = directory.join(SCRATCH);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_synced_until_something_is_in_it() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("one").join("two");
        for _ in 0..2 {
            create(&directory).unwrap();
            assert!(is_empty(&directory) && !is_empty(root.path()) && !is_empty(&root.path().join("none")));
        }
        drop(open_lock(&directory.join("lock")).unwrap());
        create(&directory).unwrap();
        assert!(!is_empty(&directory));
        let file = root.path().join("file");
        File::create(&file).unwrap();
        assert!(create(&file).is_err() && create(&file.join("below")).is_err());
    }

    #[test]
    fn syncing_again_leaves_nothing_behind() {
        let root = tempfile::tempdir().unwrap();
        sync_again(root.path()).unwrap();
        sync_again(root.path()).unwrap();
        assert!(is_empty(root.path()));
    }
}
