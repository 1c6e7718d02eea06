//! The payloads of log frames and snapshot sections.
//!
//! A structure is its fields in their order, and [`values`] says how these are encoded.

mod values;

use std::time::Duration;

use crate::Version;
use crate::options::Retention;
use values::Decoded;
pub(crate) use values::{Decode, Encode, Undecodable};

/// No payload may be longer, so that a damaged length cannot ask for more memory than that.
pub(crate) const PAYLOAD_LIMIT: usize = 1 << 30;

/// One change within a commit. A commit's payload is the number of its operations and then the operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation<'a> {
    Set { keyspace: u32, key: &'a [u8], value: &'a [u8] },
    Remove { keyspace: u32, key: &'a [u8] },
    CreateKeyspace { keyspace: u32, name: &'a str },
    DropKeyspace { keyspace: u32 },
    SetRetention(Retention),
}

/// The first section of a snapshot: what it is a snapshot of.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// What a block of a snapshot begins with; its entries follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockHeader {
    pub(crate) keyspace: u32,
    pub(crate) entries: u32,
}

/// What a snapshot says of a key; its revisions follow, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryHeader<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) revisions: u32,
    /// Whether there were older revisions that are no longer kept.
    pub(crate) collected: bool,
}

/// One revision of a key in a snapshot. A removal has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RevisionRecord<'a> {
    pub(crate) version: Version,
    pub(crate) time: u64,
    pub(crate) value: Option<&'a [u8]>,
}

/// The last section of a snapshot: without it the snapshot does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Encodes and decodes structures by their fields.
macro_rules! by_fields {
    ($($name:ident $(<$life:lifetime>)? { $($field:ident),* })*) => {$(
        impl $(<$life>)? Encode for $name $(<$life>)? {
            fn encode(&self, output: &mut Vec<u8>) {
                $(self.$field.encode(output);)*
            }
        }

        impl<'a> Decode<'a> for $name $(<$life>)? {
            fn decode(input: &mut &'a [u8]) -> Decoded<Self> {
                Ok(Self { $($field: Decode::decode(input)?),* })
            }
        }
    )*};
}

by_fields! {
    SnapshotHeader { database, segment, version, time, retention, next_keyspace, keyspaces }
    BlockHeader { keyspace, entries }
    EntryHeader<'a> { key, revisions, collected }
    RevisionRecord<'a> { version, time, value }
    SnapshotFooter { blocks, entries, revisions, forgotten, checksum }
}

impl Encode for Operation<'_> {
    fn encode(&self, output: &mut Vec<u8>) {
        match self {
            Self::Set { keyspace, key, value } => {
                (0, *keyspace).encode(output);
                key.encode(output);
                value.encode(output);
            }
            Self::Remove { keyspace, key } => {
                (1, *keyspace).encode(output);
                key.encode(output);
            }
            Self::CreateKeyspace { keyspace, name } => {
                (2, *keyspace).encode(output);
                name.encode(output);
            }
            Self::DropKeyspace { keyspace } => (3, *keyspace).encode(output),
            Self::SetRetention(retention) => {
                4_u32.encode(output);
                retention.encode(output);
            }
        }
    }
}

impl<'a> Decode<'a> for Operation<'a> {
    fn decode(input: &mut &'a [u8]) -> Decoded<Self> {
        let variant = u32::decode(input)?;
        if variant == 4 {
            return Retention::decode(input).map(Self::SetRetention);
        }
        let keyspace = u32::decode(input)?;
        match variant {
            0 => Ok(Self::Set { keyspace, key: Decode::decode(input)?, value: Decode::decode(input)? }),
            1 => Ok(Self::Remove { keyspace, key: Decode::decode(input)? }),
            2 => Ok(Self::CreateKeyspace { keyspace, name: Decode::decode(input)? }),
            3 => Ok(Self::DropKeyspace { keyspace }),
            _ => Err(Undecodable),
        }
    }
}

impl Encode for Retention {
    fn encode(&self, output: &mut Vec<u8>) {
        match self {
            Self::None => 0_u32.encode(output),
            Self::Versions(versions) => (1, *versions).encode(output),
            Self::Age(age) => {
                2_u32.encode(output);
                age.encode(output);
            }
            Self::Forever => 3_u32.encode(output),
        }
    }
}

impl Decode<'_> for Retention {
    fn decode(input: &mut &[u8]) -> Decoded<Self> {
        match u32::decode(input)? {
            0 => Ok(Self::None),
            1 => u32::decode(input).map(Self::Versions),
            2 => Duration::decode(input).map(Self::Age),
            3 => Ok(Self::Forever),
            _ => Err(Undecodable),
        }
    }
}

impl Encode for (u32, u32) {
    fn encode(&self, output: &mut Vec<u8>) {
        self.0.encode(output);
        self.1.encode(output);
    }
}

impl Encode for (u64, u64) {
    fn encode(&self, output: &mut Vec<u8>) {
        self.0.encode(output);
        self.1.encode(output);
    }
}

impl Decode<'_> for (u64, u64) {
    fn decode(input: &mut &[u8]) -> Decoded<Self> {
        Ok((u64::decode(input)?, u64::decode(input)?))
    }
}

impl Encode for Vec<(u32, String)> {
    fn encode(&self, output: &mut Vec<u8>) {
        (self.len() as u64).encode(output);
        for (number, name) in self {
            number.encode(output);
            name.as_str().encode(output);
        }
    }
}

impl Decode<'_> for Vec<(u32, String)> {
    fn decode(input: &mut &[u8]) -> Decoded<Self> {
        let mut keyspaces = Self::new();
        for _ in 0..u64::decode(input)? {
            keyspaces.push((u32::decode(input)?, <&str>::decode(input)?.to_owned()));
        }
        Ok(keyspaces)
    }
}

/// Appends the encoding of `value` to `buffer`.
pub(crate) fn encode(value: &impl Encode, buffer: &mut Vec<u8>) {
    value.encode(buffer);
}

/// Takes one value off the front of `input`.
pub(crate) fn decode<'a, T: Decode<'a>>(input: &mut &'a [u8]) -> Result<T, Undecodable> {
    T::decode(input)
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
