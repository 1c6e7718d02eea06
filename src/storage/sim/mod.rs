//! A storage in memory that records what is asked of it, fails when it is told to, and knows what a loss of power
//! would leave. For tests: of the engine, and of programs that use it.
//!
//! - [`SimStorage::recording`] has every call in order. [`Recording::crash_points`] visits the moments between them, and
//!   a [`CrashPoint`] has the files that a crash there may leave: without what was not synced, with all of it, with any
//!   part of it in any order, torn within a write, without names that were not synced.
//! - [`SimStorage::inject`] lets a call fail: see [`Fault`].
//! - [`SimStorage::answer_later`] lets calls wait until the test answers them in an order of its choice.
//!
//! What it assumes of a medium: a sector of 512 bytes is written whole or not at all, and what was synced stays.
//!
//! # Examples
//!
//! A commit that was acknowledged survives a loss of power at any moment after it:
//!
//! ```
//! use std::sync::Arc;
//! use selkie::storage::sim::SimStorage;
//! use selkie::Options;
//!
//! let storage = SimStorage::new();
//! let db = Options::new().open_storage(Arc::new(storage.clone()))?;
//! db.insert("key", "value")?;
//! let acknowledged = storage.calls();
//! db.close()?;
//! storage.recording().crash_points(|point| {
//!     for image in point.images() {
//!         let db = Options::new().open_storage(Arc::new(SimStorage::from_files(image))).unwrap();
//!         assert!(point.calls() < acknowledged || db.contains_key("key").unwrap());
//!     }
//! });
//! # use selkie::Readable;
//! # Ok::<(), selkie::Error>(())
//! ```

mod crash;
mod fault;
mod medium;
pub(crate) mod random;
mod recording;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Weak};

use bytes::Bytes;

use super::{Completion, FileEntry, Flush, Storage, name};
use crate::locks::Mutex;
use crate::{Error, ErrorKind, Result};
use medium::{Effect, Medium};
use recording::Call;

pub use crash::CrashPoint;
pub use fault::Fault;
pub use recording::Recording;

const LOCATION: &str = "simulation";

/// A storage for tests. See the [module](self).
///
/// A clone is the same storage, but does not share the lock: it is a second handle, as a second process would have. Dropping
/// the handle that holds the lock gives the lock back.
///
/// # Examples
///
/// ```
/// use selkie::storage::sim::SimStorage;
/// use selkie::storage::Storage;
///
/// let storage = SimStorage::new();
/// storage.create("file").try_take().unwrap()?;
/// assert_eq!(storage.calls(), 1);
/// # Ok::<(), selkie::Error>(())
/// ```
pub struct SimStorage {
    shared: Arc<Mutex<Shared>>,
    identity: Arc<()>,
}

struct Shared {
    medium: Medium,
    recording: Recording,
    /// The identity of the handle that holds the lock; it dangles once that handle is dropped.
    holder: Weak<()>,
    is_dead: bool,
    /// How many calls were made, answered or not.
    made: u64,
    faults: BTreeMap<u64, Fault>,
    answers_later: bool,
    /// Calls that are not answered yet, in their order.
    waiting: Vec<Waiting>,
}

struct Waiting {
    file: String,
    is_stalled: bool,
    action: Box<dyn FnOnce() + Send>,
}

impl SimStorage {
    /// A storage without files.
    pub fn new() -> Self {
        Self::from_files(BTreeMap::new())
    }

    /// A storage that holds these files, durable, and its lock free.
    pub fn from_files(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self::over(Medium::new(files))
    }

    fn over(medium: Medium) -> Self {
        let recording = Recording { before: medium.clone(), calls: Vec::new() };
        let shared = Arc::new(Mutex::new(Shared {
            medium,
            recording,
            holder: Weak::new(),
            is_dead: false,
            made: 0,
            faults: BTreeMap::new(),
            answers_later: false,
            waiting: Vec::new(),
        }));
        Self { shared, identity: Arc::default() }
    }

