//! Following: a database that is open to be read, while another process or tab writes it.
//!
//! The reader stands at a place in the log. It reads the frames after it, applies them at their versions, and goes on
//! in the next segment where that says that the commits before it end. A frame that is not whole yet ends what is read.
//! When the segments in between were removed, because a snapshot has replaced them, or when a later writer did not
//! count what was read, the files have to be opened anew.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::Engine;
use super::catalog::{DEFAULT_NUMBER, KeyspaceState};
use super::commit::{Ticket, WriteSet};
#[cfg(doc)]
use crate::ErrorKind;
use crate::codec::{self, Operation};
use crate::database::Database;
use crate::index::{Index, Record};
use crate::log::frame::{FrameHeader, FrameKind, HEADER_BYTES};
use crate::log::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, segment_name};
use crate::progress::Stage;
use crate::recovery::Position;
use crate::runtime::{Duration, block_on, breathe};
use crate::sorting;
use crate::storage::Storage;
use crate::{Corruption, Error, Result, Version};

/// How much is read at once, as long as frames are no longer.
const READ_BYTES: usize = 1 << 20;

/// After so many commits others get a turn, where there is one thread.
const BREATHE_COMMITS: u64 = 64;

/// What a reader came to when it looked for what was written meanwhile.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use selkie::{Options, Refreshed, storage::MemoryStorage};
///
/// let storage = Arc::new(MemoryStorage::new());
/// Options::new().open_storage(storage.clone())?.insert("a", "1")?;
/// let reader = Options::new().read_only(true).open_storage(storage)?;
/// assert_eq!(reader.refresh(None)?, Refreshed::UpTo(1));
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refreshed {
    /// The reader sees everything up to this version.
    UpTo(Version),
    /// The files that it would read next were replaced: what is new is seen by opening the database again. Views that
    /// are open stay.
    Replaced,
}

impl Database {
    /// Reads what another process has written since, where the storage answers at once.
    ///
    /// It is for a database that was opened [read-only](crate::Options::read_only) in a storage whose lock does not
    /// keep readers out. `until` is the last commit to be read, for writers that say how far their commits are durable.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// assert!(db.refresh(None).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] for a database that was opened to be written, [`ErrorKind::Corrupted`] for a
    /// frame that is intact and does not decode, [`ErrorKind::Closed`], [`ErrorKind::Io`].
    pub fn refresh(&self, until: Option<Version>) -> Result<Refreshed> {
        block_on(self.refresh_async(until))
    }

    /// Reads what another process has written since.
    ///
    /// ```
    /// use selkie::{Database, Refreshed};
    ///
    /// async fn follow(reader: &Database, durable: u64) -> selkie::Result<Refreshed> {
    ///     reader.refresh_async(Some(durable)).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`refresh`](Self::refresh).
    pub async fn refresh_async(&self, until: Option<Version>) -> Result<Refreshed> {
        self.handle().engine().follow(until.unwrap_or(Version::MAX)).await
    }
}

/// What the frames in a piece of a segment came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    /// The last commit that is wanted was read.
    Limit,
    /// A closing frame: the next segment is there.
    Closed,
    /// No further frame is whole, or counts.
    Here,
}

impl Engine {
    async fn follow(&self, until: Version) -> Result<Refreshed> {
        self.check_open()?;
        // Snapshots have a turn and a reader writes none, so that readers that refresh at once take turns here.
        let _turn = self.snapshots.turn().await;
        let position = *self.position.lock();
        let (Some(storage), Some(position)) = (&self.storage, position) else {
            return Err(Error::invalid("only a database that was opened read-only in a storage follows a writer"));
        };
        let followed = self.follow_from(storage.as_ref(), position, until).await;
        self.progress.notify();
        // Nothing runs in the background of a reader.
        while self.collect_step() == Some(Duration::ZERO) {
            breathe().await;
        }
        Ok(if followed? { Refreshed::UpTo(self.progress.published()) } else { Refreshed::Replaced })
    }

