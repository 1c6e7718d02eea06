//! What is done to a database: everything that takes something and is to give it back.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::Path;

use selkie::{
    Database, Durability, ErrorKind, Isolation, Keyspace, Readable, Retention, SystemTime, TransactionOptions, View,
    Watch, Writable,
};

use crate::common::Random;

/// The keys that there are at all times, or may be.
pub(crate) const KEYS: u64 = 600;
/// How many of a kind are open at once.
const OPEN: usize = 6;

/// One thread's work, with what it holds open.
#[derive(Debug)]
pub(crate) struct Churn<'a> {
    db: &'a Database,
    /// Where copies of the database may be made.
    place: &'a Path,
    thread: u64,
    random: Random,
    views: VecDeque<View>,
    watches: VecDeque<Watch>,
    /// Keys that were never there before, and go again.
    passing: VecDeque<String>,
    next: u64,
}

pub(crate) fn key(number: u64) -> String {
    format!("key-{number:05}")
}

impl<'a> Churn<'a> {
    pub(crate) fn new(db: &'a Database, place: &'a Path, thread: u64, seed: u64) -> Self {
        let random = Random(seed ^ thread << 32);
        Self {
            db,
            place,
            thread,
            random,
            views: VecDeque::new(),
            watches: VecDeque::new(),
            passing: VecDeque::new(),
            next: seed << 20,
        }
    }

    /// Does something.
    pub(crate) fn step(&mut self) {
        match self.random.below(200) {
            0..60 => self.write(),
            60..90 => self.commit_many(),
            90..100 => self.give_up(),
            100..110 => self.clash(),
            110..130 => self.open_view(),
            130..150 => self.read(),
            150..160 => self.watch(),
            160..180 => self.pass(),
            180..188 => self.look_back(),
            188..194 => self.commit_later(),
            194..198 => self.keyspace(),
            198 => _ = self.db.snapshot().unwrap(),
            _ => self.copy(),
        }
    }

    fn some_key(&mut self) -> String {
        key(self.random.below(KEYS))
    }

    fn some_value(&mut self) -> Vec<u8> {
        let bytes = if self.random.below(100) == 0 { 20_000 } else { self.random.below(300) };
        vec![self.random.next() as u8; bytes as usize]
    }

    fn write(&mut self) {
        let key = self.some_key();
        if self.random.below(3) == 0 {
            self.db.remove(key).unwrap();
        } else {
            let value = self.some_value();
            self.db.insert(key, value).unwrap();
        }
    }

    fn commit_many(&mut self) {
        let mut tx = self.db.begin_with(TransactionOptions::new().write_only()).unwrap();
        for _ in 0..self.random.below(30) {
            let (key, value) = (self.some_key(), self.some_value());
            tx.insert(key, value).unwrap();
        }
        tx.commit().unwrap();
    }

    /// A transaction that reads and writes, has savepoints, and is dropped.
    fn give_up(&mut self) {
        let mut tx = self.db.begin_write().unwrap();
        let savepoint = tx.savepoint();
        for _ in 0..self.random.below(20) {
            let (key, value) = (self.some_key(), self.some_value());
            tx.get(&key).unwrap();
            tx.insert(key, value).unwrap();
        }
        tx.count_range::<&str>(..).unwrap();
        tx.rollback_to(savepoint).unwrap();
    }

    /// A transaction that another commit is faster than, and its attempts.
    fn clash(&mut self) {
        let key = self.some_key();
        let mut tx = self.db.begin_with(TransactionOptions::new().isolation(Isolation::Snapshot)).unwrap();
        tx.insert(&key, "late").unwrap();
        self.db.insert(&key, "early").unwrap();
        assert!(matches!(tx.commit().unwrap_err().kind(), ErrorKind::Conflict { .. }));
        self.db.update(|tx| tx.get(&key).and_then(|_| tx.insert(&key, "again"))).unwrap();
    }

    fn open_view(&mut self) {
        self.views.push_back(self.db.begin_read().unwrap());
        if self.views.len() > OPEN {
            let oldest = self.random.below(OPEN as u64) as usize;
            self.views.remove(oldest);
        }
    }

