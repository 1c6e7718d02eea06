//! What differs between platforms beside storage: the clock, waiting, and work in the background.
//!
//! Natively a thread can wait and there are background threads. In a browser nothing may wait: a future that is
//! not ready continues when the storage answers, background work is done by tasks of the event loop, and whatever
//! takes long gives the event loop a turn now and then.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};

use web_time::UNIX_EPOCH;

pub use web_time::SystemTime;
pub(crate) use web_time::{Duration, Instant};

cfg_if::cfg_if! {
    if #[cfg(target_arch = "wasm32")] {
        mod events;
        mod single;
        use single as platform;
    } else {
        mod threads;
        use threads as platform;
    }
}

#[cfg(feature = "testing")]
pub(crate) mod simulated;

pub(crate) use platform::{CAN_WAIT, Worker, backoff, breathe, is_waiting, run, run_outside, spin_until};

use crate::{Error, Result};

/// The clock by which durations are measured.
pub(crate) fn now() -> Instant {
    #[cfg(feature = "testing")]
    if let Some(scheduler) = simulated::current() {
        return scheduler.now();
    }
    Instant::now()
}

/// The wall clock, in nanoseconds since the Unix epoch.
pub(crate) fn now_ns() -> u64 {
    #[cfg(feature = "testing")]
    if let Some(scheduler) = simulated::current() {
        return scheduler.now_ns();
    }
    to_ns(SystemTime::now())
}

pub(crate) fn to_ns(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

pub(crate) fn from_ns(ns: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(ns)
}

/// A number that differs between databases and between segments.
///
/// It guards against mistaking one file's bytes for another's, not against an adversary: the hasher's keys are
/// random where the platform has randomness, and the clock tells apart where it does not.
pub(crate) fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    #[cfg(feature = "testing")]
    if let Some(scheduler) = simulated::current() {
        return scheduler.random();
    }
    RandomState::new().hash_one(now_ns())
}

/// Waits for a future where the platform can wait, and polls it once where it cannot.
///
/// # Errors
///
/// Refuses a future that is not ready on a platform that cannot wait.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let mut future = pin!(future);
    loop {
        let waiter = platform::Waiter::current();
        match future.as_mut().poll(&mut Context::from_waker(waiter.waker())) {
            Poll::Ready(result) => return result,
            Poll::Pending if waiter.wait() => {}
            Poll::Pending => {
                return Err(Error::invalid(
                    "this storage answers later, and nothing can wait here: use the async method",
                ));
            }
        }
    }
}
