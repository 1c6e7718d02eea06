//! Selkie is an embedded, ordered, transactional, versioned key-value engine.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod backup;
mod changes;
mod codec;
mod cursor;
mod database;
mod engine;
mod error;
mod files;
mod handle;
mod history;
mod index;
mod keyspace;
mod log;
mod options;
mod progress;
mod range;
mod readable;
mod recovery;
mod runtime;
mod snapshot;
mod source;
mod stats;
pub mod storage;
mod transaction;
mod view;
mod watch;
mod writable;

pub use backup::BackupInfo;
pub use changes::ChangesSince;
pub use cursor::Cursor;
pub use database::Database;
pub use engine::snapshots::SnapshotInfo;
pub use error::{Corruption, Error, Result};
pub use history::{History, KeyVersion};
pub use keyspace::Keyspace;
pub use options::{
    Compression, Durability, Isolation, Limits, Options, Retention, SnapshotPolicy, TransactionOptions, Visibility,
};
pub use range::{Keys, Range};
pub use readable::Readable;
pub use recovery::Recovery;
pub use runtime::SystemTime;
pub use stats::Stats;
pub use transaction::{CommitFuture, CommitInfo, KeyspaceTransaction, KeyspaceTransactionMut, Savepoint, Transaction};
pub use view::{KeyspaceView, View};
pub use watch::{Change, Changes, Watch};
pub use writable::{Outcome, Writable};

/// The number of a commit: later commits have greater numbers.
pub type Version = u64;
