//! Verifying a database at rest: every byte of every file is read, and all damage is listed.

mod report;
mod segments;
mod snapshots;

use std::sync::Arc;

use crate::files::{self, DATABASE_FILE, Files};
use crate::log::segment::segment_number;
use crate::options::Options;
use crate::recovery::recover;
use crate::repair::plan;
use crate::snapshot;
use crate::storage::Storage;
use crate::{Corruption, Error, ErrorKind, Result};

pub use report::{FileKind, FileReport, Verification};

/// Reads every byte of the database in a directory and lists all damage, and what a repair would lose. Nothing
/// is changed but the lock.
///
/// The database must not be open elsewhere. Memory is needed as for opening it, because whether it opens is found
/// out by doing all that opening does, but for the changes.
///
/// # Examples
///
/// ```
/// # fn main() -> selkie::Result<()> {
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("notes");
/// let db = selkie::Database::open(&path)?;
/// db.insert("title", "Selkie")?;
/// db.close()?;
///
/// let verification = selkie::verify(&path)?;
/// assert!(verification.is_intact());
/// for file in &verification.files {
///     println!("{}: {} bytes, {} records", file.name, file.bytes, file.records);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`ErrorKind::Locked`] while it is open elsewhere, and [`ErrorKind::Io`], also where there is no database. Damage is
/// no error but part of the [`Verification`].
#[cfg(not(target_arch = "wasm32"))]
pub fn verify(path: impl AsRef<std::path::Path>) -> Result<Verification> {
    let path = path.as_ref();
    if !path.is_dir() {
        return Err(Error::io("open", path.display().to_string(), std::io::ErrorKind::NotFound.into()));
    }
    let storage: Arc<dyn Storage> = Arc::new(crate::storage::FileStorage::new(path));
    crate::runtime::block_on(verify_storage(&storage))
}

/// Reads every byte of the database in a storage and lists all damage, as [`verify`](crate::verify()) does.
///
/// ```
/// use std::sync::Arc;
/// use selkie::storage::Storage;
///
/// async fn is_intact(storage: Arc<dyn Storage>) -> selkie::Result<bool> {
///     Ok(selkie::verify_storage(&storage).await?.is_intact())
/// }
/// ```
///
/// # Errors
///
/// [`ErrorKind::Locked`] while it is open elsewhere, and [`ErrorKind::Io`], also where there is no database.
pub async fn verify_storage(storage: &Arc<dyn Storage>) -> Result<Verification> {
    storage.lock().await?;
    let verification = verify_locked(storage).await;
    storage.unlock();
    verification
}

async fn verify_locked(storage: &Arc<dyn Storage>) -> Result<Verification> {
    let opened = recover(storage, &Options::new().read_only(true)).await;
    let opening = match &opened {
        Ok(recovered) => Ok(recovered.report.clone()),
        Err(error) if is_damage(error) => Err(error.clone()),
        Err(error) => return Err(error.clone()),
    };
    let repair = match plan(storage, opened).await {
        Ok(plan) => Ok(plan.repair),
        Err(error) if is_damage(&error) => Err(error),
        Err(error) => return Err(error),
    };
    let mut verification = list_files(storage.as_ref()).await?;
    let found = Files::list(storage.as_ref()).await?;
    let database = verify_database_file(storage.as_ref(), &mut verification).await?;
    let base = snapshots::verify(storage, database, &found, &mut verification).await?;
    segments::verify(storage.as_ref(), database, base, &found, &mut verification).await?;
    if let Err(error) = &opening {
        verification.add_damage(error.clone());
    }
    verification.opening = opening;
    verification.repair = repair;
    Ok(verification)
}

/// Whether an error says something about the files, rather than that they could not be read.
fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Corrupted { .. } | ErrorKind::UnsupportedFormat { .. })
}

async fn list_files(storage: &dyn Storage) -> Result<Verification> {
    let mut verification = Verification::default();
    for entry in storage.list().await? {
        verification.files.push(FileReport::new(&entry.name, entry.length));
    }
    verification.files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(verification)
}

/// The database's random number, unless its file is damaged.
async fn verify_database_file(storage: &dyn Storage, verification: &mut Verification) -> Result<Option<u64>> {
    let database = if verification.files.iter().any(|file| file.name == DATABASE_FILE) {
        files::read_database_file(storage).await
    } else {
        Err(Error::corrupted(DATABASE_FILE, 0, Corruption::Missing))
    };
    verification.collect(database)
}

fn kind_of(name: &str) -> FileKind {
    if name == DATABASE_FILE {
        FileKind::Database
    } else if segment_number(name).is_some() {
        FileKind::Segment
    } else if snapshot::file_number(name).is_some() {
        FileKind::Snapshot
    } else {
        FileKind::Other
    }
}
