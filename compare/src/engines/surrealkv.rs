//! surrealkv: a log-structured merge tree whose commits are asynchronous.

use std::path::Path;

use surrealkv::{Durability, Error, LSMIterator, Mode as Access, Transaction, Tree, TreeBuilder};
use tokio::runtime::{Builder, Runtime};

use super::{BATCH, Engine, Mode, Reader, Session, back_off, missing};
use crate::data::Data;
use crate::failure::{Failure, Result};

/// What all engines with a cache get for it.
const CACHE: u64 = 1 << 30;

pub(crate) struct SurrealKv {
    tree: Tree,
    durability: Durability,
    runtime: Runtime,
}

impl Engine for SurrealKv {
    type Session<'a> = &'a SurrealKv;

    fn open(directory: &Path, mode: Mode) -> Result<Self> {
        let durability = match mode {
            Mode::Memory => return Err(Failure::Unsupported("it keeps its data in files")),
            Mode::Log => Durability::Eventual,
            Mode::Synced => Durability::Immediate,
        };
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        let builder = TreeBuilder::new().with_path(directory.to_owned()).with_block_cache_capacity(CACHE);
        let tree = runtime.block_on(builder.build_async())?;
        Ok(Self { tree, durability, runtime })
    }

    fn load(&self, data: &Data) -> Result {
        for batch in data.sorted().chunks(BATCH) {
            let mut tx = self.tree.begin_with_mode(Access::WriteOnly)?.with_durability(self.durability);
            for &index in batch {
                tx.set(data.key(index), &data.value(index))?;
            }
            self.runtime.block_on(tx.commit())?;
        }
        Ok(())
    }

    fn session(&self) -> Result<&SurrealKv> {
        Ok(self)
    }

    fn close(self) -> Result {
        Ok(self.runtime.block_on(self.tree.close())?)
    }
}

impl SurrealKv {
    /// Runs a transaction until it commits, and returns the number of conflicts: writes that read nothing have them too.
    fn write(&self, access: Access, change: impl Fn(&mut Transaction) -> Result) -> Result<u64> {
        for conflicts in 0.. {
            let mut tx = self.tree.begin_with_mode(access)?.with_durability(self.durability);
            change(&mut tx)?;
            match self.runtime.block_on(tx.commit()) {
                Ok(()) => return Ok(conflicts),
                Err(Error::TransactionWriteConflict) => back_off(conflicts),
                Err(error) => return Err(error.into()),
            }
        }
        Err(missing())
    }
}

impl Session for &SurrealKv {
    type Reader<'a>
        = Transaction
    where
        Self: 'a;

    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(self.reader()?.get(key)?.map(|value| see(&value)))
    }

    fn reader(&mut self) -> Result<Transaction> {
        Ok(self.tree.begin_with_mode(Access::ReadOnly)?)
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result {
        self.write(Access::WriteOnly, |tx| Ok(tx.set(key, value)?)).map(drop)
    }

    fn update(&mut self, key: &[u8], change: impl Fn(&mut [u8])) -> Result<u64> {
        self.write(Access::ReadWrite, |tx| {
            let mut value = tx.get_for_update(key)?.ok_or_else(missing)?;
            change(&mut value);
            Ok(tx.set(key, &value)?)
        })
    }

    fn remove(&mut self, key: &[u8]) -> Result {
        self.write(Access::WriteOnly, |tx| Ok(tx.delete(key)?)).map(drop)
    }
}

impl Reader for Transaction {
    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(Transaction::get(self, key)?.map(|value| see(&value)))
    }

    fn scan(&mut self, from: &[u8], skip: usize, limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let mut entries = Transaction::scan(self, from..)?;
        let mut there = entries.seek_first()?;
        for _ in 0..skip {
            there = there && entries.next()?;
        }
        let mut seen = 0;
        while there && seen < limit {
            see(entries.key().user_key(), &entries.value_ref()?);
            seen += 1;
            there = entries.next()?;
        }
        Ok(seen)
    }

    fn scan_back(&mut self, below: &[u8], limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let mut entries = Transaction::scan(self, ..below)?;
        let mut there = entries.seek_last()?;
        let mut seen = 0;
        while there && seen < limit {
            see(entries.key().user_key(), &entries.value_ref()?);
            seen += 1;
            there = entries.prev()?;
        }
        Ok(seen)
    }

    fn count(&mut self, from: &[u8]) -> Result<usize> {
        let mut entries = Transaction::scan(self, from..)?;
        let mut there = entries.seek_first()?;
        let mut count = 0;
        while there {
            count += 1;
            there = entries.next()?;
        }
        Ok(count)
    }
}