    /// The files as the process sees them.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.shared.lock().medium.current()
    }

    /// How many calls were done. A write that is to be synced counts twice.
    pub fn calls(&self) -> usize {
        self.shared.lock().recording.len()
    }

    /// All calls that were done.
    pub fn recording(&self) -> Recording {
        self.shared.lock().recording.clone()
    }

    /// Lets a call fail, once, if a call of its kind can fail so. Calls count from 0 in the order in which they are made.
    pub fn inject(&self, call: u64, fault: Fault) {
        self.shared.lock().faults.insert(call, fault);
    }

    /// How many calls failed by injection, or were stalled.
    pub fn struck(&self) -> usize {
        let shared = self.shared.lock();
        let done = shared.recording.calls.iter().filter(|call| call.fault.is_some()).count();
        done + shared.waiting.iter().filter(|call| call.is_stalled).count()
    }

    /// Whether calls wait until [`answer`](Self::answer) is called, from now on.
    pub fn answer_later(&self, later: bool) {
        self.shared.lock().answers_later = later;
    }

    /// Does and answers one of the calls that wait: `choose` gets the number of files that have some, and says which.
    /// The calls of one file are done in their order. False when none waits.
    pub fn answer(&self, choose: impl FnOnce(usize) -> usize) -> bool {
        let next = {
            let mut shared = self.shared.lock();
            let mut first = BTreeMap::new();
            for (place, call) in shared.waiting.iter().enumerate() {
                first.entry(call.file.as_str()).or_insert((place, call.is_stalled));
            }
            let ready: Vec<usize> =
                first.into_values().filter(|(_, stalled)| !stalled).map(|(place, _)| place).collect();
            if ready.is_empty() {
                return false;
            }
            shared.waiting.remove(ready[choose(ready.len())])
        };
        (next.action)();
        true
    }

    /// Whether a call waits that could be answered.
    pub(crate) fn can_answer(&self) -> bool {
        let shared = self.shared.lock();
        shared.waiting.iter().any(|call| !call.is_stalled && !shared.is_stalled(&call.file))
    }

    /// Begins anew in what the process that used this storage has left: a storage with the same medium, whose changes are as
    /// far from being durable as they are here.
    #[must_use]
    pub fn restart(&self) -> Self {
        let medium = self.shared.lock().medium.clone();
        Self::over(medium)
    }

    /// From now on nothing is done any more and every call fails: whoever used this storage is gone.
    pub fn die(&self) {
        let waiting = {
            let mut shared = self.shared.lock();
            shared.is_dead = true;
            shared.answers_later = false;
            std::mem::take(&mut shared.waiting)
        };
        for call in waiting {
            (call.action)();
        }
    }

    /// Ends every stall: the calls are done and answered.
    pub fn release(&self) {
        let waiting = {
            let mut shared = self.shared.lock();
            shared.waiting.iter_mut().for_each(|call| call.is_stalled = false);
            if shared.answers_later { Vec::new() } else { std::mem::take(&mut shared.waiting) }
        };
        for call in waiting {
            (call.action)();
        }
    }

    /// Makes calls one after the other while they succeed: at once, or later where something is before them.
    fn call<T: Send + 'static>(
        &self,
        file: &str,
        steps: Vec<(&'static str, Effect)>,
        answer: impl FnOnce(&mut Shared) -> Result<T> + Send + 'static,
    ) -> Completion<T> {
        let mut shared = self.shared.lock();
        let calls: Vec<Call> =
            steps.into_iter().map(|(operation, effect)| shared.plan(operation, file, effect)).collect();
        let is_stalled = calls.iter().any(|call| call.fault == Some(Fault::Stall));
        let has_earlier = shared.waiting.iter().any(|waiting| waiting.file == file);
        if !(shared.answers_later || is_stalled || has_earlier) {
            return Completion::ready(shared.perform(calls, answer));
        }
        let (completer, completion) = Completion::pending();
        let place = Arc::clone(&self.shared);
        let action = Box::new(move || {
            let result = place.lock().perform(calls, answer);
            completer.complete(result);
        });
        shared.waiting.push(Waiting { file: file.to_owned(), is_stalled, action });
        completion
    }

    fn call_on_file<T: Send + 'static>(
        &self,
        file: &str,
        steps: Vec<(&'static str, Effect)>,
        answer: impl FnOnce(&mut Shared) -> Result<T> + Send + 'static,
    ) -> Completion<T> {
        match name::check(file) {
            Ok(()) => self.call(file, steps, answer),
            Err(error) => Completion::ready(Err(error)),
        }
    }

    fn change(&self, operation: &'static str, file: &str, effect: Effect) -> Completion<()> {
        self.call_on_file(file, vec![(operation, effect)], |_| Ok(()))
    }
}

