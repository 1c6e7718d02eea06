//! Repairing damaged databases: the result is whole, and it is what the report says.
//!
//! Databases of several shapes are damaged in many ways, and each repair is compared with what the undamaged database
//! held at the version that the report names.

#![allow(clippy::unwrap_used)]
#![cfg(not(target_arch = "wasm32"))]

#[path = "../common/mod.rs"]
mod common;
mod damage;
mod directories;
mod examine;
mod frames;
mod shape;
mod snapshots;
mod state;
