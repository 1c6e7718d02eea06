//! Verifying the snapshots.

use std::sync::Arc;

use crate::files::Files;
use crate::snapshot::{self, StorageSource};
use crate::storage::Storage;
use crate::{Corruption, Error, ErrorKind, Result};

use super::{Verification, is_damage};

/// Verifies all snapshots and says in which segment the log has to begin.
pub(super) async fn verify(
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
        let ends_early = matches!(error.kind(), ErrorKind::Corrupted { offset, .. } if *offset >= file.bytes);
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
