//! Records: a key with one of its values, or with its removal, in one allocation that nobody changes once it is shared.
//!
//! A write makes its record at once, and the commit puts that same record into the index, the feed of changes and the
//! chain of older values. Whoever finds a record has the key and the value in the same place.

use std::fmt;

use bytes::Bytes;
use triomphe::{Arc, ThinArc};

use crate::Version;

/// So much is put together on the stack.
const SHORT: usize = 256;

/// From this length on a value is handed out without copying; below, a copy is as cheap.
const SHARE_FROM: usize = 512;

/// What a record says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot<'a> {
    Value(&'a [u8]),
    Tombstone,
    /// The end of a chain that was longer once.
    Collected,
}

/// A key, what it became, and by which commit. A clone shares it.
#[derive(Clone)]
pub(crate) struct Record(ThinArc<Header, u8>);

/// What stands before the bytes of the key and, right after them, those of the value.
#[derive(Debug, Clone, Copy)]
struct Header {
    version: Version,
    time: u64,
    key_bytes: u32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Value,
    Tombstone,
    Collected,
}

impl Record {
    /// What a key becomes by the commit of a version and a time, in nanoseconds since the Unix epoch.
    pub(crate) fn new(key: &[u8], value: Option<&[u8]>, (version, time): (Version, u64)) -> Self {
        let kind = if value.is_some() { Kind::Value } else { Kind::Tombstone };
        let header = Header { version, time, key_bytes: key.len() as u32, kind };
        Self::put_together(header, key, value.unwrap_or_default())
    }

    /// What a key becomes by a commit that is still to come.
    pub(crate) fn pending(key: &[u8], value: Option<&[u8]>) -> Self {
        Self::new(key, value, (0, 0))
    }

    pub(super) fn collected() -> Self {
        let header = Header { version: 0, time: 0, key_bytes: 0, kind: Kind::Collected };
        Self::put_together(header, &[], &[])
    }

    #[inline]
    fn put_together(header: Header, key: &[u8], value: &[u8]) -> Self {
        let length = key.len() + value.len();
        if length > SHORT {
            return Self(ThinArc::from_header_and_slice(header, &[key, value].concat()));
        }
        let mut bytes = [0; SHORT];
        bytes[..key.len()].copy_from_slice(key);
        bytes[key.len()..length].copy_from_slice(value);
        Self(ThinArc::from_header_and_slice(header, &bytes[..length]))
    }

    /// Gives a pending record the version and the time of its commit.
    pub(crate) fn stamp(&mut self, version: Version, time: u64) {
        let stamped = self.0.with_arc_mut(|shared| {
            let Some(record) = Arc::get_mut(shared) else { return false };
            let header = record.header_mut();
            (header.version, header.time) = (version, time);
            true
        });
        if !stamped {
            let header = Header { version, time, ..*self.header() };
            *self = Self(ThinArc::from_header_and_slice(header, &self.0.slice));
        }
    }

    #[inline]
    fn header(&self) -> &Header {
        &self.0.header.header
    }

    #[inline]
    pub(crate) fn version(&self) -> Version {
        self.header().version
    }

    /// The time of the commit, in nanoseconds since the Unix epoch; it never decreases with the version.
    #[inline]
    pub(crate) fn time(&self) -> u64 {
        self.header().time
    }

    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        &self.0.slice[..self.header().key_bytes as usize]
    }

    #[inline]
    pub(crate) fn slot(&self) -> Slot<'_> {
        match self.header().kind {
            Kind::Value => Slot::Value(self.bytes()),
            Kind::Tombstone => Slot::Tombstone,
            Kind::Collected => Slot::Collected,
        }
    }

    /// The value; none where there is none.
    #[inline]
    pub(crate) fn value(&self) -> Option<&[u8]> {
        self.is_value().then(|| self.bytes())
    }

    /// The bytes of the value, none of them where there is no value.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0.slice[self.header().key_bytes as usize..]
    }

    #[inline]
    pub(crate) fn is_value(&self) -> bool {
        self.header().kind == Kind::Value
    }

    #[inline]
    pub(crate) fn is_tombstone(&self) -> bool {
        self.header().kind == Kind::Tombstone
    }

    #[inline]
    pub(crate) fn is_collected(&self) -> bool {
        self.header().kind == Kind::Collected
    }

    /// How many bytes key and value have.
    pub(crate) fn length(&self) -> usize {
        self.0.slice.len()
    }

    pub(crate) fn key_to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self.key())
    }

    /// The value's bytes, to be kept. A long value keeps the whole record.
    pub(crate) fn to_bytes(&self) -> Bytes {
        if self.bytes().len() < SHARE_FROM {
            return Bytes::copy_from_slice(self.bytes());
        }
        Bytes::from_owner(ValueOf(self.clone()))
    }
}

