//! A keyspace handle: single operations that commit by themselves.

use std::ops::RangeBounds;
use std::sync::Arc;

use bytes::Bytes;

#[cfg(doc)]
use crate::ErrorKind;
use crate::engine::catalog::KeyspaceState;
use crate::handle::Handle;
use crate::index::{Lent, ReadPoint, Record, Slot};
use crate::options::{Durability, Limits};
use crate::runtime::block_on;
use crate::source::to_bounds;
use crate::transaction::{Applied, CommitInfo, check_limit};
use crate::watch::Watch;
use crate::{Error, Result};

/// A named part of a database with keys of its own.
///
/// Its methods are transactions of one operation each. Several operations, and several keyspaces, go together in
/// a [`Transaction`](crate::Transaction).
///
/// # Examples
///
/// ```
/// use selkie::Database;
///
/// # fn main() -> selkie::Result<()> {
/// let db = Database::in_memory();
/// let users = db.keyspace("users")?;
/// users.insert("ada", "1815")?;
/// assert_eq!(users.get("ada")?.unwrap(), "1815");
/// assert_eq!(db.get("ada")?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Keyspace {
    handle: Arc<Handle>,
    state: Arc<KeyspaceState>,
}

impl Keyspace {
    pub(crate) fn new(handle: Arc<Handle>, state: Arc<KeyspaceState>) -> Self {
        Self { handle, state }
    }

    pub(crate) fn handle(&self) -> &Arc<Handle> {
        &self.handle
    }

    pub(crate) fn state(&self) -> &Arc<KeyspaceState> {
        &self.state
    }

    /// The keyspace, for a transaction or a view of this database.
    pub(crate) fn state_in(&self, handle: &Arc<Handle>) -> Result<Arc<KeyspaceState>> {
        if !Arc::ptr_eq(&self.handle, handle) {
            return Err(Error::invalid(format!("keyspace `{}` belongs to another database", self.name())));
        }
        Ok(Arc::clone(&self.state))
    }

    /// The name.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let users = db.keyspace("users")?;
    /// assert_eq!(users.name(), "users");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn name(&self) -> &str {
        &self.state.name
    }

    /// The value of a key.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let users = db.keyspace("users")?;
    /// assert_eq!(users.get("ada")?, None);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`], and [`ErrorKind::KeyspaceNotFound`] after it was dropped.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Bytes>> {
        read(&self.handle, &self.state, key.as_ref(), Record::to_bytes)
    }

    /// Calls `reader` with the value of a key, without copying it.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let users = db.keyspace("users")?;
    /// users.insert("ada", "1815")?;
    /// assert_eq!(users.get_with("ada", |value| value.len())?, Some(4));
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub fn get_with<R>(&self, key: impl AsRef<[u8]>, reader: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        read_with(&self.handle, &self.state, key.as_ref(), reader)
    }

    /// Whether a key has a value.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let users = db.keyspace("users")?;
    /// assert!(!users.contains_key("ada")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub fn contains_key(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        Ok(read(&self.handle, &self.state, key.as_ref(), |_| ())?.is_some())
    }

    /// Sets the value of a key.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let users = db.keyspace("users")?;
    /// users.insert("ada", "1815")?;
    /// assert!(users.contains_key("ada")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Transaction::commit`](crate::Transaction::commit), except that it never conflicts.
    pub fn insert(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<CommitInfo> {
        write(&self.handle, &self.state, key.as_ref(), Some(value.as_ref()))
    }

    /// Removes a key. Removing a key that is not there is no error.
    ///
    /// ```
    /// # let db = selkie::Database::in_memory();
    /// let users = db.keyspace("users")?;
    /// users.insert("ada", "1815")?;
    /// users.remove("ada")?;
    /// assert!(!users.contains_key("ada")?);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`insert`](Self::insert).
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Result<CommitInfo> {
        write(&self.handle, &self.state, key.as_ref(), None)
    }

    /// Watches the changes of this keyspace within a range, from now on.
    ///
    /// ```
    /// let db = selkie::Database::in_memory();
    /// let users = db.keyspace("users")?;
    /// let mut watch = users.watch("a".."b")?;
    /// users.insert("ada", "1815")?;
    /// assert_eq!(watch.try_next()?.unwrap().changes[0].key, "ada");
    /// # Ok::<(), selkie::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn watch<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Result<Watch> {
        block_on(Watch::new(&self.handle, Arc::clone(&self.state), to_bounds(&range)))
    }
}

/// Reads what is published. It needs no place among the readers: it looks again where it was overtaken.
#[inline]
pub(crate) fn read<R>(
    handle: &Handle,
    keyspace: &Arc<KeyspaceState>,
    key: &[u8],
    mut reader: impl FnMut(&Record) -> R,
) -> Result<Option<R>> {
    handle.check_open()?;
    loop {
        let point = ReadPoint::version(handle.progress.published());
        keyspace.check(point)?;
        let found = keyspace.index.read(key, point, |record| {
            let Some(record) = record else { return Some(None) };
            match record.slot() {
                Slot::Value(_) => Some(Some(reader(record))),
                Slot::Tombstone => Some(None),
                Slot::Collected => None,
            }
        });
        if let Some(found) = found {
            return Ok(found);
        }
    }
}

/// Reads what is published with the caller's code, which runs without any lock.
#[inline]
pub(crate) fn read_with<R>(
    handle: &Handle,
    keyspace: &Arc<KeyspaceState>,
    key: &[u8],
    reader: impl FnOnce(&[u8]) -> R,
) -> Result<Option<R>> {
    let mut lent = Lent::nothing();
    let found = read(handle, keyspace, key, |record| lent.take(record))?;
    Ok(found.map(|()| reader(lent.bytes())))
}

/// Commits one change.
pub(crate) fn write(
    handle: &Arc<Handle>,
    keyspace: &Arc<KeyspaceState>,
    key: &[u8],
    value: Option<&[u8]>,
) -> Result<CommitInfo> {
    begin_write(handle, keyspace, key, value, handle.options.durability)?.finish()
}

/// Commits one change, and waits for nothing.
pub(crate) fn begin_write(
    handle: &Arc<Handle>,
    keyspace: &Arc<KeyspaceState>,
    key: &[u8],
    value: Option<&[u8]>,
    durability: Durability,
) -> Result<Applied> {
    check_limit("key bytes", Limits::KEY_BYTES, key.len() as u64)?;
    check_limit("value bytes", Limits::VALUE_BYTES, value.map_or(0, |value| value.len() as u64))?;
    let limit = handle.options.limits.transaction_bytes;
    check_limit("bytes in one transaction", limit, (key.len() + value.map_or(0, <[u8]>::len)) as u64)?;
    let mut changes = [(Arc::clone(keyspace), Record::pending(key, value))];
    let ticket = handle.commit(&mut changes[..], None, durability)?;
    Ok(Applied::new(Arc::clone(handle), ticket))
}

impl PartialEq for Keyspace {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }
}

impl Eq for Keyspace {}
