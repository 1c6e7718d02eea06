//! The end of a transaction.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use super::Transaction;
use super::overlay::Overlay;
use crate::engine::Engine;
use crate::engine::catalog::KeyspaceState;
use crate::engine::commit::{Change, Conditions, Ticket, WriteSet};
use crate::handle::Handle;
use crate::index::Record;
use crate::log::Log;
use crate::options::{Durability, Isolation};
use crate::progress::{Goal, Progress, Stage};
use crate::runtime::block_on;
use crate::{Result, Version};

/// What a commit became.
///
/// # Examples
///
/// ```
/// # use selkie::{Database, Durability};
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("notes");
/// let db = Database::open(&path)?;
/// let commit = db.insert("key", "value")?;
/// assert_eq!((commit.version(), commit.durability()), (1, Durability::Immediate));
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Clone)]
pub struct CommitInfo {
    version: Version,
    progress: Arc<Progress>,
    /// None for a database in memory. It keeps no database open.
    log: Option<Weak<Log>>,
}

/// A commit that is on its way to its durability.
///
/// The commit was validated and applied when this was made; dropping it takes nothing back.
///
/// # Examples
///
/// ```
/// use selkie::{CommitInfo, Database, Writable};
///
/// async fn write(db: &Database) -> selkie::Result<CommitInfo> {
///     let mut tx = db.begin_write()?;
///     tx.insert("key", "value")?;
///     tx.commit_async().await
/// }
/// ```
pub struct CommitFuture(Pin<Box<dyn Future<Output = Result<CommitInfo>> + Send>>);

impl Transaction {
    /// Commits, and waits until the commit is visible and as durable as asked for.
    ///
    /// ```
    /// # use selkie::{Database, Writable};
    /// let db = Database::in_memory();
    /// let mut tx = db.begin_write()?;
    /// tx.insert("key", "value")?;
    /// assert_eq!(tx.commit()?.version(), 1);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict): nothing was written, run the transaction again.
    /// [`ErrorKind::DurabilityUnknown`](crate::ErrorKind::DurabilityUnknown): the storage failed while the commit was
    /// being written. [`ErrorKind::Poisoned`](crate::ErrorKind::Poisoned),
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed), [`ErrorKind::Limit`](crate::ErrorKind::Limit) and
    /// [`ErrorKind::ReaderEnded`](crate::ErrorKind::ReaderEnded): nothing was written.
    pub fn commit(self) -> Result<CommitInfo> {
        self.begin_commit()?.finish()
    }

    /// Commits, and returns a future of the commit's durability. It needs no particular runtime.
    ///
    /// The commit is validated and applied before this returns; an error of that comes out of the future as well.
    ///
    /// ```
    /// # use selkie::{Database, Writable};
    /// # fn block_on<T>(future: impl Future<Output = T>) -> T {
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     match std::pin::pin!(future).poll(&mut context) {
    /// #         std::task::Poll::Ready(output) => output,
    /// #         std::task::Poll::Pending => unreachable!(),
    /// #     }
    /// # }
    /// let db = Database::in_memory();
    /// let mut tx = db.begin_write()?;
    /// tx.insert("key", "value")?;
    /// let commit = tx.commit_async();
    /// assert_eq!(block_on(commit)?.version(), 1);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn commit_async(self) -> CommitFuture {
        CommitFuture::new(self.begin_commit())
    }

    /// Validates and applies the transaction's changes. What is left is to wait.
    pub(crate) fn begin_commit(self) -> Result<Applied> {
        let Self { handle, options, snapshot, mut overlays, reads, .. } = self;
        let since = snapshot.as_ref().map(|snapshot| snapshot.point().version);
        let reads = reads.into_inner().into_reads();
        if overlays.iter().all(|(_, overlay)| overlay.is_empty()) {
            // What it read was one snapshot, which is a place in the serial order of its own.
            handle.check_open()?;
            let version = since.unwrap_or_else(|| handle.progress.published());
            return Ok(Applied { handle, version, ticket: None });
        }
        let conditions = snapshot.as_ref().map(|snapshot| Conditions {
            since: snapshot.point().version,
            place: snapshot.place(),
            reads: &reads,
            writes_too: options.isolation == Isolation::Snapshot,
        });
        let durability = options.durability.unwrap_or(handle.options.durability);
        // The snapshot is held until here: the collector keeps what validation has to find.
        let ticket = handle.commit(&mut overlays[..], conditions, durability)?;
        drop(snapshot);
        Ok(Applied::new(handle, ticket))
    }

    /// Removes the keys of records, all of them or none.
    pub(crate) fn remove_all(&mut self, keyspace: &Arc<KeyspaceState>, records: &[Record]) -> Result<()> {
        let savepoint = self.savepoint();
        for record in records {
            if let Err(error) = self.write(keyspace, record.key(), None) {
                self.rollback_to(savepoint)?;
                self.release(savepoint)?;
                return Err(error);
            }
        }
        self.release(savepoint)
    }
}

