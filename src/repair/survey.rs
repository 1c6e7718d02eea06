//! What the files of a damaged database are, as far as each of them can be read.

use std::sync::Arc;

use crate::codec::SnapshotHeader;
use crate::files::{self, Files};
use crate::snapshot::{self, StorageSource};
use crate::storage::Storage;
use crate::{Corruption, ErrorKind, Result};

use super::account::Damaged;
use super::log::{self, LogFile, corruption_of};

/// The files of a database. Those of another one count as damaged.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) segments: Vec<LogFile>,
    pub(super) snapshots: Vec<SnapshotFile>,
    pub(super) database: Option<u64>,
}

/// A snapshot, and what its header says, when the whole of it is intact.
#[derive(Debug)]
pub(super) struct SnapshotFile {
    pub(super) number: u64,
    pub(super) length: u64,
    pub(super) header: Result<SnapshotHeader, Damaged>,
}

impl Survey {
    pub(super) async fn new(storage: &Arc<dyn Storage>) -> Result<Self> {
        let found = Files::list(storage.as_ref()).await?;
        let segments = log::read_headers(storage.as_ref(), &found).await?;
        let snapshots = read_snapshots(storage, &found).await?;
        let mut survey = Self { segments, snapshots, database: None };
        survey.database = match read_number(storage.as_ref(), &found).await? {
            Some(database) => Some(database),
            None => survey.most_frequent_number(),
        };
        survey.refuse_foreign();
        Ok(survey)
    }

    fn numbers(&self) -> impl Iterator<Item = u64> {
        let of_snapshots =
            self.snapshots.iter().filter_map(|file| file.header.as_ref().ok()).map(|header| header.database);
        let of_segments = self
            .segments
            .iter()
            .filter(|file| !file.is_inferred)
            .filter_map(|file| file.header.ok())
            .map(|header| header.database);
        of_snapshots.chain(of_segments)
    }

    /// The number of the database that most of the files carry.
    fn most_frequent_number(&self) -> Option<u64> {
        let mut votes: Vec<(u64, usize)> = Vec::new();
        for number in self.numbers() {
            match votes.iter_mut().find(|(other, _)| *other == number) {
                Some((_, count)) => *count += 1,
                None => votes.push((number, 1)),
            }
        }
        votes.iter().max_by_key(|(_, count)| *count).map(|(number, _)| *number)
    }

    fn refuse_foreign(&mut self) {
        let database = self.database;
        let is_foreign = |number: u64| database.is_some_and(|database| database != number);
        for file in self.segments.iter_mut().filter(|file| !file.is_inferred) {
            if file.header.is_ok_and(|header| is_foreign(header.database)) {
                file.header = Err(Corruption::Foreign);
            }
        }
        for file in &mut self.snapshots {
            if file.header.as_ref().is_ok_and(|header| is_foreign(header.database)) {
                file.header = Err(file.damaged(0, Corruption::Foreign));
            }
        }
    }
}

impl SnapshotFile {
    fn damaged(&self, offset: u64, kind: Corruption) -> Damaged {
        let bytes = self.length.saturating_sub(offset);
        Damaged { file: snapshot::file_name(self.number), offset, bytes, kind }
    }
}

/// The number in the file `database`, when that is intact.
async fn read_number(storage: &dyn Storage, found: &Files) -> Result<Option<u64>> {
    if !found.has_database_file {
        return Ok(None);
    }
    match files::read_database_file(storage).await {
        Ok(database) => Ok(Some(database)),
        Err(error) => corruption_of(error).map(|_| None),
    }
}

/// Reads all snapshots to the end.
pub(super) async fn read_snapshots(storage: &Arc<dyn Storage>, found: &Files) -> Result<Vec<SnapshotFile>> {
    let lengths = storage.list().await?;
    let mut snapshots = Vec::new();
    for &number in &found.snapshots {
        let name = snapshot::file_name(number);
        let length = lengths.iter().find(|file| file.name == name).map_or(0, |file| file.length);
        let header = match snapshot::verify(&mut StorageSource::new(Arc::clone(storage), &name), &name).await {
            Ok((header, _)) if header.segment == number => Ok(header),
            Ok(_) => Err(Damaged { file: name, offset: 0, bytes: length, kind: Corruption::Foreign }),
            Err(error) => match error.kind() {
                ErrorKind::Corrupted { offset, kind, .. } => {
                    Err(Damaged { file: name, offset: *offset, bytes: length.saturating_sub(*offset), kind: *kind })
                }
                _ => return Err(error),
            },
        };
        snapshots.push(SnapshotFile { number, length, header });
    }
    Ok(snapshots)
}
