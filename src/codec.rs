//! The payloads of log frames and snapshot sections, encoded with bincode 2.
//!
//! Only this module and the derived traits of [`Retention`] know bincode: in its standard configuration integers are of
//! variable length, byte strings and sequences carry their length first, and enums the number of their variant.
//! Decoding borrows from its input and allocates nothing that the input does not contain.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::de::BorrowDecoder;
use bincode::error::DecodeError;
use bincode::{BorrowDecode, Encode};

use crate::Version;
use crate::options::Retention;

/// No payload may be longer, so that a damaged length cannot ask for more memory than that.
pub(crate) const PAYLOAD_LIMIT: usize = 1 << 30;

const CONFIGURATION: Configuration<LittleEndian, Varint, Limit<PAYLOAD_LIMIT>> =
    bincode::config::standard().with_limit::<PAYLOAD_LIMIT>();

/// One change within a commit. A commit's payload is the number of its operations and then the operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(crate) enum Operation<'a> {
    Set { keyspace: u32, key: &'a [u8], value: &'a [u8] },
    Remove { keyspace: u32, key: &'a [u8] },
    CreateKeyspace { keyspace: u32, name: &'a str },
    DropKeyspace { keyspace: u32 },
    SetRetention(Retention),
}

/// The first section of a snapshot: what it is a snapshot of.
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
pub(crate) struct SnapshotHeader {
    /// The random number that all files of one database carry.
    pub(crate) database: u64,
    /// The log segment that continues where the snapshot ends.
    pub(crate) segment: u64,
    /// The snapshot holds everything committed up to this version, and nothing later.
    pub(crate) version: Version,
    /// The time of that commit, in nanoseconds since the Unix epoch.
    pub(crate) time: u64,
    pub(crate) retention: Retention,
    /// Numbers of keyspaces are never used again: the next one to be created gets this.
    pub(crate) next_keyspace: u32,
    /// The keyspaces by number and name, the default one included.
    pub(crate) keyspaces: Vec<(u32, String)>,
}

impl<'de, C> BorrowDecode<'de, C> for SnapshotHeader {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Ok(Self {
            database: BorrowDecode::borrow_decode(decoder)?,
            segment: BorrowDecode::borrow_decode(decoder)?,
            version: BorrowDecode::borrow_decode(decoder)?,
            time: BorrowDecode::borrow_decode(decoder)?,
            retention: BorrowDecode::borrow_decode(decoder)?,
            next_keyspace: BorrowDecode::borrow_decode(decoder)?,
            keyspaces: decode_keyspaces(decoder)?,
        })
    }
}

/// Numbers and names that grow with what is there: bincode's own lists and strings ask beforehand for the memory of all
/// that their length claims.
fn decode_keyspaces<'de, D: BorrowDecoder<'de>>(decoder: &mut D) -> Result<Vec<(u32, String)>, DecodeError> {
    let length = u64::borrow_decode(decoder)?;
    let mut keyspaces = Vec::new();
    for _ in 0..length {
        let (number, name) = <(u32, &str)>::borrow_decode(decoder)?;
        keyspaces.push((number, name.to_owned()));
    }
    Ok(keyspaces)
}

/// What a block of a snapshot begins with; its entries follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(crate) struct BlockHeader {
    pub(crate) keyspace: u32,
    pub(crate) entries: u32,
}

/// What a snapshot says of a key; its revisions follow, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(crate) struct EntryHeader<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) revisions: u32,
    /// Whether there were older revisions that are no longer kept.
    pub(crate) collected: bool,
}

/// One revision of a key in a snapshot. A removal has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(crate) struct RevisionRecord<'a> {
    pub(crate) version: Version,
    pub(crate) time: u64,
    pub(crate) value: Option<&'a [u8]>,
}

/// The last section of a snapshot: without it the snapshot does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(crate) struct SnapshotFooter {
    pub(crate) blocks: u64,
    pub(crate) entries: u64,
    pub(crate) revisions: u64,
    /// The newest removal, by version and time, of a key that is gone from the history altogether. It stands at the
    /// end because keys may be forgotten while the snapshot is written.
    pub(crate) forgotten: (Version, u64),
    /// A CRC-32 over the checksums of all sections before this one, each as four little-endian bytes.
    pub(crate) checksum: u32,
}

/// A payload that does not decode.
#[derive(Debug)]
pub(crate) struct Undecodable;

/// What decodes, borrowing from its input.
pub(crate) trait Decode<'a>: BorrowDecode<'a, ()> {}

impl<'a, T: BorrowDecode<'a, ()>> Decode<'a> for T {}

/// Appends the encoding of `value` to `buffer`.
///
/// Only a payload above [`PAYLOAD_LIMIT`] is refused, and transactions are limited far below it.
pub(crate) fn encode<T: Encode>(value: &T, buffer: &mut Vec<u8>) {
    if let Err(error) = bincode::encode_into_std_write(value, buffer, CONFIGURATION) {
        unreachable!("encoding into memory failed: {error}");
    }
}

/// Takes one value off the front of `input`.
pub(crate) fn decode<'a, T: Decode<'a>>(input: &mut &'a [u8]) -> Result<T, Undecodable> {
    let (value, read) = bincode::borrow_decode_from_slice(input, CONFIGURATION).map_err(|_| Undecodable)?;
    *input = &input[read..];
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn operations_have_the_documented_bytes() {
        let mut buffer = Vec::new();
        encode(&2_u64, &mut buffer);
        encode(&Operation::Set { keyspace: 0, key: b"k", value: b"vw" }, &mut buffer);
        encode(&Operation::Remove { keyspace: 300, key: b"" }, &mut buffer);
        assert_eq!(buffer, [2, 0, 0, 1, b'k', 2, b'v', b'w', 1, 251, 44, 1, 0]);
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        let record = RevisionRecord { version: 1 << 40, time: u64::MAX, value: Some(b"value") };
        let mut buffer = Vec::new();
        encode(&record, &mut buffer);
        encode(&RevisionRecord { value: None, ..record }, &mut buffer);
        let mut input = &buffer[..];
        assert_eq!(decode::<RevisionRecord<'_>>(&mut input).unwrap(), record);
        assert_eq!(decode::<RevisionRecord<'_>>(&mut input).unwrap().value, None);
        assert!(input.is_empty());
    }

    #[test]
    fn a_length_beyond_the_input_is_refused_without_allocating() {
        let input = [0, 0, 252, 0xff, 0xff, 0xff, 0x7f, b'x'];
        assert!(decode::<Operation<'_>>(&mut &input[..]).is_err());
    }
}
