//! A runtime for tests that does the same for the same seed: one thread, a clock that only the simulation moves, and
//! a choice by the seed wherever several things could be next.
//!
//! Background work, tasks and answers of the storage are pieces. Whoever waits lets pieces run until he is woken, so
//! that they interleave wherever something waits for a storage.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use web_time::{Duration, Instant};

use super::platform::{Shared, Work, without_waiters};
use crate::storage::sim::SimStorage;
use crate::storage::sim::random::Random;

/// When simulated time begins, in nanoseconds since the Unix epoch.
const EPOCH_NS: u64 = 1_700_000_000_000_000_000;
/// How long a piece takes at most.
const PIECE_US: u64 = 100;

/// What does background work: none of it while it is being done.
struct Background {
    signals: Arc<Shared>,
    work: Option<Work>,
    due: Option<Duration>,
}

struct Task {
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    woken: Arc<Flag>,
}

/// A waker that only notes.
#[derive(Default)]
pub(crate) struct Flag(AtomicBool);

impl Flag {
    pub(crate) fn set() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Somebody who waits in a simulation where nothing else can wait.
#[cfg(target_arch = "wasm32")]
pub(super) struct Patience {
    scheduler: Rc<Scheduler>,
    woken: Arc<Flag>,
    waker: Waker,
}

#[cfg(target_arch = "wasm32")]
impl Patience {
    pub(super) fn current() -> Option<Self> {
        let woken = Arc::<Flag>::default();
        let waker = Waker::from(Arc::clone(&woken));
        current().map(|scheduler| Self { scheduler, woken, waker })
    }

    pub(super) fn waker(&self) -> &Waker {
        &self.waker
    }

    pub(super) fn wait(&self) {
        self.scheduler.wait(|| self.woken.take());
    }
}

pub(crate) struct Scheduler {
    seed: u64,
    random: RefCell<Random>,
    started: Instant,
    elapsed: Cell<Duration>,
    workers: RefCell<Vec<Background>>,
    tasks: RefCell<Vec<Task>>,
    sleepers: RefCell<Vec<(Duration, Waker)>>,
    storages: RefCell<Vec<SimStorage>>,
}

/// Something that can go on.
#[derive(Clone, Copy)]
enum Piece {
    Worker(usize),
    Task(usize),
    Answer(usize),
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Scheduler>>> = const { RefCell::new(None) };
}

/// The simulation that this thread is in.
pub(crate) fn current() -> Option<Rc<Scheduler>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// Puts this thread into a simulation, until the guard is dropped.
pub(crate) fn enter(scheduler: &Rc<Scheduler>) -> Entered {
    Entered(CURRENT.replace(Some(Rc::clone(scheduler))))
}

pub(crate) struct Entered(Option<Rc<Scheduler>>);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

impl Drop for Scheduler {
    /// What still runs ends by itself once its storage fails: nobody lets it go on.
    fn drop(&mut self) {
        self.storages.take().iter().for_each(SimStorage::die);
    }
}

impl Scheduler {
    pub(crate) fn new(seed: u64) -> Rc<Self> {
        Rc::new(Self {
            seed,
            random: RefCell::new(Random(seed)),
            started: Instant::now(),
            elapsed: Cell::default(),
            workers: RefCell::default(),
            tasks: RefCell::default(),
            sleepers: RefCell::default(),
            storages: RefCell::default(),
        })
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.elapsed.get()
    }

    pub(crate) fn now(&self) -> Instant {
        self.started + self.elapsed.get()
    }

    pub(crate) fn now_ns(&self) -> u64 {
        EPOCH_NS + self.elapsed.get().as_nanos() as u64
    }

    pub(crate) fn random(&self) -> u64 {
        self.random.borrow_mut().next()
    }

    pub(crate) fn below(&self, limit: u64) -> u64 {
        self.random() % limit
    }

    pub(super) fn add_worker(&self, signals: Arc<Shared>, work: Work) {
        self.workers.borrow_mut().push(Background { signals, work: Some(work), due: Some(Duration::ZERO) });
    }

    pub(crate) fn add_task(&self, future: Pin<Box<dyn Future<Output = ()>>>) {
        self.tasks.borrow_mut().push(Task { future: Some(future), woken: Flag::set() });
    }

    /// Begins a task at once. Nobody waits for it, so that whoever begins one never keeps another from going on.
    pub(super) fn start(&self, future: Pin<Box<dyn Future<Output = ()>>>) {
        self.add_task(future);
        let place = self.tasks.borrow().len() - 1;
        without_waiters(|| self.poll(place));
    }

