//! surrealmx: an adaptive radix tree in memory, with an append-only log and snapshots if asked for.

use std::path::Path;

use surrealmx::{
    AolMode, ByteSlice, Database, DatabaseOptions, Error, FsyncMode, PersistenceOptions, SnapshotMode, Transaction,
};

use super::{BATCH, END, Engine, Mode, Reader, Session, back_off, missing};
use crate::data::Data;
use crate::failure::{Failure, Result};

pub(crate) struct SurrealMx(Database);

impl Engine for SurrealMx {
    type Session<'a> = &'a Database;

    fn open(directory: &Path, mode: Mode) -> Result<Self> {
        let fsync = match mode {
            Mode::Memory => return Ok(Self(Database::new())),
            Mode::Log => FsyncMode::Never,
            Mode::Synced => FsyncMode::EveryAppend,
        };
        let persistence = PersistenceOptions::new(directory)
            .with_aol_mode(AolMode::SynchronousOnCommit)
            .with_snapshot_mode(SnapshotMode::Never)
            .with_fsync_mode(fsync);
        Ok(Self(Database::new_with_persistence(DatabaseOptions::default(), persistence)?))
    }

    fn load(&self, data: &Data) -> Result {
        for batch in data.sorted().chunks(BATCH) {
            let mut tx = self.0.transaction(true);
            for &index in batch {
                tx.set(data.key(index), data.value(index))?;
            }
            tx.commit()?;
        }
        Ok(())
    }

    fn session(&self) -> Result<&Database> {
        Ok(&self.0)
    }

    fn snapshot(&self) -> Result {
        let persistence = self.0.persistence().ok_or(Failure::Unsupported("it has no files"))?;
        Ok(persistence.snapshot()?)
    }

    fn close(self) -> Result {
        drop(self.0);
        Ok(())
    }
}

impl Session for &Database {
    type Reader<'a>
        = Transaction
    where
        Self: 'a;

    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(self.with_value(key, see)?)
    }

    fn reader(&mut self) -> Result<Transaction> {
        Ok(self.transaction(false))
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result {
        Ok(self.set(key, value)?)
    }

    fn update(&mut self, key: &[u8], change: impl Fn(&mut [u8])) -> Result<u64> {
        for conflicts in 0.. {
            let mut tx = self.transaction(true);
            let mut value = tx.with_value(key, <[u8]>::to_vec)?.ok_or_else(missing)?;
            change(&mut value);
            tx.set(key, value)?;
            match tx.commit() {
                Ok(()) => return Ok(conflicts),
                Err(Error::KeyReadConflict | Error::KeyWriteConflict) => back_off(conflicts),
                Err(error) => return Err(error.into()),
            }
        }
        Err(missing())
    }

    fn remove(&mut self, key: &[u8]) -> Result {
        Ok(self.del(key)?)
    }
}

impl Reader for Transaction {
    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(self.with_value(key, see)?)
    }

    fn scan(&mut self, from: &[u8], skip: usize, limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let visit = |key: &ByteSlice, value: &[u8]| {
            see(key, value);
            true
        };
        Ok(self.scan_with(from..&END[..], Some(skip), Some(limit), visit)?)
    }

    fn scan_back(&mut self, below: &[u8], limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let entries = self.scan_reverse(&[][..]..below, None, Some(limit))?;
        for (key, value) in &entries {
            see(key, value);
        }
        Ok(entries.len())
    }

    fn count(&mut self, from: &[u8]) -> Result<usize> {
        Ok(self.total(from..&END[..], None, None)?)
    }
}
