//! The engines, each behind one small adapter.
//!
//! The traits are generic and not objects, so that no engine pays for a call through a table and each can hand out its
//! values in its cheapest documented way: borrowed where it can.

#[cfg(test)]
mod contract;
mod fjall;
mod fluxmap;
mod lmdb;
mod map;
mod redb;
mod registry;
mod selkie;
mod skipdb;
mod sqlite;
mod surrealkv;
mod surrealmx;

use std::path::Path;
use std::time::Duration;

use crate::data::Data;
use crate::failure::{Failure, Result};

pub(crate) use registry::{CONTESTANTS, Class, Contestant};

/// Above every key, for engines whose ranges need an end.
const END: [u8; 17] = [0xff; 17];
/// How many entries a transaction has while an engine is loaded in many of them.
const BATCH: usize = 10_000;

/// What a commit survives once it is acknowledged, the same for all engines of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Nothing: there are no files.
    Memory,
    /// The end of the process: it is handed to the system, without a sync.
    Log,
    /// A power loss: it is synced before it is acknowledged.
    Synced,
}

pub(crate) trait Engine: Sized + Send + Sync {
    type Session<'a>: Session
    where
        Self: 'a;

    /// Opens the database in the directory, or a new one.
    fn open(directory: &Path, mode: Mode) -> Result<Self>;

    /// Stores all entries of the data in a new database, in the fastest way that the engine documents. The data is in
    /// random order; an adapter that sorts it does so within the time that is measured.
    fn load(&self, data: &Data) -> Result;

    /// What a thread works with.
    fn session(&self) -> Result<Self::Session<'_>>;

    /// Writes a snapshot from which the next opening reads.
    fn snapshot(&self) -> Result {
        Err(Failure::Unsupported("it has no snapshots beside its files"))
    }

    /// Closes the database in the regular way, all commits being in its files.
    fn close(self) -> Result;
}

/// One-key operations, each a transaction of its own.
pub(crate) trait Session {
    type Reader<'a>: Reader
    where
        Self: 'a;

    /// Reads the newest value of a key, in the fastest documented way.
    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>>;

    /// Begins a transaction that only reads.
    fn reader(&mut self) -> Result<Self::Reader<'_>>;

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result;

    /// Reads a value, changes it and writes it back, and does so again after each conflict: their number is returned.
    fn update(&mut self, key: &[u8], change: impl Fn(&mut [u8])) -> Result<u64>;

    fn remove(&mut self, key: &[u8]) -> Result;
}

/// What one transaction reads.
pub(crate) trait Reader {
    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>>;

    /// Visits at most `limit` entries from a key on, after leaving out `skip`, and returns how many it visited.
    fn scan(&mut self, from: &[u8], skip: usize, limit: usize, see: impl FnMut(&[u8], &[u8])) -> Result<usize>;

    /// Visits at most `limit` entries below a key, the greatest first.
    fn scan_back(&mut self, below: &[u8], limit: usize, see: impl FnMut(&[u8], &[u8])) -> Result<usize>;

    /// Counts the entries from a key on.
    fn count(&mut self, from: &[u8]) -> Result<usize>;
}

/// Before a transaction that met a conflict runs again, for engines that leave this to their users: the policy of those
/// that do it themselves, without which the threads would only meet again.
fn back_off(conflicts: u64) {
    if conflicts < 4 {
        std::thread::yield_now();
    } else {
        std::thread::sleep(Duration::from_micros(10 << conflicts.min(10)));
    }
}

/// Updates are only made to keys that exist.
fn missing() -> Failure {
    Failure::Wrong("a key that was loaded is not there".into())
}
