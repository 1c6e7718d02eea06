//! Making a new database that begins with a snapshot: of a backup, or of another database.
//!
//! The snapshot is written and read back first, then the segment that continues it, and the file `database` last.
//! Until that is there, what a crash leaves is data without that file: opening it is refused as damage, and so is
//! restoring into it, because a database that lost the file looks the same. Removing the files makes place again.

use std::io::ErrorKind;
use std::sync::Arc;

use super::{Recovered, from_snapshot};
use crate::codec::SnapshotHeader;
use crate::engine::plan::{contents_of, header_of};
use crate::files;
use crate::log::create_segment;
use crate::log::segment::{SegmentHeader, segment_name};
use crate::options::Compression;
use crate::runtime::{self, random};
use crate::snapshot::{self, Source, Summary};
use crate::sorting;
use crate::storage::Storage;
use crate::{Error, Result};

/// The segment that a restored database begins with. It is not the first: that would say that the log reaches back
/// to the very beginning, and that the snapshot can be done without.
pub(crate) const FIRST_SEGMENT: u64 = 2;

/// Refuses a place that holds anything.
pub(crate) async fn check_vacant(storage: &dyn Storage) -> Result<()> {
    if storage.list().await?.is_empty() {
        return Ok(());
    }
    Err(Error::io("create a database in", storage.location(), ErrorKind::AlreadyExists.into()))
}

/// Makes a database of a backup in a vacant place whose lock is held.
pub(crate) async fn restore<S: Source>(
    storage: &Arc<dyn Storage>,
    source: &mut S,
    name: &str,
    compression: Compression,
) -> Result<Recovered> {
    let started = runtime::now();
    check_vacant(storage.as_ref()).await?;
    let loaded = snapshot::load(source, name).await?;
    let mut recovered = from_snapshot(loaded, &snapshot::file_name(FIRST_SEGMENT));
    let (header, log_header, summary) = write(storage, &recovered, compression).await?;
    recovered.database = header.database;
    recovered.log_header = Some(log_header);
    recovered.report.created = true;
    if let Some(info) = &mut recovered.snapshot {
        info.bytes = summary.bytes;
        info.segment = FIRST_SEGMENT;
    }
    recovered.report.duration = runtime::now() - started;
    Ok(recovered)
}

/// Makes a database of a state in a vacant place whose lock is held. It gets a number of its own.
pub(crate) async fn write(
    storage: &Arc<dyn Storage>,
    recovered: &Recovered,
    compression: Compression,
) -> Result<(SnapshotHeader, SegmentHeader, Summary)> {
    let Recovered { catalog, version, time, retention, forgotten, .. } = recovered;
    let header = header_of(catalog, random(), FIRST_SEGMENT, (*version, *time), *retention);
    let contents = contents_of(catalog);
    let (log_header, summary) = establish(storage, &header, async || {
        snapshot::write_file(storage, &header, &contents, compression, &|| *forgotten).await
    })
    .await?;
    Ok((header, log_header, summary))
}

/// Makes a database that begins with the snapshot that `write` writes, in a vacant place whose lock is held.
pub(crate) async fn establish(
    storage: &Arc<dyn Storage>,
    header: &SnapshotHeader,
    write: impl AsyncFnOnce() -> Result<Summary>,
) -> Result<(SegmentHeader, Summary)> {
    let created = create_files(storage, header, write).await;
    if created.is_err() {
        // The first error is the one to report. What cannot be removed is not taken for a database.
        let _unheard = remove_files(storage.as_ref()).await;
    }
    created
}

async fn create_files(
    storage: &Arc<dyn Storage>,
    header: &SnapshotHeader,
    write: impl AsyncFnOnce() -> Result<Summary>,
) -> Result<(SegmentHeader, Summary)> {
    let summary = write().await?;
    let log_header = SegmentHeader {
        database: header.database,
        segment: header.segment,
        epoch: 1,
        salt: random(),
        first_sequence: header.version + 1,
        previous_end: 0,
    };
    create_segment(storage.as_ref(), &segment_name(header.segment), &log_header).await?;
    files::write_database_file(storage.as_ref(), header.database).await?;
    Ok((log_header, summary))
}

/// Removes what was created, beginning with the file that makes it a database.
async fn remove_files(storage: &dyn Storage) -> Result<()> {
    let mut names: Vec<_> = storage.list().await?.into_iter().map(|file| file.name).collect();
    sorting::sort_by(&mut names, |a, b| (a != files::DATABASE_FILE).cmp(&(b != files::DATABASE_FILE)));
    for name in &names {
        storage.remove(name).await?;
    }
    storage.sync_directory().await
}
