//! Histories of concurrent transactions, checked for every anomaly that their isolation level forbids.
//!
//! Clients in threads append to lists and read them, while garbage is collected, snapshots are written and the log
//! changes segment. Crashes, losses of power and torn writes cut the history, which goes on from what they leave: what
//! was acknowledged has to be there, and what was not is decided by what is found. The crate `adya` judges the whole.
//! Histories that are known to be bad show that it does.
//!
//! `SELKIE_TRANSACTIONS` sets how many transactions each level commits at least, in histories of 4000. `SELKIE_SEED`
//! repeats what the clients do, though not how their threads interleave.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checker;
mod client;
#[path = "../common/mod.rs"]
mod common;
mod disk;
mod generations;
mod history;
mod known_bad;
mod levels;
mod medium;
mod steps;
mod teeth;
mod workload;
