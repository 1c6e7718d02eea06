//! Finding where a snapshot goes on after a damaged head.
//!
//! The bytes behind are searched for heads. Two kinds of places are found: the first from which the heads lead to a
//! footer at the end of the file, and those of the intact sections between, whose heads lead to other damage.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::CHUNK_BYTES;
use super::places::{Place, Places};
use crate::Result;
use crate::snapshot::section::{Kind, SECTION_HEAD_BYTES, SectionHead};

/// The places where a snapshot goes on after a damaged head and after any further one, in their order.
pub(super) async fn search(places: &Places<'_>, damaged: Place) -> Result<Vec<Place>> {
    let mut search = Search::new(places, damaged);
    let mut window = Window { places, begin: 0, bytes: Bytes::new() };
    let mut offset = damaged.offset + 1;
    while let Some((place, head)) = window.next_head(offset).await? {
        if search.add(place, head).await? {
            return Ok(search.found);
        }
        offset = search.passed.max(place.offset + 1);
    }
    search.found.truncate(search.followed);
    Ok(search.found)
}

struct Search<'a> {
    places: &'a Places<'a>,
    /// The number of the damaged section.
    damaged: u32,
    found: Vec<Place>,
    /// How many of the places found are proven without the end of the file.
    followed: usize,
    /// Whether each section so far is proven to follow the one before.
    is_proven: bool,
    /// Where the next section is due after those that were found.
    next: Place,
    /// The end of the intact ones of them, within which no head counts.
    passed: u64,
    /// Whether some heads cannot be those of one snapshot.
    is_ambiguous: bool,
    /// Whether the heads from an offset on lead to the end of the file.
    leads: BTreeMap<u64, bool>,
}

impl<'a> Search<'a> {
    fn new(places: &'a Places<'a>, damaged: Place) -> Self {
        let leads = BTreeMap::new();
        Self {
            places,
            damaged: damaged.number,
            found: Vec::new(),
            followed: 0,
            is_proven: true,
            next: damaged,
            passed: damaged.offset,
            is_ambiguous: false,
            leads,
        }
    }

    /// Adds the next head; true when the sections from it on lead to the end of the file.
    async fn add(&mut self, place: Place, head: SectionHead) -> Result<bool> {
        let leads = self.leads_to_end(place, head).await?;
        if !self.fits(place) || head.kind != Kind::Block && !leads {
            self.give_up();
        }
        // A footer holds no keys: its head is enough.
        let is_end = leads && place.number > self.damaged;
        if is_end && (head.kind == Kind::Footer || self.places.section(place).await?.is_some()) {
            self.found.push(place);
            return Ok(true);
        }
        if !self.is_ambiguous {
            self.add_run(place, &head).await?;
        }
        Ok(false)
    }

    /// Whether a section can come next: where it is due, or behind at least one that is damaged.
    fn fits(&self, place: Place) -> bool {
        let Place { offset, number } = self.next;
        place.offset == offset && place.number == number || place.offset > offset && place.number > number
    }

    /// Tells only the way to the end from here on.
    fn give_up(&mut self) {
        self.is_ambiguous = true;
        self.found.clear();
    }

    /// Adds the intact sections from a place on.
    async fn add_run(&mut self, place: Place, head: &SectionHead) -> Result<()> {
        self.is_proven = self.is_proven && self.places.follows(place, self.next).await?;
        let mut next = place;
        while let Some((section, after)) = self.places.section(next).await? {
            if section.kind != Kind::Block {
                // A footer would have ended the file.
                self.give_up();
                return Ok(());
            }
            next = after;
        }
        if next.offset == place.offset {
            self.next = place.after(head);
            return Ok(());
        }
        self.found.push(place);
        if self.is_proven {
            self.followed = self.found.len();
        }
        (self.next, self.passed) = (next, next.offset);
        Ok(())
    }

    /// Whether the heads from one on lead to a footer that ends the file. Each head is followed once.
    async fn leads_to_end(&mut self, mut place: Place, mut head: SectionHead) -> Result<bool> {
        let mut followed = Vec::new();
        let leads = loop {
            if let Some(known) = self.leads.get(&place.offset) {
                break *known;
            }
            followed.push(place.offset);
            let next = place.after(&head);
            if head.kind != Kind::Block {
                break head.kind == Kind::Footer && next.offset == self.places.length;
            }
            match self.places.head(next).await? {
                Some(next) => head = next,
                None => break false,
            }
            place = next;
        };
        self.leads.extend(followed.into_iter().map(|offset| (offset, leads)));
        Ok(leads)
    }
}

/// A part of the file that was read.
struct Window<'a> {
    places: &'a Places<'a>,
    begin: u64,
    bytes: Bytes,
}

impl Window<'_> {
    /// The first intact head from an offset on, whatever its number.
    async fn next_head(&mut self, mut offset: u64) -> Result<Option<(Place, SectionHead)>> {
        while offset < self.places.length {
            let start = usize::try_from(offset - self.begin).unwrap_or(usize::MAX);
            let there = self.bytes.get(start..).unwrap_or_default();
            for (offset, head) in (offset..).zip(there.windows(SECTION_HEAD_BYTES)) {
                if let Some(head) = SectionHead::parse(head) {
                    return Ok(Some((Place { offset, number: head.number }, head)));
                }
            }
            offset += there.len().saturating_sub(SECTION_HEAD_BYTES - 1) as u64;
            self.begin = offset;
            self.bytes = self.places.storage.read(self.places.name, offset, CHUNK_BYTES).await?;
            if self.bytes.len() < SECTION_HEAD_BYTES {
                return Ok(None);
            }
        }
        Ok(None)
    }
}
