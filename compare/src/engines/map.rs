//! A map of the standard library under one lock, with or without a file behind it: no engine, but a measure for one.
//!
//! It has no transactions, no versions and no readers beside a writer, and never reads its file. What one thread takes
//! with it to find an entry in memory, to make another and to write that to a file, an engine takes as well.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{BATCH, Engine, Mode, Reader, Session, missing};
use crate::data::{Data, KEY, Key, VALUE};
use crate::failure::{Failure, Result};

type Entries = BTreeMap<Key, Box<[u8]>>;

pub(crate) struct Map {
    state: RwLock<State>,
}

pub(crate) struct State {
    entries: Entries,
    /// And whether each write is synced.
    file: Option<(File, bool)>,
}

impl State {
    /// Hands bytes to the file, if there is one.
    fn write(&mut self, bytes: &[u8]) -> Result {
        if let Some((file, is_synced)) = &mut self.file {
            file.write_all(bytes)?;
            if *is_synced {
                file.sync_data()?;
            }
        }
        Ok(())
    }

    fn put(&mut self, key: Key, value: Box<[u8]>) -> Result {
        if self.file.is_some() {
            self.write(&[&key[..], &value].concat())?;
        }
        self.entries.insert(key, value);
        Ok(())
    }
}

impl Map {
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for Map {
    type Session<'a> = &'a Map;

    fn open(directory: &Path, mode: Mode) -> Result<Self> {
        let path = directory.join("entries");
        if path.exists() {
            return Err(Failure::Unsupported("it never reads its file"));
        }
        let file = if mode == Mode::Memory { None } else { Some((File::create(path)?, mode == Mode::Synced)) };
        Ok(Self { state: RwLock::new(State { entries: Entries::new(), file }) })
    }

    fn load(&self, data: &Data) -> Result {
        let mut state = self.write();
        let mut batch = Vec::with_capacity(BATCH * (KEY + VALUE));
        for indices in data.sorted().chunks(BATCH) {
            batch.clear();
            for &index in indices {
                let value = data.value(index);
                if state.file.is_some() {
                    batch.extend_from_slice(data.key(index));
                    batch.extend_from_slice(&value);
                }
                state.entries.insert(*data.key(index), Box::from(value));
            }
            state.write(&batch)?;
        }
        Ok(())
    }

    fn session(&self) -> Result<&Map> {
        Ok(self)
    }

    fn close(self) -> Result {
        Ok(())
    }
}

/// The keys of this comparison are of one length, and a map is fastest with arrays.
fn typed(key: &[u8]) -> Result<&Key> {
    Ok(key.try_into()?)
}

impl Session for &Map {
    type Reader<'a>
        = RwLockReadGuard<'a, State>
    where
        Self: 'a;

    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(self.read().entries.get(typed(key)?).map(|value| see(value)))
    }

    fn reader(&mut self) -> Result<RwLockReadGuard<'_, State>> {
        Ok(self.read())
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result {
        self.write().put(*typed(key)?, Box::from(value))
    }

    fn update(&mut self, key: &[u8], change: impl Fn(&mut [u8])) -> Result<u64> {
        let key = typed(key)?;
        let mut state = self.write();
        let mut value = state.entries.get(key).ok_or_else(missing)?.clone();
        change(&mut value);
        state.put(*key, value)?;
        Ok(0)
    }

    fn remove(&mut self, key: &[u8]) -> Result {
        let mut state = self.write();
        if state.entries.remove(typed(key)?).is_some() && state.file.is_some() {
            state.write(key)?;
        }
        Ok(())
    }
}

impl Reader for RwLockReadGuard<'_, State> {
    fn get<R>(&mut self, key: &[u8], see: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        Ok(self.entries.get(typed(key)?).map(|value| see(value)))
    }

    fn scan(&mut self, from: &[u8], skip: usize, limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let range = self.entries.range::<Key, _>((Included(typed(from)?), Unbounded));
        Ok(range.skip(skip).take(limit).map(|(key, value)| see(key, value)).count())
    }

    fn scan_back(&mut self, below: &[u8], limit: usize, mut see: impl FnMut(&[u8], &[u8])) -> Result<usize> {
        let range = self.entries.range::<Key, _>((Unbounded, Excluded(typed(below)?)));
        Ok(range.rev().take(limit).map(|(key, value)| see(key, value)).count())
    }

    fn count(&mut self, from: &[u8]) -> Result<usize> {
        Ok(self.entries.range::<Key, _>((Included(typed(from)?), Unbounded)).count())
    }
}
