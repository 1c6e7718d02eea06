//! Opening a database: the newest valid snapshot, and every commit of the log after it.
//!
//! A database is never opened in part. What a crash can leave is put right: a torn tail is cut off, a snapshot
//! that was not finished is passed over, a segment that was not begun properly is dropped. Everything else is an
//! error that names the file, the offset and the kind of damage.
//!
//! | what is found | what it means |
//! |---|---|
//! | no file `database`, and no frame and no snapshot | a creation that did not finish: begin anew |
//! | no file `database`, but data | damaged, or a restore that did not finish: refused |
//! | a file `database` that is longer than it ever is | damaged |
//! | a snapshot without a valid footer, and the log from before it | it was not finished: use the log |
//! | such a snapshot, and no log from before it | damaged |
//! | a gap in the numbers of segments or sequences | damaged |
//! | the last segment without a valid header, shorter than one, and nothing says it was begun | drop it |
//! | the last segment without a valid header otherwise | damaged |
//! | a bad frame in the last segment, and no evidence that it was durable | a torn tail: cut it |
//! | any other bad frame | damaged |

mod pieces;
pub(crate) mod replay;
pub(crate) mod restore;
pub(crate) mod segments;

use std::sync::Arc;

use crate::engine::catalog::{Catalog, KeyspaceState};
use crate::engine::snapshots::SnapshotInfo;
use crate::files::{self, Files};
use crate::log::segment::SegmentHeader;
use crate::log::{create_segment, segment::segment_name};
use crate::options::{Options, Retention};
use crate::runtime::{self, Duration, breathe, random};
use crate::snapshot::{self, Loaded, StorageSource};
use crate::storage::Storage;
use crate::{Corruption, Error, ErrorKind, Result, Version};
use replay::Replay;

/// What opening a database found and did.
///
/// # Examples
///
/// ```
/// # use selkie::Database;
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("notes");
/// assert!(Database::open(&path)?.recovery().created);
/// let db = Database::open(&path)?;
/// let recovery = db.recovery();
/// assert_eq!((recovery.created, recovery.frames_replayed, recovery.bytes_cut), (false, 0, 0));
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// Whether the database was created.
    pub created: bool,
    /// The file of the snapshot that was loaded.
    pub snapshot: Option<String>,
    /// How many keys came from the snapshot.
    pub snapshot_entries: u64,
    /// How many log segments were replayed.
    pub segments: u64,
    /// How many commits were replayed from the log.
    pub frames_replayed: u64,
    /// How many bytes of a torn tail were cut off the log.
    pub bytes_cut: u64,
    /// Files that a crash left unfinished and that were passed over.
    pub ignored_files: Vec<String>,
    /// How long opening took.
    pub duration: Duration,
}

/// The state of a database as it was recovered.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) catalog: Catalog,
    pub(crate) version: Version,
    pub(crate) time: u64,
    pub(crate) retention: Retention,
    pub(crate) forgotten: (Version, u64),
    pub(crate) database: u64,
    /// The segment to go on in: its header is durable and it has no frames. None without a log.
    pub(crate) log_header: Option<SegmentHeader>,
    pub(crate) snapshot: Option<SnapshotInfo>,
    /// How many bytes of log follow the snapshot.
    pub(crate) log_bytes: u64,
    /// Where a reader stands in the log, from which it can follow the writer.
    pub(crate) position: Option<Position>,
    pub(crate) report: Recovery,
}

/// A place in the log: everything before it was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    pub(crate) header: SegmentHeader,
    pub(crate) offset: u64,
}

impl Recovered {
    /// The state of a database without anything.
    pub(crate) fn empty(retention: Retention) -> Self {
        Self {
            catalog: Catalog::new(),
            version: 0,
            time: 0,
            retention,
            forgotten: (0, 0),
            database: random(),
            log_header: None,
            snapshot: None,
            log_bytes: 0,
            position: None,
            report: Recovery::default(),
        }
    }
}

/// How often a reader begins again that finds files of the same names: a writer beside it may be writing them.
const READER_ATTEMPTS: u32 = 8;

/// How often it begins again in all: while files are replaced as it reads, nothing speaks for damage.
const MOST_READER_ATTEMPTS: u32 = 200;

/// Opens or creates the database in a storage whose lock is held, or reads it beside a writer.
pub(crate) async fn recover(storage: &Arc<dyn Storage>, options: &Options) -> Result<Recovered> {
    let (mut attempts, mut patience) = (1, READER_ATTEMPTS);
    let mut found = Files::list(storage.as_ref()).await?;
    loop {
        let recovered = recover_once(storage, options, &found).await;
        let may_be_passing = recovered
            .as_ref()
            .is_err_and(|error| matches!(error.kind(), ErrorKind::Corrupted { .. } | ErrorKind::Io { .. }));
        if !options.read_only || !may_be_passing || patience == 0 || attempts == MOST_READER_ATTEMPTS {
            return recovered;
        }
        let before = std::mem::replace(&mut found, Files::list(storage.as_ref()).await?);
        if found == before {
            // Nobody writes: what is wrong a second time is there to stay.
            patience = 0;
        } else if found.are_named_like(&before) {
            patience -= 1;
        } else {
            patience = READER_ATTEMPTS;
        }
        attempts += 1;
        breathe().await;
    }
}

