//! Selkie is an embedded, ordered, transactional, versioned key-value engine.
//!
//! All data is in memory, and an append-only log and snapshots keep it durable. Keys and values are bytes; keys
//! order by their bytes. Transactions are serializable unless asked for less, readers never wait for a transaction,
//! and past versions can be read for as long as a [`Retention`] keeps them.
//!
//! ```
//! use selkie::{Database, Readable, Writable};
//!
//! # fn main() -> selkie::Result<()> {
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("notes");
//! let db = Database::open(path)?;
//! db.insert("city/paris", "Paris")?;
//! db.update(|tx| {
//!     let visits = tx.get("visits")?.map_or(0, |value| value[0]);
//!     tx.insert("visits", [visits + 1])?;
//!     tx.insert("city/rome", "Rome")
//! })?;
//! let view = db.begin_read()?;
//! assert_eq!(view.prefix("city/").count(), 2);
//! db.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where things are
//!
//! - [`Database`] is the handle; [`Options`] says how one is opened, and [`Recovery`] what opening did.
//! - [`Transaction`] and [`View`] read one moment of the data, through the methods of [`Readable`]: [`Range`],
//!   [`Keys`] and [`Cursor`] come from there. Transactions write through [`Writable`].
//! - [`Keyspace`] is a named part of the database with keys of its own.
//! - [`CommitInfo`] and [`CommitFuture`] say what became of a commit.
//! - [`KeyVersion`] and [`History`] are the past of keys, [`Watch`] and [`Changes`] what comes.
//! - [`BackupInfo`] tells of backups and checkpoints, [`SnapshotInfo`] of snapshots, [`Verification`] of files at rest,
//!   [`Repair`] of what can be saved of damaged ones.
//! - [`Error`] tells apart what a caller can act on; [`Stats`] has the numbers.
//! - [`storage`] is the seam to the platform: files, memory, or an implementation of your own.
//!
//! # Durability
//!
//! What a commit survives once it is acknowledged, by [`Durability`]:
//!
//! | level | process crash | power loss |
//! |---|---|---|
//! | `None` | nothing is promised | nothing is promised |
//! | `Queued` | all but what is in the bounded queue | nothing is promised |
//! | `Buffered` | yes | nothing is promised |
//! | `Interval` | yes | all but the last interval |
//! | `Immediate`, the default | yes | yes |
//!
//! Whatever the level, what recovers is a prefix of the commits in their order, each of them whole.
//!
//! # What it is not
//!
//! Selkie is not a server, has no query language, does not hold data larger than memory, and is open in one process
//! at a time.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod asynchronous;
mod backup;
mod changes;
mod checksum;
mod codec;
mod cursor;
mod database;
mod engine;
mod error;
mod few;
mod files;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod fuzzing;
mod handle;
mod history;
mod index;
mod keyspace;
mod locks;
mod log;
#[cfg(all(test, loom))]
mod models;
mod numbered;
mod open;
mod options;
mod progress;
mod range;
mod readable;
mod recovery;
mod repair;
mod runtime;
#[cfg(feature = "testing")]
mod simulation;
mod snapshot;
mod sorting;
mod source;
mod stats;
pub mod storage;
mod transaction;
mod verify;
mod view;
#[cfg(all(target_arch = "wasm32", feature = "js"))]
mod wasm;
mod watch;
mod writable;

pub use backup::BackupInfo;
pub use changes::ChangesSince;
pub use cursor::Cursor;
pub use database::Database;
pub use engine::following::Refreshed;
pub use engine::snapshots::SnapshotInfo;
pub use error::{Corruption, Error, ErrorKind, Result};
pub use history::{History, KeyVersion};
pub use keyspace::Keyspace;
pub use options::{
    Compression, Durability, Isolation, Limits, Options, Retention, SnapshotPolicy, TransactionOptions, Visibility,
};
pub use range::{Keys, Range};
pub use readable::Readable;
pub use recovery::Recovery;
#[cfg(not(target_arch = "wasm32"))]
pub use repair::repair;
pub use repair::{KeyRange, Loss, LossCause, LostData, Repair, repair_storage};
pub use runtime::SystemTime;
#[cfg(feature = "testing")]
pub use simulation::Simulation;
pub use stats::Stats;
pub use transaction::{CommitFuture, CommitInfo, KeyspaceTransaction, KeyspaceTransactionMut, Savepoint, Transaction};
#[cfg(not(target_arch = "wasm32"))]
pub use verify::verify;
pub use verify::{FileKind, FileReport, Verification, verify_storage};
pub use view::{KeyspaceView, View};
pub use watch::{Change, Changes, Watch};
pub use writable::{Outcome, Writable};

/// The number of a commit: later commits have greater numbers.
pub type Version = u64;

/// Compiles the snippets of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
