//! Reading and writing single keys.

use std::io::Write;

use selkie::{Readable, Writable};

use crate::arguments::{Get, Remove, Set};
use crate::failure::Result;
use crate::output::with_output;
use crate::{database, record};

pub(crate) fn get(arguments: &Get) -> Result<bool> {
    let key = record::argument(&arguments.key, arguments.base64)?;
    let Some(value) = database::read(&arguments.source, |view| Ok(view.get(key)?))? else { return Ok(false) };
    with_output(|output| {
        output.write_all(&value)?;
        if !arguments.raw {
            output.write_all(b"\n")?;
        }
        Ok(true)
    })
}

pub(crate) fn set(arguments: &Set) -> Result<bool> {
    let key = record::argument(&arguments.key, arguments.base64)?;
    let value = record::argument(&arguments.value, arguments.base64)?;
    let (db, keyspace) = database::open_or_create(&arguments.target)?;
    keyspace.insert(key, value)?;
    db.close()?;
    Ok(true)
}

pub(crate) fn remove(arguments: &Remove) -> Result<bool> {
    let key = record::argument(&arguments.key, arguments.base64)?;
    let db = database::open_existing(&arguments.database)?;
    let keyspace = database::existing_keyspace(&db, &arguments.keyspace)?;
    let found = db.update(|tx| {
        let mut tx = tx.keyspace_mut(&keyspace);
        let found = tx.contains_key(&key)?;
        if found {
            tx.remove(&key)?;
        }
        Ok(found)
    })?;
    db.close()?;
    Ok(found)
}
