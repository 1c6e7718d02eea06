//! Files damaged in every way we can think of: nothing wrong is ever read, neither of now nor of the past.
//!
//! Three shapes of database are damaged, each copied while it was open and closed cleanly: a log alone, a snapshot and
//! a log, and a history with keyspaces. In each of them every byte is flipped, every length cut to, every page
//! zeroed; a file is missing, two files are swapped, and one file is an older copy of itself. Random shapes with
//! random damage follow. Each time the database opens with everything, its whole past included, or it is
//! refused with a typed error and its files stay as they are.
//!
//! The one other outcome is an earlier state, and only where a crash could have left exactly these files:
//!
//! - A database that was not closed loses the end of its last segment, and says how many bytes it cut off. No intact
//!   frame may be left there that says that what is lost was synced.
//! - It loses the end without a trace where its last segment ends between two frames, or goes on with zeros: the
//!   segment was cut there, zeroed from there on, or is an older copy of itself. Every byte is then as it was before
//!   the next commit, and no other file tells of the commits in this one. No format could tell the two apart without
//!   writing to a second file with each commit.
//!
//! Once a database is closed, another segment states where the commits end: no damage to one file takes anything away.
//! What cannot be noticed there either is all files put back together to an earlier moment. That is a
//! database that was, whole.
//!
//! With `SELKIE_SECONDS` the random damage goes on with new shapes, the first from `SELKIE_SEED`.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod everywhere;
mod past;
mod random;
mod random_damage;
mod shapes;
mod subject;
mod whole_files;
mod workshop;

use std::collections::BTreeMap;

type Files = BTreeMap<String, Vec<u8>>;
