//! What was asked of a simulated storage, call by call, and the crashes in between.

use std::fmt;

use super::crash::CrashPoint;
use super::fault::Fault;
use super::medium::{Effect, Medium};

/// A call, and what became of it.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) operation: &'static str,
    pub(super) file: String,
    pub(super) effect: Effect,
    pub(super) fault: Option<Fault>,
}

/// The calls of a simulated storage in the order in which they were done.
///
/// # Examples
///
/// The same calls in the same order print the same.
///
/// ```
/// use selkie::storage::sim::SimStorage;
/// use selkie::storage::{Flush, Storage};
///
/// let storage = SimStorage::new();
/// storage.create("file").try_take().unwrap()?;
/// storage.write("file", 0, "hello".into(), Flush::Yes).try_take().unwrap()?;
/// assert_eq!(storage.recording().to_string(), "create file\nwrite file 0+5\nsync file\n");
/// # Ok::<(), selkie::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Recording {
    pub(super) before: Medium,
    pub(super) calls: Vec<Call>,
}

impl Recording {
    /// How many calls there were.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether there was no call.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Visits the moments before the first call and after each that may have changed something.
    pub fn crash_points(&self, mut visit: impl FnMut(CrashPoint<'_>)) {
        let mut medium = self.before.clone();
        visit(CrashPoint::new(0, &medium, None));
        for (place, call) in self.calls.iter().enumerate() {
            if call.effect == Effect::Nothing {
                continue;
            }
            medium.apply(&call.file, &call.effect);
            visit(CrashPoint::new(place + 1, &medium, Some(call)));
        }
    }

    /// Visits the moment after the last call.
    pub fn last_crash_point(&self, visit: impl FnOnce(CrashPoint<'_>)) {
        let mut medium = self.before.clone();
        self.calls.iter().for_each(|call| medium.apply(&call.file, &call.effect));
        visit(CrashPoint::new(self.calls.len(), &medium, self.calls.last()));
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.calls.iter().try_for_each(|call| writeln!(f, "{call}"))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation)?;
        if !self.file.is_empty() {
            write!(f, " {}", self.file)?;
        }
        match &self.effect {
            Effect::Write { offset, data } => write!(f, " {offset}+{}", data.len())?,
            Effect::Reserve(length) | Effect::Truncate(length) => write!(f, " {length}")?,
            _ => {}
        }
        self.fault.map_or(Ok(()), |fault| write!(f, ": {fault}"))
    }
}
