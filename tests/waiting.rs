//! Waiting: everybody who waits is woken, at the time he was promised, and whoever wakes him may do anything.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod common;

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{Operation, ScriptedStorage, Verdict, open};
use selkie::storage::MemoryStorage;
use selkie::{CommitFuture, Database, Durability, ErrorKind, Options, TransactionOptions, Visibility, Writable};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn interval(time: Duration) -> Durability {
    Durability::Interval { time, commits: u32::MAX, bytes: u64::MAX }
}

fn insert_with(db: &Database, durability: Durability, key: &str) {
    let mut tx = db.begin_with(TransactionOptions::new().durability(durability)).unwrap();
    tx.insert(key, "value").unwrap();
    tx.commit().unwrap();
}

/// Runs `work` in a thread of its own, and fails when it does not come back.
fn in_time(work: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::channel();
    let worker = thread::spawn(move || {
        work();
        let _nobody_waits = done.send(());
    });
    match finished.recv_timeout(PATIENCE) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        _ => worker.join().unwrap(),
    }
}

#[test]
fn an_interval_without_end_never_ends() {
    let storage = MemoryStorage::new();
    let options = Options::new().durability(interval(Duration::MAX));
    let db = options.open_storage(Arc::new(storage.clone())).unwrap();
    db.insert("a", "1").unwrap();
    db.insert("b", "2").unwrap();
    db.close().unwrap();
    assert_eq!(common::keys(&open(&storage).unwrap()), ["a", "b"]);
}

