//! The change feed: what was committed after a version, from the log or from the history.

mod kept;
mod logged;

use std::fmt;
use std::sync::Arc;

#[cfg(doc)]
use crate::ErrorKind;
use crate::database::Database;
use crate::engine::catalog::KeyspaceState;
use crate::handle::Handle;
use crate::numbered::Numbered;
use crate::runtime::{block_on, breathe};
use crate::watch::Changes;
use crate::{Error, Result, Version};
use kept::Kept;
use logged::Logged;

/// The keyspaces whose changes are reported, by number.
type Keyspaces = Numbered<Arc<KeyspaceState>>;

/// The changes of all commits after a version, commit by commit and in order.
///
/// Made by [`Database::changes_since`]. It ends after the commit that was the newest when it was made. While it
/// lives, the segments of the log that it has yet to read are kept, or what it read from the history is in memory.
///
/// # Examples
///
/// ```
/// # let db = selkie::Options::new().history(selkie::Retention::Forever).in_memory()?;
/// let first = db.insert("a", "1")?.version();
/// db.insert("b", "2")?;
/// let mut changes = db.changes_since(first)?;
/// assert_eq!(changes.next().unwrap()?.changes[0].key, "b");
/// assert!(changes.next().is_none());
/// # Ok::<(), selkie::Error>(())
/// ```
pub struct ChangesSince {
    handle: Arc<Handle>,
    until: Version,
    origin: Origin,
}

enum Origin {
    Nothing,
    Log(Logged),
    History(Kept),
}

impl Database {
    /// The changes of all keyspaces after a commit, up to what is visible now.
    ///
    /// They come from the log as far as it reaches back, which is to the last snapshot at least, and else from the
    /// history. Commits appear once each and in order, their changes sorted by keyspace and key. What changes no key
    /// does not appear: creating and dropping keyspaces, and setting the retention. Nor do the changes of keyspaces
    /// that are dropped by now.
    ///
    /// A [`Watch`](crate::Watch) that lagged is resumed by making another one first, and catching up to where
    /// it begins:
    ///
    /// ```
    /// # let db = selkie::Options::new().history(selkie::Retention::Forever).in_memory()?;
    /// # let resume = db.version();
    /// db.insert("key", "missed")?;
    /// let mut watch = db.watch::<&str>(..)?;
    /// db.insert("key", "next")?;
    ///
    /// for changes in db.changes_since(resume)? {
    ///     let changes = changes?;
    ///     if changes.version > watch.version() {
    ///         break;
    ///     }
    ///     assert_eq!(changes.changes[0].value.as_deref(), Some(&b"missed"[..]));
    /// }
    /// assert_eq!(watch.next()?.changes[0].value.as_deref(), Some(&b"next"[..]));
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::HistoryCollected`] when neither the log nor the history knows all of them any more;
    /// [`ErrorKind::InvalidArgument`] for a version that is not yet committed; [`ErrorKind::Closed`],
    /// [`ErrorKind::Io`], [`ErrorKind::Corrupted`].
    pub fn changes_since(&self, version: Version) -> Result<ChangesSince> {
        block_on(self.changes_since_async(version))
    }

    /// The changes of all keyspaces after a commit, for [`ChangesSince::next_async`].
    ///
    /// ```
    /// async fn print_all(db: &selkie::Database) -> selkie::Result<()> {
    ///     let mut changes = db.changes_since_async(0).await?;
    ///     while let Some(changes) = changes.next_async().await? {
    ///         println!("{changes:?}");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`changes_since`](Self::changes_since).
    pub async fn changes_since_async(&self, version: Version) -> Result<ChangesSince> {
        let handle = Arc::clone(self.handle());
        handle.check_open()?;
        let until = self.version();
        if version > until {
            return Err(Error::invalid(format!("version {version} is not committed yet")));
        }
        let origin = if version == until { Origin::Nothing } else { Origin::find(&handle, version, until).await? };
        Ok(ChangesSince { handle, until, origin })
    }
}

impl Origin {
    async fn find(handle: &Arc<Handle>, since: Version, until: Version) -> Result<Self> {
        // Whatever was created up to `until` is in the catalog by now.
        let keyspaces = keyspaces_of(handle);
        match Logged::open(handle, &keyspaces, since, until).await? {
            Some(logged) => Ok(Self::Log(logged)),
            None => Ok(Self::History(Kept::collect(handle, &keyspaces, since, until).await?)),
        }
    }
}

impl ChangesSince {
    /// The version up to which changes are reported: what was visible when this was made.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// assert_eq!(db.changes_since(0)?.version(), db.version());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn version(&self) -> Version {
        self.until
    }

    /// The changes of the next commit; none after the last. After an error there are no more.
    ///
    /// ```
    /// use selkie::{Changes, ChangesSince};
    ///
    /// async fn first(mut changes: ChangesSince) -> selkie::Result<Option<Changes>> {
    ///     changes.next_async().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Database::changes_since`].
    pub async fn next_async(&mut self) -> Result<Option<Changes>> {
        let next = match &mut self.origin {
            Origin::Nothing => return Ok(None),
            Origin::Log(logged) => match self.handle.check_open() {
                Ok(()) => logged.next().await,
                Err(error) => Err(error),
            },
            Origin::History(kept) => self.handle.check_open().map(|()| kept.next()),
        };
        if !matches!(next, Ok(Some(_))) {
            self.origin = Origin::Nothing;
        }
        breathe().await;
        next
    }
}

impl Iterator for ChangesSince {
    type Item = Result<Changes>;

    /// The changes of the next commit. After an error there are no more.
    fn next(&mut self) -> Option<Result<Changes>> {
        block_on(self.next_async()).transpose()
    }
}

impl std::iter::FusedIterator for ChangesSince {}

impl fmt::Debug for ChangesSince {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangesSince").field("until", &self.until).finish_non_exhaustive()
    }
}

fn keyspaces_of(handle: &Handle) -> Keyspaces {
    handle.catalog.read().iter().map(|keyspace| (u64::from(keyspace.number), Arc::clone(keyspace))).collect()
}

/// The names of keyspaces by their numbers.
fn names(keyspaces: &Keyspaces) -> Numbered<Arc<str>> {
    keyspaces.values().map(|keyspace| (u64::from(keyspace.number), Arc::clone(&keyspace.name))).collect()
}
