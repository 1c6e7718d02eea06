//! Selkie.
#![forbid(unsafe_code)]
mod codec;
mod error;
mod index;
mod options;
pub mod storage;
pub use options::Retention;
pub use error::{Corruption, Error, Result};
/// A commit's number.
pub type Version = u64;
