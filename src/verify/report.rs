//! What verifying a database found.

use crate::{Error, ErrorKind, Recovery, Repair, Result};

use super::{is_damage, kind_of};

/// What verifying a database found, file by file.
///
/// # Examples
///
/// ```
/// # fn main() -> selkie::Result<()> {
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path();
/// # selkie::Database::open(path)?.close()?;
/// let verification = selkie::verify(path)?;
/// assert!(verification.opening.is_ok());
/// for damage in verification.damage() {
///     eprintln!("{damage}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Verification {
    /// All files in the order of their names. One that is missing is among them, with no bytes.
    pub files: Vec<FileReport>,
    /// What opening the database would report, or the error it would fail with.
    ///
    /// It can succeed in spite of damage, where another snapshot or the log has the data as well.
    pub opening: Result<Recovery>,
    /// What [repairing](crate::repair()) the database would keep and lose, or the error it would fail with.
    pub repair: Result<Repair>,
}

/// What verifying found in one file.
///
/// # Examples
///
/// ```
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path();
/// selkie::Database::open(path)?.close()?;
/// let verification = selkie::verify(path)?;
/// assert!(verification.files.iter().all(|file| file.damage.is_empty() && file.torn_bytes == 0));
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FileReport {
    /// The name of the file.
    pub name: String,
    /// What the file is for.
    pub kind: FileKind,
    /// Its length, preallocated space included.
    pub bytes: u64,
    /// How many intact commits a segment has, or how many keys a snapshot.
    pub records: u64,
    /// How many bytes a crash left at the end, which opening cuts off. They are no damage.
    pub torn_bytes: u64,
    /// Whether a crash left the file unfinished, so that opening passes over it. That is no damage.
    pub unfinished: bool,
    /// All damage that could be told apart, in the order it was found.
    pub damage: Vec<Error>,
}

/// What a file of a database is for.
///
/// # Examples
///
/// ```
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path();
/// selkie::Database::open(path)?.close()?;
/// let verification = selkie::verify(path)?;
/// assert!(verification.files.iter().any(|file| file.kind == selkie::FileKind::Segment));
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// It marks a complete database.
    Database,
    /// A segment of the log.
    Segment,
    /// A snapshot.
    Snapshot,
    /// No file of the database. It is not read.
    Other,
}

impl Verification {
    /// Whether nothing is damaged. A torn tail and an unfinished file, which a crash may leave, are no damage.
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path();
    /// selkie::Database::open(path)?.close()?;
    /// let verification = selkie::verify(path)?;
    /// assert!(verification.is_intact());
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn is_intact(&self) -> bool {
        self.opening.is_ok() && self.damage().next().is_none()
    }

    /// All damage, in the order of the files.
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path();
    /// selkie::Database::open(path)?.close()?;
    /// let verification = selkie::verify(path)?;
    /// assert_eq!(verification.damage().count(), 0);
    /// # Ok::<(), selkie::Error>(())
    /// ```
    pub fn damage(&self) -> impl Iterator<Item = &Error> {
        self.files.iter().flat_map(|file| &file.damage)
    }

    /// The report of a file, which is added when the file is missing.
    pub(super) fn file(&mut self, name: &str) -> &mut FileReport {
        let place = match self.files.binary_search_by(|file| file.name.as_str().cmp(name)) {
            Ok(place) => place,
            Err(place) => {
                self.files.insert(place, FileReport::new(name, 0));
                place
            }
        };
        &mut self.files[place]
    }

    /// Adds damage to the report of its file, unless it is known.
    pub(super) fn add_damage(&mut self, error: Error) {
        let (ErrorKind::Corrupted { file, .. } | ErrorKind::UnsupportedFormat { file, .. }) = error.kind() else {
            return;
        };
        let report = self.file(file);
        let known = report.damage.iter().any(|known| place(known) == place(&error));
        if !known {
            report.damage.push(error);
        }
    }

    /// Keeps damage and passes on every other error.
    pub(super) fn collect<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_damage(&error) => {
                self.add_damage(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl Default for Verification {
    fn default() -> Self {
        Self { files: Vec::new(), opening: Ok(Recovery::default()), repair: Ok(Repair::default()) }
    }
}

impl FileReport {
    pub(super) fn new(name: &str, bytes: u64) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind_of(name),
            bytes,
            records: 0,
            torn_bytes: 0,
            unfinished: false,
            damage: Vec::new(),
        }
    }
}

/// Where in its file damage is.
fn place(error: &Error) -> u64 {
    match error.kind() {
        ErrorKind::Corrupted { offset, .. } => *offset,
        _ => 0,
    }
}
