//! Keys that stand by themselves, as the bounds of ranges do: short ones inline, longer ones shared.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::order::compare;

const INLINE: usize = 22;

/// An immutable byte string of 24 bytes that holds up to 22 bytes without an allocation.
#[derive(Clone)]
pub(crate) enum Blob {
    Inline { length: u8, data: [u8; INLINE] },
    Heap(Arc<[u8]>),
}

impl Blob {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        if bytes.len() > INLINE {
            return Self::Heap(Arc::from(bytes));
        }
        let mut data = [0; INLINE];
        data[..bytes.len()].copy_from_slice(bytes);
        Self::Inline { length: bytes.len() as u8, data }
    }

    pub(crate) const fn empty() -> Self {
        Self::Inline { length: 0, data: [0; INLINE] }
    }
}

impl Default for Blob {
    fn default() -> Self {
        Self::empty()
    }
}

impl Deref for Blob {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Inline { length, data } => &data[..usize::from(*length)],
            Self::Heap(shared) => shared,
        }
    }
}

impl Borrow<[u8]> for Blob {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Blob {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl Eq for Blob {}

impl PartialOrd for Blob {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Blob {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self, other)
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn holds_every_length_around_the_inline_limit() {
        for length in 0..2 * INLINE {
            let bytes: Vec<u8> = (0..length as u8).collect();
            assert_eq!(&Blob::new(&bytes)[..], &bytes[..]);
        }
        assert_eq!(std::mem::size_of::<Blob>(), 24);
    }
}