    pub(crate) fn add_storage(&self, storage: SimStorage) {
        storage.answer_later(true);
        self.storages.borrow_mut().push(storage);
    }

    /// Ends everything but what waits outside.
    pub(crate) fn clear(&self) {
        let gone = (self.tasks.take(), self.workers.take(), self.sleepers.take(), self.storages.take());
        drop(gone);
    }

    /// Wakes somebody when the time has come.
    pub(crate) fn wake_at(&self, time: Duration, waker: Waker) {
        self.sleepers.borrow_mut().push((time, waker));
    }

    /// Waits for a flag.
    ///
    /// # Panics
    ///
    /// When nothing will ever set it: everybody waits.
    pub(crate) fn wait(&self, is_woken: impl Fn() -> bool) {
        while !is_woken() {
            // The last thing to happen may have been that time woke this one.
            if !self.step() {
                assert!(is_woken(), "in the simulation with seed {} everybody waits for ever", self.seed);
                return;
            }
        }
    }

    /// Does one piece, or lets time pass until there is one. False when there will never be one.
    fn step(&self) -> bool {
        self.pass(self.elapsed.get() + Duration::from_micros(self.below(PIECE_US)));
        let pieces = self.pieces();
        if pieces.is_empty() {
            return self.skip();
        }
        without_waiters(|| match pieces[self.below(pieces.len() as u64) as usize] {
            Piece::Worker(place) => self.work(place),
            Piece::Task(place) => self.poll(place),
            Piece::Answer(place) => {
                let storage = self.storages.borrow()[place].clone();
                storage.answer(|count| self.below(count as u64) as usize);
            }
        });
        true
    }

    fn pieces(&self) -> Vec<Piece> {
        let elapsed = self.elapsed.get();
        let is_due = |worker: &Background| worker.due.is_some_and(|due| due <= elapsed) || worker.signals.is_wanted();
        let workers = self.workers.borrow();
        let runs = |worker: &Background| worker.work.is_some() && !worker.signals.is_stopped() && is_due(worker);
        let workers = (0..workers.len()).filter(|place| runs(&workers[*place])).map(Piece::Worker);
        let tasks = self.tasks.borrow();
        let is_ready = |task: &Task| task.future.is_some() && task.woken.is_set();
        let tasks = (0..tasks.len()).filter(|place| is_ready(&tasks[*place])).map(Piece::Task);
        let storages = self.storages.borrow();
        let storages = (0..storages.len()).filter(|place| storages[*place].can_answer()).map(Piece::Answer);
        workers.chain(tasks).chain(storages).collect()
    }

    fn work(&self, place: usize) {
        let taken = {
            let worker = &mut self.workers.borrow_mut()[place];
            worker.due = None;
            worker.signals.proceed().then(|| worker.work.take()).flatten()
        };
        let Some(mut work) = taken else { return };
        let pause = work();
        let worker = &mut self.workers.borrow_mut()[place];
        worker.due = pause.map(|pause| self.elapsed.get() + pause);
        worker.work = Some(work);
    }

    fn poll(&self, place: usize) {
        let (future, woken) = {
            let task = &mut self.tasks.borrow_mut()[place];
            task.woken.take();
            (task.future.take(), Arc::clone(&task.woken))
        };
        let Some(mut future) = future else { return };
        if future.as_mut().poll(&mut Context::from_waker(&Waker::from(woken))).is_pending() {
            self.tasks.borrow_mut()[place].future = Some(future);
        }
    }

    /// Lets time pass until something is due.
    fn skip(&self) -> bool {
        let workers = self.workers.borrow();
        let waiting = workers.iter().filter(|worker| worker.work.is_some() && !worker.signals.is_stopped());
        let sleepers = self.sleepers.borrow();
        let times = waiting.filter_map(|worker| worker.due).chain(sleepers.iter().map(|(time, _)| *time));
        let next = times.min();
        drop(sleepers);
        drop(workers);
        next.inspect(|time| self.pass((*time).max(self.elapsed.get()))).is_some()
    }

    fn pass(&self, elapsed: Duration) {
        self.elapsed.set(elapsed);
        let woken: Vec<Waker> = {
            let mut sleepers = self.sleepers.borrow_mut();
            sleepers.extract_if(.., |(time, _)| *time <= elapsed).map(|(_, waker)| waker).collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }
}
