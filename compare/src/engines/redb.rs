//! redb: a copy-on-write B-tree in one file, with one writer at a time.
//!
//! Without a sync it writes nothing at a commit (`Durability::None`): a crash of the process takes such commits back,
//! while the other engines keep them. That is its only level below a sync, and it is stated in the notes.

use std::path::Path;

use redb::{Database, Durability, ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::{Engine, Mode, Reader, Session, missing};
use crate::data::Data;
use crate::failure::{Failure, Result};

const TABLE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("entries");
/// Its default, which all engines with a cache get.
const CACHE: usize = 1 << 30;

pub(crate) struct Redb {
    database: Database,
    durability: Durability,
}

impl Engine for Redb {
    type Session<'a> = &'a Redb;

    fn open(directory: &Path, mode: Mode) -> Result<Self> {
        let durability = match mode {
            Mode::Memory => return Err(Failure::Unsupported("it keeps its data in a file")),
            Mode::Log => Durability::None,
            Mode::Synced => Durability::Immediate,
        };
        let database = Database::builder().set_cache_size(CACHE).create(directory.join("entries.redb"))?;
        let tx = database.begin_write()?;
        tx.open_table(TABLE)?;
        tx.commit()?;
        Ok(Self { database, durability })
    }

    fn load(&self, data: &Data) -> Result {
        let tx = self.begin()?;
        {
            let mut table = tx.open_table(TABLE)?;
            for index in data.sorted() {
                table.insert(&data.key(index)[..], &data.value(index)[..])?;
            }
        }
        Ok(tx.commit()?)
    }

    fn session(&self) -> Result<&Redb> {
        Ok(self)
    }

    fn close(self) -> Result {
        // Makes the commits without a sync durable.
        self.database.begin_write()?.commit()?;
        Ok(self.database.close()?)
    }
}

impl Redb {
    fn begin(&self) -> Result<WriteTransaction> {
        let mut tx = self.database.begin_write()?;
        tx.set_durability(self.durability)?;
        Ok(tx)
    }
}

impl Session for &Redb {
    type Reader<'a>
        = Table
    where
        Self: 'a;

    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        self.reader()?.get(key, see)
    }

    fn reader(&mut self) -> Result<Table> {
        Ok(Table(self.database.begin_read()?.open_table(TABLE)?))
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result {
        let tx = self.begin()?;
        tx.open_table(TABLE)?.insert(key, value)?;
        Ok(tx.commit()?)
    }

    fn update(&mut self, key: &[u8], change: impl Fn(&mut [u8])) -> Result<u64> {
        let tx = self.begin()?;
        {
            let mut table = tx.open_table(TABLE)?;
            let mut value = table.get(key)?.ok_or_else(missing)?.value().to_vec();
            change(&mut value);
            table.insert(key, &value[..])?;
        }
        tx.commit()?;
        Ok(0)
    }

    fn remove(&mut self, key: &[u8]) -> Result {
        let tx = self.begin()?;
        tx.open_table(TABLE)?.remove(key)?;
        Ok(tx.commit()?)
    }
}

pub(crate) struct Table(ReadOnlyTable<&'static [u8], &'static [u8]>);

impl Reader for Table {
    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(self.0.get(key)?.map(|value| see(value.value())))
    }

    fn scan(&mut self, from: &[u8], skip: usize, limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let mut seen = 0;
        for entry in self.0.range(from..)?.skip(skip).take(limit) {
            let (key, value) = entry?;
            see(key.value(), value.value());
            seen += 1;
        }
        Ok(seen)
    }

    fn scan_back(&mut self, below: &[u8], limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let mut seen = 0;
        for entry in self.0.range(..below)?.rev().take(limit) {
            let (key, value) = entry?;
            see(key.value(), value.value());
            seen += 1;
        }
        Ok(seen)
    }

    fn count(&mut self, from: &[u8]) -> Result<usize> {
        let mut count = 0;
        for entry in self.0.range(from..)? {
            entry?;
            count += 1;
        }
        Ok(count)
    }
}
