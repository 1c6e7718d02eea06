//! Where snapshots are written to and read from: a file of a storage, or any stream.

use std::io::{Read, Write};
use std::sync::Arc;

use bytes::Bytes;

use crate::storage::{Completion, Flush, Storage};
use crate::{Error, Result};

/// Takes the bytes of a snapshot in order, in large pieces.
pub(crate) trait Sink {
    fn write(&mut self, data: Bytes) -> Completion<()>;
}

/// Gives the bytes of a snapshot in order.
pub(crate) trait Source {
    /// The next `length` bytes; fewer only at the end.
    fn read(&mut self, length: usize) -> Completion<Bytes>;
}

/// Writes to a file of a storage, which must be empty. Nothing is synced.
#[derive(Debug)]
pub(crate) struct StorageSink {
    storage: Arc<dyn Storage>,
    name: String,
    offset: u64,
}

/// Reads a file of a storage from its beginning.
#[derive(Debug)]
pub(crate) struct StorageSource {
    storage: Arc<dyn Storage>,
    name: String,
    offset: u64,
}

/// Writes to a stream; `name` is what its errors call it.
#[derive(Debug)]
pub(crate) struct WriteSink<'a, W> {
    writer: W,
    name: &'a str,
}

/// Reads from a stream; `name` is what its errors call it.
#[derive(Debug)]
pub(crate) struct ReadSource<'a, R> {
    reader: R,
    name: &'a str,
}

impl StorageSink {
    pub(crate) fn new(storage: Arc<dyn Storage>, name: &str) -> Self {
        Self { storage, name: name.into(), offset: 0 }
    }
}

impl Sink for StorageSink {
    fn write(&mut self, data: Bytes) -> Completion<()> {
        let offset = self.offset;
        self.offset += data.len() as u64;
        self.storage.write(&self.name, offset, data, Flush::No)
    }
}

impl StorageSource {
    pub(crate) fn new(storage: Arc<dyn Storage>, name: &str) -> Self {
        Self { storage, name: name.into(), offset: 0 }
    }
}

impl Source for StorageSource {
    fn read(&mut self, length: usize) -> Completion<Bytes> {
        let offset = self.offset;
        self.offset += length as u64;
        self.storage.read(&self.name, offset, length)
    }
}

impl<'a, W: Write> WriteSink<'a, W> {
    pub(crate) fn new(writer: W, name: &'a str) -> Self {
        Self { writer, name }
    }
}

impl<W: Write> Sink for WriteSink<'_, W> {
    fn write(&mut self, data: Bytes) -> Completion<()> {
        let result = self.writer.write_all(&data);
        Completion::ready(result.map_err(|error| Error::io("write", self.name, error)))
    }
}

impl<'a, R: Read> ReadSource<'a, R> {
    pub(crate) fn new(reader: R, name: &'a str) -> Self {
        Self { reader, name }
    }

    fn read_now(&mut self, length: usize) -> Result<Bytes> {
        let mut data = Vec::new();
        let mut part = self.reader.by_ref().take(length as u64);
        part.read_to_end(&mut data).map_err(|error| Error::io("read", self.name, error))?;
        Ok(Bytes::from(data))
    }
}

impl<R: Read> Source for ReadSource<'_, R> {
    fn read(&mut self, length: usize) -> Completion<Bytes> {
        Completion::ready(self.read_now(length))
    }
}