/// Up to this length a value is copied to be lent.
const LENT: usize = 128;

/// A value outside of the locks, for the caller's code. A short one is copied: sharing its record would have all threads
/// that read it write to the same place.
pub(crate) struct Lent {
    short: [u8; LENT],
    length: usize,
    long: Option<Record>,
}

impl Lent {
    #[inline]
    pub(crate) fn nothing() -> Self {
        Self { short: [0; LENT], length: 0, long: None }
    }

    /// Takes the value of a record.
    #[inline]
    pub(crate) fn take(&mut self, record: &Record) {
        let bytes = record.bytes();
        self.length = bytes.len();
        match self.short.get_mut(..bytes.len()) {
            Some(short) => short.copy_from_slice(bytes),
            None => self.long = Some(record.clone()),
        }
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.long {
            Some(record) if self.length > LENT => record.bytes(),
            _ => &self.short[..self.length],
        }
    }
}

struct ValueOf(Record);

impl AsRef<[u8]> for ValueOf {
    fn as_ref(&self) -> &[u8] {
        self.0.bytes()
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" at {}: {:?}", self.key().escape_ascii(), self.version(), self.slot())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_record_has_what_it_was_made_of_at_every_length() {
        for length in [0, 1, SHORT - 4, SHORT - 3, SHORT - 2, SHARE_FROM - 1, SHARE_FROM, 100_000] {
            let value: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            let record = Record::new(b"key", Some(&value), (7, 8));
            assert_eq!((record.key(), record.slot()), (&b"key"[..], Slot::Value(&value)));
            assert_eq!((record.version(), record.time(), record.length()), (7, 8, length + 3));
            assert_eq!(record.to_bytes(), value);
        }
        let removal = Record::new(b"key", None, (7, 8));
        assert_eq!((removal.key(), removal.slot(), removal.value()), (&b"key"[..], Slot::Tombstone, None));
        assert_eq!(std::mem::size_of::<Record>(), std::mem::size_of::<usize>());
    }

    #[test]
    fn values_of_every_length_are_lent() {
        let mut lent = Lent::nothing();
        for length in [LENT + 1, LENT, 1, 0, 3 * LENT, LENT - 1] {
            let value: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            lent.take(&Record::pending(b"key", Some(&value)));
            assert_eq!(lent.bytes(), value);
        }
    }

    #[test]
    fn long_values_are_shared_not_copied() {
        let record = Record::new(b"key", Some(&[7; SHARE_FROM]), (1, 0));
        let bytes = record.to_bytes();
        assert_eq!(bytes.as_ptr(), record.bytes().as_ptr());
        drop(record);
        assert_eq!(bytes, [7; SHARE_FROM][..]);
    }

    #[test]
    fn a_commit_stamps_its_own_record_and_no_shared_one() {
        let mut record = Record::pending(b"key", Some(b"value"));
        let place = record.key().as_ptr();
        record.stamp(5, 50);
        assert_eq!((record.version(), record.time(), record.key().as_ptr()), (5, 50, place));
        let shared = record.clone();
        record.stamp(6, 60);
        assert_eq!((record.version(), shared.version(), record.value()), (6, 5, Some(&b"value"[..])));
    }
}
