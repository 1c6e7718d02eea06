//! A storage that answers every call later: when the test says, or by itself.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use selkie::storage::{Completion, FileEntry, Flush, Storage};

use super::Random;
use super::events::turn;

/// How often a future is asked while the storage has nothing to do. In a browser each time is a turn of the event loop.
const PATIENCE: u32 = if cfg!(target_arch = "wasm32") { 2_000 } else { 10_000_000 };

/// The queue is worked off by the test, one call after the other. Nothing takes effect before its turn.
pub(crate) struct PendingStorage {
    inner: Arc<dyn Storage>,
    /// Whether it says so: the calls on a file are done in their order in any case.
    keeps_order: bool,
    queue: Mutex<VecDeque<Call>>,
    /// The calls in the order in which they were made: what was done, and to which file.
    log: Mutex<Vec<(&'static str, String)>>,
    /// Called when there is something to do.
    wake: Box<dyn Fn() + Send + Sync>,
}

struct Call {
    file: String,
    action: Box<dyn FnOnce() + Send>,
}

impl PendingStorage {
    /// A storage that does nothing until it is told to.
    pub(crate) fn over(inner: Arc<dyn Storage>) -> Arc<Self> {
        Self::telling(inner, false)
    }

    /// The same, which says whether it keeps the order of calls.
    pub(crate) fn telling(inner: Arc<dyn Storage>, keeps_order: bool) -> Arc<Self> {
        let storage = Arc::new(Self {
            inner,
            keeps_order,
            queue: Mutex::default(),
            log: Mutex::default(),
            wake: Box::new(|| {}),
        });
        #[cfg(not(target_arch = "wasm32"))]
        pump_after_panics(&storage);
        storage
    }

    /// A storage that answers later by itself: on another thread, or after a turn of the event loop.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn by_itself(inner: Arc<dyn Storage>) -> Arc<Self> {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let sender = Mutex::new(sender);
        let wake = Box::new(move || sender.lock().unwrap().send(()).unwrap());
        let storage =
            Arc::new(Self { inner, keeps_order: false, queue: Mutex::default(), log: Mutex::default(), wake });
        let weak = Arc::downgrade(&storage);
        std::thread::spawn(move || {
            while receiver.recv().is_ok() {
                let Some(storage) = weak.upgrade() else { return };
                storage.pump();
            }
        });
        storage
    }

    /// A storage that answers later by itself: on another thread, or after a turn of the event loop.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn by_itself(inner: Arc<dyn Storage>) -> Arc<Self> {
        Arc::new_cyclic(|weak: &std::sync::Weak<Self>| {
            let weak = weak.clone();
            let wake = Box::new(move || {
                let weak = weak.clone();
                wasm_bindgen_futures::spawn_local(async move {
                    turn().await;
                    if let Some(storage) = weak.upgrade() {
                        storage.pump();
                    }
                });
            });
            Self { inner, keeps_order: false, queue: Mutex::default(), log: Mutex::default(), wake }
        })
    }

    /// Does the oldest call. False when there is none.
    pub(crate) fn pump(&self) -> bool {
        let call = self.queue.lock().unwrap().pop_front();
        call.map(|call| (call.action)()).is_some()
    }

    /// Does the oldest call on some file. Only calls on the same file have an order.
    pub(crate) fn pump_any(&self, random: &mut Random) -> bool {
        let call = {
            let mut queue = self.queue.lock().unwrap();
            if queue.is_empty() {
                return false;
            }
            let file = queue[random.below(queue.len() as u64) as usize].file.clone();
            let first = queue.iter().position(|call| call.file == file).unwrap();
            queue.remove(first).unwrap()
        };
        (call.action)();
        true
    }

    /// How many calls are not answered yet.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.lock().unwrap().len()
    }

    /// The calls since this was asked last.
    pub(crate) fn take_log(&self) -> Vec<(&'static str, String)> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    /// Answers calls until the future is ready.
    pub(crate) fn drive<T>(&self, future: impl Future<Output = T>) -> impl Future<Output = T> {
        self.drive_with(future, Self::pump)
    }

    /// Answers calls with `pump` until the future is ready.
    pub(crate) fn drive_with<T>(
        &self,
        future: impl Future<Output = T>,
        mut pump: impl FnMut(&Self) -> bool,
    ) -> impl Future<Output = T> {
        let mut future = Box::pin(future);
        async move {
            let mut idle = 0;
            while idle < PATIENCE {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    return output;
                }
                idle = if pump(self) { 0 } else { idle + 1 };
                turn().await;
            }
            panic!("the future is never ready");
        }
    }

    /// Waits until so many calls are waiting for their answers.
    pub(crate) async fn until_waiting(&self, calls: usize) {
        for _ in 0..PATIENCE {
            if self.waiting() >= calls {
                return;
            }
            turn().await;
        }
        panic!("{} calls instead of {calls}", self.waiting());
    }

    fn later<T: Send + 'static>(
        &self,
        what: &'static str,
        file: &str,
        action: impl FnOnce(&dyn Storage) -> Completion<T> + Send + 'static,
    ) -> Completion<T> {
        let (completer, completion) = Completion::pending();
        let inner = Arc::clone(&self.inner);
        let action = Box::new(move || action(inner.as_ref()).then(|result| completer.complete(result)));
        self.log.lock().unwrap().push((what, file.to_owned()));
        self.queue.lock().unwrap().push_back(Call { file: file.to_owned(), action });
        (self.wake)();
        completion
    }
}

/// A test that fails drops its database, which waits for the storage: it answers by itself from then on.
#[cfg(not(target_arch = "wasm32"))]
fn pump_after_panics(storage: &Arc<PendingStorage>) {
    let weak = Arc::downgrade(storage);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        before(info);
        let weak = weak.clone();
        std::thread::spawn(move || {
            while let Some(storage) = weak.upgrade() {
                storage.pump();
                std::thread::yield_now();
            }
        });
    }));
}

impl Storage for PendingStorage {
    fn lock(&self) -> Completion<()> {
        self.later("lock", "", Storage::lock)
    }

    fn unlock(&self) {
        self.inner.unlock();
    }

    fn list(&self) -> Completion<Vec<FileEntry>> {
        self.later("list", "", Storage::list)
    }

    fn create(&self, name: &str) -> Completion<()> {
        let file = name.to_owned();
        self.later("create", name, move |inner| inner.create(&file))
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> Completion<Bytes> {
        let file = name.to_owned();
        self.later("read", name, move |inner| inner.read(&file, offset, length))
    }

    fn write(&self, name: &str, offset: u64, data: Bytes, flush: Flush) -> Completion<()> {
        let file = name.to_owned();
        let what = if flush == Flush::Yes { "write and sync" } else { "write" };
        self.later(what, name, move |inner| inner.write(&file, offset, data, flush))
    }

    fn truncate(&self, name: &str, length: u64) -> Completion<()> {
        let file = name.to_owned();
        self.later("truncate", name, move |inner| inner.truncate(&file, length))
    }

    fn sync(&self, name: &str) -> Completion<()> {
        let file = name.to_owned();
        self.later("sync", name, move |inner| inner.sync(&file))
    }

    fn sync_directory(&self) -> Completion<()> {
        self.later("sync the directory", "", Storage::sync_directory)
    }

    fn remove(&self, name: &str) -> Completion<()> {
        let file = name.to_owned();
        self.later("remove", name, move |inner| inner.remove(&file))
    }

    fn keeps_order(&self) -> bool {
        self.keeps_order
    }

    fn location(&self) -> String {
        "pending".to_owned()
    }
}

impl fmt::Debug for PendingStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingStorage")
    }
}
