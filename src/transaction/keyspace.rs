//! A keyspace within a transaction.

use std::sync::Arc;

use super::Transaction;
use crate::Result;
use crate::engine::catalog::KeyspaceState;
use crate::source::{HasSource, Source};
use crate::writable::{HasTarget, Target};

/// A keyspace within a transaction, to read from. See [`Transaction::keyspace`].
///
/// # Examples
///
/// ```
/// # use selkie::{Database, Readable};
/// # let db = Database::in_memory();
/// let users = db.keyspace("users")?;
/// let tx = db.begin_write()?;
/// assert_eq!(tx.keyspace(&users).count_range::<&str>(..)?, 0);
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug)]
pub struct KeyspaceTransaction<'a> {
    transaction: &'a Transaction,
    keyspace: Result<Arc<KeyspaceState>>,
}

/// A keyspace within a transaction, to read and write. See [`Transaction::keyspace_mut`].
///
/// # Examples
///
/// ```
/// # use selkie::{Database, Readable, Writable};
/// # let db = Database::in_memory();
/// let users = db.keyspace("users")?;
/// let mut tx = db.begin_write()?;
/// let mut in_users = tx.keyspace_mut(&users);
/// in_users.insert("ada", "1815")?;
/// assert!(in_users.contains_key("ada")? && !tx.contains_key("ada")?);
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug)]
pub struct KeyspaceTransactionMut<'a> {
    transaction: &'a mut Transaction,
    keyspace: Result<Arc<KeyspaceState>>,
}

impl<'a> KeyspaceTransaction<'a> {
    pub(super) fn new(transaction: &'a Transaction, keyspace: Result<Arc<KeyspaceState>>) -> Self {
        Self { transaction, keyspace }
    }
}

impl<'a> KeyspaceTransactionMut<'a> {
    pub(super) fn new(transaction: &'a mut Transaction, keyspace: Result<Arc<KeyspaceState>>) -> Self {
        Self { transaction, keyspace }
    }
}

impl HasSource for KeyspaceTransaction<'_> {
    fn source(&self) -> Result<Source<'_>> {
        self.transaction.source_of(self.keyspace.as_ref().map_err(Clone::clone)?)
    }
}

impl HasSource for KeyspaceTransactionMut<'_> {
    fn source(&self) -> Result<Source<'_>> {
        self.transaction.source_of(self.keyspace.as_ref().map_err(Clone::clone)?)
    }
}

impl HasTarget for KeyspaceTransactionMut<'_> {
    fn target(&mut self) -> Result<Target<'_>> {
        Ok(Target { transaction: self.transaction, keyspace: self.keyspace.clone()? })
    }
}

impl HasTarget for Transaction {
    fn target(&mut self) -> Result<Target<'_>> {
        let keyspace = Arc::clone(&self.handle.default_keyspace);
        Ok(Target { transaction: self, keyspace })
    }
}

impl Target<'_> {
    pub(crate) fn write(self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        self.transaction.write(&self.keyspace, key, value)
    }

    pub(crate) fn note_for_update(&self, key: &[u8]) {
        self.transaction.note_for_update(&self.keyspace, key);
    }
}
