//! Selkie.
#![forbid(unsafe_code)]
mod codec;
mod error;
mod index;
mod log;
mod options;
mod progress;
mod runtime;
pub mod storage;
pub use options::{Compression, Durability, Isolation, Limits, Options, Retention, SnapshotPolicy, TransactionOptions, Visibility};
pub use runtime::SystemTime;
pub use error::{Corruption, Error, Result};
/// A commit's number.
pub type Version = u64;
