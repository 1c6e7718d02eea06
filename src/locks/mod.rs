//! Locks, and what goes without one: from `parking_lot` and `arc_swap`, and on wasm from the standard library, which
//! is less code where nothing waits. In models, loom's, which tries all orders of what they do; in schedules,
//! shuttle's, which draws orders of what whole transactions do. `Apart` keeps what different threads change on different
//! cache lines.

/// The standard library, or what stands for it.
#[cfg(shuttle)]
pub(crate) use shuttle as standard;
#[cfg(not(shuttle))]
pub(crate) use std as standard;

cfg_if::cfg_if! {
    if #[cfg(any(target_arch = "wasm32", loom, shuttle))] {
        mod single;
        pub(crate) use single::{Apart, ArcSwap, Loaded, Mutex, MutexGuard, RwLock};
        #[cfg(any(loom, shuttle))]
        pub(crate) use single::Condvar;
    } else {
        pub(crate) use arc_swap::ArcSwap;
        pub(crate) use crossbeam_utils::CachePadded as Apart;
        pub(crate) type Loaded<T> = arc_swap::Guard<std::sync::Arc<T>>;
        pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard, RwLock};
    }
}

#[cfg(loom)]
pub(crate) mod atomic;
/// The atomic integers of what has a model.
#[cfg(not(loom))]
pub(crate) mod atomic {
    pub(crate) use super::standard::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
}
