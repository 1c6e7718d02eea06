//! Locks, and what goes without one: from `parking_lot` and `arc_swap`, and on wasm from the standard library, which
//! is less code where nothing waits.

cfg_if::cfg_if! {
    if #[cfg(target_arch = "wasm32")] {
        mod single;
        pub(crate) use single::{ArcSwap, Loaded, Mutex, MutexGuard, RwLock};
    } else {
        pub(crate) use arc_swap::ArcSwap;
        pub(crate) type Loaded<T> = arc_swap::Guard<std::sync::Arc<T>>;
        pub(crate) use parking_lot::{Mutex, MutexGuard, RwLock};
    }
}
