//! Storages that answer later, as those of a browser do: nothing blocks, and every promise is kept all the same.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod background;
mod commits;
mod crashes;
mod failures;
mod model;
mod twins;
