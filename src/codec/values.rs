//! How values are encoded: as bincode 2 does in its standard configuration.
//!
//! A number below 251 is one byte. Of a greater one, a byte says how many bytes follow: 251 for two, 252 for four, 253 for
//! eight, the least first. Byte strings and sequences carry their length first, enums the number of their variant, and
//! an option whether there is a value. Decoding borrows from its input and allocates nothing that it does not contain.

use std::time::Duration;

/// What decodes to something else, or ends too early.
#[derive(Debug)]
pub(crate) struct Undecodable;

pub(crate) type Decoded<T> = Result<T, Undecodable>;

pub(crate) trait Encode {
    fn encode(&self, output: &mut Vec<u8>);
}

/// What decodes, borrowing from its input.
pub(crate) trait Decode<'a>: Sized {
    /// Takes one value off the front of `input`.
    fn decode(input: &mut &'a [u8]) -> Decoded<Self>;
}

const TWO_BYTES: u8 = 251;
const FOUR_BYTES: u8 = 252;
const EIGHT_BYTES: u8 = 253;

impl Encode for u64 {
    fn encode(&self, output: &mut Vec<u8>) {
        let bytes = self.to_le_bytes();
        let (tag, length) = match *self {
            0..=250 => return output.push(bytes[0]),
            251..=0xffff => (TWO_BYTES, 2),
            0x1_0000..=0xffff_ffff => (FOUR_BYTES, 4),
            _ => (EIGHT_BYTES, 8),
        };
        output.push(tag);
        output.extend_from_slice(&bytes[..length]);
    }
}

impl Decode<'_> for u64 {
    fn decode(input: &mut &[u8]) -> Decoded<Self> {
        let length = match take(input, 1)?[0] {
            TWO_BYTES => 2,
            FOUR_BYTES => 4,
            EIGHT_BYTES => 8,
            small @ 0..TWO_BYTES => return Ok(u64::from(small)),
            _ => return Err(Undecodable),
        };
        let mut bytes = [0; 8];
        bytes[..length].copy_from_slice(take(input, length)?);
        Ok(u64::from_le_bytes(bytes))
    }
}

impl Encode for u32 {
    fn encode(&self, output: &mut Vec<u8>) {
        u64::from(*self).encode(output);
    }
}

impl Decode<'_> for u32 {
    fn decode(input: &mut &[u8]) -> Decoded<Self> {
        Self::try_from(u64::decode(input)?).map_err(|_| Undecodable)
    }
}

impl Encode for bool {
    fn encode(&self, output: &mut Vec<u8>) {
        output.push(u8::from(*self));
    }
}

impl Decode<'_> for bool {
    fn decode(input: &mut &[u8]) -> Decoded<Self> {
        match take(input, 1)?[0] {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Undecodable),
        }
    }
}

impl Encode for &[u8] {
    fn encode(&self, output: &mut Vec<u8>) {
        (self.len() as u64).encode(output);
        output.extend_from_slice(self);
    }
}

impl<'a> Decode<'a> for &'a [u8] {
    fn decode(input: &mut &'a [u8]) -> Decoded<Self> {
        let length = usize::try_from(u64::decode(input)?).map_err(|_| Undecodable)?;
        take(input, length)
    }
}

impl Encode for &str {
    fn encode(&self, output: &mut Vec<u8>) {
        self.as_bytes().encode(output);
    }
}

impl<'a> Decode<'a> for &'a str {
    fn decode(input: &mut &'a [u8]) -> Decoded<Self> {
        std::str::from_utf8(Decode::decode(input)?).map_err(|_| Undecodable)
    }
}

impl Encode for Option<&[u8]> {
    fn encode(&self, output: &mut Vec<u8>) {
        self.is_some().encode(output);
        if let Some(value) = self {
            value.encode(output);
        }
    }
}

impl<'a> Decode<'a> for Option<&'a [u8]> {
    fn decode(input: &mut &'a [u8]) -> Decoded<Self> {
        if bool::decode(input)? { Decode::decode(input).map(Some) } else { Ok(None) }
    }
}

impl Encode for Duration {
    fn encode(&self, output: &mut Vec<u8>) {
        self.as_secs().encode(output);
        self.subsec_nanos().encode(output);
    }
}

impl Decode<'_> for Duration {
    fn decode(input: &mut &[u8]) -> Decoded<Self> {
        let seconds = Self::from_secs(u64::decode(input)?);
        seconds.checked_add(Self::from_nanos(u64::from(u32::decode(input)?))).ok_or(Undecodable)
    }
}

fn take<'a>(input: &mut &'a [u8], length: usize) -> Decoded<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(length).ok_or(Undecodable)?;
    *input = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn numbers_have_the_documented_bytes() {
        for (number, bytes) in [
            (0, &[0][..]),
            (250, &[250]),
            (251, &[251, 251, 0]),
            (0xffff, &[251, 0xff, 0xff]),
            (0x1_0000, &[252, 0, 0, 1, 0]),
            (0xffff_ffff, &[252, 0xff, 0xff, 0xff, 0xff]),
            (0x1_0000_0000, &[253, 0, 0, 0, 0, 1, 0, 0, 0]),
            (u64::MAX, &[253, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ] {
            let mut output = Vec::new();
            number.encode(&mut output);
            assert_eq!(output, bytes);
            assert_eq!(u64::decode(&mut &bytes[..]).unwrap(), number);
            for end in 0..bytes.len() {
                assert!(u64::decode(&mut &bytes[..end]).is_err());
            }
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        assert!(u64::decode(&mut &[254, 0, 0, 0, 0, 0, 0, 0, 0][..]).is_err());
        assert!(u32::decode(&mut &[253, 0, 0, 0, 0, 1, 0, 0, 0][..]).is_err());
        assert!(bool::decode(&mut &[2][..]).is_err());
        assert!(<&str>::decode(&mut &[1, 0xff][..]).is_err());
        let longest = [253, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 252, 0, 0, 0, 0x80];
        assert!(Duration::decode(&mut &longest[..]).is_err());
    }
}
