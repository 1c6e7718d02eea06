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
mod header;
mod places;
mod search;

use crate::codec::{SnapshotFooter, SnapshotHeader};
use crate::repair::{KeyRange, Loss, LossCause, LostData};
use crate::storage::Storage;
use crate::{Corruption, Result, Version};

use super::reader::{Loaded, decode_whole, is_consistent};
use super::section::{FILE_HEAD_BYTES, Kind};
use super::{CHUNK_BYTES, Summary};
use blocks::Blocks;
pub(crate) use header::Hint;
use places::{Place, Places, Section};

/// What is left of a snapshot.
#[derive(Debug)]
pub(crate) struct Remains {
    pub(crate) loaded: Loaded,
    pub(crate) losses: Vec<Loss>,
}

/// Reads what is intact of a snapshot; none where nothing is. Where the header is lost, a hint stands in for it.
pub(crate) async fn salvage(
    storage: &dyn Storage,
    name: &str,
    length: u64,
    hint: Option<&Hint>,
) -> Result<Option<Remains>> {
    let mut places = Places::new(storage, name, length);
    let begin = Place { offset: FILE_HEAD_BYTES as u64, number: 0 };
    if let Some((header, first)) = read_header(&places, begin).await? {
        let mut salvage = Salvage::new(name, &header);
        salvage.read(&mut places, first).await?;
        return Ok(Some(salvage.finish(header, length)));
    }
    let (_, first) = places.after_damage(begin).await?;
    let Some(hint) = hint.filter(|_| first.offset < length) else { return Ok(None) };
    let (header, unplaced) = header::infer(&mut places, first, hint).await?;
    let mut salvage = Salvage::new(name, &header);
    salvage.lose(begin.offset, first.offset, Corruption::Header, LostData::Names);
    if first.number > 1 {
        salvage.lose_blocks(begin.offset, first.offset, Corruption::Block);
    }
    salvage.read(&mut places, first).await?;
    let mut remains = salvage.finish(header, length);
    add_unplaced(&mut remains.losses, &unplaced);
    Ok(Some(remains))
}

async fn read_header(places: &Places<'_>, begin: Place) -> Result<Option<(SnapshotHeader, Place)>> {
    let Some((section, first)) = places.section(begin).await? else { return Ok(None) };
    let header = decode_whole::<SnapshotHeader>(&section.payload).ok().filter(is_consistent);
    Ok(header.filter(|_| section.kind == Kind::Header).map(|header| (header, first)))
}

struct Salvage<'a> {
    file: &'a str,
    blocks: Blocks,
    losses: Vec<Loss>,
    /// What the footer says, once it was read.
    forgotten: Option<(Version, u64)>,
    /// Whether a footer was there, be it damaged: no block comes after it.
    ended: bool,
}

impl<'a> Salvage<'a> {
    fn new(file: &'a str, header: &SnapshotHeader) -> Self {
        Self { file, blocks: Blocks::new(header), losses: Vec::new(), forgotten: None, ended: false }
    }

    async fn read(&mut self, places: &mut Places<'_>, mut place: Place) -> Result<()> {
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
                say_lost(&mut self.losses, lost);
                true
            }
            Kind::Footer => {
                let footer = decode_whole::<SnapshotFooter>(&section.payload).ok();
                let footer = footer.filter(|footer| footer.blocks.checked_add(1) == Some(u64::from(place.number)));
                self.forgotten = footer.map(|footer| footer.forgotten);
                self.ended = footer.is_some();
                self.ended
            }
        }
    }

    /// Passes over a damaged section, or to the next intact one where it cannot be told how long it is.
    async fn skip(&mut self, places: &mut Places<'_>, place: Place) -> Result<Place> {
        let (kind, next) = places.after_damage(place).await?;
        if kind == Some(Kind::Footer) {
            self.ended = true;
            self.lose(place.offset, next.offset, Corruption::Footer, LostData::Past);
        } else {
            self.lose_blocks(place.offset, next.offset, Corruption::Block);
        }
        Ok(next)
    }

    fn lose(&mut self, from: u64, to: u64, kind: Corruption, data: LostData) {
        let (cause, file) = (LossCause::Damage(kind), self.file.to_owned());
        self.losses.push(Loss { file, offset: from, bytes: to - from, cause, data });
    }

    /// Loses blocks, or more of them. Which keys were in them is known when the next one is read.
    fn lose_blocks(&mut self, from: u64, to: u64, kind: Corruption) {
        if self.blocks.open_gap() {
            self.lose(from, to, kind, LostData::Keys(Vec::new()));
        } else if let Some(loss) = self.losses.last_mut() {
            loss.bytes = to - loss.offset;
        }
    }

    fn finish(self, header: SnapshotHeader, length: u64) -> Remains {
        let Self { blocks, mut losses, forgotten, .. } = self;
        let (contents, lost, summary) = blocks.finish();
        say_lost(&mut losses, lost);
        let mut forgotten = forgotten.unwrap_or_default();
        if !losses.is_empty() {
            // Keys that are lost look like keys that never were: nothing can be said of the time before.
            forgotten = (forgotten.0.max(header.version), forgotten.1.max(header.time));
        }
        let summary = Summary { bytes: length, forgotten, ..summary };
        Remains { loaded: Loaded { header, contents, summary }, losses }
    }
}

/// Says which keys were in the blocks that were lost last.
fn say_lost(losses: &mut [Loss], ranges: Vec<KeyRange>) {
    let is_open = |loss: &&mut Loss| matches!(&loss.data, LostData::Keys(ranges) if ranges.is_empty());
    if let Some(loss) = losses.iter_mut().rev().find(is_open) {
        loss.data = LostData::Keys(ranges);
    }
}

/// Any lost block may have been one of the keyspaces that have no other.
fn add_unplaced(losses: &mut [Loss], keyspaces: &[String]) {
    for loss in losses {
        let LostData::Keys(ranges) = &mut loss.data else { continue };
        for keyspace in keyspaces {
            if ranges.iter().all(|range| range.keyspace != *keyspace) {
                ranges.push(KeyRange { keyspace: keyspace.clone(), ..KeyRange::default() });
            }
        }
    }
}