impl Shared {
    /// The next call, with the fault that it is to have.
    fn plan(&mut self, operation: &'static str, file: &str, effect: Effect) -> Call {
        let fault = self.faults.remove(&self.made).filter(|fault| fault.can_strike(&effect));
        self.made += 1;
        Call { operation, file: file.to_owned(), effect, fault }
    }

    fn perform<T>(&mut self, calls: Vec<Call>, answer: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        calls.into_iter().try_for_each(|call| self.perform_one(call))?;
        answer(self)
    }

    fn perform_one(&mut self, mut call: Call) -> Result<()> {
        let name = |source| Error::io(call.operation, call.file.clone(), source);
        if self.is_dead {
            return Err(name(io::Error::other("the storage is dead")));
        }
        self.medium.check(&call.file, &call.effect).map_err(name)?;
        let failed = call.fault.and_then(Fault::error).map(name);
        if let Some(fault) = call.fault {
            call.effect = fault.rest_of(call.effect);
        }
        self.medium.apply(&call.file, &call.effect);
        self.recording.calls.push(call);
        failed.map_or(Ok(()), Err)
    }

    fn is_stalled(&self, file: &str) -> bool {
        self.waiting.iter().find(|call| call.file == file).is_some_and(|call| call.is_stalled)
    }

    fn lock(&mut self, identity: &Weak<()>) -> Result<()> {
        if self.holder.strong_count() > 0 {
            return Err(Error::new(ErrorKind::Locked { path: LOCATION.to_owned() }));
        }
        self.holder = Weak::clone(identity);
        Ok(())
    }

    fn list(&self) -> Vec<FileEntry> {
        let entry = |(name, length): (&String, usize)| FileEntry { name: name.clone(), length: length as u64 };
        self.medium.lengths().map(entry).collect()
    }
}

impl Storage for SimStorage {
    fn lock(&self) -> Completion<()> {
        let identity = Arc::downgrade(&self.identity);
        self.call("", vec![("lock", Effect::Nothing)], move |shared| shared.lock(&identity))
    }

    fn unlock(&self) {
        let mut shared = self.shared.lock();
        if shared.holder.ptr_eq(&Arc::downgrade(&self.identity)) {
            shared.holder = Weak::new();
        }
    }

    fn list(&self) -> Completion<Vec<FileEntry>> {
        self.call("", vec![("list", Effect::Nothing)], |shared| Ok(shared.list()))
    }

    fn create(&self, name: &str) -> Completion<()> {
        self.change("create", name, Effect::Create)
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> Completion<Bytes> {
        let file = name.to_owned();
        self.call_on_file(name, vec![("read", Effect::Nothing)], move |shared| {
            shared.medium.read(&file, offset, length).map_err(|source| Error::io("read", file, source))
        })
    }

    fn write(&self, name: &str, offset: u64, data: Bytes, flush: Flush) -> Completion<()> {
        let mut steps = vec![("write", Effect::Write { offset, data })];
        if flush == Flush::Yes {
            steps.push(("sync", Effect::Sync));
        }
        self.call_on_file(name, steps, |_| Ok(()))
    }

    fn reserve(&self, name: &str, length: u64) -> Completion<()> {
        self.change("reserve", name, Effect::Reserve(length))
    }

    fn truncate(&self, name: &str, length: u64) -> Completion<()> {
        self.change("truncate", name, Effect::Truncate(length))
    }

    fn sync(&self, name: &str) -> Completion<()> {
        self.change("sync", name, Effect::Sync)
    }

    fn secure(&self, name: &str, start: u64, end: u64) -> Completion<()> {
        let steps = [
            ("rewrite", Effect::Rewrite(start, end)),
            ("sync", Effect::Sync),
            ("enter", Effect::Reenter),
            ("sync directory", Effect::SyncDirectory),
        ];
        self.call_on_file(name, steps.into(), |_| Ok(()))
    }

    fn sync_directory(&self) -> Completion<()> {
        self.call("", vec![("sync directory", Effect::SyncDirectory)], |_| Ok(()))
    }

    fn remove(&self, name: &str) -> Completion<()> {
        self.change("remove", name, Effect::Remove)
    }

    fn location(&self) -> String {
        LOCATION.to_owned()
    }
}

impl Clone for SimStorage {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), identity: Arc::default() }
    }
}

impl Default for SimStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SimStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.shared.lock();
        f.write_str("SimStorage ")?;
        f.debug_map().entries(shared.medium.lengths()).finish()
    }
}
