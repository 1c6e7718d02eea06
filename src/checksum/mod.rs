//! CRC-32, of every header and payload in the files.
//!
//! The crate `crc32fast` computes it natively. Its constant tables, which do not compress, would be a sixth of what a
//! page downloads, so that on wasm tables are computed at the first use.

cfg_if::cfg_if! {
    if #[cfg(target_arch = "wasm32")] {
        mod tables;
        pub(crate) use tables::{Hasher, hash};
    } else {
        #[cfg(test)]
        mod tables;
        pub(crate) use crc32fast::{Hasher, hash};
    }
}
