//! LMDB, through heed: a copy-on-write B-tree in a memory map, with one writer at a time.
//!
//! It writes its pages to the file, or, with `WRITE_MAP`, into the map, which is faster for small writes and slower for
//! large ones: both take part.

use std::ops::Bound::{Excluded, Included, Unbounded};
use std::path::Path;

use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, EnvFlags, EnvOpenOptions, PutFlags, RoTxn, RwTxn, WithTls};

use super::{Engine, Mode, Reader, Session, missing};
use crate::data::Data;
use crate::failure::{Failure, Result};

/// Address space, not memory: more than the largest run needs.
const MAP: usize = 64 << 30;
/// As many as there are threads in any run.
const READERS: u32 = 256;

pub(crate) struct Lmdb<const WRITES_MAP: bool> {
    env: Env,
    database: Database<'static, Bytes, Bytes>,
}

impl<const WRITES_MAP: bool> Engine for Lmdb<WRITES_MAP> {
    type Session<'a> = &'a Self;

    fn open(directory: &Path, mode: Mode) -> Result<Self> {
        let flags = match mode {
            Mode::Memory => return Err(Failure::Unsupported("it keeps its data in a file")),
            Mode::Log => EnvFlags::NO_SYNC,
            Mode::Synced => EnvFlags::empty(),
        };
        let flags = if WRITES_MAP { flags | EnvFlags::WRITE_MAP } else { flags };
        let mut options = EnvOpenOptions::new();
        options.map_size(MAP).max_readers(READERS);
        // SAFETY: nobody else has the directory, and the file is on a local file system.
        let env = unsafe { options.flags(flags).open(directory)? };
        let created = env.create_databases_and_commit(env.write_txn()?, |opener, tx| -> heed::Result<_> {
            Ok(CommitOrAbort::<_, ()>::Commit(opener.create_database::<Bytes, Bytes>(tx, None)?))
        })?;
        Ok(Self { database: created.unwrap_commit(), env })
    }

    fn load(&self, data: &Data) -> Result {
        self.write(|database, tx| {
            for index in data.sorted() {
                database.put_with_flags(tx, PutFlags::APPEND, data.key(index), &data.value(index))?;
            }
            Ok(())
        })
    }

    fn session(&self) -> Result<&Self> {
        Ok(self)
    }

    fn close(self) -> Result {
        self.env.force_sync()?;
        self.env.prepare_for_closing().wait();
        Ok(())
    }
}

impl<const WRITES_MAP: bool> Lmdb<WRITES_MAP> {
    fn write(&self, change: impl FnOnce(&Database<'static, Bytes, Bytes>, &mut RwTxn) -> Result) -> Result {
        let mut tx = self.env.write_txn()?;
        change(&self.database, &mut tx)?;
        Ok(tx.commit()?)
    }
}

impl<const WRITES_MAP: bool> Session for &Lmdb<WRITES_MAP> {
    type Reader<'a>
        = View<'a>
    where
        Self: 'a;

    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        self.reader()?.get(key, see)
    }

    fn reader(&mut self) -> Result<View<'_>> {
        Ok(View { tx: self.env.read_txn()?, database: &self.database })
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result {
        self.write(|database, tx| Ok(database.put(tx, key, value)?))
    }

    fn update(&mut self, key: &[u8], change: impl Fn(&mut [u8])) -> Result<u64> {
        self.write(|database, tx| {
            let mut value = database.get(tx, key)?.ok_or_else(missing)?.to_vec();
            change(&mut value);
            Ok(database.put(tx, key, &value)?)
        })?;
        Ok(0)
    }

    fn remove(&mut self, key: &[u8]) -> Result {
        self.write(|database, tx| {
            database.delete(tx, key)?;
            Ok(())
        })
    }
}

pub(crate) struct View<'a> {
    tx: RoTxn<'a, WithTls>,
    database: &'a Database<'static, Bytes, Bytes>,
}

impl Reader for View<'_> {
    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(self.database.get(&self.tx, key)?.map(see))
    }

    fn scan(&mut self, from: &[u8], skip: usize, limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let mut seen = 0;
        for entry in self.database.range(&self.tx, &(Included(from), Unbounded))?.skip(skip).take(limit) {
            let (key, value) = entry?;
            see(key, value);
            seen += 1;
        }
        Ok(seen)
    }

    fn scan_back(&mut self, below: &[u8], limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let mut seen = 0;
        for entry in self.database.rev_range(&self.tx, &(Unbounded, Excluded(below)))?.take(limit) {
            let (key, value) = entry?;
            see(key, value);
            seen += 1;
        }
        Ok(seen)
    }

    fn count(&mut self, from: &[u8]) -> Result<usize> {
        let mut count = 0;
        for entry in self.database.range(&self.tx, &(Included(from), Unbounded))? {
            entry?;
            count += 1;
        }
        Ok(count)
    }
}
