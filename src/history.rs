//! The past of keys: their versions with their times, removals included.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Bound;

use bytes::Bytes;

use crate::index::{Blob, Record, Walk};
use crate::runtime::{self, SystemTime};
use crate::source::{Source, is_empty_range};
use crate::{Result, Version};

/// One version of a key.
///
/// # Examples
///
/// ```
/// # let db = selkie::Options::new().history(selkie::Retention::Forever).in_memory()?;
/// db.insert("key", "value")?;
/// let removal = db.remove("key")?;
/// let newest = &db.history("key")?[0];
/// assert_eq!((newest.version, newest.value.as_ref()), (removal.version(), None));
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyVersion {
    /// The key.
    pub key: Bytes,
    /// The commit that made this version.
    pub version: Version,
    /// When it was committed. Times never decrease with the version, whatever the wall clock did.
    pub time: SystemTime,
    /// The value; none where the key was removed.
    pub value: Option<Bytes>,
}

/// The versions of the keys within a range: keys ascending, each with its versions newest first.
///
/// Versions that are no longer kept are not there; nothing marks where they were. It yields an error only where a limit
/// ended the reader.
///
/// # Examples
///
/// ```
/// # let db = selkie::Options::new().history(selkie::Retention::Forever).in_memory()?;
/// db.insert("a", "1")?;
/// db.insert("b", "2")?;
/// let view = db.begin_read()?;
/// let versions: Vec<_> = view.history_range::<&str>(..)?.collect::<selkie::Result<_>>()?;
/// assert_eq!((&versions[0].key, &versions[1].key), (&"a".into(), &"b".into()));
/// # Ok::<(), selkie::Error>(())
/// ```
pub struct History<'a> {
    walk: Option<Walk<'a>>,
    source: Source<'a>,
    pending: VecDeque<KeyVersion>,
}

impl<'a> History<'a> {
    pub(crate) fn new(source: Source<'a>, low: Bound<Blob>, high: Bound<Blob>) -> Self {
        let walk =
            (!is_empty_range(&low, &high)).then(|| Walk::with_removed(&source.keyspace.index, source.point, low, high));
        Self { walk, source, pending: VecDeque::new() }
    }
}

impl Iterator for History<'_> {
    type Item = Result<KeyVersion>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.pending.is_empty() {
            let walk = self.walk.as_mut()?;
            let found = walk.settle_front();
            if let Err(error) = self.source.check() {
                self.walk = None;
                return Some(Err(error));
            }
            if !found {
                self.walk = None;
            } else if let Some(revision) = walk.front() {
                self.pending.extend(revision.chain().map(|revision| key_version(revision)));
                walk.advance_front();
            }
        }
        self.pending.pop_front().map(Ok)
    }
}

impl fmt::Debug for History<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").field("source", &self.source).finish_non_exhaustive()
    }
}

/// The versions of one key that are visible at the source's point.
pub(crate) fn of_key(source: Source<'_>, key: &[u8]) -> Result<Vec<KeyVersion>> {
    let newest =
        source.keyspace.index.read_revisions(key, |entry| entry.and_then(|entry| entry.visible(source.point).cloned()));
    source.check()?;
    let Some(newest) = newest else { return Ok(Vec::new()) };
    Ok(newest.chain().map(|revision| key_version(revision)).collect())
}

fn key_version(record: &Record) -> KeyVersion {
    KeyVersion {
        key: record.key_to_bytes(),
        version: record.version(),
        time: runtime::from_ns(record.time()),
        value: record.is_value().then(|| record.to_bytes()),
    }
}
