//! How a database is opened: durability, visibility, history, snapshots and limits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Which past versions of the data are kept, for reading as of a version or a time.
///
/// It is stored with the data: a database opened without naming a retention keeps the one it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Retention {
    /// Nothing beyond what live readers see.
    #[default]
    None,
    /// The newest versions of each key, at most so many, removals included.
    Versions(u32),
    /// Every version that was visible at any time within so long a past.
    Age(Duration),
    /// Every version for ever.
    Forever,
}

/// How the blocks of snapshots and backups are stored.
///
/// Reading finds out from the file: it needs no option, and the two can alternate from snapshot to snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// As they are.
    None,
    /// Compressed with LZ4, except where that saves nothing.
    #[default]
    Lz4,
}
