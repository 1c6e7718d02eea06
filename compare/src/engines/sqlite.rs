//! SQLite, through rusqlite: a table without row numbers, in a database with a write-ahead log.
//!
//! Each thread has a connection, as SQLite advises, and each statement is prepared once for a connection.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Engine, Mode, Reader, Session, missing};
use crate::data::Data;
use crate::failure::{Failure, Result};

/// In KiB, as the minus says: what all engines with a cache get, for one connection.
const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA cache_size = -1048576; PRAGMA mmap_size = 1073741824;";
const TABLE: &str = "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID";
const GET: &str = "SELECT value FROM entries WHERE key = ?1";
const PUT: &str = "INSERT INTO entries VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
const REMOVE: &str = "DELETE FROM entries WHERE key = ?1";
const SCAN: &str = "SELECT key, value FROM entries WHERE key >= ?1 ORDER BY key LIMIT ?3 OFFSET ?2";
const SCAN_BACK: &str = "SELECT key, value FROM entries WHERE key < ?1 ORDER BY key DESC LIMIT ?3 OFFSET ?2";
const COUNT: &str = "SELECT count(*) FROM entries WHERE key >= ?1";
/// Writers wait for each other instead of failing.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Sqlite {
    path: PathBuf,
    synchronous: &'static str,
    /// Keeps the database open while no thread uses it.
    first: std::sync::Mutex<Connection>,
}

impl Engine for Sqlite {
    type Session<'a> = Connection;

    fn open(directory: &Path, mode: Mode) -> Result<Self> {
        let synchronous = match mode {
            Mode::Memory => return Err(Failure::Unsupported("it keeps its data in a file")),
            Mode::Log => "PRAGMA synchronous = OFF",
            Mode::Synced => "PRAGMA synchronous = FULL",
        };
        let path = directory.join("entries.sqlite");
        let connection = connect(&path, synchronous)?;
        connection.execute(TABLE, ())?;
        Ok(Self { path, synchronous, first: connection.into() })
    }

    fn load(&self, data: &Data) -> Result {
        let mut connection = self.session()?;
        let tx = connection.transaction()?;
        {
            let mut insert = tx.prepare(PUT)?;
            for index in data.sorted() {
                insert.execute(params![data.key(index), data.value(index)])?;
            }
        }
        Ok(tx.commit()?)
    }

    fn session(&self) -> Result<Connection> {
        connect(&self.path, self.synchronous)
    }

    fn close(self) -> Result {
        let connection = self.first.into_inner().map_err(|_| "a thread panicked with the connection")?;
        connection.close().map_err(|(_, error)| error.into())
    }
}

fn connect(path: &Path, synchronous: &str) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.execute_batch(SETTINGS)?;
    connection.execute_batch(synchronous)?;
    Ok(connection)
}

fn read<R>(connection: &Connection, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
    let mut statement = connection.prepare_cached(GET)?;
    let value = statement.query_row([key], |row| Ok(see(row.get_ref(0)?.as_blob()?)));
    Ok(value.optional()?)
}

/// Runs one of the scans.
fn visit(
    mut scan: CachedStatement<'_>,
    key: &[u8],
    bounds: [usize; 2],
    mut see: impl FnMut(&[u8], &[u8]),
) -> Result<usize> {
    let [skip, limit] = bounds.map(|bound| i64::try_from(bound).unwrap_or(i64::MAX));
    let mut rows = scan.query(params![key, skip, limit])?;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        see(row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
        seen += 1;
    }
    Ok(seen)
}

impl Session for Connection {
    type Reader<'a> = Transaction<'a>;

    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        read(self, key, see)
    }

    fn reader(&mut self) -> Result<Transaction<'_>> {
        Ok(self.transaction()?)
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result {
        self.prepare_cached(PUT)?.execute(params![key, value])?;
        Ok(())
    }

    fn update(&mut self, key: &[u8], change: impl Fn(&mut [u8])) -> Result<u64> {
        let tx = self.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut value = read(&tx, key, <[u8]>::to_vec)?.ok_or_else(missing)?;
        change(&mut value);
        tx.prepare_cached(PUT)?.execute(params![key, value])?;
        tx.commit()?;
        Ok(0)
    }

    fn remove(&mut self, key: &[u8]) -> Result {
        self.prepare_cached(REMOVE)?.execute([key])?;
        Ok(())
    }
}

impl Reader for Transaction<'_> {
    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        read(self, key, see)
    }

    fn scan(&mut self, from: &[u8], skip: usize, limit: usize, see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        visit(self.prepare_cached(SCAN)?, from, [skip, limit], see)
    }

    fn scan_back(&mut self, below: &[u8], limit: usize, see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        visit(self.prepare_cached(SCAN_BACK)?, below, [0, limit], see)
    }

    fn count(&mut self, from: &[u8]) -> Result<usize> {
        let count: i64 = self.prepare_cached(COUNT)?.query_row([from], |row| row.get(0))?;
        Ok(usize::try_from(count)?)
    }
}
