//! The storage of one opening of a database, and what happens to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use selkie::storage::MemoryStorage;

use crate::common::{Operation, ScriptedStorage, Verdict};
use crate::medium::Medium;

const STALL: Duration = Duration::from_micros(50);

/// Lets others come in between its operations, until it stalls or is torn.
#[derive(Debug)]
pub(crate) struct Disk {
    files: MemoryStorage,
    medium: Mutex<Medium>,
    stalls: AtomicBool,
    stalled: AtomicBool,
    torn: AtomicBool,
}

impl Disk {
    pub(crate) fn new(files: MemoryStorage, medium: Medium) -> Arc<Self> {
        let [stalls, stalled, torn] = [(); 3].map(|()| AtomicBool::new(false));
        Arc::new(Self { files, medium: Mutex::new(medium), stalls, stalled, torn })
    }

    pub(crate) fn storage(self: &Arc<Self>) -> Arc<ScriptedStorage> {
        let disk = Arc::clone(self);
        ScriptedStorage::over(self.files.clone(), move |operation, file| disk.ask(operation, file))
    }

    fn ask(&self, operation: Operation, file: &str) -> Verdict {
        thread::yield_now();
        while self.stalls.load(Ordering::Relaxed) {
            self.stalled.store(true, Ordering::Relaxed);
            thread::sleep(STALL);
        }
        self.medium.lock().unwrap().note(&self.files, operation, file);
        if operation == Operation::Write && self.is_torn() { Verdict::Short } else { Verdict::Go }
    }

    /// From now on, no operation begins.
    pub(crate) fn stall(&self) {
        self.stalls.store(true, Ordering::Relaxed);
    }

    pub(crate) fn go_on(&self) {
        self.stalls.store(false, Ordering::Relaxed);
    }

    /// Whether an operation waits to begin.
    pub(crate) fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }

    /// From now on, every write fails halfway.
    pub(crate) fn tear(&self) {
        self.torn.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_torn(&self) -> bool {
        self.torn.load(Ordering::Relaxed)
    }

    /// What the end of the process leaves.
    pub(crate) fn crash(&self) -> (MemoryStorage, Medium) {
        let medium = self.medium.lock().unwrap();
        (self.files.copy(), medium.clone())
    }

    /// What a loss of power leaves.
    pub(crate) fn lose_power(&self) -> (MemoryStorage, Medium) {
        let files = self.medium.lock().unwrap().image(&self.files);
        let medium = Medium::with(&files);
        (files, medium)
    }
}
