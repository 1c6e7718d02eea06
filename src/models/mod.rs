//! Models of what threads do to each other without a common lock. [loom](https://docs.rs/loom) runs each in every order
//! that the memory model allows, with a bounded number of changes of threads:
//!
//! `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=3 CARGO_TARGET_DIR=target/models cargo test --lib models`
//!
//! The parts are the engine's own. Only their atomic integers and locks are loom's, leaves hold 4 keys, there is
//! one slot for readers, and leaves are found as in browsers: the skip list is left to its authors.

mod hand_off;
mod publish;
mod readers;
mod split;
mod table;