    /// Whether the log could be followed: not where what comes next was removed, nor where a later writer began before
    /// the place that was read up to.
    async fn follow_from(&self, storage: &dyn Storage, mut position: Position, until: Version) -> Result<bool> {
        let mut wanted = READ_BYTES;
        let mut looked_again = false;
        while self.progress.published() < until {
            let start = position.offset;
            let data = read_if_there(storage, &segment_name(position.header.segment), start, wanted).await?;
            // Looked up afterwards, it says of everything that was read whether it counts.
            let next = self.next_segment(storage, &position).await?;
            let end = next.map_or(u64::MAX, |next| next.previous_end);
            let piece = data.as_deref().unwrap_or_default();
            let read = self.apply_frames(piece, &mut position, end, until).await?;
            match next {
                _ if read == Read::Limit => return Ok(true),
                Some(next) if next.previous_end == position.offset && self.continues(next) => {
                    position = Position { header: next, offset: SEGMENT_HEADER_BYTES as u64 };
                    *self.position.lock() = Some(position);
                    (wanted, looked_again) = (READ_BYTES, false);
                }
                _ if read == Read::Closed || data.is_none() || end < position.offset => return Ok(false),
                _ if position.offset > start => wanted = READ_BYTES,
                // Nothing was whole in what was read: a longer frame begins here.
                _ if piece.len() == wanted => wanted *= 2,
                None => return Ok(true),
                // The rest of the segment was written after it was read.
                Some(_) if !looked_again => looked_again = true,
                Some(_) => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Whether the next commit is the first of a segment.
    fn continues(&self, next: SegmentHeader) -> bool {
        next.first_sequence == self.progress.published() + 1
    }

    /// Applies the frames in a piece of a segment that begins at the position, up to `end` in the segment.
    async fn apply_frames(&self, piece: &[u8], position: &mut Position, end: u64, until: Version) -> Result<Read> {
        let start = position.offset;
        while let Some((header, payload)) = frame_at(&piece[(position.offset - start) as usize..], position) {
            let corrupted = |kind| Error::corrupted(segment_name(position.header.segment), position.offset, kind);
            let frame_end = position.offset + header.frame_bytes() as u64;
            if header.kind == FrameKind::Commit && frame_end > end {
                break;
            }
            if header.sequence != self.progress.published() + 1 || header.epoch != position.header.epoch {
                return Err(corrupted(Corruption::Sequence));
            }
            if header.kind == FrameKind::Closing {
                return Ok(Read::Closed);
            }
            if header.sequence > until {
                return Ok(Read::Limit);
            }
            let after = Position { offset: frame_end, ..*position };
            self.apply_logged(header, payload, after).ok_or_else(|| corrupted(Corruption::Payload))?;
            *position = after;
            self.make_room();
            if header.sequence.is_multiple_of(BREATHE_COMMITS) {
                breathe().await;
            }
        }
        Ok(Read::Here)
    }

    /// The header of the segment after this one, once it is there as a whole.
    async fn next_segment(&self, storage: &dyn Storage, position: &Position) -> Result<Option<SegmentHeader>> {
        let file = segment_name(position.header.segment + 1);
        let Some(bytes) = read_if_there(storage, &file, 0, SEGMENT_HEADER_BYTES).await? else { return Ok(None) };
        match SegmentHeader::decode(&file, &bytes) {
            Ok(header) if header.database == self.database && header.epoch >= position.header.epoch => Ok(Some(header)),
            Ok(_) => Err(Error::corrupted(file, 0, Corruption::Foreign)),
            // It is being created.
            Err(error) if error.is_corruption() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Applies a commit that another wrote; none when its operations do not decode or contradict what came before.
    fn apply_logged(&self, header: FrameHeader, mut payload: &[u8], after: Position) -> Option<()> {
        let mut head = self.head.lock();
        let ticket = Ticket { version: header.sequence, time: header.time, stage: Stage::Synced };
        if ticket.time < head.time {
            return None;
        }
        let count: u64 = codec::decode(&mut payload).ok()?;
        let commit = (ticket.version, ticket.time);
        let mut changes: Vec<(Arc<KeyspaceState>, Record)> = Vec::new();
        for _ in 0..count {
            let (number, key, value) = match codec::decode(&mut payload).ok()? {
                Operation::Set { keyspace, key, value } => (keyspace, key, Some(value)),
                Operation::Remove { keyspace, key } => (keyspace, key, None),
                operation => {
                    self.apply_to_catalog(operation, ticket)?;
                    continue;
                }
            };
            let keyspace = match changes.last() {
                Some((last, _)) if last.number == number => Arc::clone(last),
                _ => self.catalog.read().by_number(number).cloned()?,
            };
            changes.push((keyspace, Record::new(key, value, commit)));
        }
        if !payload.is_empty() {
            return None;
        }
        keep_last(&mut changes);
        self.feed.push(ticket.version, ticket.time, changes.changes());
        self.apply(&mut head, ticket, &mut changes[..], |horizon| horizon);
        head.version = ticket.version;
        head.time = ticket.time;
        self.progress.set_synced(ticket.version);
        self.progress.publish(ticket.version);
        *self.position.lock() = Some(after);
        Some(())
    }

    fn apply_to_catalog(&self, operation: Operation<'_>, ticket: Ticket) -> Option<()> {
        if let Operation::SetRetention(retention) = operation {
            *self.retention.write() = retention;
            return Some(());
        }
        let mut catalog = self.catalog.write();
        match operation {
            Operation::CreateKeyspace { keyspace, name } => {
                if !catalog.may_add(keyspace, name) {
                    return None;
                }
                let created = (ticket.version, ticket.time);
                catalog.add(KeyspaceState::created(keyspace, name, Index::new(), created));
            }
            Operation::DropKeyspace { keyspace } if keyspace != DEFAULT_NUMBER => {
                let name = Arc::clone(&catalog.by_number(keyspace)?.name);
                catalog.remove(&name)?.mark_dropped(ticket.version, ticket.time);
            }
            _ => return None,
        }
        Some(())
    }
}

/// Of several changes of a key in one commit the last counts.
fn keep_last(changes: &mut Vec<(Arc<KeyspaceState>, Record)>) {
    fn place((keyspace, record): &(Arc<KeyspaceState>, Record)) -> (u32, &[u8]) {
        (keyspace.number, record.key())
    }
    if changes.is_sorted_by(|earlier, later| place(earlier) < place(later)) {
        // As Selkie writes them.
        return;
    }
    sorting::sort_by(changes, |a, b| place(a).cmp(&place(b)));
    changes.dedup_by(|later, earlier| {
        let same = place(later) == place(earlier);
        if same {
            std::mem::swap(later, earlier);
        }
        same
    });
}

/// What a file holds at a place; none when there is no such file.
async fn read_if_there(storage: &dyn Storage, file: &str, offset: u64, length: usize) -> Result<Option<Bytes>> {
    match storage.read(file, offset, length).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_io(io::ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The frame at the beginning of `data`, if all of it is there.
fn frame_at<'a>(data: &'a [u8], position: &Position) -> Option<(FrameHeader, &'a [u8])> {
    if data.len() < HEADER_BYTES {
        return None;
    }
    let header = FrameHeader::decode(data, position.header.salt)?;
    header.payload(data).map(|payload| (header, payload))
}
