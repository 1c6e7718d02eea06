//! The questions that the demonstration asks of its data.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use bytes::Bytes;
use selkie::{Database, KeyVersion, Keyspace, Readable, Writable};

use super::DATA;
use super::table::row;
use crate::failure::Result;
use crate::output::{grouped, span};

const POINT_READS: usize = 200_000;

/// Asks them all, and says how many entries there are.
pub(crate) fn run(db: &Database) -> Result<usize> {
    let keyspace = db.keyspace(DATA)?;
    let view = db.begin_read()?;
    let data = view.keyspace(&keyspace);
    let keys = data.keys::<&[u8]>(..).collect::<selkie::Result<Vec<_>>>()?;
    point(&keyspace, &keys)?;
    scan(&data)?;
    count(&data)?;
    let middle = &keys[keys.len() / 2];
    prefix(&data, middle)?;
    range(&data, &keys[keys.len() / 4], middle)?;
    reverse(&data, middle)?;
    history(db, &keyspace, middle)?;
    Ok(keys.len())
}

fn point(keyspace: &Keyspace, keys: &[Bytes]) -> Result<()> {
    let started = Instant::now();
    let mut found = 0;
    // A stride by a prime visits the keys in no order of theirs.
    for read in 0..POINT_READS {
        let key = &keys[read * 7919 % keys.len()];
        found += usize::from(keyspace.get_with(key, |value| !value.is_empty())?.is_some());
    }
    if found < POINT_READS {
        return Err(format!("{} of {POINT_READS} keys were not found", POINT_READS - found).into());
    }
    let elapsed = started.elapsed();
    let each = span(elapsed / POINT_READS as u32);
    row("point", format!("{} keys read at random, {each} each", grouped(POINT_READS as u64)), elapsed);
    Ok(())
}

fn scan(data: &impl Readable) -> Result<()> {
    let started = Instant::now();
    let (mut entries, mut bytes) = (0_u32, 0);
    data.scan::<&[u8]>(.., |key, value| {
        entries += 1;
        bytes += key.len() + value.len();
        ControlFlow::Continue(())
    })?;
    let elapsed = started.elapsed();
    let each = span(elapsed / entries.max(1));
    row("scan", format!("{} entries in order, {each} each", grouped(entries.into())), elapsed);
    Ok(())
}

fn count(data: &impl Readable) -> Result<()> {
    let (count, elapsed) = timed(|| data.count_range::<&[u8]>(..))?;
    row("count", format!("{} entries", grouped(count as u64)), elapsed);
    Ok(())
}

/// What comes before the first slash, with it; else the first byte.
fn group(key: &[u8]) -> &[u8] {
    let end = key.iter().position(|byte| *byte == b'/').map_or(1, |slash| slash + 1);
    &key[..end.min(key.len())]
}

fn prefix(data: &impl Readable, key: &[u8]) -> Result<()> {
    let prefix = group(key);
    let (entries, elapsed) = timed(|| data.prefix(prefix).collect::<selkie::Result<Vec<_>>>())?;
    row("prefix", format!("{} entries begin with `{}`", grouped(entries.len() as u64), text(prefix)), elapsed);
    Ok(())
}

fn range(data: &impl Readable, from: &[u8], to: &[u8]) -> Result<()> {
    let (from, to) = (group(from), group(to));
    let (entries, elapsed) = timed(|| data.range(from..to).collect::<selkie::Result<Vec<_>>>())?;
    let result = format!("{} entries from `{}` to before `{}`", grouped(entries.len() as u64), text(from), text(to));
    row("range", result, elapsed);
    Ok(())
}

fn reverse(data: &impl Readable, key: &[u8]) -> Result<()> {
    let prefix = group(key);
    let (last, elapsed) = timed(|| data.prefix(prefix).rev().take(3).collect::<selkie::Result<Vec<_>>>())?;
    let keys: Vec<_> = last.iter().map(|(key, _)| text(key)).collect();
    row("reverse", format!("last of them: {}", keys.join(", ")), elapsed);
    Ok(())
}

/// Changes and removes an entry, and reads it as it was.
fn history(db: &Database, keyspace: &Keyspace, key: &[u8]) -> Result<()> {
    let before = db.version();
    let original = keyspace.get(key)?;
    keyspace.insert(key, "changed")?;
    keyspace.remove(key)?;
    let (past, elapsed) = timed(|| db.at(before)?.keyspace(keyspace).get(key))?;
    if past != original || keyspace.get(key)?.is_some() {
        return Err(format!("`{}` as of version {before} is not what it was", text(key)).into());
    }
    row("as of", format!("`{}` as of version {before}, since changed and removed", text(key)), elapsed);
    let (versions, elapsed) = timed(|| db.begin_read()?.keyspace(keyspace).history(key))?;
    let versions: Vec<_> = versions.iter().map(describe).collect();
    row("history", format!("its versions: {}", versions.join(", ")), elapsed);
    db.update(|tx| tx.keyspace_mut(keyspace).insert(key, original.as_deref().unwrap_or_default()))?;
    Ok(())
}

fn describe(version: &KeyVersion) -> String {
    let event = if version.value.is_some() { "set" } else { "removed" };
    format!("{event} in {}", version.version)
}

fn timed<T>(action: impl FnOnce() -> selkie::Result<T>) -> Result<(T, Duration)> {
    let started = Instant::now();
    let value = action()?;
    Ok((value, started.elapsed()))
}

fn text(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}
