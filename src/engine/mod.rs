//! The engine behind the handles: one history of commits over the index, the log and the snapshots.

pub(crate) mod catalog;
pub(crate) mod collector;
pub(crate) mod commit;
pub(crate) mod feed;
pub(crate) mod following;
mod leftovers;
mod maintenance;
mod needed;
mod operations;
pub(crate) mod plan;
pub(crate) mod readers;
pub(crate) mod snapshots;

use std::sync::{Arc, OnceLock};

use crate::index::{ReadPoint, Tally};
use crate::locks::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::locks::{Apart, Mutex, RwLock};
use crate::log::Log;
use crate::options::{Options, Retention};
use crate::progress::{Goal, Progress, Stage};
use crate::recovery::{Position, Recovered, Recovery};
use crate::runtime::{CAN_WAIT, Worker, block_on};
use crate::storage::Storage;
use crate::{Error, ErrorKind, Result, Version};
use catalog::{Catalog, KeyspaceState};
use collector::Collector;
use commit::{Head, Ticket, stage_of};
use feed::Feed;
use readers::{Pin, Readers, Term};
use snapshots::Snapshots;

/// What a superseded version takes beside its value.
const VERSION_BYTES: i64 = 64;

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) options: Options,
    pub(crate) catalog: RwLock<Catalog>,
    catalog_change: Mutex<()>,
    pub(crate) default_keyspace: Arc<KeyspaceState>,
    pub(crate) head: Apart<Mutex<Head>>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) readers: Readers,
    pub(crate) collector: Collector,
    pub(crate) retention: RwLock<Retention>,
    pub(crate) feed: Feed,
    pub(crate) storage: Option<Arc<dyn Storage>>,
    pub(crate) database: u64,
    pub(crate) log: Option<Arc<Log>>,
    pub(crate) snapshots: Snapshots,
    pub(crate) recovery: Recovery,
    pub(crate) stalls: AtomicU64,
    closed: AtomicBool,
    /// Whether somebody has closed it, be it with an error.
    drained: AtomicBool,
    maintenance: OnceLock<Worker>,
    /// Where a reader stands in the log of the writer that it follows.
    position: Mutex<Option<Position>>,
}

impl Engine {
    /// Sets an engine up from what a recovery found, with the retention that the options ask for.
    pub(crate) async fn open(options: Options, storage: &Arc<dyn Storage>, recovered: Recovered) -> Result<Arc<Self>> {
        let engine = Self::new(options, Some(Arc::clone(storage)), recovered)?;
        engine.apply_wanted_retention().await?;
        Ok(engine)
    }

    /// Sets an engine up from what a recovery found, or from nothing.
    pub(crate) fn new(options: Options, storage: Option<Arc<dyn Storage>>, recovered: Recovered) -> Result<Arc<Self>> {
        let Recovered {
            catalog,
            version,
            time,
            retention,
            forgotten,
            database,
            log_header,
            report,
            snapshot,
            log_bytes,
            position,
        } = recovered;
        let default_keyspace = catalog
            .by_number(catalog::DEFAULT_NUMBER)
            .cloned()
            .ok_or_else(|| Error::new(ErrorKind::KeyspaceNotFound { name: catalog::DEFAULT_NAME.into() }))?;
        let progress = Arc::new(Progress::new(version));
        let log = match (&storage, log_header) {
            (Some(storage), Some(header)) => {
                let segment_bytes = options.segment_bytes;
                Some(Log::new(Arc::clone(storage), Arc::clone(&progress), header, time, segment_bytes))
            }
            _ => None,
        };
        if let Some(log) = &log {
            log.counters().bytes.store(log_bytes, Ordering::Relaxed);
        }
        let engine = Arc::new(Self {
            feed: Feed::new(options.limits.watch_bytes),
            readers: Readers::new(options.limits.reader_time),
            options,
            catalog: RwLock::new(catalog),
            catalog_change: Mutex::new(()),
            default_keyspace,
            head: Apart::new(Mutex::new(Head { version, time, horizon: None })),
            progress,
            collector: Collector::with_forgotten(forgotten),
            retention: RwLock::new(retention),
            storage,
            database,
            log,
            snapshots: Snapshots::new(snapshot),
            recovery: report,
            stalls: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            drained: AtomicBool::new(false),
            maintenance: OnceLock::new(),
            position: Mutex::new(position),
        });
        engine.start()?;
        Ok(engine)
    }

    fn start(self: &Arc<Self>) -> Result<()> {
        if self.options.read_only {
            return Ok(());
        }
        if let Some(log) = &self.log {
            log.start()?;
        }
        let engine = Arc::downgrade(self);
        let worker =
            Worker::start("selkie-maintenance", move || engine.upgrade().and_then(|engine| engine.maintain()))?;
        // The engine is started once, before anyone else has it.
        let _unused = self.maintenance.set(worker);
        Ok(())
    }

