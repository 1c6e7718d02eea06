//! A database at rest that is damaged and opened, and the judgement of what comes of it.

use std::sync::Arc;

use selkie::storage::MemoryStorage;
use selkie::{Database, ErrorKind, Options};

use crate::Files;
use crate::common::{self, Contents, campaign::count, contents, last_file};
use crate::past::{Past, past};
use crate::workshop::Moment;

/// The header of a segment is durable before anything follows it, so it cannot be lost in a crash.
const SEGMENT_HEADER_BYTES: usize = 72;
const FRAME_HEADER_BYTES: usize = 48;

/// How often each outcome was seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) identical: u64,
    pub(crate) cut: u64,
    /// An earlier state without a trace of the later one.
    pub(crate) without_trace: u64,
    pub(crate) refused: u64,
    pub(crate) silent: u64,
}

impl Tally {
    pub(crate) fn total(&self) -> u64 {
        self.identical + self.cut + self.without_trace + self.refused + self.silent
    }
}

pub(crate) struct Subject {
    pub(crate) files: Files,
    pub(crate) moments: Vec<Moment>,
    past: Past,
    closed: bool,
    /// Whether each commit was synced before the next began, so that all but the last frame are told of by a later one.
    is_synced: bool,
    pub(crate) last_segment: String,
    pub(crate) tally: Tally,
}

impl Subject {
    pub(crate) fn new(files: Files, moments: Vec<Moment>, past: Past, closed: bool, is_synced: bool) -> Self {
        let storage = MemoryStorage::from_files(files.clone());
        let last_segment = last_file(&storage, ".log");
        let subject = Self { files, moments, past, closed, is_synced, last_segment, tally: Tally::default() };
        let undamaged = common::open(&storage).unwrap();
        assert!(subject.is_whole(&undamaged, &contents(&undamaged)), "it is not what it was, without any damage");
        subject
    }

    /// The database with one file changed.
    pub(crate) fn with(&self, file: &str, change: impl FnOnce(&mut Vec<u8>)) -> Files {
        let mut files = self.files.clone();
        change(files.get_mut(file).unwrap());
        files
    }

    /// Opens damaged files and counts what comes of it. `told` says what was done to them; where that left every byte as it
    /// was, there is no damage.
    pub(crate) fn try_with(&mut self, read_only: bool, files: &Files, told: impl Fn() -> String) {
        if *files == self.files {
            return;
        }
        let storage = MemoryStorage::from_files(files.clone());
        let opened = Options::new().read_only(read_only).open_storage(Arc::new(storage.clone()));
        let outcome = match &opened {
            Ok(db) => self.judge(files, db),
            Err(error) if matches!(error.kind(), ErrorKind::Corrupted { .. } | ErrorKind::UnsupportedFormat { .. }) => {
                assert_eq!(storage.files(), *files, "a refused open changed the files: {}", told());
                &mut self.tally.refused
            }
            Err(_) => &mut self.tally.silent,
        };
        *outcome += 1;
        let report = || opened.as_ref().map(|db| (db.version(), db.recovery().clone()));
        assert_eq!(self.tally.silent, 0, "{}: {:?}", told(), report());
    }

    fn judge(&mut self, files: &Files, db: &Database) -> &mut u64 {
        let found = contents(db);
        if self.is_whole(db, &found) {
            return &mut self.tally.identical;
        }
        match self.left_by_crash(files, &found) {
            Some(tail) if tail == db.recovery().bytes_cut => match tail {
                0 => &mut self.tally.without_trace,
                _ => &mut self.tally.cut,
            },
            _ => &mut self.tally.silent,
        }
    }

    fn is_whole(&self, db: &Database, found: &Contents) -> bool {
        *found == self.moments.last().unwrap().contents && past(db) == self.past
    }

    /// Whether a crash could have left these files with this state. Says how many bytes of a torn tail there are.
    fn left_by_crash(&self, files: &Files, found: &Contents) -> Option<u64> {
        if self.closed {
            return None;
        }
        let (damaged, whole) = (files.get(&self.last_segment)?, &self.files[&self.last_segment]);
        let ends: Vec<(&Contents, usize)> = self.ends().collect();
        let (_, end) = ends.iter().find(|(contents, _)| *contents == found)?;
        if damaged.get(..*end)? != &whole[..*end] {
            return None;
        }
        let is_there = |begin: usize| {
            let range = begin..begin + FRAME_HEADER_BYTES;
            damaged.get(range.clone()).is_some_and(|header| header == &whole[range])
        };
        // The frame that begins at an end says that everything before was synced.
        let was_durable = ends.iter().any(|(_, begin)| *begin > *end && *begin < whole.len() && is_there(*begin));
        if self.is_synced && was_durable {
            return None;
        }
        let tail = damaged[*end..].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Some(tail as u64)
    }

    /// Where each state that ends in the last segment does: the first of them at its header, before it has a frame.
    fn ends(&self) -> impl Iterator<Item = (&Contents, usize)> {
        let length = |moment: &Moment| moment.files.get(&self.last_segment).map_or(0, Vec::len);
        let before = self.moments.partition_point(|moment| length(moment) < SEGMENT_HEADER_BYTES).saturating_sub(1);
        self.moments[before..].iter().map(move |moment| (&moment.contents, length(moment).max(SEGMENT_HEADER_BYTES)))
    }

    pub(crate) fn report(&self, name: &str) {
        let bytes: usize = self.files.values().map(Vec::len).sum();
        println!("{name}: {bytes} bytes, {:?}", self.tally);
        count(self.tally.total(), "damaged files");
        assert!(self.tally.refused > 0);
    }
}
