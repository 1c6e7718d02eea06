//! The medium under a simulated storage: what the process sees, and what a loss of power would leave.
//!
//! A change reaches the medium for certain when its file is synced, a created or removed name when the directory is.
//! Until then it may have reached it or not, each for itself.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;

/// The files of a storage by name.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// What a call of the storage does to the medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// Only looks, or failed before anything was done.
    Nothing,
    Create,
    Write {
        offset: u64,
        data: Bytes,
    },
    Reserve(u64),
    Truncate(u64),
    Sync,
    /// Writes once more what can be read from an offset to another.
    Rewrite(u64, u64),
    /// The sync fails, and what it should have written is forgotten, although it can still be read.
    LoseUnsynced,
    SyncDirectory,
    /// The same of the directory.
    LoseNames,
    /// Enters the name of a file once more, so that the next sync of the directory writes it.
    Reenter,
    Remove,
}

/// A change to a file that may or may not have reached the medium.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Write { offset: usize, data: Bytes },
    Reserve(usize),
    Truncate(usize),
}

/// A name that was created with a file, or removed, and may or may not have reached the medium.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) file: Option<usize>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct File {
    /// What the process reads.
    current: Vec<u8>,
    /// Where the last write ended: only what comes after may be written.
    end: usize,
    pub(super) durable: Vec<u8>,
    pub(super) unsynced: Vec<Change>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Medium {
    /// Every file there ever was. Names point to them.
    pub(super) files: Vec<File>,
    names: BTreeMap<String, usize>,
    pub(super) durable_names: BTreeMap<String, usize>,
    pub(super) unsynced_names: Vec<Entry>,
}

impl Change {
    pub(super) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => put(bytes, *offset, data),
            Self::Reserve(length) => bytes.resize(bytes.len().max(*length), 0),
            Self::Truncate(length) => bytes.truncate(*length),
        }
    }
}

/// Writes into a file, which grows as far as it must: what was never written reads as zeros.
pub(super) fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    bytes.resize(bytes.len().max(end), 0);
    bytes[offset..end].copy_from_slice(data);
}

impl Entry {
    pub(super) fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self.file {
            Some(file) => drop(names.insert(self.name.clone(), file)),
            None => drop(names.remove(&self.name)),
        }
    }
}

impl File {
    fn durable(bytes: Vec<u8>) -> Self {
        // What a process before prepared ahead reads as zeros.
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Self { current: bytes.clone(), end, durable: bytes, unsynced: Vec::new() }
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.current);
        self.end = match &change {
            Change::Write { offset, data } => offset + data.len(),
            Change::Truncate(length) => self.end.min(*length),
            Change::Reserve(_) => self.end,
        };
        self.unsynced.push(change);
    }

    fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    fn check_write(&self, offset: u64) -> io::Result<()> {
        if offset < self.end as u64 || offset > self.current.len() as u64 {
            let message = format!("a write at {offset}, where writing ended at {}", self.end);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(())
    }
}

impl Medium {
    pub(super) fn new(files: Files) -> Self {
        let mut medium = Self::default();
        for (name, bytes) in files {
            medium.names.insert(name, medium.files.len());
            medium.files.push(File::durable(bytes));
        }
        medium.durable_names = medium.names.clone();
        medium
    }

    /// What the process sees.
    pub(super) fn current(&self) -> Files {
        self.names.iter().map(|(name, file)| (name.clone(), self.files[*file].current.clone())).collect()
    }

    pub(super) fn lengths(&self) -> impl Iterator<Item = (&String, usize)> {
        self.names.iter().map(|(name, file)| (name, self.files[*file].current.len()))
    }

    pub(super) fn read(&self, name: &str, offset: u64, length: usize) -> io::Result<Bytes> {
        let bytes = &self.files[self.find(name)?].current;
        let start = offset.min(bytes.len() as u64) as usize;
        let end = start.saturating_add(length).min(bytes.len());
        Ok(Bytes::copy_from_slice(&bytes[start..end]))
    }

    fn find(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Whether a call can be done at all.
    pub(super) fn check(&self, name: &str, effect: &Effect) -> io::Result<()> {
        match effect {
            Effect::Create if self.names.contains_key(name) => Err(io::ErrorKind::AlreadyExists.into()),
            Effect::Nothing | Effect::SyncDirectory | Effect::LoseNames | Effect::Create => Ok(()),
            Effect::Write { offset, .. } => self.files[self.find(name)?].check_write(*offset),
            _ => self.find(name).map(drop),
        }
    }

    /// Does what was checked.
    pub(super) fn apply(&mut self, name: &str, effect: &Effect) {
        match effect {
            Effect::Nothing => {}
            Effect::Create => {
                self.files.push(File::default());
                self.rename(name, Some(self.files.len() - 1));
            }
            Effect::Remove => self.rename(name, None),
            Effect::Reenter => self.rename(name, self.names.get(name).copied()),
            Effect::SyncDirectory => {
                for entry in self.unsynced_names.drain(..) {
                    entry.apply(&mut self.durable_names);
                }
            }
            Effect::LoseNames => self.unsynced_names.clear(),
            _ => self.apply_to_file(name, effect),
        }
    }

    fn rename(&mut self, name: &str, file: Option<usize>) {
        let entry = Entry { name: name.to_owned(), file };
        entry.apply(&mut self.names);
        self.unsynced_names.push(entry);
    }

    fn apply_to_file(&mut self, name: &str, effect: &Effect) {
        let Some(file) = self.names.get(name).map(|file| &mut self.files[*file]) else { return };
        match effect {
            Effect::Write { offset, data } => {
                file.change(Change::Write { offset: *offset as usize, data: data.clone() });
            }
            Effect::Reserve(length) => file.change(Change::Reserve(*length as usize)),
            Effect::Truncate(length) => file.change(Change::Truncate(*length as usize)),
            Effect::Rewrite(start, end) => {
                let end = file.current.len().min(*end as usize);
                let start = end.min(*start as usize);
                let data = Bytes::copy_from_slice(&file.current[start..end]);
                file.unsynced.push(Change::Write { offset: start, data });
            }
            Effect::Sync => file.sync(),
            Effect::LoseUnsynced => file.unsynced.clear(),
            _ => {}
        }
    }
}
