//! skipdb: a concurrent skip list in memory, with typed keys and values and serializable transactions.
//!
//! It recommends its weaker `OptimisticDb` where keys can be hashed; this is the serializable one, since the others are.

use std::ops::Bound::{Excluded, Included, Unbounded};
use std::path::Path;

use skipdb::ReadTransaction;
use skipdb::serializable::SerializableDb;
use txn_core::error::{TransactionError, WtmError};
use txn_core::sync::BTreeCm;

use super::{BATCH, Engine, Mode, Reader, Session, back_off, missing};
use crate::data::{Data, Key};
use crate::failure::{Failure, Result};

type Value = Box<[u8]>;
type Database = SerializableDb<Key, Value>;
type Snapshot = ReadTransaction<Key, Value, Database, BTreeCm<Key>>;

pub(crate) struct SkipDb(Database);

impl Engine for SkipDb {
    type Session<'a> = &'a Database;

    fn open(_directory: &Path, mode: Mode) -> Result<Self> {
        if mode == Mode::Memory { Ok(Self(Database::new())) } else { Err(Failure::Unsupported("it has no files")) }
    }

    fn load(&self, data: &Data) -> Result {
        for batch in data.sorted().chunks(BATCH) {
            let mut tx = self.0.serializable_write();
            for &index in batch {
                tx.insert(*data.key(index), Box::from(data.value(index)))?;
            }
            tx.commit()?;
        }
        Ok(())
    }

    fn session(&self) -> Result<&Database> {
        Ok(&self.0)
    }

    fn close(self) -> Result {
        Ok(())
    }
}

/// The keys of this comparison are of one length, and skipdb takes them as arrays.
fn typed(key: &[u8]) -> Result<&Key> {
    Ok(key.try_into()?)
}

impl Session for &Database {
    type Reader<'a>
        = Snapshot
    where
        Self: 'a;

    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(self.read().get(typed(key)?).map(|entry| see(&entry.value())))
    }

    fn reader(&mut self) -> Result<Snapshot> {
        Ok(self.read())
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result {
        let mut tx = self.serializable_write();
        tx.insert(*typed(key)?, Box::from(value))?;
        Ok(tx.commit()?)
    }

    fn update(&mut self, key: &[u8], change: impl Fn(&mut [u8])) -> Result<u64> {
        let key = typed(key)?;
        for conflicts in 0.. {
            let mut tx = self.serializable_write();
            let mut value: Value = tx.get(key)?.map(|entry| Value::clone(&entry.value())).ok_or_else(missing)?;
            change(&mut value);
            tx.insert(*key, value)?;
            match tx.commit() {
                Ok(()) => return Ok(conflicts),
                Err(WtmError::Transaction(TransactionError::Conflict)) => back_off(conflicts),
                Err(error) => return Err(error.into()),
            }
        }
        Err(missing())
    }

    fn remove(&mut self, key: &[u8]) -> Result {
        let mut tx = self.serializable_write();
        tx.remove(*typed(key)?)?;
        Ok(tx.commit()?)
    }
}

impl Reader for Snapshot {
    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(ReadTransaction::get(self, typed(key)?).map(|entry| see(&entry.value())))
    }

    fn scan(&mut self, from: &[u8], skip: usize, limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let range = self.range::<Key, _>((Included(*typed(from)?), Unbounded));
        Ok(range.skip(skip).take(limit).map(|entry| see(entry.key(), &entry.value())).count())
    }

    fn scan_back(&mut self, below: &[u8], limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let range = self.range_rev::<Key, _>((Unbounded, Excluded(*typed(below)?)));
        Ok(range.take(limit).map(|entry| see(entry.key(), &entry.value())).count())
    }

    fn count(&mut self, from: &[u8]) -> Result<usize> {
        Ok(self.range::<Key, _>((Included(*typed(from)?), Unbounded)).count())
    }
}
