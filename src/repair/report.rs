//! What a repair keeps and what it loses.

use std::fmt;

use bytes::Bytes;

use crate::recovery::Recovered;
use crate::{Corruption, Version};

/// What a repair kept and what it lost, or what one would keep and lose.
///
/// # Examples
///
/// ```
/// # fn main() -> selkie::Result<()> {
/// # let directory = tempfile::tempdir().unwrap();
/// # let (path, copy) = (directory.path().join("damaged"), directory.path().join("repaired"));
/// # selkie::Database::open(&path)?.close()?;
/// let repair = selkie::repair(&path, &copy)?;
/// println!("{} keys as of version {}", repair.keys, repair.version);
/// for loss in &repair.losses {
///     eprintln!("{loss}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repair {
    /// The last commit that is kept. Every commit before it is kept as well, but for what [`losses`](Self::losses)
    /// says of keys.
    pub version: Version,
    /// The file of the snapshot that the kept commits begin with; none where they are all from the log.
    pub snapshot: Option<String>,
    /// The names of the keyspaces, in order.
    pub keyspaces: Vec<String>,
    /// How many keys are kept, in all keyspaces.
    pub keys: u64,
    /// How many versions of keys are kept, removals included.
    pub versions: u64,
    /// How many bytes the keys and their newest values have.
    pub bytes: u64,
    /// The past can be viewed from this version on, as far as it was kept. What it was before cannot be told.
    pub past_from: Version,
    /// All that is lost, in the order of the commits. It is empty when nothing is.
    pub losses: Vec<Loss>,
}

/// Something that a repair loses, and where it was.
///
/// # Examples
///
/// ```
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path();
/// selkie::Database::open(path)?.close()?;
/// for loss in selkie::verify(path)?.repair?.losses {
///     println!("{} at {}: {} bytes, {}", loss.file, loss.offset, loss.bytes, loss.data);
/// }
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// The file it was in.
    pub file: String,
    /// Where in the file it begins, in bytes.
    pub offset: u64,
    /// How many bytes of the file it takes, as far as they are there.
    pub bytes: u64,
    /// Why it is lost.
    pub cause: LossCause,
    /// What it held, as exactly as can be known.
    pub data: LostData,
}

/// Why something is lost.
///
/// # Examples
///
/// ```
/// assert_eq!(selkie::LossCause::TornTail.to_string(), "a torn tail after a crash");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LossCause {
    /// It is damaged.
    Damage(Corruption),
    /// It is intact, but a commit before it is lost.
    Behind,
    /// It is the end of the log, which opening cuts off: a crash left it so, or the last commits are damaged, and nothing
    /// says that they were durable.
    TornTail,
}

/// What was lost.
///
/// # Examples
///
/// ```
/// let lost = selkie::LostData::Commits { first: 3, last: Some(5) };
/// assert_eq!(lost.to_string(), "commits 3 to 5");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LostData {
    /// Commits. Where several files are damaged in a row, each names the commits of all of them.
    Commits {
        /// The first of them.
        first: Version,
        /// The last of them; none where that cannot be known, and there may then be none at all.
        last: Option<Version>,
    },
    /// Keys of a snapshot that were in these ranges, and the past of all keys before the snapshot.
    Keys(Vec<KeyRange>),
    /// What the header of a snapshot says: the names of the keyspaces, and the retention.
    ///
    /// A keyspace whose number is 7 is then named `keyspace 7`, and the retention is for ever, until it is set anew.
    /// Keyspaces without a key in an intact block are not known, unless the log goes on in them.
    Names,
    /// No key, but the past of all keys before the snapshot.
    Past,
}

/// A range of the keys of a keyspace.
///
/// # Examples
///
/// ```
/// let mut range = selkie::KeyRange::default();
/// range.keyspace = "users".to_owned();
/// range.after = Some("ada".into());
/// assert_eq!(range.to_string(), "keyspace `users`, after b\"ada\"");
/// assert!(range.contains(b"bob") && !range.contains(b"ada"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRange {
    /// The name of the keyspace.
    pub keyspace: String,
    /// The last key before the range, which is kept; its older versions may be lost. None from the first key on.
    pub after: Option<Bytes>,
    /// The last key of the range; none up to the last key of the keyspace.
    pub up_to: Option<Bytes>,
}

impl Repair {
    /// What is kept, and nothing lost.
    pub(super) fn keeping(recovered: &Recovered) -> Self {
        let mut repair = Self {
            version: recovered.version,
            snapshot: recovered.report.snapshot.clone(),
            past_from: recovered.forgotten.0,
            ..Self::default()
        };
        for keyspace in recovered.catalog.iter() {
            let tally = keyspace.index.tally();
            repair.keyspaces.push(keyspace.name.to_string());
            repair.keys += tally.keys.unsigned_abs();
            repair.versions += tally.revisions.unsigned_abs();
            repair.bytes += tally.live_bytes.unsigned_abs();
        }
        repair
    }

    /// Whether nothing is lost but what a crash left at the end of the log, which opening cuts off as well.
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path();
    /// selkie::Database::open(path)?.close()?;
    /// assert!(selkie::verify(path)?.repair?.is_lossless());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn is_lossless(&self) -> bool {
        self.losses.iter().all(|loss| loss.cause == LossCause::TornTail)
    }
}

impl KeyRange {
    /// Whether a key is in the range.
    ///
    /// ```
    /// assert!(selkie::KeyRange::default().contains(b"any"));
    /// ```
    pub fn contains(&self, key: &[u8]) -> bool {
        self.after.as_ref().is_none_or(|after| key > &after[..])
            && self.up_to.as_ref().is_none_or(|end| key <= &end[..])
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, offset, bytes, cause, data } = self;
        write!(f, "file `{file}` at offset {offset}, {bytes} bytes: {cause}: {data}")
    }
}

impl fmt::Display for LossCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damage(kind) => kind.fmt(f),
            Self::Behind => f.write_str("intact, but behind what is lost"),
            Self::TornTail => f.write_str("a torn tail after a crash"),
        }
    }
}

impl fmt::Display for LostData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commits { first, last: Some(last) } if first == last => write!(f, "commit {first}"),
            Self::Commits { first, last: Some(last) } => write!(f, "commits {first} to {last}"),
            Self::Commits { first, last: None } => write!(f, "commits from {first} on, if there were any"),
            Self::Keys(ranges) => {
                f.write_str("keys of ")?;
                for (position, range) in ranges.iter().enumerate() {
                    let separator = if position == 0 { "" } else { "; " };
                    write!(f, "{separator}{range}")?;
                }
                Ok(())
            }
            Self::Names => f.write_str("the names of the keyspaces, and the retention"),
            Self::Past => f.write_str("no key, but what was before the snapshot"),
        }
    }
}

impl fmt::Display for KeyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keyspace `{}`", self.keyspace)?;
        if let Some(after) = &self.after {
            write!(f, ", after b\"{}\"", after.escape_ascii())?;
        }
        if let Some(up_to) = &self.up_to {
            write!(f, ", up to b\"{}\"", up_to.escape_ascii())?;
        }
        Ok(())
    }
}
