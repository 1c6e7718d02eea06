//! The file that marks a database as complete, and the names of all files.
//!
//! The file `database` is created last when a database is created, after its first segment has a durable header.
//! From then on that segment, or a snapshot in its place, must be there: a directory that lost them is damaged, not
//! new. It has 24 bytes, with little-endian numbers: the magic `selkieDB`, the format 1 in 4 bytes, the database's
//! random number in 8 bytes, and a CRC-32 of the 20 bytes before.

use bytes::Bytes;

use crate::checksum;
use crate::log::frame::{u32_at, u64_at};
use crate::log::segment::{SEGMENT_HEADER_BYTES, segment_number};
use crate::snapshot;
use crate::sorting;
use crate::storage::{FileEntry, Flush, Storage};
use crate::{Corruption, Error, ErrorKind, Result};

/// The name of the file that marks a complete database.
pub(crate) const DATABASE_FILE: &str = "database";

const MAGIC: &[u8; 8] = b"selkieDB";
const FORMAT: u32 = 1;
const LENGTH: usize = 24;

/// The files of a database.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) has_database_file: bool,
    database_file_bytes: u64,
    /// Numbers of the segments, ascending, with the length of each file.
    pub(crate) segments: Vec<(u64, u64)>,
    /// Numbers of the snapshots, ascending.
    pub(crate) snapshots: Vec<u64>,
}

impl Files {
    /// Whether there is anything beyond what creating a database leaves. A longer file `database` is another file under
    /// its name.
    pub(crate) fn has_data(&self) -> bool {
        let has_frames = self.segments.iter().any(|(_, length)| *length > SEGMENT_HEADER_BYTES as u64);
        has_frames || !self.snapshots.is_empty() || self.database_file_bytes > LENGTH as u64
    }

    /// Whether these are the same files, whatever their lengths.
    pub(crate) fn are_named_like(&self, other: &Self) -> bool {
        let numbers = |files: &Self| files.segments.iter().map(|(number, _)| *number).collect::<Vec<_>>();
        numbers(self) == numbers(other) && self.snapshots == other.snapshots
    }

    pub(crate) async fn list(storage: &dyn Storage) -> Result<Self> {
        let mut files = Self::default();
        for FileEntry { name, length } in storage.list().await? {
            if name == DATABASE_FILE {
                files.has_database_file = true;
                files.database_file_bytes = length;
            }
            files.segments.extend(segment_number(&name).map(|segment| (segment, length)));
            files.snapshots.extend(snapshot::file_number(&name));
        }
        sorting::sort_by(&mut files.segments, Ord::cmp);
        sorting::sort_by(&mut files.snapshots, Ord::cmp);
        Ok(files)
    }
}

pub(crate) async fn write_database_file(storage: &dyn Storage, database: u64) -> Result<()> {
    let mut bytes = [0; LENGTH];
    bytes[0..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[12..20].copy_from_slice(&database.to_le_bytes());
    let checksum = checksum::hash(&bytes[..20]);
    bytes[20..24].copy_from_slice(&checksum.to_le_bytes());
    create_file(storage, DATABASE_FILE, &bytes).await
}

/// Creates a file that begins with these bytes, and makes it survive a power loss.
pub(crate) async fn create_file(storage: &dyn Storage, name: &str, bytes: &[u8]) -> Result<()> {
    let created = storage.create(name);
    let write = || storage.write(name, 0, Bytes::copy_from_slice(bytes), Flush::Yes);
    if storage.keeps_order() {
        // What this leaves where only the creation fails is a file that recovery takes for an unfinished one.
        let written = write();
        created.await?;
        written.await?;
    } else {
        created.await?;
        write().await?;
    }
    storage.sync_directory().await
}

/// The database's random number.
pub(crate) async fn read_database_file(storage: &dyn Storage) -> Result<u64> {
    let bytes = storage.read(DATABASE_FILE, 0, LENGTH + 1).await?;
    if bytes.len() < LENGTH {
        return Err(Error::corrupted(DATABASE_FILE, bytes.len() as u64, Corruption::Truncated));
    }
    let intact = bytes.len() == LENGTH && u32_at(&bytes, 20) == checksum::hash(&bytes[..20]);
    if &bytes[..8] != MAGIC || !intact {
        return Err(Error::corrupted(DATABASE_FILE, 0, Corruption::Header));
    }
    match u32_at(&bytes, 8) {
        FORMAT => Ok(u64_at(&bytes, 12)),
        format => Err(Error::new(ErrorKind::UnsupportedFormat { file: DATABASE_FILE.to_owned(), format })),
    }
}

/// A whole file.
pub(crate) async fn read_file(storage: &dyn Storage, name: &str, length: u64) -> Result<Bytes> {
    storage.read(name, 0, length as usize).await
}
