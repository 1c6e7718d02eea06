//! The decoders, each with its bound.

use crate::bounded::bounded;

pub(crate) struct Decoder {
    pub(crate) name: &'static str,
    decode: fn(&[u8]) -> usize,
    /// How many bytes may be allocated for one.
    multiple: usize,
}

impl Decoder {
    pub(crate) fn run(&self, input: &[u8]) {
        bounded(self.decode, self.multiple, input);
    }
}

pub(crate) const CODEC: Decoder = Decoder { name: "codec", decode: selkie::fuzzing::codec, multiple: 32 };
pub(crate) const LOG: Decoder = Decoder { name: "log", decode: selkie::fuzzing::log, multiple: 32 };
pub(crate) const SNAPSHOT: Decoder = Decoder { name: "snapshot", decode: selkie::fuzzing::snapshot, multiple: 128 };
pub(crate) const DATABASE: Decoder = Decoder { name: "database", decode: selkie::fuzzing::database, multiple: 1024 };
