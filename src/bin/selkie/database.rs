//! Opening databases and their keyspaces.

use std::io;
use std::path::Path;

use selkie::{Database, Error, ErrorKind, Keyspace, KeyspaceView, Options};

use crate::arguments::{Source, Target};
use crate::failure::Result;

/// Calls `read` with what is asked for, in a database at rest that is not changed.
pub(crate) fn read<T>(source: &Source, read: impl FnOnce(&KeyspaceView<'_>) -> Result<T>) -> Result<T> {
    let db = open_read_only(&source.database)?;
    let keyspace = existing_keyspace(&db, &source.keyspace)?;
    let view = match source.at {
        Some(version) => db.at(version)?,
        None => db.begin_read()?,
    };
    read(&view.keyspace(&keyspace))
}

pub(crate) fn open_read_only(path: &Path) -> Result<Database> {
    check_exists(path)?;
    Ok(Options::new().read_only(true).open(path)?)
}

/// Opens a database to write to it, unless there is none.
pub(crate) fn open_existing(path: &Path) -> Result<Database> {
    check_exists(path)?;
    Ok(Database::open(path)?)
}

/// Opens a database and a keyspace to write to, or creates them.
pub(crate) fn open_or_create(target: &Target) -> Result<(Database, Keyspace)> {
    let options = match target.history {
        Some(retention) => Options::new().history(retention),
        None => Options::new(),
    };
    let db = options.open(&target.database)?;
    let keyspace = db.keyspace(&target.keyspace)?;
    Ok((db, keyspace))
}

pub(crate) fn existing_keyspace(db: &Database, name: &str) -> Result<Keyspace> {
    if db.keyspaces().iter().any(|existing| existing == name) {
        return Ok(db.keyspace(name)?);
    }
    Err(Error::new(ErrorKind::KeyspaceNotFound { name: name.into() }).into())
}

/// A mistyped path is to be an error, and not a new database or a new directory.
pub(crate) fn check_exists(path: &Path) -> Result<()> {
    let is_of_database = |name: &str| {
        let number = name.strip_suffix(".log").or(name.strip_suffix(".snapshot"));
        name == "database" || number.is_some_and(|number| number.len() == 16 && u64::from_str_radix(number, 16).is_ok())
    };
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!("no database at `{}`", path.display()),
        _ => format!("no database at `{}`: {error}", path.display()),
    };
    for entry in std::fs::read_dir(path).map_err(failed)? {
        if entry.map_err(failed)?.file_name().to_str().is_some_and(is_of_database) {
            return Ok(());
        }
    }
    Err(failed(io::ErrorKind::NotFound.into()).into())
}
