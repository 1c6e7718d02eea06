//! What the npm package calls: the engine's methods as exports with plain numbers.
//!
//! The package's TypeScript is the only caller. Two thirds of a read from JavaScript would be conversions if keys and
//! values crossed as strings and objects. So they cross as bytes in the module's memory:
//!
//! - the caller asks [`memory::input`] for space, writes keys and values there, and passes their lengths;
//! - a result lies where the registers say, which are four numbers at [`memory::registers`], and is good until the
//!   next call;
//! - a call that is made often answers with a number, one of which means that [`error::take_error`] has the error. The
//!   others throw it.
//!
//! Versions cross as floating point numbers, which are exact up to 2^53. A keyspace crosses as its place in a list
//! of those that were opened; 0 is the default one.
//!
//! Nothing exported takes `&mut self` or awaits while it borrows: a promise goes on while other calls are made. No call
//! comes in the middle of another, though (`guard.ts` of the package).
#![expect(unreachable_pub, reason = "what is exported to JavaScript has to be public here")]
#![expect(clippy::cast_precision_loss, reason = "versions and sizes stay below 2^53")]
#![expect(clippy::cast_sign_loss, reason = "the caller passes no negative numbers")]

mod database;
mod error;
mod memory;
mod options;
mod ranges;
mod reader;
mod report;
mod shared;
mod transfer;
mod watching;
mod writes;

/// The allocator of the npm package: less to download than the one that comes with Rust.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