    pub(crate) fn signal_maintenance(&self) {
        if let Some(worker) = self.maintenance.get() {
            worker.signal();
        }
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) { Err(Error::new(ErrorKind::Closed)) } else { Ok(()) }
    }

    pub(crate) fn check_writable(&self) -> Result<()> {
        self.check_open()?;
        if self.options.read_only {
            return Err(Error::invalid("the database was opened read-only"));
        }
        self.progress.check_poison()
    }

    /// Refuses a commit when too much history is kept and no room can be made.
    pub(crate) fn check_history_limit(&self) -> Result<()> {
        self.make_room();
        let limit = self.options.limits.history_bytes;
        let actual = if limit == u64::MAX { 0 } else { self.held_bytes() };
        if actual <= limit {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Limit { what: "bytes of retained history", limit, actual }))
    }

    /// Makes room for history: by collecting, and then by ending readers as far as their limit asks for it.
    pub(crate) fn make_room(&self) {
        let limits = &self.options.limits;
        let is_too_much = || limits.history_bytes < u64::MAX && self.held_bytes() > limits.history_bytes;
        let holds_too_much = || limits.reader_bytes < u64::MAX && self.held_bytes() > limits.reader_bytes;
        let published = self.progress.published();
        if is_too_much() || (holds_too_much() && self.readers.oldest_limited(published) < published) {
            self.collect_all();
            while holds_too_much() && self.readers.end_oldest(published) {
                self.collect_all();
            }
        }
    }

    /// What superseded values take, each with what it costs beside its bytes.
    fn held_bytes(&self) -> u64 {
        let bytes = |tally: Tally| tally.history_bytes + VERSION_BYTES * (tally.revisions - tally.keys);
        self.catalog.read().iter().map(|keyspace| bytes(keyspace.index.tally()).max(0).cast_unsigned()).sum()
    }

    /// Waits until the queue of the log has room again. Where nothing can wait, a full queue is an error.
    pub(crate) fn wait_for_room(&self) -> Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        let limit = self.options.limits.queue_bytes;
        if !CAN_WAIT && !self.progress.reached(Goal::Room(limit / 2)) {
            // Nobody may be waiting for what is queued, and by the time it is full it would be too late.
            log.lead_a_while();
        }
        let room = Goal::Room(limit);
        if self.progress.reached(room) {
            return Ok(());
        }
        self.stalls.fetch_add(1, Ordering::Relaxed);
        if !CAN_WAIT {
            let actual = self.progress.queued_bytes();
            return Err(Error::new(ErrorKind::Limit { what: "bytes in the queue of the log", limit, actual }));
        }
        log.lead_a_while();
        block_on(self.progress.wait(room))
    }

    /// Waits until a commit is visible and as durable as its writer wants it.
    pub(crate) async fn wait_for(&self, ticket: Ticket) -> Result<()> {
        let goal = Goal::Commit(ticket.version, ticket.stage);
        if let Some(log) = &self.log
            && !self.progress.reached(goal)
        {
            log.attend();
        }
        self.progress.wait(goal).await
    }

    /// Waits until a commit is visible, and writes it where nobody else does.
    pub(crate) async fn wait_until_published(&self, version: Version) -> Result<()> {
        let goal = Goal::Published(version);
        if let Some(log) = self.log.as_ref().filter(|_| !self.progress.reached(goal)) {
            log.attend();
        }
        self.progress.wait(goal).await
    }

    /// Waits until a commit that another one met in conflict is visible. Before that, another attempt would meet it again.
    pub(crate) fn wait_after_conflict(&self, version: Version) -> Result<()> {
        let is_synced_first = self.visible_stage(stage_of(self.options.durability)) == Stage::Synced;
        if !is_synced_first && self.progress.is_soon_reached(Goal::Published(version)) {
            return Ok(());
        }
        block_on(self.wait_until_published(version))
    }

    /// Makes everything committed so far durable.
    pub(crate) async fn sync(&self) -> Result<()> {
        self.check_writable()?;
        match &self.log {
            Some(log) => log.sync(self.last_version()).await,
            None => Ok(()),
        }
    }

    /// Takes a place to read what is published now.
    #[inline]
    pub(crate) fn pin_now(&self) -> Pin {
        self.readers.pin(Term::Limited, || self.progress.published())
    }

    /// Takes a place to read at a point of the past.
    pub(crate) fn pin_past(&self, term: Term, point: ReadPoint) -> Result<Pin> {
        let mut head = self.head.lock();
        let position = self.collector.position();
        let point = ReadPoint { version: point.version.min(self.progress.published()), ..point };
        let (version, time) = position.forgotten;
        if point.version < version || point.time < time {
            return Err(Error::new(ErrorKind::HistoryCollected { requested: point.version }));
        }
        // Writes use a horizon that was found earlier: the new reader may need what lies behind it.
        head.horizon = None;
        Ok(self.readers.pin_past(term, point))
    }

    pub(crate) fn keyspace(&self, name: &str) -> Option<Arc<KeyspaceState>> {
        self.catalog.read().by_name(name).cloned()
    }

    /// The newest commit that survives a power loss; 0 in memory.
    pub(crate) fn durable_version(&self) -> Version {
        if self.storage.is_some() { self.progress.synced() } else { 0 }
    }

    pub(crate) fn last_version(&self) -> Version {
        self.head.lock().version
    }

    /// Ends all work: writes the snapshot that is due, drains the queue, syncs, and gives the lock back.
    pub(crate) async fn close(&self) -> Result<()> {
        self.closed.store(true, Ordering::Release);
        if let Some(worker) = self.maintenance.get() {
            worker.request_stop();
        }
        // A commit that is being applied is waited for, and a snapshot that is being written: both use the storage.
        drop(self.head.lock());
        // Whoever closes as well waits here until the first has drained everything.
        let no_snapshot = self.snapshots.turn().await;
        if self.drained.load(Ordering::Acquire) {
            return self.progress.check_poison();
        }
        self.write_last_snapshot().await;
        let closed = match &self.log {
            Some(log) => log.close().await,
            None => Ok(()),
        };
        // A snapshot may have poisoned what the log had nothing more to write to.
        let closed = closed.and_then(|()| self.progress.check_poison());
        self.feed.close();
        self.progress.close();
        if let Some(storage) = &self.storage {
            storage.unlock();
        }
        // Not before: where the future is dropped on the way, the next one who closes goes on.
        self.drained.store(true, Ordering::Release);
        drop(no_snapshot);
        if let Some(worker) = self.maintenance.get() {
            // A snapshot that waits for its turn finds the database closed.
            worker.stop();
        }
        closed
    }
}
