//! The order of keys.
//!
//! Natively the platform compares them. The `memcmp` that comes with wasm goes byte by byte, and keys often begin alike.

use std::cmp::Ordering;

#[cfg(any(target_arch = "wasm32", test))]
use super::prefix_after;

#[cfg(not(target_arch = "wasm32"))]
#[inline]
pub(crate) fn compare(one: &[u8], other: &[u8]) -> Ordering {
    one.cmp(other)
}

#[cfg(target_arch = "wasm32")]
pub(crate) fn compare(one: &[u8], other: &[u8]) -> Ordering {
    by_words(one, other)
}

#[cfg(any(target_arch = "wasm32", test))]
fn by_words(one: &[u8], other: &[u8]) -> Ordering {
    let common = one.len().min(other.len());
    let (words, _) = one[..common].as_chunks();
    let (other_words, _) = other[..common].as_chunks();
    for (word, other_word) in words.iter().zip(other_words) {
        let [word, other_word] = [word, other_word].map(|word| u64::from_le_bytes(*word));
        if word != other_word {
            // The first byte that differs is the lowest.
            let before = (word ^ other_word).trailing_zeros() / 8 * 8;
            return (word >> before & 0xff).cmp(&(other_word >> before & 0xff));
        }
    }
    // The last word overlaps the one before, which is the same in both.
    let last = |key: &[u8]| prefix_after(&key[..common], common.saturating_sub(8));
    last(one).cmp(&last(other)).then_with(|| one.len().cmp(&other.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn keys_order_like_their_bytes() {
        let mut keys = vec![Vec::new()];
        let lengths: &[usize] =
            if cfg!(miri) { &[1, 7, 8, 9, 17] } else { &[1, 2, 3, 5, 7, 8, 9, 11, 15, 16, 17, 23, 24, 25] };
        for &length in lengths {
            for place in 0..length {
                for byte in [0, 1, 0x7f, 0x80, 0xff] {
                    let mut key = vec![0x7f; length];
                    key[place] = byte;
                    keys.push(key);
                }
            }
        }
        for one in &keys {
            for other in &keys {
                assert_eq!(by_words(one, other), one.cmp(other), "{one:?} and {other:?}");
                assert_eq!(compare(one, other), one.cmp(other));
            }
        }
    }
}
