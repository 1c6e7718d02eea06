//! Repairing a database: what can be saved of a damaged one is written to another place, as a database that is whole.
//!
//! The damaged files are only read. A database that opens is copied as it opens. Of one that does not, this is kept:
//!
//! 1. The base is the newest snapshot that is whole, or else the beginning of the log. Only where no commit can be kept
//!    in this way, it is what is intact of the newest damaged snapshot. The keys in lost blocks are then missing, and the
//!    past before the snapshot cannot be viewed. If its header is lost as well, keyspaces get names made of their numbers,
//!    and the retention keeps everything.
//! 2. The commits of the log follow from there on, in the order of their versions and without a gap: the first one that
//!    is damaged or missing ends them. A damaged or missing file in which there was no commit ends nothing.
//! 3. Everything else is lost. Each loss is reported with its place, its cause, and what it held.
//!
//! So what is kept is the state of a moment that was, unless parts of a snapshot are missing from it, and never a commit
//! without those before it. History, keyspaces, retention and the numbers of the commits stay. The new database has a
//! number of its own: files of the two cannot be mixed.
//!
//! Verification makes the same plan and does not carry it out, which is how it knows what a repair would lose.

mod account;
mod base;
mod hint;
mod log;
mod plan;
mod report;
mod survey;

use std::io;
use std::sync::Arc;

#[cfg(doc)]
use crate::ErrorKind;
use crate::files::Files;
use crate::options::{Compression, Options};
use crate::recovery::{Recovered, recover, restore};
use crate::storage::Storage;
use crate::{Error, Result};

pub(crate) use plan::{Plan, plan};
pub use report::{KeyRange, Loss, LossCause, LostData, Repair};

/// Writes what can be saved of the database in the directory `source` to the directory `destination`, as a database
/// that is whole, and reports what was kept and what was lost.
///
/// The damaged files stay as they are. What is kept is the state after one of the commits, the last one that can be
/// reached; where the only snapshot is damaged, without the keys of its damaged blocks. [`verify`](crate::verify())
/// says beforehand what would be lost.
///
/// The database must not be open elsewhere. Memory is needed as for opening it.
///
/// # Examples
///
/// ```
/// # fn main() -> selkie::Result<()> {
/// # let directory = tempfile::tempdir().unwrap();
/// # let (path, copy) = (directory.path().join("notes"), directory.path().join("repaired"));
/// let db = selkie::Database::open(&path)?;
/// db.insert("title", "Selkie")?;
/// db.insert("author", "unknown")?;
/// db.close()?;
/// # let log = path.join("0000000000000001.log");
/// let mut bytes = std::fs::read(&log).unwrap();
/// bytes[200] ^= 1; // within the second commit
/// std::fs::write(&log, bytes).unwrap();
/// assert!(selkie::Database::open(&path).is_err());
///
/// let repair = selkie::repair(&path, &copy)?;
/// assert_eq!((repair.version, repair.losses.len()), (1, 1));
/// let db = selkie::Database::open(&copy)?;
/// assert_eq!(db.get("title")?.unwrap(), "Selkie");
/// assert!(db.get("author")?.is_none());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`ErrorKind::Io`] of kind `AlreadyExists` when the destination holds anything, of kind `NotFound` where there is no
/// database; [`ErrorKind::UnsupportedFormat`] for files of a later version; [`ErrorKind::Locked`] while either place is
/// open elsewhere; [`ErrorKind::Io`]. After an error there is no database in the destination.
#[cfg(not(target_arch = "wasm32"))]
pub fn repair(source: impl AsRef<std::path::Path>, destination: impl AsRef<std::path::Path>) -> Result<Repair> {
    let source = source.as_ref();
    if !source.is_dir() {
        return Err(Error::io("open", source.display().to_string(), io::ErrorKind::NotFound.into()));
    }
    let absolute = |path| std::path::absolute(path).unwrap_or_else(|_| std::path::PathBuf::from(path));
    let (source, destination) = (absolute(source), absolute(destination.as_ref()));
    if destination != source && destination.starts_with(&source) {
        return Err(Error::invalid(format!("`{}` is within what is to be repaired", destination.display())));
    }
    let source: Arc<dyn Storage> = Arc::new(crate::storage::FileStorage::new(source));
    let destination = Arc::new(crate::storage::FileStorage::new(destination));
    crate::runtime::block_on(repair_storage(&source, destination))
}

/// Writes what can be saved of the database in one storage to another, as [`repair`](crate::repair()) does.
///
/// ```
/// use std::sync::Arc;
/// use selkie::storage::Storage;
///
/// async fn save(source: Arc<dyn Storage>, destination: Arc<dyn Storage>) -> selkie::Result<bool> {
///     Ok(selkie::repair_storage(&source, destination).await?.is_lossless())
/// }
/// ```
///
/// # Errors
///
/// As for [`repair`](crate::repair()).
pub async fn repair_storage(source: &Arc<dyn Storage>, destination: Arc<dyn Storage>) -> Result<Repair> {
    source.lock().await?;
    let repaired = repair_locked(source, &destination).await;
    source.unlock();
    repaired
}

async fn repair_locked(source: &Arc<dyn Storage>, destination: &Arc<dyn Storage>) -> Result<Repair> {
    let found = Files::list(source.as_ref()).await?;
    if !found.has_database_file && !found.has_data() {
        return Err(Error::io("open", source.location(), io::ErrorKind::NotFound.into()));
    }
    let opened = recover(source, &Options::new().read_only(true)).await;
    // The destination is not touched before it is known that there is something to put there.
    let Plan { recovered, repair } = plan(source, opened).await?;
    destination.lock().await?;
    let written = write(destination, &recovered).await;
    destination.unlock();
    written.map(|()| repair)
}

async fn write(destination: &Arc<dyn Storage>, recovered: &Recovered) -> Result<()> {
    restore::check_vacant(destination.as_ref()).await?;
    restore::write(destination, recovered, Compression::default()).await.map(drop)
}
