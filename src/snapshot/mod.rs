//! Snapshots: everything that is committed up to one version, in one file or stream. Backups are the same.
//!
//! # Format 1
//!
//! All numbers outside of payloads are little-endian, and CRC-32 is the one of zlib. A snapshot is a file head and
//! then sections, back to back: one header section, any number of block sections, one footer section. Nothing follows
//! the footer.
//!
//! The file head, 16 bytes:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic, the ASCII characters `selkieSN` |
//! | 8 | 4 | number of the format, 1 |
//! | 12 | 4 | CRC-32 of the 12 bytes before |
//!
//! A section, 24 bytes and its stored payload:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | kind: 1 header, 2 block, 3 footer |
//! | 4 | 4 | number of the section: 0, 1, 2 and so on |
//! | 8 | 4 | raw length: of the payload |
//! | 12 | 4 | stored length: of the payload as stored |
//! | 16 | 4 | CRC-32 of the stored payload |
//! | 20 | 4 | CRC-32 of the 20 bytes before |
//! | 24 | stored length | the stored payload |
//!
//! With equal lengths the payload is stored as it is, with a lesser stored length as one LZ4 block, without a frame
//! and without its length. A greater stored length is damage, and so is a raw length above 2^30 or above 255 times
//! the stored length plus 64.
//!
//! # Payloads
//!
//! The values are encoded by `codec`.
//!
//! | payload | fields in their order |
//! |---|---|
//! | header | database u64, segment u64, version u64, time u64, retention, next keyspace u32, list of keyspaces, each a number u32 and a name |
//! | block | keyspace u32, number of entries u32, and so many entries |
//! | entry | key, number of revisions u32, collected bool, and so many revisions, newest first |
//! | revision | version u64, time u64, option of a value: none is a removal |
//! | footer | blocks u64, keys u64, revisions u64, forgotten version u64, forgotten time u64, checksum u32 |
//! | retention | variant 0 none, 1 versions u32, 2 age in seconds u64 and nanoseconds u32, 3 for ever |
//!
//! The checksum of the footer is the CRC-32 over the payload checksums of all sections before it, each as four
//! little-endian bytes.
//!
//! docs/FORMAT.md lists the order and the bounds of these values, which a reader checks.

mod file;
mod io;
mod reader;
mod salvage;
mod section;
mod sections;
mod writer;

pub(crate) use file::write_file;
pub(crate) use io::{ChunkSink, ChunkSource, ReadSource, Sink, Source, StorageSink, StorageSource, WriteSink};
pub(crate) use reader::{Loaded, damaged_sections, load, verify};
pub(crate) use salvage::{Hint, salvage};
pub(crate) use writer::write;

/// What a snapshot consists of, in numbers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The length of the whole snapshot.
    pub(crate) bytes: u64,
    pub(crate) blocks: u64,
    /// How many keys there are, removed ones included.
    pub(crate) entries: u64,
    pub(crate) revisions: u64,
    /// The newest removal, by version and time, of a key that is gone from the history altogether.
    pub(crate) forgotten: (crate::Version, u64),
}

/// How many bytes are written or read at a time, about.
const CHUNK_BYTES: usize = 1 << 20;

/// The name of the file of a snapshot, by the segment that continues it.
pub(crate) fn file_name(segment: u64) -> String {
    format!("{segment:016x}.snapshot")
}

/// The segment that continues a snapshot, from the name of its file. The greatest number of all is that of no segment.
pub(crate) fn file_number(name: &str) -> Option<u64> {
    let number = u64::from_str_radix(name.strip_suffix(".snapshot")?, 16).ok()?;
    (file_name(number) == name && number < u64::MAX).then_some(number)
}

#[cfg(test)]
mod tests;
