//! One thread, as in a browser: nothing waits, and the background is tasks of the event loop.

#![expect(clippy::unnecessary_wraps, reason = "the calls are the same as with threads")]
#![cfg_attr(not(feature = "testing"), expect(clippy::unused_self, reason = "and so are the methods"))]

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wasm_bindgen_futures::spawn_local;

use super::events::{Impatience, Sleep};
#[cfg(feature = "testing")]
use super::simulated;
use crate::Result;
use crate::locks::Mutex;

pub(crate) use super::events::breathe;

/// Whether a caller can wait for what others do.
pub(crate) const CAN_WAIT: bool = false;

/// Whatever is begun here goes on without the caller, so that he may as well begin it.
pub(crate) fn is_waiting() -> bool {
    true
}

/// Nothing can be woken here, but in a simulation.
pub(crate) struct Waiter {
    _impatience: Impatience,
    #[cfg(feature = "testing")]
    simulated: Option<simulated::Patience>,
}

impl Waiter {
    pub(crate) fn current() -> Self {
        Self {
            _impatience: Impatience::new(),
            #[cfg(feature = "testing")]
            simulated: simulated::Patience::current(),
        }
    }

    pub(crate) fn waker(&self) -> &Waker {
        #[cfg(feature = "testing")]
        if let Some(patience) = &self.simulated {
            return patience.waker();
        }
        Waker::noop()
    }

    /// Never waits, and says so.
    pub(crate) fn wait(&self) -> bool {
        #[cfg(feature = "testing")]
        if let Some(patience) = &self.simulated {
            patience.wait();
            return true;
        }
        false
    }
}

/// Does something. Nobody waits here, so that nothing need be hidden from it.
#[cfg(feature = "testing")]
pub(super) fn without_waiters(action: impl FnOnce()) {
    action();
}

/// Starts a future: it runs until it must wait for the storage, and goes on when the storage has answered.
pub(crate) fn run(future: impl Future<Output = ()> + 'static) {
    run_boxed(Box::pin(future));
}

/// One function for all futures: what a task is made of is not small.
fn run_boxed(mut future: Pin<Box<dyn Future<Output = ()>>>) {
    #[cfg(feature = "testing")]
    if let Some(scheduler) = simulated::current() {
        return scheduler.start(future);
    }
    let ready = future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
    if !ready {
        spawn_boxed(future);
    }
}

fn spawn_boxed(future: Pin<Box<dyn Future<Output = ()>>>) {
    spawn_local(future);
}

/// Starts a future that may wait for workers, which go on meanwhile.
pub(crate) fn run_outside(future: impl Future<Output = ()> + 'static) {
    run(future);
}

/// Nobody goes on while somebody looks.
pub(crate) fn spin_until(_is_done: impl Fn() -> bool) {}

/// There is nobody to give time to.
pub(crate) fn backoff(_attempt: u32) {}

/// A task that does a piece of work when signalled, and at the latest when the work asked to be called again.
///
/// Signals of one task of the event loop are one: the work is done when whoever signalled has come to an end.
pub(crate) struct Worker {
    shared: Arc<Shared>,
}

/// Work in the background.
pub(super) type Work = Box<dyn FnMut() -> Option<Duration>>;

#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<Signals>,
}

#[derive(Default)]
struct Signals {
    wanted: bool,
    stopped: bool,
    waker: Option<Waker>,
}

impl Worker {
    /// Starts a task that calls `work` and then waits: for a signal, or for as long as `work` said.
    pub(crate) fn start(_name: &str, work: impl FnMut() -> Option<Duration> + 'static) -> Result<Self> {
        Ok(Self::start_boxed(Box::new(work)))
    }

    fn start_boxed(mut work: Work) -> Self {
        let shared = Arc::new(Shared::default());
        #[cfg(feature = "testing")]
        if let Some(scheduler) = simulated::current() {
            scheduler.add_worker(Arc::clone(&shared), work);
            return Self { shared };
        }
        let signals = Arc::clone(&shared);
        spawn_boxed(Box::pin(async move {
            while signals.proceed() {
                let pause = work();
                signals.pause(pause).await;
            }
        }));
        Self { shared }
    }

    pub(crate) fn signal(&self) {
        self.shared.change(|state| state.wanted = true);
    }

    /// Lets the task end, and its timer with it.
    pub(crate) fn request_stop(&self) {
        self.shared.change(|state| state.stopped = true);
    }

    pub(crate) fn stop(&self) {
        self.request_stop();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut Signals)) {
        let waker = {
            let mut state = self.state.lock();
            change(&mut state);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

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

    async fn pause(&self, limit: Option<Duration>) {
        if limit == Some(Duration::ZERO) {
            return breathe().await;
        }
        let mut timer = pin!(limit.map(Sleep::new));
        poll_fn(|context| {
            let timed_out = timer.as_mut().as_pin_mut().is_some_and(|timer| timer.poll(context).is_ready());
            let mut state = self.state.lock();
            if timed_out || state.wanted || state.stopped {
                return Poll::Ready(());
            }
            state.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Worker")
    }
}
