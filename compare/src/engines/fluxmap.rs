//! fluxmap: a skip list in memory with an asynchronous interface for writes, and a ring of log files if asked for.
//!
//! Its keys have to be strings, so they are written as hexadecimal digits, which order like the bytes. It has no limit
//! for ranges: a scan of some entries is a stream that is dropped when it has given so many, the way it documents.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fluxmap::db::{Database as FluxDatabase, Handle};
use fluxmap::error::FluxError;
use fluxmap::persistence::PersistenceOptions;
use futures::executor::block_on;
use futures::{StreamExt, pin_mut};

use super::{Engine, Mode, Reader, Session, back_off, missing};
use crate::data::Data;
use crate::failure::{Failure, Result};

type Database = FluxDatabase<String, Vec<u8>>;
/// Small enough for a segment of its log, beyond which a commit never ends.
const BATCH: usize = 1_000;
/// The greatest key in hexadecimal digits.
const LAST: [u8; 16] = [0xff; 16];

pub(crate) struct FluxMap(Arc<Database>);

impl Engine for FluxMap {
    type Session<'a> = Handle<'a, String, Vec<u8>>;

    fn open(directory: &Path, mode: Mode) -> Result<Self> {
        let mut files = PersistenceOptions::new(directory.to_owned());
        files.wal_segment_size_bytes = 16 << 20;
        let database = match mode {
            Mode::Memory => block_on(Database::builder().build())?,
            Mode::Log => {
                let builder = Database::builder().durability_relaxed(files).flush_interval(Duration::from_secs(1));
                block_on(builder.build())?
            }
            Mode::Synced => block_on(Database::builder().durability_full(files).build())?,
        };
        Ok(Self(Arc::new(database)))
    }

    fn load(&self, data: &Data) -> Result {
        let mut handle = self.0.handle();
        for batch in data.sorted().chunks(BATCH) {
            handle.begin()?;
            for &index in batch {
                block_on(handle.insert(digits(data.key(index)), data.value(index).to_vec()))?;
            }
            block_on(handle.commit())?;
        }
        Ok(())
    }

    fn session(&self) -> Result<Self::Session<'_>> {
        Ok(self.0.handle())
    }

    fn close(self) -> Result {
        Ok(())
    }
}

fn digits(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn bytes(digits: &str) -> [u8; 16] {
    u128::from_str_radix(digits, 16).unwrap_or_default().to_be_bytes()
}

/// Writes of one key conflict as well.
fn retried(mut write: impl FnMut() -> std::result::Result<(), FluxError>) -> Result {
    for conflicts in 0.. {
        match write() {
            Err(FluxError::SerializationConflict) => back_off(conflicts),
            result => return Ok(result?),
        }
    }
    Err(missing())
}

impl<'db> Session for Handle<'db, String, Vec<u8>> {
    type Reader<'a>
        = Transaction<'a, 'db>
    where
        Self: 'a;

    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(Handle::get(self, &digits(key))?.map(|value| see(&value)))
    }

    fn reader(&mut self) -> Result<Transaction<'_, 'db>> {
        self.begin()?;
        Ok(Transaction(self))
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result {
        retried(|| block_on(self.insert(digits(key), value.to_vec())))
    }

    fn update(&mut self, key: &[u8], change: impl Fn(&mut [u8])) -> Result<u64> {
        let key = digits(key);
        for conflicts in 0.. {
            self.begin()?;
            let Some(found) = Handle::get(self, &key)? else {
                self.rollback()?;
                return Err(missing());
            };
            let mut value = found.as_ref().clone();
            change(&mut value);
            block_on(self.insert(key.clone(), value))?;
            match block_on(self.commit()) {
                Ok(()) => return Ok(conflicts),
                Err(FluxError::SerializationConflict) => back_off(conflicts),
                Err(error) => return Err(error.into()),
            }
        }
        Err(missing())
    }

    fn remove(&mut self, key: &[u8]) -> Result {
        retried(|| block_on(Handle::remove(self, &digits(key))).map(drop))
    }
}

/// An explicit transaction of a handle, which is given back when it ends.
pub(crate) struct Transaction<'a, 'db>(&'a mut Handle<'db, String, Vec<u8>>);

impl Drop for Transaction<'_, '_> {
    fn drop(&mut self) {
        // It has written nothing: without a transaction that is active, there is nothing to give back either.
        drop(self.0.rollback());
    }
}

impl Reader for Transaction<'_, '_> {
    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(Handle::get(self.0, &digits(key))?.map(|value| see(&value)))
    }

    fn scan(&mut self, from: &[u8], skip: usize, limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let (start, end) = (digits(from), digits(&LAST));
        block_on(async {
            let entries = self.0.range_stream(&start, &end).skip(skip).take(limit);
            pin_mut!(entries);
            let mut seen = 0;
            while let Some(entry) = entries.next().await {
                let (key, value) = entry?;
                see(&bytes(&key), &value);
                seen += 1;
            }
            Ok(seen)
        })
    }

    fn scan_back(&mut self, _: &[u8], _: usize, _: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        Err(Failure::Unsupported("it has no reverse scans"))
    }

    fn count(&mut self, from: &[u8]) -> Result<usize> {
        let (start, end) = (digits(from), digits(&LAST));
        Ok(block_on(self.0.range_stream(&start, &end).count()))
    }
}
