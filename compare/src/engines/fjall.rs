//! fjall: a log-structured merge tree, with its optimistic, serializable transactions.

use std::path::Path;

use fjall::{
    KeyspaceCreateOptions, OptimisticTxDatabase, OptimisticTxKeyspace, OptimisticWriteTx, PersistMode, Readable,
    Snapshot,
};

use super::{Engine, Mode, Reader, Session, back_off, missing};
use crate::data::Data;
use crate::failure::{Failure, Result};

/// What all engines with a cache get for it.
const CACHE: u64 = 1 << 30;

pub(crate) struct Fjall {
    database: OptimisticTxDatabase,
    keyspace: OptimisticTxKeyspace,
    persist: PersistMode,
}

impl Engine for Fjall {
    type Session<'a> = &'a Fjall;

    fn open(directory: &Path, mode: Mode) -> Result<Self> {
        let persist = match mode {
            Mode::Memory => return Err(Failure::Unsupported("it keeps its data in files")),
            Mode::Log => PersistMode::Buffer,
            Mode::Synced => PersistMode::SyncData,
        };
        let database = OptimisticTxDatabase::builder(directory).cache_size(CACHE).open()?;
        let keyspace = database.keyspace("entries", KeyspaceCreateOptions::default)?;
        Ok(Self { database, keyspace, persist })
    }

    fn load(&self, data: &Data) -> Result {
        let mut ingestion = self.keyspace.inner().start_ingestion()?;
        for index in data.sorted() {
            ingestion.write(*data.key(index), data.value(index))?;
        }
        Ok(ingestion.finish()?)
    }

    fn session(&self) -> Result<&Fjall> {
        Ok(self)
    }

    fn close(self) -> Result {
        Ok(self.database.persist(PersistMode::SyncAll)?)
    }
}

impl Fjall {
    fn begin(&self) -> Result<OptimisticWriteTx> {
        Ok(self.database.write_tx()?.durability(Some(self.persist)))
    }

    /// Commits what cannot conflict, since it has read nothing.
    fn write(&self, change: impl FnOnce(&mut OptimisticWriteTx)) -> Result {
        let mut tx = self.begin()?;
        change(&mut tx);
        Ok(tx.commit()??)
    }
}

impl Session for &Fjall {
    type Reader<'a>
        = View<'a>
    where
        Self: 'a;

    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(self.keyspace.get(key)?.map(|value| see(&value)))
    }

    fn reader(&mut self) -> Result<View<'_>> {
        Ok(View { snapshot: self.database.read_tx(), keyspace: &self.keyspace })
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result {
        self.write(|tx| tx.insert(&self.keyspace, key, value))
    }

    fn update(&mut self, key: &[u8], change: impl Fn(&mut [u8])) -> Result<u64> {
        for conflicts in 0.. {
            let mut tx = self.begin()?;
            let mut value = tx.get(&self.keyspace, key)?.ok_or_else(missing)?.to_vec();
            change(&mut value);
            tx.insert(&self.keyspace, key, value);
            if tx.commit()?.is_ok() {
                return Ok(conflicts);
            }
            back_off(conflicts);
        }
        Err(missing())
    }

    fn remove(&mut self, key: &[u8]) -> Result {
        self.write(|tx| tx.remove(&self.keyspace, key))
    }
}

pub(crate) struct View<'a> {
    snapshot: Snapshot,
    keyspace: &'a OptimisticTxKeyspace,
}

impl Reader for View<'_> {
    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(self.snapshot.get(self.keyspace, key)?.map(|value| see(&value)))
    }

    fn scan(&mut self, from: &[u8], skip: usize, limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let mut seen = 0;
        for entry in self.snapshot.range(self.keyspace, from..).skip(skip).take(limit) {
            let (key, value) = entry.into_inner()?;
            see(&key, &value);
            seen += 1;
        }
        Ok(seen)
    }

    fn scan_back(&mut self, below: &[u8], limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let mut seen = 0;
        for entry in self.snapshot.range(self.keyspace, ..below).rev().take(limit) {
            let (key, value) = entry.into_inner()?;
            see(&key, &value);
            seen += 1;
        }
        Ok(seen)
    }

    fn count(&mut self, from: &[u8]) -> Result<usize> {
        let mut count = 0;
        for entry in self.snapshot.range(self.keyspace, from..) {
            entry.key()?;
            count += 1;
        }
        Ok(count)
    }
}
