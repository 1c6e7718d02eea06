//! Writing: commits of one change or many, and transactions.

use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::database::CoreDatabase;
use super::error::{answer, thrown};
use super::memory::{Parts, with_input};
use super::ranges;
use super::reader::{CoreReader, FAILED, Place, ended};
use crate::index::as_ref;
use crate::keyspace::begin_write;
use crate::options::TransactionOptions;
use crate::transaction::{Applied, Savepoint, Transaction};
use crate::{Error, Result, Writable};

/// A place in a transaction to go back to.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CoreSavepoint(Savepoint);

/// The answer of a commit that failed; others are versions.
const FAILED_COMMIT: f64 = -1.0;

/// Lets the log write what was committed: once the caller's turn of the event loop is over, or sooner if it is much.
fn submitted(applied: Result<Applied>) -> f64 {
    let version = applied.map(|applied| {
        applied.demand();
        applied.version() as f64
    });
    answer(version, FAILED_COMMIT)
}

#[wasm_bindgen]
impl CoreDatabase {
    /// Commits one change: the key and the value that stand in the input, or a removal where `value_bytes` is negative.
    pub fn write(&self, keyspace: u32, key_bytes: u32, value_bytes: f64, durability: u32) -> f64 {
        let handle = self.shared.handle();
        let committed = with_input(|input| {
            let (key, rest) = input.split_at(key_bytes as usize);
            let value = (value_bytes >= 0.0).then(|| &rest[..value_bytes as usize]);
            let durability = self.shared.durability(durability)?.unwrap_or(handle.options.durability);
            self.shared
                .with_keyspace(keyspace, |keyspace| begin_write(handle, keyspace.state(), key, value, durability))
        });
        submitted(committed)
    }

    /// Commits changes together. The input has a key and a value of each, or a key and nothing (see `Parts`).
    pub fn write_many(&self, keyspace: u32, count: u32, durability: u32) -> f64 {
        let committed = (|| {
            let options = self.transaction_options(durability, false)?.write_only();
            let mut transaction = self.shared.database.begin_with(options)?;
            let state = self.shared.with_keyspace(keyspace, |keyspace| keyspace.state_in(self.shared.handle()))?;
            with_input(|input| {
                let mut parts = Parts::new(input, count.saturating_mul(2))?;
                (0..count).try_for_each(|_| transaction.write(&state, parts.next_present()?, parts.next()?))
            })?;
            transaction.begin_commit()
        })();
        submitted(committed)
    }

    /// Begins a transaction.
    pub fn begin(&self, durability: u32, snapshot_isolation: bool) -> std::result::Result<CoreReader, JsValue> {
        let options = self.transaction_options(durability, snapshot_isolation).map_err(thrown)?;
        let transaction = self.shared.database.begin_with(options).map_err(thrown)?;
        Ok(CoreReader::new(&self.shared, Place::Transaction(Box::new(transaction))))
    }
}

impl CoreDatabase {
    fn transaction_options(&self, durability: u32, snapshot_isolation: bool) -> Result<TransactionOptions> {
        let mut options = TransactionOptions::new();
        if let Some(level) = self.shared.durability(durability)? {
            options = options.durability(level);
        }
        if snapshot_isolation {
            options = options.isolation(crate::Isolation::Snapshot);
        }
        Ok(options)
    }
}

impl CoreReader {
    fn with_transaction<R>(&self, action: impl FnOnce(&mut Transaction) -> Result<R>) -> Result<R> {
        match &mut *self.place.borrow_mut() {
            Place::Transaction(transaction) => action(transaction),
            Place::Ended => Err(ended()),
            Place::Newest | Place::View(_) => Err(Error::invalid("only a transaction can write")),
        }
    }
}

#[wasm_bindgen]
impl CoreReader {
    /// Commits a transaction. It is at its end then, also when the commit fails.
    pub fn commit(&self) -> f64 {
        let committed = match self.place.replace(Place::Ended) {
            Place::Transaction(transaction) => transaction.begin_commit(),
            other => {
                self.place.replace(other);
                Err(ended())
            }
        };
        submitted(committed)
    }

    /// Writes a key and a value, or a removal where `value_bytes` is negative, in a transaction. 0 when it went well.
    pub fn put(&self, keyspace: u32, key_bytes: u32, value_bytes: f64) -> u32 {
        let written = with_input(|input| {
            let (key, rest) = input.split_at(key_bytes as usize);
            let value = (value_bytes >= 0.0).then(|| &rest[..value_bytes as usize]);
            let state = self.shared.with_keyspace(keyspace, |keyspace| keyspace.state_in(self.shared.handle()))?;
            self.with_transaction(|transaction| transaction.write(&state, key, value))
        });
        answer(written.map(|()| 0), FAILED)
    }

    /// Reads a key like `get`, and has the commit fail if it changes meanwhile, at every isolation level.
    pub fn get_for_update(&self, keyspace: u32, key_bytes: u32) -> u32 {
        let noted = with_input(|input| {
            let state = self.shared.with_keyspace(keyspace, |keyspace| keyspace.state_in(self.shared.handle()))?;
            self.with_transaction(|transaction| {
                transaction.note_for_update(&state, &input[..key_bytes as usize]);
                Ok(())
            })
        });
        match noted {
            Ok(()) => self.get(keyspace, key_bytes),
            Err(error) => answer(Err(error), FAILED),
        }
    }

    /// Removes a range, and says how many keys that were.
    pub fn remove_range(
        &self,
        keyspace: u32,
        low: u32,
        low_bytes: u32,
        high: u32,
        high_bytes: u32,
    ) -> std::result::Result<f64, JsValue> {
        let (low, high) = with_input(|input| ranges::bounds(input, (low, low_bytes), (high, high_bytes)));
        let removed = self.shared.with_keyspace(keyspace, |keyspace| {
            self.with_transaction(|transaction| {
                transaction.keyspace_mut(keyspace).remove_range::<&[u8]>((as_ref(&low), as_ref(&high)))
            })
        });
        removed.map(|removed| removed as f64).map_err(thrown)
    }

    pub fn savepoint(&self) -> std::result::Result<CoreSavepoint, JsValue> {
        self.with_transaction(|transaction| Ok(CoreSavepoint(transaction.savepoint()))).map_err(thrown)
    }

    pub fn rollback_to(&self, savepoint: &CoreSavepoint) -> std::result::Result<(), JsValue> {
        self.with_transaction(|transaction| transaction.rollback_to(savepoint.0)).map_err(thrown)
    }

    pub fn release(&self, savepoint: &CoreSavepoint) -> std::result::Result<(), JsValue> {
        self.with_transaction(|transaction| transaction.release(savepoint.0)).map_err(thrown)
    }
}
