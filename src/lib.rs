//! Selkie.
#![forbid(unsafe_code)]
mod codec;
mod error;
mod index;
mod options;
mod snapshot;
pub mod storage;
pub use error::{Corruption, Error, Result};
pub use options::{Compression, Retention};
/// A commit's number.
pub type Version = u64;
