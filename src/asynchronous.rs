//! The asynchronous twins of the methods that wait, for places where nothing may wait, as in a browser.
//!
//! What they do is done when they are called or polled; what is left to wait for needs no particular runtime.

use std::ops::RangeBounds;
use std::sync::Arc;

use crate::database::Database;
use crate::keyspace::{Keyspace, begin_write};
use crate::options::TransactionOptions;
use crate::runtime::{backoff, breathe};
use crate::source::to_bounds;
use crate::transaction::{CommitFuture, Transaction};
use crate::watch::Watch;
use crate::{Error, Result, SnapshotInfo};

/// Up to this attempt, waiting for the next does not keep a thread for longer than others need to get their turn.
const SHORT_ATTEMPTS: u32 = 3;

impl Database {
    /// Sets the value of a key, and returns a future of the commit's durability.
    ///
    /// The commit is applied before this returns; an error of that comes out of the future as well.
    ///
    /// ```
    /// use selkie::{CommitInfo, Database};
    ///
    /// async fn write(db: &Database) -> selkie::Result<CommitInfo> {
    ///     db.insert_async("name", "Selkie").await
    /// }
    /// ```
    pub fn insert_async(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> CommitFuture {
        self.default_keyspace().insert_async(key, value)
    }

    /// Removes a key, and returns a future of the commit's durability.
    ///
    /// The commit is applied before this returns; an error of that comes out of the future as well.
    ///
    /// ```
    /// use selkie::{CommitInfo, Database};
    ///
    /// async fn remove(db: &Database) -> selkie::Result<CommitInfo> {
    ///     db.remove_async("name").await
    /// }
    /// ```
    pub fn remove_async(&self, key: impl AsRef<[u8]>) -> CommitFuture {
        self.default_keyspace().remove_async(key)
    }

    /// Runs `change` in a transaction and commits it, again while it conflicts with others.
    ///
    /// The transaction lasts as long as `change` does. As for [`update`](Self::update), `change` may be called
    /// several times, and leaves with [`Error::aborted`].
    ///
    /// ```
    /// use selkie::{Database, Readable, Writable};
    ///
    /// async fn count(db: &Database) -> selkie::Result<u8> {
    ///     db.update_async(async |tx| {
    ///         let count = tx.get("count")?.map_or(0, |value| value[0]) + 1;
    ///         tx.insert("count", [count])?;
    ///         Ok(count)
    ///     })
    ///     .await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`update`](Self::update).
    pub async fn update_async<T>(&self, change: impl AsyncFnMut(&mut Transaction) -> Result<T>) -> Result<T> {
        self.update_with_async(TransactionOptions::new(), change).await
    }

    /// Like [`update_async`](Self::update_async), in a transaction with options of its own.
    ///
    /// ```
    /// use selkie::{Database, Isolation, TransactionOptions, Writable};
    ///
    /// async fn write(db: &Database) -> selkie::Result<()> {
    ///     let options = TransactionOptions::new().isolation(Isolation::Snapshot);
    ///     db.update_with_async(options, async |tx| tx.insert("key", "value")).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`update`](Self::update).
    pub async fn update_with_async<T>(
        &self,
        options: TransactionOptions,
        mut change: impl AsyncFnMut(&mut Transaction) -> Result<T>,
    ) -> Result<T> {
        let handle = self.handle();
        let attempts = handle.options.limits.attempts.max(1);
        let mut attempt = 1;
        loop {
            let mut transaction = self.begin_with(options)?;
            let outcome = match change(&mut transaction).await {
                Ok(value) => transaction.commit_async().await.map(|_| value),
                Err(error) => Err(error),
            };
            match outcome.as_ref().err().and_then(Error::conflict) {
                Some(version) if attempt < attempts => {
                    // Before the other commit is visible, another attempt would meet it again.
                    handle.wait_until_published(version).await?;
                    backoff(attempt.min(SHORT_ATTEMPTS));
                    breathe().await;
                    attempt += 1;
                }
                _ => return outcome,
            }
        }
    }

    /// Opens a keyspace, or creates it.
    ///
    /// ```
    /// use selkie::{Database, Keyspace};
    ///
    /// async fn users(db: &Database) -> selkie::Result<Keyspace> {
    ///     db.keyspace_async("users").await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`keyspace`](Self::keyspace).
    pub async fn keyspace_async(&self, name: &str) -> Result<Keyspace> {
        let state = self.handle().create_keyspace(name).await?;
        Ok(Keyspace::new(Arc::clone(self.handle()), state))
    }

    /// Drops a keyspace with everything in it. Views that began before go on seeing it.
    ///
    /// ```
    /// async fn forget_users(db: &selkie::Database) -> selkie::Result<()> {
    ///     db.drop_keyspace_async("users").await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`drop_keyspace`](Self::drop_keyspace).
    pub async fn drop_keyspace_async(&self, name: &str) -> Result<()> {
        self.handle().drop_keyspace(name).await
    }

    /// Watches the changes of the default keyspace within a range, from now on.
    ///
    /// ```
    /// use selkie::{Changes, Database};
    ///
    /// async fn next_user(db: &Database) -> selkie::Result<Changes> {
    ///     db.watch_async("user:".."user;").await?.next_async().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`watch`](Self::watch).
    pub async fn watch_async<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Result<Watch> {
        self.default_keyspace().watch_async(range).await
    }

    /// Writes a snapshot now, unless nothing was committed since the last, and removes what it replaces.
    ///
    /// ```
    /// use selkie::{Database, SnapshotInfo};
    ///
    /// async fn compact(db: &Database) -> selkie::Result<SnapshotInfo> {
    ///     db.snapshot_async().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`snapshot`](Self::snapshot).
    pub async fn snapshot_async(&self) -> Result<SnapshotInfo> {
        self.handle().write_snapshot().await
    }

    /// Makes everything committed so far survive a power loss.
    ///
    /// ```
    /// async fn settle(db: &selkie::Database) -> selkie::Result<()> {
    ///     db.sync_async().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`sync`](Self::sync).
    pub async fn sync_async(&self) -> Result<()> {
        self.handle().sync().await
    }

    /// Closes the database for all of its handles: writes what is queued, syncs, and gives the lock back.
    ///
    /// ```
    /// async fn leave(db: selkie::Database) -> selkie::Result<()> {
    ///     db.close_async().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`close`](Self::close).
    pub async fn close_async(self) -> Result<()> {
        self.handle().engine().close().await
    }

    fn default_keyspace(&self) -> Keyspace {
        let handle = self.handle();
        Keyspace::new(Arc::clone(handle), Arc::clone(&handle.default_keyspace))
    }
}

impl Keyspace {
    /// Sets the value of a key, and returns a future of the commit's durability.
    ///
    /// ```
    /// use selkie::{CommitInfo, Keyspace};
    ///
    /// async fn write(users: &Keyspace) -> selkie::Result<CommitInfo> {
    ///     users.insert_async("ada", "1815").await
    /// }
    /// ```
    pub fn insert_async(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> CommitFuture {
        self.write_async(key.as_ref(), Some(value.as_ref()))
    }

    /// Removes a key, and returns a future of the commit's durability.
    ///
    /// ```
    /// use selkie::{CommitInfo, Keyspace};
    ///
    /// async fn remove(users: &Keyspace) -> selkie::Result<CommitInfo> {
    ///     users.remove_async("ada").await
    /// }
    /// ```
    pub fn remove_async(&self, key: impl AsRef<[u8]>) -> CommitFuture {
        self.write_async(key.as_ref(), None)
    }

    fn write_async(&self, key: &[u8], value: Option<&[u8]>) -> CommitFuture {
        let durability = self.handle().options.durability;
        CommitFuture::new(begin_write(self.handle(), self.state(), key, value, durability))
    }

    /// Watches the changes of this keyspace within a range, from now on.
    ///
    /// ```
    /// use selkie::{Changes, Keyspace};
    ///
    /// async fn next_of(users: &Keyspace) -> selkie::Result<Changes> {
    ///     users.watch_async("a".."b").await?.next_async().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`watch`](Self::watch).
    pub async fn watch_async<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Result<Watch> {
        Watch::new(self.handle(), Arc::clone(self.state()), to_bounds(&range)).await
    }
}
