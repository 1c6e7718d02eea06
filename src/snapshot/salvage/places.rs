//! Finding the sections of a damaged snapshot.

use crate::Result;
use crate::storage::Storage;

use super::CHUNK_BYTES;
use crate::snapshot::section::{Kind, SECTION_HEAD_BYTES, SectionHead};

/// A file whose sections are looked for.
pub(super) struct Places<'a> {
    pub(super) storage: &'a dyn Storage,
    pub(super) name: &'a str,
    pub(super) length: u64,
}

/// Where a section is to begin, and the number it is to have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) number: u32,
}

/// A section that is intact.
pub(super) struct Section {
    pub(super) kind: Kind,
    pub(super) payload: Vec<u8>,
}

impl Place {
    /// The place after a section that begins here.
    fn after(self, head: &SectionHead) -> Self {
        let offset = self.offset + SECTION_HEAD_BYTES as u64 + u64::from(head.stored_length);
        Self { offset, number: head.number.wrapping_add(1) }
    }
}

impl Places<'_> {
    /// The section at a place, when it is intact, and the place after it.
    pub(super) async fn section(&self, place: Place) -> Result<Option<(Section, Place)>> {
        let Some(head) = self.head(place).await? else { return Ok(None) };
        let stored =
            self.storage.read(self.name, place.offset + SECTION_HEAD_BYTES as u64, head.stored_length as usize).await?;
        let section = head.open(&stored).map(|payload| Section { kind: head.kind, payload });
        Ok(section.map(|section| (section, place.after(&head))))
    }

    async fn head(&self, place: Place) -> Result<Option<SectionHead>> {
        let bytes = self.storage.read(self.name, place.offset, SECTION_HEAD_BYTES).await?;
        Ok(SectionHead::parse(&bytes).filter(|head| head.number == place.number))
    }

    /// Where the next section is after a damaged one, and the kind of the damaged one, when its head is intact.
    pub(super) async fn after_damage(&self, place: Place) -> Result<(Option<Kind>, Place)> {
        if let Some(head) = self.head(place).await? {
            let next = place.after(&head);
            return Ok((Some(head.kind), Place { offset: next.offset.min(self.length), ..next }));
        }
        let next = self.search(Place { offset: place.offset + 1, ..place }).await?;
        Ok((None, next.unwrap_or(Place { offset: self.length, ..place })))
    }

    /// The first section from a place on, with no lesser number, that leads on.
    async fn search(&self, from: Place) -> Result<Option<Place>> {
        let mut begin = from.offset;
        while begin < self.length {
            let bytes = self.storage.read(self.name, begin, CHUNK_BYTES).await?;
            for (offset, window) in (begin..).zip(bytes.windows(SECTION_HEAD_BYTES)) {
                let Some(head) = SectionHead::parse(window).filter(|head| head.number >= from.number) else { continue };
                let place = Place { offset, number: head.number };
                if self.leads_on(place, head).await? {
                    return Ok(Some(place));
                }
            }
            begin += (CHUNK_BYTES - SECTION_HEAD_BYTES + 1) as u64;
        }
        Ok(None)
    }

    /// Whether the sections from one on lead to the end of the file or to damage, without a footer before.
    async fn leads_on(&self, mut place: Place, mut head: SectionHead) -> Result<bool> {
        if place.after(&head).offset > self.length {
            return Ok(false);
        }
        while head.kind == Kind::Block {
            place = place.after(&head);
            match self.head(place).await? {
                Some(next) => head = next,
                None => return Ok(true),
            }
        }
        Ok(head.kind == Kind::Footer && place.after(&head).offset == self.length)
    }
}
