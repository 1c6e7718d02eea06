//! How far the commits have come: published, written, synced. One place to wait for any of it.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use parking_lot::Mutex;

use crate::{Error, Result, Version};

/// How far a commit has come. Later stages include the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Validated and applied in memory.
    Applied,
    /// Handed to the operating system.
    Written,
    /// Synced to the medium.
    Synced,
}

/// What somebody waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// The commit is visible and has reached the stage.
    Commit(Version, Stage),
    /// The commit is visible.
    Published(Version),
    /// The log segment has a durable header.
    Segment(u64),
    /// The queue of the log holds no more than so many bytes.
    Room(u64),
}

/// The progress of the commits, which only ever grows, and the waiters for it.
#[derive(Debug)]
pub(crate) struct Progress {
    published: AtomicU64,
    written: AtomicU64,
    synced: AtomicU64,
    segment: AtomicU64,
    queued_bytes: AtomicU64,
    waiters: Mutex<Vec<(Goal, Waker)>>,
    /// How many waiters there are, so that a notification for nobody costs no lock.
    waiting: AtomicUsize,
    poison: OnceLock<Arc<Error>>,
    /// Whether waiting for what is not reached by now is in vain.
    ended: AtomicBool,
}

impl Progress {
    /// Begins where a recovery ended: everything up to `version` is visible and durable.
    pub(crate) fn new(version: Version) -> Self {
        Self {
            published: AtomicU64::new(version),
            written: AtomicU64::new(version),
            synced: AtomicU64::new(version),
            segment: AtomicU64::new(0),
            queued_bytes: AtomicU64::new(0),
            waiters: Mutex::new(Vec::new()),
            waiting: AtomicUsize::new(0),
            poison: OnceLock::new(),
            ended: AtomicBool::new(false),
        }
    }

    /// The newest commit that readers see: everything before it is visible as well.
    #[inline]
    pub(crate) fn published(&self) -> Version {
        self.published.load(Ordering::SeqCst)
    }

    pub(crate) fn synced(&self) -> Version {
        self.synced.load(Ordering::SeqCst)
    }

    pub(crate) fn queued_bytes(&self) -> u64 {
        self.queued_bytes.load(Ordering::SeqCst)
    }

    pub(crate) fn publish(&self, version: Version) {
        self.published.fetch_max(version, Ordering::SeqCst);
    }

    pub(crate) fn set_written(&self, version: Version) {
        self.written.fetch_max(version, Ordering::SeqCst);
    }

    pub(crate) fn set_synced(&self, version: Version) {
        self.set_written(version);
        self.synced.fetch_max(version, Ordering::SeqCst);
    }

    pub(crate) fn set_segment(&self, segment: u64) {
        self.segment.fetch_max(segment, Ordering::SeqCst);
    }

    pub(crate) fn set_queued_bytes(&self, bytes: u64) {
        self.queued_bytes.store(bytes, Ordering::SeqCst);
    }

    pub(crate) fn stage_of(&self, version: Version) -> Stage {
        if version <= self.synced() {
            Stage::Synced
        } else if version <= self.written.load(Ordering::SeqCst) {
            Stage::Written
        } else {
            Stage::Applied
        }
    }

    pub(crate) fn reached(&self, goal: Goal) -> bool {
        match goal {
            Goal::Commit(version, stage) => version <= self.published() && self.stage_of(version) >= stage,
            Goal::Published(version) => version <= self.published(),
            Goal::Segment(segment) => segment <= self.segment.load(Ordering::SeqCst),
            Goal::Room(bytes) => self.queued_bytes() <= bytes,
        }
    }

    /// Waits for a goal, or for the error after which it cannot be reached.
    pub(crate) async fn wait(&self, goal: Goal) -> Result<()> {
        poll_fn(|context| {
            if self.reached(goal) {
                return Poll::Ready(Ok(()));
            }
            let mut waiters = self.waiters.lock();
            self.waiting.store(waiters.len() + 1, Ordering::SeqCst);
            // Looking again after the count is there closes the gap to a notification in between.
            if self.reached(goal) {
                return Poll::Ready(Ok(()));
            }
            if self.ended.load(Ordering::SeqCst) {
                return Poll::Ready(Err(self.failure(goal)));
            }
            waiters.push((goal, context.waker().clone()));
            Poll::Pending
        })
        .await
    }

    /// Wakes those whose goal is reached.
    pub(crate) fn notify(&self) {
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return;
        }
        let ended = self.ended.load(Ordering::SeqCst);
        let mut waiters = self.waiters.lock();
        let ready: Vec<Waker> =
            waiters.extract_if(.., |(goal, _)| ended || self.reached(*goal)).map(|(_, waker)| waker).collect();
        self.waiting.store(waiters.len(), Ordering::SeqCst);
        drop(waiters);
        for waker in ready {
            waker.wake();
        }
    }

    /// Stops all writing: the first error is the cause for good.
    pub(crate) fn poison(&self, cause: Error) {
        // A second error changes nothing: the first one is the cause that everybody is told.
        let _first = self.poison.set(Arc::new(cause));
        self.close();
    }

    /// Ends all waiting: nothing will be committed any more.
    pub(crate) fn close(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.notify();
    }

    pub(crate) fn poisoned(&self) -> Option<&Arc<Error>> {
        self.poison.get()
    }

    /// Why a goal will not be reached.
    fn failure(&self, goal: Goal) -> Error {
        let Some(cause) = self.poison.get().cloned() else { return Error::Closed };
        match goal {
            Goal::Commit(version, _) => Error::DurabilityUnknown { version, cause },
            _ => Error::Poisoned { cause },
        }
    }

    pub(crate) fn check_poison(&self) -> Result<()> {
        match self.poison.get() {
            Some(cause) => Err(Error::Poisoned { cause: Arc::clone(cause) }),
            None => Ok(()),
        }
    }
}
