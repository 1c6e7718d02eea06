//! Selkie.
#![forbid(unsafe_code)]

mod codec;
mod engine;
mod error;
mod files;
mod index;
mod log;
mod options;
mod progress;
mod recovery;
mod runtime;
mod snapshot;
pub mod storage;

pub use error::{Corruption, Error, Result};
pub use options::{
    Compression, Durability, Isolation, Limits, Options, Retention, SnapshotPolicy, TransactionOptions, Visibility,
};
pub use recovery::Recovery;
pub use runtime::SystemTime;

/// The number of a commit: later commits have greater numbers.
pub type Version = u64;