fn wait_for_sync(db: &Database, version: u64) {
    let started = Instant::now();
    while db.durable_version() < version {
        assert!(started.elapsed() < PATIENCE, "nothing was synced");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_shorter_of_two_intervals_counts() {
    let storage = Arc::new(MemoryStorage::new());
    let db = Options::new().durability(interval(Duration::from_secs(3600))).open_storage(storage).unwrap();
    insert_with(&db, interval(Duration::from_secs(3600)), "a");
    thread::sleep(Duration::from_millis(100));
    insert_with(&db, interval(Duration::from_millis(20)), "b");
    wait_for_sync(&db, 2);
}

#[test]
fn an_interval_ends_by_commits_and_by_bytes_too() {
    let time = Duration::from_secs(3600);
    let by_commits = Durability::Interval { time, commits: 4, bytes: u64::MAX };
    let by_bytes = Durability::Interval { time, commits: u32::MAX, bytes: 2000 };
    for durability in [by_commits, by_bytes] {
        let db = Options::new().durability(durability).open_storage(Arc::new(MemoryStorage::new())).unwrap();
        for version in 1..=3 {
            db.insert("key", [0; 500]).unwrap();
            assert_eq!((db.version(), db.durable_version()), (version, 0), "{durability:?}");
        }
        db.insert("key", [0; 500]).unwrap();
        wait_for_sync(&db, 4);
    }
}

#[test]
fn what_a_reader_kept_is_collected_in_the_background_once_it_ends() {
    let db = Database::in_memory();
    db.insert("key", "old").unwrap();
    // By then the background has seen that there is nothing to collect.
    thread::sleep(Duration::from_millis(300));
    let reader = db.begin_read().unwrap();
    db.insert("key", "new").unwrap();
    assert_eq!(db.stats().versions, 2);
    drop(reader);
    let started = Instant::now();
    while db.stats().versions > 1 {
        assert!(started.elapsed() < PATIENCE, "nothing was collected");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_watch_misses_no_commit_that_comes_while_it_begins_to_wait() {
    in_time(|| {
        const COMMITS: u64 = 100_000;
        let db = Database::in_memory();
        let mut watch = db.watch::<&str>(..).unwrap();
        let seen = Arc::new(AtomicUsize::new(0));
        let watcher = {
            let seen = Arc::clone(&seen);
            thread::spawn(move || {
                for version in 1..=COMMITS {
                    assert_eq!(watch.next().unwrap().version, version);
                    seen.store(version as usize, Ordering::Release);
                }
            })
        };
        for version in 1..=COMMITS as usize {
            db.insert("key", "value").unwrap();
            while seen.load(Ordering::Acquire) < version {
                std::hint::spin_loop();
            }
        }
        watcher.join().unwrap();
    });
}

struct Inserts(Database);

impl Wake for Inserts {
    fn wake(self: Arc<Self>) {
        self.0.insert("by the waker", "value").unwrap();
    }
}

#[test]
fn a_waker_may_commit() {
    in_time(|| {
        let db = Options::new().visibility(Visibility::Applied).in_memory().unwrap();
        let mut watch = db.watch("a".."b").unwrap();
        let waker = Waker::from(Arc::new(Inserts(db.clone())));
        {
            let mut next = pin!(watch.next_async());
            assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            db.insert("other", "value").unwrap();
        }
        assert!(db.contains_key("by the waker").unwrap());
    });
}

struct Counts;

impl Wake for Counts {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_wait_that_is_given_up_or_polled_again_leaves_nothing_behind() {
    let db = Database::in_memory();
    let mut watch = db.watch::<&str>(..).unwrap();
    let counts = Arc::new(Counts);
    let waker = Waker::from(Arc::clone(&counts));
    for _ in 0..100 {
        let mut next = pin!(watch.next_async());
        for _ in 0..100 {
            assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
    }
    let held = Arc::strong_count(&counts) - 2;
    assert!(held <= 1, "{held} wakers are kept for nobody");
}

/// A storage that takes its time to write.
fn slow() -> Arc<ScriptedStorage> {
    ScriptedStorage::new(|operation, _| {
        if operation == Operation::Write {
            thread::sleep(Duration::from_millis(100));
        }
        Verdict::Go
    })
}

#[test]
fn a_second_close_waits_for_the_first() {
    let storage = slow();
    let options = Options::new().durability(Durability::Queued);
    let db = options.open_storage(Arc::<ScriptedStorage>::clone(&storage)).unwrap();
    db.insert("key", "value").unwrap();
    let other = db.clone();
    let first = thread::spawn(move || other.close());
    while !db.get("key").is_err_and(|error| matches!(error.kind(), ErrorKind::Closed)) {
        thread::yield_now();
    }
    db.close().unwrap();
    let reopened = open(&storage.crash()).unwrap();
    assert!(reopened.contains_key("key").unwrap(), "closed, and not drained");
    first.join().unwrap().unwrap();
}

/// A future that nothing keeps but its waker.
struct Task(Mutex<Option<CommitFuture>>);

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn the_last_handle_may_go_in_a_waker() {
    let storage = slow();
    let db = Options::new().open_storage(Arc::<ScriptedStorage>::clone(&storage)).unwrap();
    let mut tx = db.begin_write().unwrap();
    tx.insert("key", "value").unwrap();
    let task = Arc::new(Task(Mutex::default()));
    let waker = Waker::from(Arc::clone(&task));
    let mut future = tx.commit_async();
    assert!(pin!(&mut future).poll(&mut Context::from_waker(&waker)).is_pending());
    *task.0.lock().unwrap() = Some(future);
    drop((db, waker, task));
    let started = Instant::now();
    let reopened = loop {
        match Options::new().open_storage(Arc::<ScriptedStorage>::clone(&storage)) {
            Err(error) if matches!(error.kind(), ErrorKind::Locked { .. }) => {
                assert!(started.elapsed() < PATIENCE, "it is never closed");
            }
            opened => break opened.unwrap(),
        }
        thread::sleep(Duration::from_millis(1));
    };
    assert!(reopened.contains_key("key").unwrap());
}

thread_local! {
    static KEPT: RefCell<Option<Database>> = const { RefCell::new(None) };
}

#[test]
fn the_last_handle_may_go_with_its_thread() {
    let storage = MemoryStorage::new();
    let files = storage.clone();
    let opened_in_thread = move || {
        KEPT.with_borrow_mut(|kept| *kept = None);
        let db = Options::new().durability(Durability::Queued).open_storage(Arc::new(files)).unwrap();
        db.insert("key", "value").unwrap();
        db.sync().unwrap();
        KEPT.with_borrow_mut(|kept| *kept = Some(db));
    };
    thread::spawn(opened_in_thread).join().unwrap();
    assert!(open(&storage).unwrap().contains_key("key").unwrap());
}
