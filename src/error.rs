//! The one error type, with kinds that a caller can act on.

use std::sync::Arc;
use std::{fmt, io};

use bytes::Bytes;

use crate::Version;

/// The result of every fallible operation in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong; [`kind`](Self::kind) tells apart what the caller can do about it.
///
/// It is as small as a pointer, because it is a part of nearly every result.
///
/// # Examples
///
/// ```
/// use selkie::{Database, ErrorKind};
///
/// let db = Database::in_memory();
/// let refused = db.insert(vec![0; 100_000], "value").unwrap_err();
/// assert!(matches!(refused.kind(), ErrorKind::Limit { what: "key bytes", .. }));
/// ```
#[derive(Clone)]
pub struct Error(Arc<ErrorKind>);

/// What went wrong, told apart by what the caller can do about it, with what concerns that.
///
/// # Examples
///
/// ```
/// use selkie::{Database, ErrorKind};
///
/// let db = Database::in_memory();
/// match db.drop_keyspace("users") {
///     Err(error) if matches!(error.kind(), ErrorKind::KeyspaceNotFound { .. }) => {}
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Another commit changed what this transaction read. Nothing was written; run the transaction again.
    Conflict {
        /// The keyspace of the conflicting key.
        keyspace: Arc<str>,
        /// A key that was changed since the transaction began.
        key: Bytes,
        /// The version of the commit that changed it.
        version: Version,
    },
    /// The database was closed.
    Closed,
    /// An earlier input or output error stopped all writing. Reads go on; reopen the database to write again.
    Poisoned {
        /// The error that stopped it.
        cause: Error,
    },
    /// The commit was handed to the storage, which then failed: only reopening tells whether it survived.
    DurabilityUnknown {
        /// The version of the commit.
        version: Version,
        /// The storage error.
        cause: Error,
    },
    /// An argument or a call that can never succeed as it is.
    InvalidArgument {
        /// What is wrong with it.
        reason: String,
    },
    /// A limit of the database was exceeded. Nothing was written.
    Limit {
        /// What is limited, with its unit.
        what: &'static str,
        /// The limit in force.
        limit: u64,
        /// What was asked for.
        actual: u64,
    },
    /// A file is damaged. Nothing was opened and nothing was changed.
    Corrupted {
        /// The name of the file.
        file: String,
        /// Where in the file the damage was found, in bytes.
        offset: u64,
        /// What kind of damage it is.
        kind: Corruption,
    },
    /// Another database handle, in this process or another, holds this location.
    Locked {
        /// The location that is held.
        path: String,
    },
    /// The file was written by a format this version cannot read.
    UnsupportedFormat {
        /// The name of the file.
        file: String,
        /// The format number found in it.
        format: u32,
    },
    /// The history asked for is no longer kept.
    HistoryCollected {
        /// The version that was asked for, when one was.
        requested: Version,
    },
    /// A limit ended the view or transaction, because it held back the collection of older values for too long or in too
    /// great an amount. Nothing was written; what is begun anew reads the newest state.
    ReaderEnded {
        /// The version that it read at.
        version: Version,
        /// The limit, by its name in [`Limits`](crate::Limits).
        limit: &'static str,
    },
    /// A watch fell behind its bounded buffer.
    Lagged {
        /// The version after which changes were lost: `changes_since` of it resumes.
        resume: Version,
    },
    /// The keyspace does not exist, or was dropped.
    KeyspaceNotFound {
        /// The name of the keyspace.
        name: Arc<str>,
    },
    /// The closure of a transaction gave up with an error of its own; see [`Error::aborted`].
    Aborted {
        /// The closure's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The storage refused an operation.
    Io {
        /// What was being done.
        operation: &'static str,
        /// The file or directory concerned.
        file: String,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// The kinds of damage that opening or verifying a database tells apart.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use selkie::{Corruption, ErrorKind, Options, storage::MemoryStorage};
///
/// let refused = Options::new().restore_storage(&b"short"[..], Arc::new(MemoryStorage::new())).unwrap_err();
/// assert!(matches!(refused.kind(), ErrorKind::Corrupted { kind: Corruption::Truncated, .. }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Corruption {
    /// The file does not begin as a file of its kind.
    Header,
    /// A frame that was durable once is not intact.
    Frame,
    /// A sequence number is missing or repeated.
    Sequence,
    /// A block of a snapshot is not intact.
    Block,
    /// A snapshot has no valid footer.
    Footer,
    /// A payload is intact but does not decode.
    Payload,
    /// The file ends before what is known to be in it.
    Truncated,
    /// The file is missing.
    Missing,
    /// The file belongs to another database.
    Foreign,
}

impl Error {
    /// An error of a kind, for storages of your own and for tests.
    ///
    /// ```
    /// use selkie::{Error, ErrorKind};
    ///
    /// assert_eq!(Error::new(ErrorKind::Closed).to_string(), "the database is closed");
    /// ```
    #[cold]
    #[inline(never)]
    pub fn new(kind: ErrorKind) -> Self {
        Self(Arc::new(kind))
    }

    /// What went wrong, to match on.
    ///
    /// ```
    /// use selkie::{Error, ErrorKind};
    ///
    /// assert!(matches!(Error::new(ErrorKind::Closed).kind(), ErrorKind::Closed));
    /// ```
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// Whether running the same transaction again can succeed.
    ///
    /// # Examples
    ///
    /// ```
    /// use selkie::{Error, ErrorKind};
    ///
    /// assert!(!Error::new(ErrorKind::Closed).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind(), ErrorKind::Conflict { .. })
    }

    /// Wraps an error of the caller's own, to leave [`Database::update`](crate::Database::update) with it.
    ///
    /// # Examples
    ///
    /// ```
    /// use selkie::{Database, Error, Readable};
    ///
    /// let db = Database::in_memory();
    /// let outcome = db.update(|tx| {
    ///     tx.get("balance")?.ok_or_else(|| Error::aborted("no such account"))
    /// });
    /// assert_eq!(outcome.unwrap_err().to_string(), "transaction aborted: no such account");
    /// ```
    pub fn aborted(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::new(ErrorKind::Aborted { source: source.into() })
    }

    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Error::new(ErrorKind::InvalidArgument { reason: reason.into() })
    }

    pub(crate) fn io(operation: &'static str, file: impl Into<String>, source: io::Error) -> Self {
        Error::new(ErrorKind::Io { operation, file: file.into(), source })
    }

    pub(crate) fn corrupted(file: impl Into<String>, offset: u64, kind: Corruption) -> Self {
        Error::new(ErrorKind::Corrupted { file: file.into(), offset, kind })
    }

    pub(crate) fn is_corruption(&self) -> bool {
        matches!(self.kind(), ErrorKind::Corrupted { .. })
    }

    /// Whether it is of the storage, of this kind.
    pub(crate) fn is_io(&self, wanted: io::ErrorKind) -> bool {
        matches!(self.kind(), ErrorKind::Io { source, .. } if source.kind() == wanted)
    }

    /// The version of the commit that a transaction is in conflict with.
    pub(crate) fn conflict(&self) -> Option<Version> {
        match self.kind() {
            ErrorKind::Conflict { version, .. } => Some(*version),
            _ => None,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.kind(), f)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { keyspace, key, version } => {
                let key = key.escape_ascii();
                write!(f, "conflict: key b\"{key}\" of keyspace `{keyspace}` was changed by commit {version}")
            }
            Self::Closed => f.write_str("the database is closed"),
            Self::Poisoned { cause } => write!(f, "writing stopped after an earlier error: {cause}"),
            Self::DurabilityUnknown { version, cause } => {
                write!(f, "durability of commit {version} is unknown: {cause}")
            }
            Self::InvalidArgument { reason } => write!(f, "invalid argument: {reason}"),
            Self::Limit { what, limit, actual } => write!(f, "limit exceeded: {actual} {what}, at most {limit}"),
            Self::Corrupted { file, offset, kind } => {
                write!(f, "corrupted file `{file}` at offset {offset}: {kind}")
            }
            Self::Locked { path } => write!(f, "the database is already open elsewhere: `{path}`"),
            Self::UnsupportedFormat { file, format } => {
                write!(f, "file `{file}` has format {format}, which this version cannot read")
            }
            Self::HistoryCollected { requested } => {
                write!(f, "the history at version {requested} is no longer kept")
            }
            Self::ReaderEnded { version, limit } => {
                write!(f, "the reader at version {version} was ended by the limit {limit}")
            }
            Self::Lagged { resume } => write!(f, "the watch fell behind; resume after version {resume}"),
            Self::KeyspaceNotFound { name } => write!(f, "no keyspace `{name}`"),
            Self::Aborted { source } => write!(f, "transaction aborted: {source}"),
            Self::Io { operation, file, source } => write!(f, "cannot {operation} `{file}`: {}", words_of(source)),
        }
    }
}

