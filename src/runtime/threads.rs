//! Threads: waiting parks, and background work has a thread of its own.

use std::cell::{Cell, OnceCell};
use std::future::Future;
use std::sync::Arc;
use std::task::{Wake, Waker};
use web_time::Duration;

#[cfg(feature = "testing")]
use super::simulated;
use crate::locks::standard::sync::atomic::{AtomicBool, Ordering};
use crate::locks::standard::thread::{self, JoinHandle, Thread};
use crate::locks::{Condvar, Mutex, MutexGuard, standard};
use crate::{Error, Result};

/// Whether a caller can wait for what others do.
pub(crate) const CAN_WAIT: bool = true;

/// Other threads need no help to go on.
pub(crate) async fn breathe() {}

/// Whether this thread waits for what it polls, so that it may as well do the work itself.
pub(crate) fn is_waiting() -> bool {
    WAITERS.try_with(Cell::get).is_ok_and(|count| count > 0)
}

/// What wakes the current thread.
pub(crate) struct Waiter {
    parker: Arc<Parker>,
    waker: Waker,
}

struct Parker {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}

standard::thread_local! {
    static WAITER: OnceCell<(Arc<Parker>, Waker)> = const { OnceCell::new() };
    /// How many waiters of this thread there are.
    static WAITERS: Cell<usize> = const { Cell::new(0) };
    /// Whether this thread is one of a worker.
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

fn new_waiter() -> (Arc<Parker>, Waker) {
    let parker = Arc::new(Parker { thread: thread::current(), woken: AtomicBool::new(false) });
    (Arc::clone(&parker), Waker::from(parker))
}

impl Waiter {
    pub(crate) fn current() -> Self {
        #[cfg(feature = "testing")]
        if simulated::current().is_some() {
            // Whoever goes on while this one waits may wait in the same thread.
            return Self::of(new_waiter());
        }
        // A thread that ends may close a database after its own waiter is gone.
        Self::of(WAITER.try_with(|cell| cell.get_or_init(new_waiter).clone()).unwrap_or_else(|_| new_waiter()))
    }

    fn of((parker, waker): (Arc<Parker>, Waker)) -> Self {
        let _at_its_end = WAITERS.try_with(|count| count.set(count.get() + 1));
        Self { parker, waker }
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Waits until woken. Always true: a thread can wait.
    pub(crate) fn wait(&self) -> bool {
        #[cfg(feature = "testing")]
        if let Some(scheduler) = simulated::current() {
            scheduler.wait(|| self.parker.woken.swap(false, Ordering::Acquire));
            return true;
        }
        while !self.parker.woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
        true
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let _at_its_end = WAITERS.try_with(|count| count.set(count.get() - 1));
    }
}

/// Runs a future to its end on this thread.
pub(crate) fn run(future: impl Future<Output = ()> + 'static) {
    #[cfg(feature = "testing")]
    if let Some(scheduler) = simulated::current() {
        return scheduler.start(Box::pin(future));
    }
    let done = super::block_on(async {
        future.await;
        Ok(())
    });
    debug_assert!(done.is_ok(), "a thread can wait for everything");
}

/// Runs a future that may wait for workers: in a thread of its own where this is one of theirs.
pub(crate) fn run_outside(future: impl Future<Output = ()> + Send + 'static) {
    if IS_WORKER.with(Cell::get) {
        // Without another thread nothing can be done, and nobody is there to be told.
        let _unheard = thread::Builder::new().name("selkie-close".to_owned()).spawn(move || run(future));
    } else {
        run(future);
    }
}

/// Does something that does not know of whoever waits in this thread, as if it were in another.
#[cfg(feature = "testing")]
pub(super) fn without_waiters(action: impl FnOnce()) {
    struct Restored(usize);
    impl Drop for Restored {
        fn drop(&mut self) {
            WAITERS.with(|count| count.set(self.0));
        }
    }
    let _count = Restored(WAITERS.with(|count| count.replace(0)));
    action();
}

/// How often somebody looks again before he sleeps: some microseconds with most processors, about a short write's time.
const SPINS: u32 = if cfg!(any(loom, shuttle, miri)) { 1 } else { 256 };

/// Waits for what another thread is about to do, and gives up after a moment.
pub(crate) fn spin_until(is_done: impl Fn() -> bool) {
    #[cfg(feature = "testing")]
    if simulated::current().is_some() {
        return;
    }
    for _ in 0..SPINS {
        if is_done() {
            return;
        }
        std::hint::spin_loop();
    }
}

/// Gives other threads time before the next attempt; longer the more attempts failed.
pub(crate) fn backoff(attempt: u32) {
    #[cfg(feature = "testing")]
    if simulated::current().is_some() {
        return;
    }
    match attempt {
        0..4 => thread::yield_now(),
        _ => thread::sleep(Duration::from_micros(10 << attempt.min(10))),
    }
}

/// A thread that does a piece of work when signalled, and at the latest when the work asked to be called again.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Work in the background.
#[cfg(feature = "testing")]
pub(super) type Work = Box<dyn FnMut() -> Option<Duration> + Send>;

#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<Signals>,
    changed: Condvar,
}

#[derive(Default)]
struct Signals {
    wanted: bool,
    stopped: bool,
}

impl Worker {
    /// Starts a thread that calls `work` and then waits: for a signal, or for as long as `work` said.
    pub(crate) fn start(name: &str, mut work: impl FnMut() -> Option<Duration> + Send + 'static) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        #[cfg(feature = "testing")]
        if let Some(scheduler) = simulated::current() {
            scheduler.add_worker(Arc::clone(&shared), Box::new(work));
            return Ok(Self { shared, thread: Mutex::default() });
        }
        let signals = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                IS_WORKER.with(|is_worker| is_worker.set(true));
                while signals.proceed() {
                    let pause = work();
                    signals.pause(pause);
                }
            })
            .map_err(|error| Error::io("start thread", name, error))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    pub(crate) fn signal(&self) {
        let mut state = self.shared.state.lock();
        if !state.wanted {
            state.wanted = true;
            self.shared.changed.notify_one();
        }
    }

    /// Lets it stop after the piece of work that is being done.
    pub(crate) fn request_stop(&self) {
        self.shared.state.lock().stopped = true;
        self.shared.changed.notify_one();
    }

    /// Stops after the piece of work that is being done, and waits for it.
    pub(crate) fn stop(&self) {
        self.request_stop();
        let Some(thread) = self.thread.lock().take() else { return };
        if thread.thread().id() != thread::current().id() && thread.join().is_err() {
            debug_assert!(thread::panicking(), "a background thread panicked");
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    #[cfg(feature = "testing")]
    pub(super) fn is_wanted(&self) -> bool {
        self.state.lock().wanted
    }

    #[cfg(feature = "testing")]
    pub(super) fn is_stopped(&self) -> bool {
        self.state.lock().stopped
    }

    pub(super) fn proceed(&self) -> bool {
        let mut state = self.state.lock();
        state.wanted = false;
        !state.stopped
    }

    fn pause(&self, limit: Option<Duration>) {
        let state = self.state.lock();
        if !state.wanted && !state.stopped {
            self.wait(state, limit);
        }
    }

    #[cfg(not(any(loom, shuttle)))]
    fn wait(&self, mut state: MutexGuard<'_, Signals>, limit: Option<Duration>) {
        match limit {
            Some(limit) => drop(self.changed.wait_for(&mut state, limit)),
            None => self.changed.wait(&mut state),
        }
    }

    /// A time limit may be over at once.
    #[cfg(any(loom, shuttle))]
    fn wait(&self, state: MutexGuard<'_, Signals>, limit: Option<Duration>) {
        match limit {
            Some(_) => {
                drop(state);
                thread::yield_now();
            }
            None => drop(self.changed.wait(state)),
        }
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Worker")
    }
}
