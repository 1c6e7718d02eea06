//! Selkie, in memory and with a log.

use std::ops::ControlFlow;
use std::path::Path;

use selkie::{Database, Durability, Options, Readable, SnapshotPolicy, TransactionOptions, View, Writable};

use super::{BATCH, Engine, Mode, Reader, Session, missing};
use crate::data::Data;
use crate::failure::Result;

pub(crate) struct Selkie(Database);

impl Engine for Selkie {
    type Session<'a> = &'a Database;

    fn open(directory: &Path, mode: Mode) -> Result<Self> {
        let options = Options::new().snapshots(SnapshotPolicy::Never);
        Ok(Self(match mode {
            Mode::Memory => options.in_memory()?,
            Mode::Log => options.durability(Durability::Buffered).open(directory)?,
            Mode::Synced => options.durability(Durability::Immediate).open(directory)?,
        }))
    }

    fn load(&self, data: &Data) -> Result {
        for batch in data.sorted().chunks(BATCH) {
            let mut tx = self.0.begin_with(TransactionOptions::new().write_only())?;
            for &index in batch {
                tx.insert(data.key(index), data.value(index))?;
            }
            tx.commit()?;
        }
        Ok(())
    }

    fn session(&self) -> Result<&Database> {
        Ok(&self.0)
    }

    fn snapshot(&self) -> Result {
        self.0.snapshot()?;
        Ok(())
    }

    fn close(self) -> Result {
        Ok(self.0.close()?)
    }
}

impl Session for &Database {
    type Reader<'a>
        = View
    where
        Self: 'a;

    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(self.get_with(key, see)?)
    }

    fn reader(&mut self) -> Result<View> {
        Ok(self.begin_read()?)
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result {
        self.insert(key, value)?;
        Ok(())
    }

    fn update(&mut self, key: &[u8], change: impl Fn(&mut [u8])) -> Result<u64> {
        let mut attempts = 0;
        let found = Database::update(self, |tx| {
            attempts += 1;
            let Some(mut value) = tx.get_with(key, <[u8]>::to_vec)? else { return Ok(false) };
            change(&mut value);
            tx.insert(key, value)?;
            Ok(true)
        })?;
        if found { Ok(attempts - 1) } else { Err(missing()) }
    }

    fn remove(&mut self, key: &[u8]) -> Result {
        Database::remove(self, key)?;
        Ok(())
    }
}

impl Reader for View {
    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(self.get_with(key, see)?)
    }

    fn scan(&mut self, from: &[u8], skip: usize, limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let mut seen = 0;
        if skip > 0 {
            // A range leaves entries out without reading their values.
            for entry in self.range(from..).skip(skip).take(limit) {
                let (key, value) = entry?;
                see(&key, &value);
                seen += 1;
            }
            return Ok(seen);
        }
        Readable::scan(self, from.., |key, value| {
            see(key, value);
            seen += 1;
            if seen < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(seen)
    }

    fn scan_back(&mut self, below: &[u8], limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let mut seen = 0;
        Readable::scan_back(self, ..below, |key, value| {
            see(key, value);
            seen += 1;
            if seen < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(seen)
    }

    fn count(&mut self, from: &[u8]) -> Result<usize> {
        Ok(self.count_range(from..)?)
    }
}
