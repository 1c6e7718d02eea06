//! Verifying a database at rest: every byte of every file is read, and all damage is listed.

mod report;
mod segments;

use std::sync::Arc;

use crate::files::{self, DATABASE_FILE, Files};
use crate::log::segment::segment_number;
use crate::options::Options;
use crate::recovery::recover;
use crate::snapshot::{self, StorageSource};
use crate::storage::Storage;
use crate::{Corruption, Error, Result};

pub use report::{FileKind, FileReport, Verification};

/// Reads every byte of the database in a directory and lists all damage. Nothing is changed.
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
/// [`Error::Locked`] while it is open elsewhere, and [`Error::Io`], also where there is no database. Damage is no
/// error but part of the [`Verification`].
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
/// # Errors
///
/// [`Error::Locked`] while it is open elsewhere, and [`Error::Io`], also where there is no database.
pub async fn verify_storage(storage: &Arc<dyn Storage>) -> Result<Verification> {
    storage.lock().await?;
    let verification = verify_locked(storage).await;
    storage.unlock();
    verification
}

async fn verify_locked(storage: &Arc<dyn Storage>) -> Result<Verification> {
    let opening = match recover(storage, &Options::new().read_only(true)).await {
        Ok(recovered) => Ok(recovered.report),
        Err(error) if is_damage(&error) => Err(error),
        Err(error) => return Err(error),
    };
    let mut verification = list_files(storage.as_ref()).await?;
    let found = Files::list(storage.as_ref()).await?;
    let database = verify_database_file(storage.as_ref(), &mut verification).await?;
    let base = verify_snapshots(storage, database, &found, &mut verification).await?;
    segments::verify(storage.as_ref(), database, base, &found, &mut verification).await?;
    if let Err(error) = &opening {
        verification.add_damage(error.clone());
    }
    verification.opening = opening;
    Ok(verification)
}

/// Whether an error says something about the files, rather than that they could not be read.
fn is_damage(error: &Error) -> bool {
    matches!(error, Error::Corrupted { .. } | Error::UnsupportedFormat { .. })
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

/// Verifies all snapshots and says in which segment the log has to begin.
async fn verify_snapshots(
    storage: &Arc<dyn Storage>,
    database: Option<u64>,
    found: &Files,
    verification: &mut Verification,
) -> Result<u64> {
    let first_segment = found.segments.first().map(|(number, _)| *number);
    let mut newest = None;
    let mut damaged = Vec::new();
    for number in found.snapshots.iter().rev() {
        match verify_snapshot(storage, database, *number).await {
            Ok(entries) => {
                newest = newest.or(Some(*number));
                verification.file(&snapshot::file_name(*number)).records = entries;
            }
            Err(error) if is_damage(&error) => damaged.push((*number, error)),
            Err(error) => return Err(error),
        }
    }
    let has_base = newest.is_some() || first_segment == Some(1);
    for (number, error) in damaged {
        let file = verification.file(&snapshot::file_name(number));
        let ends_early = matches!(&error, Error::Corrupted { offset, .. } if *offset >= file.bytes);
        // Opening passes over it, as a crash while it was written leaves it.
        file.unfinished = ends_early && has_base && newest.is_none_or(|newest| number > newest);
        if !file.unfinished {
            verification.add_damage(error);
            add_damaged_sections(storage, number, verification).await?;
        }
    }
    // Without a valid snapshot, the log that is there may begin where a damaged one ended.
    let begins_after_snapshot = first_segment.filter(|_| !found.snapshots.is_empty());
    Ok(newest.or(begins_after_snapshot).unwrap_or(1))
}

/// The first damage ends a verification; this finds the rest.
async fn add_damaged_sections(storage: &Arc<dyn Storage>, number: u64, verification: &mut Verification) -> Result<()> {
    let name = snapshot::file_name(number);
    let mut source = StorageSource::new(Arc::clone(storage), &name);
    let damaged = snapshot::damaged_sections(&mut source, &name).await;
    for error in verification.collect(damaged)?.unwrap_or_default() {
        verification.add_damage(error);
    }
    Ok(())
}

async fn verify_snapshot(storage: &Arc<dyn Storage>, database: Option<u64>, number: u64) -> Result<u64> {
    let name = snapshot::file_name(number);
    let mut source = StorageSource::new(Arc::clone(storage), &name);
    let (header, summary) = snapshot::verify(&mut source, &name).await?;
    if database.is_some_and(|database| database != header.database) || header.segment != number {
        return Err(Error::corrupted(name, 0, Corruption::Foreign));
    }
    Ok(summary.entries)
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
