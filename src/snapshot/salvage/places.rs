//! Finding the sections of a damaged snapshot.

use std::ops::Range;

use crate::Result;
use crate::checksum;
use crate::codec::PAYLOAD_LIMIT;
use crate::storage::Storage;

use super::search::search;
use crate::snapshot::section::{Kind, SECTION_HEAD_BYTES, SectionHead};

/// Where the checksum of the payload is in a head.
const PAYLOAD_CHECKSUM: Range<usize> = 16..20;

/// A file whose sections are looked for.
pub(super) struct Places<'a> {
    pub(super) storage: &'a dyn Storage,
    pub(super) name: &'a str,
    pub(super) length: u64,
    /// Where it goes on after damaged heads, once the first of them was met.
    found: Option<Vec<Place>>,
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
    pub(super) fn after(self, head: &SectionHead) -> Self {
        let offset = self.offset + SECTION_HEAD_BYTES as u64 + u64::from(head.stored_length);
        Self { offset, number: head.number.wrapping_add(1) }
    }
}

impl<'a> Places<'a> {
    pub(super) fn new(storage: &'a dyn Storage, name: &'a str, length: u64) -> Self {
        Self { storage, name, length, found: None }
    }

    /// The section at a place, when it is intact, and the place after it.
    pub(super) async fn section(&self, place: Place) -> Result<Option<(Section, Place)>> {
        let Some(head) = self.head(place).await? else { return Ok(None) };
        let stored =
            self.storage.read(self.name, place.offset + SECTION_HEAD_BYTES as u64, head.stored_length as usize).await?;
        let section = head.open(&stored).map(|payload| Section { kind: head.kind, payload });
        Ok(section.map(|section| (section, place.after(&head))))
    }

    pub(super) async fn head(&self, place: Place) -> Result<Option<SectionHead>> {
        let bytes = self.storage.read(self.name, place.offset, SECTION_HEAD_BYTES).await?;
        Ok(SectionHead::parse(&bytes).filter(|head| head.number == place.number))
    }

    /// Whether a section is the next after one whose head is damaged, but not the checksum of the payload in it; or the
    /// one that is due itself.
    pub(super) async fn follows(&self, place: Place, due: Place) -> Result<bool> {
        let payload = due.offset + SECTION_HEAD_BYTES as u64;
        let length = place.offset.checked_sub(payload).and_then(|length| usize::try_from(length).ok());
        let Some(length) = length.filter(|length| *length <= PAYLOAD_LIMIT) else {
            return Ok(place.offset == due.offset);
        };
        if Some(place.number) != due.number.checked_add(1) {
            return Ok(false);
        }
        let head = self.storage.read(self.name, due.offset, SECTION_HEAD_BYTES).await?;
        let stored = self.storage.read(self.name, payload, length).await?;
        Ok(head.get(PAYLOAD_CHECKSUM) == Some(&checksum::hash(&stored).to_le_bytes()[..]))
    }

    /// Where the next section is after a damaged one, and the kind of the damaged one, when its head is intact.
    pub(super) async fn after_damage(&mut self, place: Place) -> Result<(Option<Kind>, Place)> {
        if let Some(head) = self.head(place).await? {
            let next = place.after(&head);
            return Ok((Some(head.kind), Place { offset: next.offset.min(self.length), ..next }));
        }
        if self.found.is_none() {
            self.found = Some(search(self, place).await?);
        }
        let mut found = self.found.iter().flatten();
        let next = found.find(|found| found.offset > place.offset);
        Ok((None, next.copied().unwrap_or(Place { offset: self.length, ..place })))
    }
}