/// What an error of the storage says of itself.
#[cfg(not(all(target_arch = "wasm32", feature = "js")))]
fn words_of(source: &io::Error) -> &io::Error {
    source
}

/// What an error of the storage says of itself. Those of JavaScript have words of their own, and the engine makes few
/// kinds of others: the words of all kinds would be downloaded with it.
#[cfg(all(target_arch = "wasm32", feature = "js"))]
fn words_of(source: &io::Error) -> &dyn fmt::Display {
    match (source.get_ref(), source.kind()) {
        (Some(words), _) => words,
        (None, io::ErrorKind::NotFound) => &"entity not found",
        (None, io::ErrorKind::AlreadyExists) => &"entity already exists",
        (None, _) => &"uncategorized error",
    }
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "not a valid header",
            Self::Frame => "a frame that was durable is damaged",
            Self::Sequence => "a sequence number is missing or repeated",
            Self::Block => "a damaged block",
            Self::Footer => "no valid footer",
            Self::Payload => "a payload that does not decode",
            Self::Truncated => "the file ends too early",
            Self::Missing => "the file is missing",
            Self::Foreign => "the file belongs to another database",
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.kind() {
            ErrorKind::Poisoned { cause } | ErrorKind::DurabilityUnknown { cause, .. } => Some(cause),
            ErrorKind::Aborted { source } => Some(source.as_ref()),
            ErrorKind::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
