//! An open file, read and written at positions.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

/// An open file whose operations may run in several threads at once.
#[derive(Debug)]
pub(super) struct Handle {
    file: File,
    /// Whether it was changed after its last sync: then an error may still come, and only this handle is told.
    unsynced: AtomicBool,
    /// Held from a seek until the read or write at that position is done.
    #[cfg(not(unix))]
    cursor: parking_lot::Mutex<()>,
}

/// How much is rewritten at once.
const REWRITTEN_BYTES: usize = 1 << 20;

impl Handle {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        OpenOptions::new().read(true).write(true).create_new(true).open(path).map(Self::new)
    }

    pub(super) fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().read(true).write(true).open(path).map(Self::new)
    }

    /// Reads `length` bytes, or what there is of them.
    ///
    /// A damaged file can ask for any length, so no more memory is taken than the file has bytes.
    pub(super) fn read(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let available = self.file.metadata()?.len().saturating_sub(offset);
        let mut buffer = vec![0; length.min(usize::try_from(available).unwrap_or(usize::MAX))];
        let filled = read_full(&mut buffer, offset, |buffer, offset| self.read_at(buffer, offset))?;
        buffer.truncate(filled);
        Ok(buffer.into())
    }

    pub(super) fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.unsynced.store(true, Ordering::Release);
        write_full(data, offset, |data, offset| self.write_at(data, offset))
    }

    /// Writes what is there once more: after a sync that failed, memory may hold what the medium does not, and passes for
    /// written ([fsync failures, ATC 2020](https://www.usenix.org/conference/atc20/presentation/rebello)).
    pub(super) fn rewrite(&self, start: u64, end: u64) -> io::Result<()> {
        let mut offset = start;
        while offset < end {
            let piece = self.read(offset, REWRITTEN_BYTES.min((end - offset) as usize))?;
            if piece.is_empty() {
                break;
            }
            self.write(offset, &piece)?;
            offset += piece.len() as u64;
        }
        Ok(())
    }

    /// Cuts the file; one that is shorter already stays as it is.
    pub(super) fn truncate(&self, length: u64) -> io::Result<()> {
        self.unsynced.store(true, Ordering::Release);
        if length < self.file.metadata()?.len() { self.file.set_len(length) } else { Ok(()) }
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.unsynced.store(false, Ordering::Release);
        self.file.sync_data().inspect_err(|_| self.unsynced.store(true, Ordering::Release))
    }

    pub(super) fn is_unsynced(&self) -> bool {
        self.unsynced.load(Ordering::Acquire)
    }
}

#[cfg(unix)]
impl Handle {
    fn new(file: File) -> Self {
        Self { file, unsynced: AtomicBool::new(false) }
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, offset)
    }

    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(&self.file, data, offset)
    }
}

#[cfg(not(unix))]
impl Handle {
    fn new(file: File) -> Self {
        Self { file, unsynced: AtomicBool::new(false), cursor: parking_lot::Mutex::new(()) }
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        use std::io::{Read, Seek, SeekFrom};
        let _cursor = self.cursor.lock();
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))?;
        file.read(buffer)
    }

    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<usize> {
        use std::io::{Seek, SeekFrom, Write};
        let _cursor = self.cursor.lock();
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))?;
        file.write(data)
    }
}

#[cfg(target_os = "linux")]
impl Handle {
    /// Allocates space up to `length`, which grows the file with zeros and never shrinks it.
    ///
    /// Without the space, or on a file system that cannot allocate ahead, it does nothing: writes still work, or say
    /// themselves that the medium is full.
    pub(super) fn reserve(&self, length: u64) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::{Errno, retry_on_intr};

        if length == 0 {
            return Ok(());
        }
        self.unsynced.store(true, Ordering::Release);
        match retry_on_intr(|| fallocate(&self.file, FallocateFlags::empty(), 0, length)) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::NOSPC | Errno::DQUOT | Errno::FBIG) => Ok(()),
            result => Ok(result?),
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Handle {
    #[allow(clippy::unnecessary_wraps, clippy::unused_self)]
    pub(super) fn reserve(&self, _length: u64) -> io::Result<()> {
        Ok(())
    }
}

/// Reads until the buffer is full or the file ends, and gives the number of bytes read.
fn read_full(
    buffer: &mut [u8],
    offset: u64,
    mut read_at: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Writes until all of the data is written.
fn write_full(data: &[u8], offset: u64, mut write_at: impl FnMut(&[u8], u64) -> io::Result<usize>) -> io::Result<()> {
    let mut written = 0;
    while written < data.len() {
        match write_at(&data[written..], offset + written as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Answers with the counts in turn, where none stands for an interruption.
    fn counts(answers: &[Option<usize>]) -> impl FnMut() -> io::Result<usize> {
        let mut answers = answers.iter();
        move || answers.next().unwrap().ok_or_else(|| io::ErrorKind::Interrupted.into())
    }

    #[test]
    fn short_and_interrupted_writes_go_on() {
        let (mut answer, mut offsets) = (counts(&[Some(2), None, Some(3)]), Vec::new());
        let result = write_full(b"12345", 10, |data, offset| {
            offsets.push((offset, data.to_vec()));
            answer()
        });
        assert!(result.is_ok());
        assert_eq!(offsets, [(10, b"12345".to_vec()), (12, b"345".to_vec()), (12, b"345".to_vec())]);
    }

    #[test]
    fn write_that_gets_nowhere_fails() {
        let mut answer = counts(&[Some(2), Some(0)]);
        let error = write_full(b"12345", 0, |_, _| answer()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    }

    #[test]
    fn short_and_interrupted_reads_go_on_to_the_end() {
        let (mut answer, mut offsets) = (counts(&[Some(2), None, Some(1), Some(0)]), Vec::new());
        let filled = read_full(&mut [0; 5], 10, |_, offset| {
            offsets.push(offset);
            answer()
        });
        assert_eq!(filled.unwrap(), 3);
        assert_eq!(offsets, [10, 12, 12, 13]);
    }

    #[test]
    fn other_errors_end_the_loop() {
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        assert!(read_full(&mut [0; 5], 0, |_, _| Err(denied())).is_err());
        assert!(write_full(b"12345", 0, |_, _| Err(denied())).is_err());
    }
}
