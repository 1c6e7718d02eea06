//! Loom's atomic integers for models.
//!
//! Loom takes a sequentially consistent access for one that only acquires and releases, and so finds orders that no
//! machine has. Fences it knows. So here such a load has a fence before it, and such a store one after it, which is how
//! compilers make them on machines without loads and stores of that kind
//! ([mappings](https://www.cl.cam.ac.uk/~pes20/cpp/cpp0xmappings.html)).

pub(crate) use loom::sync::atomic::Ordering;
use loom::sync::atomic::fence;

fn fence_if_sequential(order: Ordering) {
    if order == Ordering::SeqCst {
        fence(Ordering::SeqCst);
    }
}

macro_rules! atomic {
    ($name:ident, $value:ty) => {
        #[derive(Debug, Default)]
        pub(crate) struct $name(loom::sync::atomic::$name);

        impl $name {
            pub(crate) fn new(value: $value) -> Self {
                Self(loom::sync::atomic::$name::new(value))
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                fence_if_sequential(order);
                self.0.load(if order == Ordering::SeqCst { Ordering::Acquire } else { order })
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                self.0.store(value, if order == Ordering::SeqCst { Ordering::Release } else { order });
                fence_if_sequential(order);
            }

            #[allow(dead_code, reason = "each of them has all methods")]
            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                self.change(order, |atomic| atomic.swap(value, order))
            }

            fn change<T>(&self, order: Ordering, change: impl FnOnce(&loom::sync::atomic::$name) -> T) -> T {
                fence_if_sequential(order);
                let before = change(&self.0);
                fence_if_sequential(order);
                before
            }
        }
    };
}

macro_rules! integer {
    ($name:ident, $value:ty) => {
        atomic!($name, $value);

        #[allow(dead_code, reason = "each of them has all methods")]
        impl $name {
            pub(crate) fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.change(order, |atomic| atomic.fetch_add(value, order))
            }

            pub(crate) fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                self.change(order, |atomic| atomic.fetch_sub(value, order))
            }

            pub(crate) fn fetch_max(&self, value: $value, order: Ordering) -> $value {
                self.change(order, |atomic| atomic.fetch_max(value, order))
            }

            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.change(success, |atomic| atomic.compare_exchange(current, new, success, failure))
            }
        }
    };
}

atomic!(AtomicBool, bool);
integer!(AtomicU64, u64);
integer!(AtomicUsize, usize);
