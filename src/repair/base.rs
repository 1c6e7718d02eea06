//! What the kept commits can begin with.

use std::sync::Arc;

use crate::options::Retention;
use crate::recovery::{Recovered, from_snapshot};
use crate::snapshot::{self, Hint, StorageSource};
use crate::storage::Storage;
use crate::{Corruption, Error, Result};

use super::hint;
use super::log::Start;
use super::report::Loss;
use super::survey::{SnapshotFile, Survey};

/// What the kept commits begin with.
#[derive(Debug)]
pub(super) enum Base {
    Beginning,
    Snapshot {
        number: u64,
    },
    /// What is left of a snapshot, and what the log says of it.
    Remains {
        number: u64,
        length: u64,
        hint: Option<Hint>,
    },
}

/// The newest snapshot that is whole, or the beginning of the log. No earlier base leads further, because the same log
/// follows it.
pub(super) fn whole(survey: &Survey) -> (Base, Start) {
    for SnapshotFile { number, header, .. } in survey.snapshots.iter().rev() {
        if let Ok(header) = header {
            let start = Start { segment: *number, version: header.version, damaged: Vec::new() };
            return (Base::Snapshot { number: *number }, start);
        }
    }
    (Base::Beginning, beginning(survey))
}

/// Where the log begins at later commits, the damaged snapshots held those before.
fn beginning(survey: &Survey) -> Start {
    let Survey { segments, snapshots, .. } = survey;
    let damaged: Vec<_> = snapshots.iter().filter_map(|file| file.header.as_ref().err().cloned()).collect();
    let first = segments.first().map(|file| file.number).or(snapshots.last().map(|file| file.number));
    match first {
        Some(first) if first != 1 && !damaged.is_empty() => Start { segment: first, version: 0, damaged },
        _ => Start { segment: 1, version: 0, damaged: Vec::new() },
    }
}

/// What is left of the newest damaged snapshot of which anything is.
pub(super) async fn remains(storage: &dyn Storage, survey: &Survey) -> Result<Option<(Base, Start)>> {
    for &SnapshotFile { number, length, ref header } in survey.snapshots.iter().rev() {
        if header.is_ok() {
            continue;
        }
        let name = snapshot::file_name(number);
        let hint = hint::of_snapshot(storage, survey, number).await?;
        let Some(remains) = snapshot::salvage(storage, &name, length, hint.as_ref()).await? else { continue };
        let header = remains.loaded.header;
        if header.segment == number && survey.database.is_none_or(|database| database == header.database) {
            let start = Start { segment: number, version: header.version, damaged: Vec::new() };
            return Ok(Some((Base::Remains { number, length, hint }, start)));
        }
    }
    Ok(None)
}

/// Builds the state of a base, and says what is lost of it.
pub(super) async fn load(storage: &Arc<dyn Storage>, base: &Base) -> Result<(Recovered, Vec<Loss>)> {
    match base {
        Base::Beginning => Ok((Recovered::empty(Retention::None), Vec::new())),
        Base::Snapshot { number } => {
            let name = snapshot::file_name(*number);
            let loaded = snapshot::load(&mut StorageSource::new(Arc::clone(storage), &name), &name).await?;
            Ok((from_snapshot(loaded, &name), Vec::new()))
        }
        Base::Remains { number, length, hint } => {
            let name = snapshot::file_name(*number);
            let Some(remains) = snapshot::salvage(storage.as_ref(), &name, *length, hint.as_ref()).await? else {
                return Err(Error::corrupted(name, 0, Corruption::Header));
            };
            Ok((from_snapshot(remains.loaded, &name), remains.losses))
        }
    }
}
