//! Where snapshots are written to and read from: a file of a storage, any stream, or chunks that come later.

use std::io::{Read, Write};
use std::sync::Arc;

use bytes::Bytes;

use crate::storage::{Flush, Storage};
use crate::{Error, Result};

/// Takes the bytes of a snapshot in order, in large pieces.
pub(crate) trait Sink {
    async fn write(&mut self, data: Bytes) -> Result<()>;
}

/// Gives the bytes of a snapshot in order.
pub(crate) trait Source {
    /// The next `length` bytes; fewer only at the end.
    async fn read(&mut self, length: usize) -> Result<Bytes>;
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

/// Hands the bytes to a closure, piece by piece.
pub(crate) struct ChunkSink<F>(pub(crate) F);

/// Asks a closure for the bytes, piece by piece of any length, until it has no more.
pub(crate) struct ChunkSource<F> {
    next: F,
    rest: Bytes,
    ended: bool,
}

impl StorageSink {
    pub(crate) fn new(storage: Arc<dyn Storage>, name: &str) -> Self {
        Self { storage, name: name.into(), offset: 0 }
    }
}

impl Sink for StorageSink {
    async fn write(&mut self, data: Bytes) -> Result<()> {
        let offset = self.offset;
        self.offset += data.len() as u64;
        self.storage.write(&self.name, offset, data, Flush::No).await
    }
}

impl StorageSource {
    pub(crate) fn new(storage: Arc<dyn Storage>, name: &str) -> Self {
        Self { storage, name: name.into(), offset: 0 }
    }
}

impl Source for StorageSource {
    async fn read(&mut self, length: usize) -> Result<Bytes> {
        let offset = self.offset;
        self.offset += length as u64;
        self.storage.read(&self.name, offset, length).await
    }
}

impl<'a, W: Write> WriteSink<'a, W> {
    pub(crate) fn new(writer: W, name: &'a str) -> Self {
        Self { writer, name }
    }
}

impl<W: Write> Sink for WriteSink<'_, W> {
    async fn write(&mut self, data: Bytes) -> Result<()> {
        self.writer.write_all(&data).map_err(|error| Error::io("write", self.name, error))
    }
}

impl<'a, R: Read> ReadSource<'a, R> {
    pub(crate) fn new(reader: R, name: &'a str) -> Self {
        Self { reader, name }
    }
}

impl<R: Read> Source for ReadSource<'_, R> {
    async fn read(&mut self, length: usize) -> Result<Bytes> {
        let mut data = Vec::new();
        let mut part = self.reader.by_ref().take(length as u64);
        part.read_to_end(&mut data).map_err(|error| Error::io("read", self.name, error))?;
        Ok(Bytes::from(data))
    }
}

impl<F: AsyncFnMut(Bytes) -> Result<()>> Sink for ChunkSink<F> {
    async fn write(&mut self, data: Bytes) -> Result<()> {
        (self.0)(data).await
    }
}

impl<F> ChunkSource<F> {
    pub(crate) fn new(next: F) -> Self {
        Self { next, rest: Bytes::new(), ended: false }
    }
}

impl<F: AsyncFnMut() -> Result<Option<Bytes>>> Source for ChunkSource<F> {
    async fn read(&mut self, length: usize) -> Result<Bytes> {
        let mut data = Vec::new();
        while data.len() < length {
            if self.rest.is_empty() && !self.ended {
                let next = (self.next)().await?;
                self.ended = next.is_none();
                self.rest = next.unwrap_or_default();
            }
            let part = self.rest.split_to(self.rest.len().min(length - data.len()));
            if part.is_empty() && self.ended {
                break;
            }
            data.extend_from_slice(&part);
        }
        Ok(Bytes::from(data))
    }
}