async fn recover_once(storage: &Arc<dyn Storage>, options: &Options, found: &Files) -> Result<Recovered> {
    let started = runtime::now();
    let database = if found.has_database_file { Some(files::read_database_file(storage.as_ref()).await) } else { None };
    let mut recovered = match database {
        Some(Ok(database)) => open(storage, options, found, database).await?,
        None if found.has_data() => return Err(Error::corrupted(files::DATABASE_FILE, 0, Corruption::Missing)),
        Some(Err(error)) if !error.is_corruption() || found.has_data() => return Err(error),
        // The file is written last, so that without any data it may be what a crash left of a creation.
        _ => create(storage.as_ref(), options, found).await?,
    };
    recovered.report.duration = runtime::now() - started;
    Ok(recovered)
}

/// Creates a database where there is none, or where creating one did not finish.
async fn create(storage: &dyn Storage, options: &Options, found: &Files) -> Result<Recovered> {
    if options.read_only {
        return Err(Error::io("open", storage.location(), std::io::ErrorKind::NotFound.into()));
    }
    for (segment, _) in &found.segments {
        storage.remove(&segment_name(*segment)).await?;
    }
    if found.has_database_file {
        storage.remove(files::DATABASE_FILE).await?;
    }
    let mut recovered = Recovered::empty(Retention::None);
    let header = SegmentHeader {
        database: recovered.database,
        segment: 1,
        epoch: 1,
        salt: random(),
        first_sequence: 1,
        previous_end: 0,
    };
    create_segment(storage, &segment_name(1), &header).await?;
    files::write_database_file(storage, header.database).await?;
    recovered.log_header = Some(header);
    recovered.report.created = true;
    Ok(recovered)
}

async fn open(storage: &Arc<dyn Storage>, options: &Options, found: &Files, database: u64) -> Result<Recovered> {
    let mut recovered = load_base(storage, database, found).await?;
    let storage = storage.as_ref();
    recovered.database = database;
    let first_segment = recovered.snapshot.as_ref().map_or(1, |snapshot| snapshot.segment);
    let mut chain = segments::read_headers(storage, database, first_segment, found).await?;
    let mut replay = Replay::new(&mut recovered, options.read_until);
    let (end, last) = replay.run(storage, &chain).await?;
    if options.read_only {
        recovered.position = Some(Position { header: last, offset: end.offset });
    } else {
        if recovered.version == 0 {
            // Nothing says that whoever created it was told that it is durable.
            storage.secure(files::DATABASE_FILE, 0, u64::MAX).await?;
        }
        let header = segments::prepare_tail(storage, &mut chain, end, &mut recovered.report).await?;
        recovered.log_header = Some(header);
        remove_leftovers(storage, &recovered, found).await?;
    }
    Ok(recovered)
}

/// The newest snapshot that is valid and that the log continues, or nothing when the log begins at the beginning.
async fn load_base(storage: &Arc<dyn Storage>, database: u64, found: &Files) -> Result<Recovered> {
    let mut damage = None;
    let mut ignored = Vec::new();
    for number in found.snapshots.iter().rev() {
        let name = snapshot::file_name(*number);
        match load_snapshot(storage, database, *number, &name).await {
            Ok(mut recovered) => {
                recovered.report.ignored_files = ignored;
                return Ok(recovered);
            }
            Err(error) if error.is_corruption() => {
                ignored.push(name);
                damage.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    match damage {
        // Without the log from the very beginning, the snapshot was all there was of what came before.
        Some(error) if found.segments.first().is_none_or(|(first, _)| *first != 1) => Err(error),
        _ => {
            let mut recovered = Recovered::empty(Retention::None);
            recovered.report.ignored_files = ignored;
            Ok(recovered)
        }
    }
}

async fn load_snapshot(storage: &Arc<dyn Storage>, database: u64, number: u64, name: &str) -> Result<Recovered> {
    let mut source = StorageSource::new(Arc::clone(storage), name);
    let loaded = snapshot::load(&mut source, name).await?;
    if loaded.header.database != database || loaded.header.segment != number {
        return Err(Error::corrupted(name, 0, Corruption::Foreign));
    }
    Ok(from_snapshot(loaded, name))
}

/// The state that a snapshot holds. `name` is the file it comes from.
pub(crate) fn from_snapshot(loaded: Loaded, name: &str) -> Recovered {
    let header = loaded.header;
    let mut catalog = Catalog::empty(header.next_keyspace);
    for ((number, index), (_, keyspace)) in loaded.contents.into_iter().zip(&header.keyspaces) {
        catalog.add(KeyspaceState::new(number, keyspace, index));
    }
    let info = SnapshotInfo {
        version: header.version,
        bytes: loaded.summary.bytes,
        entries: loaded.summary.entries,
        segment: header.segment,
    };
    Recovered {
        catalog,
        version: header.version,
        time: header.time,
        forgotten: loaded.summary.forgotten,
        report: Recovery { snapshot: Some(name.to_owned()), snapshot_entries: info.entries, ..Recovery::default() },
        snapshot: Some(info),
        ..Recovered::empty(header.retention)
    }
}

/// Removes snapshots that were not finished. Older files that a snapshot replaces go when the next one is written.
async fn remove_leftovers(storage: &dyn Storage, recovered: &Recovered, found: &Files) -> Result<()> {
    let mut removed = false;
    for name in &recovered.report.ignored_files {
        if snapshot::file_number(name).is_some_and(|number| found.snapshots.contains(&number)) {
            storage.remove(name).await?;
            removed = true;
        }
    }
    if removed { storage.sync_directory().await } else { Ok(()) }
}
