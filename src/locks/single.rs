//! The standard library's locks with the methods of `parking_lot` and of `arc_swap`.
//!
//! A panic ends the program here, so that no lock is left poisoned by one.

use std::sync::{Arc, PoisonError, TryLockError};

#[cfg(not(loom))]
use super::standard::sync;
#[cfg(loom)]
use loom::sync;

#[cfg(any(loom, shuttle))]
pub(crate) use sync::Condvar;
pub(crate) use sync::MutexGuard;

/// One thread has all cache lines to itself, and a model has none.
#[derive(Debug, Default)]
pub(crate) struct Apart<T>(T);

impl<T> Apart<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> From<T> for Apart<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> std::ops::Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(sync::Mutex<T>);

impl<T> Mutex<T> {
    #[cfg(not(loom))]
    pub(crate) const fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    #[cfg(loom)]
    pub(crate) fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct RwLock<T>(sync::RwLock<T>);

impl<T> RwLock<T> {
    #[cfg(not(loom))]
    pub(crate) const fn new(value: T) -> Self {
        Self(sync::RwLock::new(value))
    }

    #[cfg(loom)]
    pub(crate) fn new(value: T) -> Self {
        Self(sync::RwLock::new(value))
    }

    pub(crate) fn read(&self) -> sync::RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> sync::RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an [`ArcSwap`] gives out.
pub(crate) type Loaded<T> = Arc<T>;

#[derive(Debug, Default)]
pub(crate) struct ArcSwap<T>(RwLock<Arc<T>>);

impl<T> ArcSwap<T> {
    pub(crate) fn load(&self) -> Loaded<T> {
        Arc::clone(&self.0.read())
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        *self.0.write() = value;
    }
}