impl WriteSet for [(Arc<KeyspaceState>, Overlay)] {
    fn changes(&self) -> impl Iterator<Item = Change<'_>> + Clone {
        self.iter().flat_map(|(keyspace, overlay)| overlay.records().map(move |record| (keyspace, record)))
    }

    fn count(&self) -> usize {
        self.iter().map(|(_, overlay)| overlay.len()).sum()
    }

    fn keyspaces(&self) -> impl Iterator<Item = &Arc<KeyspaceState>> {
        self.iter().filter(|(_, overlay)| !overlay.is_empty()).map(|(keyspace, _)| keyspace)
    }

    fn stamp(&mut self, version: Version, time: u64) {
        for record in self.iter_mut().flat_map(|(_, overlay)| overlay.records_mut()) {
            record.stamp(version, time);
        }
    }

    fn take(&mut self) -> impl Iterator<Item = (&Arc<KeyspaceState>, impl Iterator<Item = Record>)> {
        self.iter_mut().map(|(keyspace, overlay)| (&*keyspace, std::mem::take(overlay).into_records()))
    }
}

/// A commit that was applied, and is still to be waited for. Dropping it takes nothing back.
#[derive(Debug)]
pub(crate) struct Applied {
    handle: Arc<Handle>,
    version: Version,
    /// None when there was nothing to write: the version is the one that was read.
    ticket: Option<Ticket>,
}

impl Applied {
    #[cfg(feature = "js")]
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    pub(crate) fn new(handle: Arc<Handle>, ticket: Ticket) -> Self {
        Self { handle, version: ticket.version, ticket: Some(ticket) }
    }

    /// Waits until the commit is visible and as durable as its writer wants it.
    pub(crate) fn finish(self) -> Result<CommitInfo> {
        if let (Some(ticket), Some(log)) = (self.ticket, &self.handle.log) {
            match self.handle.demand(ticket) {
                Demand::Now => log.lead_a_while(),
                Demand::Sometime => log.signal(),
                Demand::None => {}
            }
        }
        let is_done = |ticket: Ticket| {
            let goal = Goal::Commit(ticket.version, ticket.stage);
            let progress = &self.handle.progress;
            // A sync takes far longer than to be woken after it.
            if ticket.stage < Stage::Synced { progress.is_soon_reached(goal) } else { progress.reached(goal) }
        };
        if self.ticket.is_none_or(is_done) {
            return Ok(CommitInfo::new(&self.handle, self.version));
        }
        block_on(self.wait())
    }

    /// Lets the log write what the commit waits for, together with what else is committed by then.
    pub(crate) fn demand(&self) {
        if let (Some(ticket), Some(log)) = (self.ticket, &self.handle.log)
            && self.handle.demand(ticket) != Demand::None
        {
            log.demand();
        }
    }

    /// Waits, once it was demanded.
    pub(crate) async fn wait(self) -> Result<CommitInfo> {
        if let Some(ticket) = self.ticket {
            self.handle.progress.wait(Goal::Commit(ticket.version, ticket.stage)).await?;
        }
        Ok(CommitInfo::new(&self.handle, self.version))
    }
}

/// What a commit asks of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Demand {
    None,
    Sometime,
    Now,
}

impl Engine {
    fn demand(&self, ticket: Ticket) -> Demand {
        if ticket.stage > Stage::Applied || !self.progress.reached(Goal::Published(ticket.version)) {
            Demand::Now
        } else if self.options.durability == Durability::None {
            Demand::None
        } else {
            Demand::Sometime
        }
    }
}

impl CommitFuture {
    /// The future of a commit, or of the error that it was refused with.
    pub(crate) fn new(applied: Result<Applied>) -> Self {
        if let Ok(applied) = &applied {
            applied.demand();
        }
        Self(Box::pin(async move { applied?.wait().await }))
    }
}

impl CommitInfo {
    fn new(handle: &Handle, version: Version) -> Self {
        Self { version, progress: Arc::clone(&handle.progress), log: handle.log.as_ref().map(Arc::downgrade) }
    }

    /// The number of the commit. A transaction that wrote nothing has the number of the commit it read.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let first = db.insert("a", "1")?;
    /// assert_eq!(db.insert("b", "2")?.version(), first.version() + 1);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn version(&self) -> Version {
        self.version
    }

    /// How durable the commit is by now.
    ///
    /// ```
    /// # use selkie::{Durability, Options};
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("notes");
    /// let db = Options::new().durability(Durability::Buffered).open(&path)?;
    /// let commit = db.insert("key", "value")?;
    /// db.sync()?;
    /// assert_eq!(commit.durability(), Durability::Immediate);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn durability(&self) -> Durability {
        match (&self.log, self.progress.stage_of(self.version)) {
            (None, _) => Durability::None,
            (_, Stage::Applied) => Durability::Queued,
            (_, Stage::Written) => Durability::Buffered,
            (_, Stage::Synced) => Durability::Immediate,
        }
    }

    /// A future that is ready once the commit survives a power loss. It asks for the sync that this needs.
    ///
    /// ```
    /// async fn write(db: &selkie::Database) -> selkie::Result<()> {
    ///     db.insert("key", "value")?.durable().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::DurabilityUnknown`](crate::ErrorKind::DurabilityUnknown) when the storage failed, and
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for a database in memory.
    pub fn durable(&self) -> impl Future<Output = Result<()>> + Send + 'static {
        let Self { version, progress, log } = self.clone();
        let goal = Goal::Commit(version, Stage::Synced);
        if !progress.reached(goal)
            && let Some(log) = log.as_ref().and_then(Weak::upgrade)
        {
            log.request_sync();
        }
        async move {
            if log.is_none() {
                return Err(crate::Error::invalid("a database in memory is never durable"));
            }
            progress.wait(goal).await
        }
    }
}

impl fmt::Debug for CommitInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommitInfo").field("version", &self.version).finish_non_exhaustive()
    }
}

impl Future for CommitFuture {
    type Output = Result<CommitInfo>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for CommitFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommitFuture")
    }
}
