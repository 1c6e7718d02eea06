//! Taking what is intact out of a damaged snapshot.
//!
//! A section counts if the checksums of its head and its payload match, and its number is not below the one that is
//! due. Behind a damaged head the next intact one is searched for. That counts only if the sections after it lead to the
//! end of the file, or to other damage, and not to a footer before the end: such a one belongs to a backup that is kept
//! as a value.
//!
//! A key of an intact block is kept with the value it had, unless it is the first after a lost block: newer revisions of
//! it may have been there. So the keys that are lost lie between the last key before the lost blocks, which is kept, and
//! the first after them, which is not. The kept one may have had older revisions there: no time before the snapshot can
//! be viewed any more.

mod blocks;
mod places;

use crate::codec::{SnapshotFooter, SnapshotHeader};
use crate::repair::KeyRange;
use crate::storage::Storage;
use crate::{Corruption, Result, Version};

use super::reader::{Loaded, decode_whole, is_consistent};
use super::section::{FILE_HEAD_BYTES, Kind};
use super::{CHUNK_BYTES, Summary};
use blocks::Blocks;
use places::{Place, Places, Section};

/// What is left of a snapshot.
#[derive(Debug)]
pub(crate) struct Remains {
    pub(crate) loaded: Loaded,
    pub(crate) gaps: Vec<Gap>,
}

/// A part of a snapshot that is lost.
#[derive(Debug)]
pub(crate) struct Gap {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) kind: Corruption,
    /// Where the lost keys were; empty when only the footer is lost.
    pub(crate) ranges: Vec<KeyRange>,
}

/// Reads what is intact of a snapshot; none where not even its header is.
pub(crate) async fn salvage(storage: &dyn Storage, name: &str, length: u64) -> Result<Option<Remains>> {
    let places = Places { storage, name, length };
    let begin = Place { offset: FILE_HEAD_BYTES as u64, number: 0 };
    let Some((section, first)) = places.section(begin).await? else { return Ok(None) };
    let header = decode_whole::<SnapshotHeader>(&section.payload).ok().filter(is_consistent);
    let Some(header) = header.filter(|_| section.kind == Kind::Header) else { return Ok(None) };
    let mut salvage = Salvage { blocks: Blocks::new(&header), gaps: Vec::new(), forgotten: None, ended: false };
    salvage.read(&places, first).await?;
    Ok(Some(salvage.finish(header, length)))
}

struct Salvage {
    blocks: Blocks,
    gaps: Vec<Gap>,
    /// What the footer says, once it was read.
    forgotten: Option<(Version, u64)>,
    /// Whether a footer was there, be it damaged: no block comes after it.
    ended: bool,
}

impl Salvage {
    async fn read(&mut self, places: &Places<'_>, mut place: Place) -> Result<()> {
        while place.offset < places.length && !self.ended {
            let section = places.section(place).await?;
            place = match section.filter(|(section, _)| self.take(section, place)) {
                Some((_, next)) => next,
                None => self.skip(places, place).await?,
            };
        }
        if !self.ended {
            self.lose_blocks(place.offset, place.offset, Corruption::Truncated);
        }
        Ok(())
    }

    /// Takes what an intact section says; false when that contradicts what came before.
    fn take(&mut self, section: &Section, place: Place) -> bool {
        match section.kind {
            Kind::Header => false,
            Kind::Block => {
                let Ok(lost) = self.blocks.take(&section.payload) else { return false };
                if let Some(gap) = self.gaps.last_mut().filter(|_| !lost.is_empty()) {
                    gap.ranges = lost;
                }
                true
            }
            Kind::Footer => {
                let footer = decode_whole::<SnapshotFooter>(&section.payload).ok();
                let footer = footer.filter(|footer| footer.blocks + 1 == u64::from(place.number));
                self.forgotten = footer.map(|footer| footer.forgotten);
                self.ended = footer.is_some();
                self.ended
            }
        }
    }

    /// Passes over a damaged section, or to the next intact one where it cannot be told how long it is.
    async fn skip(&mut self, places: &Places<'_>, place: Place) -> Result<Place> {
        let (kind, next) = places.after_damage(place).await?;
        if kind == Some(Kind::Footer) {
            self.ended = true;
            let (offset, bytes) = (place.offset, next.offset - place.offset);
            self.gaps.push(Gap { offset, bytes, kind: Corruption::Footer, ranges: Vec::new() });
        } else {
            self.lose_blocks(place.offset, next.offset, Corruption::Block);
        }
        Ok(next)
    }

    fn lose_blocks(&mut self, from: u64, to: u64, kind: Corruption) {
        if self.blocks.open_gap() {
            self.gaps.push(Gap { offset: from, bytes: 0, kind, ranges: Vec::new() });
        }
        if let Some(gap) = self.gaps.last_mut() {
            gap.bytes = to - gap.offset;
        }
    }

    fn finish(mut self, header: SnapshotHeader, length: u64) -> Remains {
        let (contents, lost, summary) = self.blocks.finish();
        if let Some(gap) = self.gaps.last_mut().filter(|_| !lost.is_empty()) {
            gap.ranges = lost;
        }
        let mut forgotten = self.forgotten.unwrap_or_default();
        if !self.gaps.is_empty() {
            // Keys that are lost look like keys that never were: nothing can be said of the time before.
            forgotten = (forgotten.0.max(header.version), forgotten.1.max(header.time));
        }
        let summary = Summary { bytes: length, forgotten, ..summary };
        Remains { loaded: Loaded { header, contents, summary }, gaps: self.gaps }
    }
}
