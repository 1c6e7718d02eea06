//! Schedules of whole transactions: threads that share a database are stopped and continued by
//! [shuttle](https://docs.rs/shuttle) wherever they take a lock, touch an atomic integer or wait, in an order that is
//! drawn from a seed.
//!
//! `RUSTFLAGS="--cfg shuttle" CARGO_TARGET_DIR=target/schedules cargo test --features testing --test schedules`
//!
//! The engine is whole, with its background threads. Leaves hold 4 keys, and there is one slot for readers. The
//! storage is the simulated one, so that a loss of power can be had at any moment.
#![cfg(shuttle)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/campaign.rs"]
mod campaign;
mod commits;
mod explore;
mod faults;
mod keyspaces;
mod readers;
