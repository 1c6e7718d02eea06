//! Selkie.
#![forbid(unsafe_code)]
mod error;
pub mod storage;
pub use error::{Corruption, Error, Result};
/// A commit's number.
pub type Version = u64;
