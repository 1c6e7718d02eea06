//! Locks: those of `parking_lot`, and on wasm those of the standard library, which are less code where nothing waits.

cfg_if::cfg_if! {
    if #[cfg(target_arch = "wasm32")] {
        mod single;
        pub(crate) use single::{Mutex, MutexGuard, RwLock};
    } else {
        pub(crate) use parking_lot::{Mutex, MutexGuard, RwLock};
    }
}
