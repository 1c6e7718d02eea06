//! One thread, as in a browser: nothing waits, and background work is done by whoever signals it.

#![expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the calls are the same as with threads")]

use std::future::Future;
use std::task::Waker;
use std::time::Duration;

use parking_lot::Mutex;

use crate::Result;

/// Nothing can be woken here.
pub(crate) struct Waiter;

impl Waiter {
    pub(crate) fn current() -> Self {
        Self
    }

    pub(crate) fn waker(&self) -> &Waker {
        Waker::noop()
    }

    /// Never waits, and says so.
    pub(crate) fn wait(&self) -> bool {
        false
    }
}

/// Starts a future: it runs until it must wait for the storage, and goes on when the storage has answered.
pub(crate) fn run(future: impl Future<Output = ()> + 'static) {
    let mut future = Box::pin(future);
    let ready = future.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())).is_ready();
    if !ready {
        wasm_bindgen_futures::spawn_local(future);
    }
}

/// Starts a future that may wait for workers, of which there are none.
pub(crate) fn run_outside(future: impl Future<Output = ()> + 'static) {
    run(future);
}

/// There is nobody to give time to.
pub(crate) fn backoff(_attempt: u32) {}

type Work = Box<dyn FnMut() -> Option<Duration> + Send>;

/// A piece of work that is done at once when it is signalled.
pub(crate) struct Worker {
    work: Mutex<Option<Work>>,
}

impl Worker {
    pub(crate) fn start(_name: &str, work: impl FnMut() -> Option<Duration> + Send + 'static) -> Result<Self> {
        Ok(Self { work: Mutex::new(Some(Box::new(work))) })
    }

    pub(crate) fn signal(&self) {
        // Work that signals itself goes on by itself.
        if let Some(mut work) = self.work.try_lock()
            && let Some(work) = work.as_mut()
        {
            work();
        }
    }

    pub(crate) fn stop(&self) {
        if let Some(mut work) = self.work.try_lock() {
            *work = None;
        }
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Worker")
    }
}
