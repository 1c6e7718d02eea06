//! CRC-32 with tables for sixteen bytes at a time.

#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "natively only tests use it"))]

use std::sync::LazyLock;

const POLYNOMIAL: u32 = 0xedb8_8320;
const LANES: usize = 16;

type Table = [u32; 256];

/// The table at `n` says what a byte does to the checksum once `n` more bytes have followed it.
static TABLES: LazyLock<Box<[Table; LANES]>> = LazyLock::new(tables);

fn tables() -> Box<[Table; LANES]> {
    let mut tables = Box::new([[0; 256]; LANES]);
    for byte in 0..=u8::MAX {
        tables[0][usize::from(byte)] = one_byte(byte);
    }
    for lane in 1..LANES {
        let (before, after) = tables.split_at_mut(lane);
        for (later, earlier) in after[0].iter_mut().zip(before[lane - 1]) {
            *later = (earlier >> 8) ^ before[0][low_byte(earlier)];
        }
    }
    tables
}

fn one_byte(byte: u8) -> u32 {
    (0..8).fold(u32::from(byte), |value, _| (value >> 1) ^ if value & 1 == 1 { POLYNOMIAL } else { 0 })
}

fn low_byte(value: u32) -> usize {
    (value & 0xff) as usize
}

/// What four bytes do to the checksum once `after` more bytes have followed them.
#[inline]
fn effect(tables: &[Table; LANES], after: usize, word: u32) -> u32 {
    tables[after + 3][low_byte(word)]
        ^ tables[after + 2][low_byte(word >> 8)]
        ^ tables[after + 1][low_byte(word >> 16)]
        ^ tables[after][low_byte(word >> 24)]
}

pub(crate) fn hash(bytes: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher.finalize()
}

/// The checksum of what is given piece by piece.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hasher {
    checksum: u32,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let tables = &**TABLES;
        let mut state = !self.checksum;
        let (chunks, rest) = bytes.as_chunks::<LANES>();
        for chunk in chunks {
            let (words, _) = chunk.as_chunks();
            let [first, second, third, fourth] = [0, 1, 2, 3].map(|place| u32::from_le_bytes(words[place]));
            state = effect(tables, 12, first ^ state) ^ effect(tables, 8, second);
            state ^= effect(tables, 4, third) ^ effect(tables, 0, fourth);
        }
        let (words, rest) = rest.as_chunks();
        for word in words {
            state = effect(tables, 0, u32::from_le_bytes(*word) ^ state);
        }
        for byte in rest {
            state = (state >> 8) ^ tables[0][low_byte(state ^ u32::from(*byte))];
        }
        self.checksum = !state;
    }

    pub(crate) fn finalize(self) -> u32 {
        self.checksum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        assert_eq!(hash(b"123456789"), 0xcbf4_3926);
        assert_eq!(hash(b""), 0);
    }

    #[test]
    fn pieces_make_the_same_checksum_as_the_whole() {
        let bytes: Vec<u8> = (0..100_u8).map(|place| place.wrapping_mul(151) ^ (place >> 3)).collect();
        for cut in 0..bytes.len() {
            let mut hasher = Hasher::new();
            hasher.update(&bytes[..cut]);
            hasher.update(&bytes[cut..]);
            assert_eq!(hasher.finalize(), hash(&bytes));
        }
    }

    #[test]
    fn it_is_what_native_programs_compute() {
        let bytes: Vec<u8> = (0..1000_u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for end in 0..bytes.len() {
            assert_eq!(hash(&bytes[..end]), crc32fast::hash(&bytes[..end]));
        }
    }
}
