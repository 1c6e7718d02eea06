//! How far the commits have come: published, written, synced. One place to wait for any of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use crate::locks::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::locks::{Apart, Mutex};
use crate::runtime;
use crate::{Error, ErrorKind, Result, Version};

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

#[derive(Debug)]
struct Waiter {
    number: u64,
    goal: Goal,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Waiters {
    /// In the order of their numbers.
    list: Vec<Waiter>,
    next: u64,
}

/// A wait for a goal. It leaves no waiter behind, however it ends.
#[derive(Debug)]
pub(crate) struct Wait<'a> {
    progress: &'a Progress,
    goal: Goal,
    /// The number of its waiter, once it had one.
    number: Option<u64>,
}

/// The progress of the commits, which only ever grows, and the waiters for it.
#[derive(Debug)]
pub(crate) struct Progress {
    published: Apart<AtomicU64>,
    written: AtomicU64,
    synced: AtomicU64,
    segment: AtomicU64,
    queued_bytes: Apart<AtomicU64>,
    waiters: Apart<Mutex<Waiters>>,
    /// How many waiters there are, so that a notification for nobody costs no lock.
    waiting: AtomicUsize,
    poison: OnceLock<Error>,
    /// Whether waiting for what is not reached by now is in vain.
    ended: AtomicBool,
}

impl Progress {
    /// Begins where a recovery ended: everything up to `version` is visible and durable.
    pub(crate) fn new(version: Version) -> Self {
        Self {
            published: AtomicU64::new(version).into(),
            written: AtomicU64::new(version),
            synced: AtomicU64::new(version),
            segment: AtomicU64::new(0),
            queued_bytes: AtomicU64::new(0).into(),
            waiters: Mutex::default().into(),
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

    #[cfg(feature = "js")]
    pub(crate) fn written(&self) -> Version {
        self.written.load(Ordering::SeqCst)
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

    /// Looks for a moment whether a goal is reached, because a short write takes less time than to sleep and to be woken.
    /// Where others wait already nobody does: they need the processors.
    pub(crate) fn is_soon_reached(&self, goal: Goal) -> bool {
        if self.reached(goal) {
            return true;
        }
        if self.waiting.load(Ordering::Relaxed) == 0 {
            runtime::spin_until(|| self.outcome(goal).is_some());
        }
        self.reached(goal)
    }

    /// Waits for a goal, or for the error after which it cannot be reached.
    pub(crate) fn wait(&self, goal: Goal) -> Wait<'_> {
        Wait { progress: self, goal, number: None }
    }

    /// What waiting for a goal comes to; none as long as it goes on.
    fn outcome(&self, goal: Goal) -> Option<Result<()>> {
        // The end is looked up first: what is not reached after it never will be.
        let ended = self.ended.load(Ordering::SeqCst);
        if self.reached(goal) {
            return Some(Ok(()));
        }
        ended.then(|| Err(self.failure(goal)))
    }

    /// Keeps the waker of a wait, in place of the one it had before. Returns that, to be dropped without the lock.
    fn register(&self, number: &mut Option<u64>, goal: Goal, waker: &Waker) -> Option<Waker> {
        let mut waiters = self.waiters.lock();
        if let Some(waiter) = number.and_then(|number| waiters.get_mut(number)) {
            return Some(std::mem::replace(&mut waiter.waker, waker.clone()));
        }
        *number = Some(waiters.next);
        let waiter = Waiter { number: waiters.next, goal, waker: waker.clone() };
        waiters.next += 1;
        waiters.list.push(waiter);
        self.waiting.store(waiters.list.len(), Ordering::SeqCst);
        None
    }

    /// Takes the waiter of a wait that is over or given up, to be dropped without the lock.
    fn forget(&self, number: u64) -> Option<Waiter> {
        let mut waiters = self.waiters.lock();
        let position = waiters.position(number)?;
        let waiter = waiters.list.remove(position);
        self.waiting.store(waiters.list.len(), Ordering::SeqCst);
        Some(waiter)
    }

    /// Wakes those whose goal is reached.
    pub(crate) fn notify(&self) {
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return;
        }
        let ended = self.ended.load(Ordering::SeqCst);
        let mut waiters = self.waiters.lock();
        let ready = waiters.list.extract_if(.., |waiter| ended || self.reached(waiter.goal));
        let ready: Vec<Waker> = ready.map(|waiter| waiter.waker).collect();
        self.waiting.store(waiters.list.len(), Ordering::SeqCst);
        drop(waiters);
        for waker in ready {
            waker.wake();
        }
    }

    /// Stops all writing: the first error is the cause for good.
    pub(crate) fn poison(&self, cause: Error) {
        // A second error changes nothing: the first one is the cause that everybody is told.
        let _first = self.poison.set(cause);
        self.close();
    }

    /// Ends all waiting: nothing will be committed any more.
    pub(crate) fn close(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.notify();
    }

    pub(crate) fn poisoned(&self) -> Option<&Error> {
        self.poison.get()
    }

    /// Why a goal will not be reached.
    fn failure(&self, goal: Goal) -> Error {
        let Some(cause) = self.poison.get().cloned() else { return Error::new(ErrorKind::Closed) };
        match goal {
            Goal::Commit(version, _) => Error::new(ErrorKind::DurabilityUnknown { version, cause }),
            _ => Error::new(ErrorKind::Poisoned { cause }),
        }
    }

    pub(crate) fn check_poison(&self) -> Result<()> {
        match self.poison.get() {
            Some(cause) => Err(Error::new(ErrorKind::Poisoned { cause: cause.clone() })),
            None => Ok(()),
        }
    }
}

impl Waiters {
    fn position(&self, number: u64) -> Option<usize> {
        self.list.binary_search_by_key(&number, |waiter| waiter.number).ok()
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut Waiter> {
        self.position(number).map(|position| &mut self.list[position])
    }
}

impl Future for Wait<'_> {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let Self { progress, goal, number } = &mut *self;
        if let Some(outcome) = progress.outcome(*goal) {
            return Poll::Ready(outcome);
        }
        drop(progress.register(number, *goal, context.waker()));
        // Looking again once the waiter is there closes the gap to a notification in between.
        progress.outcome(*goal).map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        drop(self.number.and_then(|number| self.progress.forget(number)));
    }
}
