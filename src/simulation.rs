//! A simulation of everything that is not the same twice: threads, clocks, and when a storage answers.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::runtime::simulated::{Flag, Scheduler, enter};
use crate::storage::sim::SimStorage;

/// Runs databases, and what uses them, in one thread with a clock of its own: the same seed gives the same run.
///
/// What the engine does in the background, the tasks that are [spawned](Self::spawn), and the answers of the
/// [storages](Self::storage) take turns in an order that the seed decides. Methods that wait let others go on meanwhile,
/// so a test can use those as well as the asynchronous ones. Time passes by small steps, and at once to the
/// next moment at which something is to happen, when nothing else is left.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use selkie::{Options, Simulation};
///
/// fn run(seed: u64) -> String {
///     let simulation = Simulation::new(seed);
///     let storage = simulation.storage();
///     simulation.run(async {
///         let db = Options::new().open_storage_async(Arc::new(storage.clone())).await.unwrap();
///         let other = db.clone();
///         simulation.spawn(async move {
///             other.insert_async("a", "1").await.unwrap();
///         });
///         db.insert_async("b", "2").await.unwrap();
///         simulation.sleep(std::time::Duration::from_secs(3600)).await;
///         db.close_async().await.unwrap();
///     });
///     storage.recording().to_string()
/// }
/// assert_eq!(run(1), run(1));
/// ```
#[derive(Clone)]
pub struct Simulation(Rc<Scheduler>);

impl Simulation {
    /// A simulation in which chance has this seed.
    pub fn new(seed: u64) -> Self {
        Self(Scheduler::new(seed))
    }

    /// Runs a future to its end. Databases that it opens must be closed, or their storage
    /// [dead](SimStorage::die), when it ends.
    ///
    /// # Panics
    ///
    /// When everybody waits and nothing is left that could wake anybody.
    pub fn run<T>(&self, main: impl Future<Output = T>) -> T {
        let _entered = enter(&self.0);
        let mut main = pin!(main);
        let woken = Flag::set();
        let waker = Waker::from(Arc::clone(&woken));
        loop {
            self.0.wait(|| woken.take());
            if let Poll::Ready(output) = main.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
        }
    }

    /// Starts a task beside the others.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0.add_task(Box::pin(task));
    }

    /// Ends all tasks and all background work, as the end of a process does. Storages have to be added again; those in use
    /// must be [dead](SimStorage::die), or their databases closed.
    pub fn clear(&self) {
        self.0.clear();
    }

    /// A new storage that answers when the simulation lets it.
    pub fn storage(&self) -> SimStorage {
        let storage = SimStorage::new();
        self.add_storage(&storage);
        storage
    }

    /// Lets a storage answer when the simulation wants.
    pub fn add_storage(&self, storage: &SimStorage) {
        self.0.add_storage(storage.clone());
    }

    /// Waits for simulated time to pass.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + use<> {
        let scheduler = Rc::clone(&self.0);
        let end = scheduler.elapsed() + duration;
        poll_fn(move |context| {
            if scheduler.elapsed() >= end {
                return Poll::Ready(());
            }
            scheduler.wake_at(end, context.waker().clone());
            Poll::Pending
        })
    }

    /// How much simulated time has passed.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// A number below a limit, by the seed.
    pub fn below(&self, limit: u64) -> u64 {
        self.0.below(limit)
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").field("elapsed", &self.elapsed()).finish_non_exhaustive()
    }
}