    /// Reads that begin somewhere and end before the end, in a view that was opened some time ago.
    fn read(&mut self) {
        let (from, count) = (self.some_key(), self.random.below(200) as usize);
        let Some(view) = self.views.front() else { return };
        view.range(from.as_str()..).take(count).for_each(|entry| drop(entry.unwrap()));
        view.iter().rev().take(count).for_each(|entry| drop(entry.unwrap()));
        let mut left = count;
        view.scan(from.as_str().., |_, _| {
            left = left.saturating_sub(1);
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
        let mut cursor = view.cursor();
        cursor.seek(&from).unwrap();
        cursor.previous().unwrap();
        view.history_range(from.as_str()..).unwrap().take(count).for_each(|version| drop(version.unwrap()));
    }

    fn watch(&mut self) {
        let from = self.some_key();
        self.watches.push_back(self.db.watch(from.as_str()..).unwrap());
        for watch in &mut self.watches {
            for _ in 0..self.random.below(50) {
                // A slow watch may lag, and goes on.
                if matches!(watch.try_next(), Ok(None)) {
                    break;
                }
            }
        }
        if self.watches.len() > OPEN {
            self.watches.pop_front();
        }
    }

    /// Puts a key at the end of a queue and takes one from its beginning. Where removed keys keep versions, that would
    /// grow by design.
    fn pass(&mut self) {
        if matches!(self.db.retention(), Retention::Versions(_)) {
            return;
        }
        self.next += 1;
        let key = format!("passing-{}-{:012}", self.thread, self.next);
        self.db.insert(&key, "job").unwrap();
        self.passing.push_back(key);
        if self.passing.len() > 50 {
            self.passing.drain(..25).for_each(|key| drop(self.db.remove(key).unwrap()));
        }
    }

    /// Reads of the past, and changes since then, as far as they are kept.
    fn look_back(&mut self) {
        let version = self.db.version().saturating_sub(self.random.below(40));
        let key = self.some_key();
        let past = [self.db.at(version), self.db.as_of(SystemTime::now())];
        past.into_iter().flatten().for_each(|view| _ = view.get(&key));
        match self.db.changes_since(version) {
            Ok(mut changes) => _ = changes.next().transpose().unwrap(),
            Err(error) => assert!(matches!(error.kind(), ErrorKind::HistoryCollected { .. }), "{error}"),
        }
    }

    /// Commits whose futures are dropped, and a level of their own.
    fn commit_later(&mut self) {
        let (key, value) = (self.some_key(), self.some_value());
        drop(self.db.insert_async(&key, value));
        let mut tx = self.db.begin_with(TransactionOptions::new().durability(Durability::Queued)).unwrap();
        tx.insert(key, "queued").unwrap();
        drop(tx.commit_async());
    }

    fn keyspace(&mut self) {
        let name = format!("space-{}-{}", self.thread, self.random.below(3));
        let keyspace: Keyspace = self.db.keyspace(&name).unwrap();
        for _ in 0..self.random.below(300) {
            let key = self.some_key();
            keyspace.insert(key, [7; 60]).unwrap();
        }
        let view = self.db.begin_read().unwrap();
        self.db.drop_keyspace(&name).unwrap();
        view.keyspace(&keyspace).count_range::<&str>(..).unwrap();
    }

    /// A backup, and a copy that is opened and closed.
    fn copy(&mut self) {
        self.db.backup(std::io::sink()).unwrap();
        let path = self.place.join(format!("copy-{}", self.thread));
        self.db.checkpoint(&path).unwrap();
        let copy = Database::open(&path).unwrap();
        copy.insert("copied", "").unwrap();
        copy.close().unwrap();
        std::fs::remove_dir_all(path).unwrap();
    }

    /// Takes away what only this thread wrote, and lets go of everything.
    pub(crate) fn rest(mut self) {
        self.passing.drain(..).for_each(|key| drop(self.db.remove(key).unwrap()));
    }
}
