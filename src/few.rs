//! Lists that have one item as a rule: natively it takes no allocation of its own. On wasm they are plain vectors, which
//! is less code.

cfg_if::cfg_if! {
    if #[cfg(target_arch = "wasm32")] {
        pub(crate) type Few<T> = Vec<T>;
    } else {
        pub(crate) type Few<T> = smallvec::SmallVec<[T; 1]>;
    }
}
