//! Taking what is intact out of a damaged snapshot.
//!
//! A section counts if the checksums of its head and its payload match, and its number is the one that is due. Behind a
//! damaged head it is not known where the next section is, and the intact heads there may be those of a backup that is
//! kept as a value, whole or in pieces. So these rules say where the snapshot goes on:
//!
//! 1. At the first intact section that has a greater number than the damaged one, and from which the heads lead to a
//!    footer that ends the file. As the damaged section has its number itself, a section within it does not get there.
//! 2. Also at sections between, from which the heads lead to other damage, if all intact heads there can be those of one
//!    snapshot: each has the number that is due where it is, or a greater one behind damage, and none lies within the
//!    range that another claims. If one does not fit, none of these counts, and what is in them is lost.
//! 3. Where no heads lead to the end of the file, those between count only as far as each is proven to be the next: it
//!    has the next number, and the bytes before it have the checksum that the damaged head says of its payload.
//!
//! With one damaged head and an intact footer nothing foreign can be taken. Three cases are left where it can, and all of
//! them need values that hold intact sections with fitting numbers: a second head is damaged, its block ends with a value
//! that ends with a section of the block's own number, and between the two damaged heads some head does not fit, or they
//! are next to each other; at least three heads in a row are damaged, and all heads in these blocks have numbers between
//! theirs, in their order; or the file was cut right behind the footer of such a value. Values that were made for it,
//! with forged checksums, are not told apart either.
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
