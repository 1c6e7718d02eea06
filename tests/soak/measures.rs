//! What is measured while a database rests: memory, files, what the process holds, and every number of the statistics that
//! a leak or a queue would show in.

use std::path::Path;

use selkie::Database;

use crate::ALLOCATOR;
use crate::judge::Series;

/// Every measure over time.
#[derive(Debug)]
pub(crate) struct Measures(Vec<Series>);

/// Bytes that are allocated and not given back.
pub(crate) fn heap_bytes() -> u64 {
    let stats = ALLOCATOR.stats();
    (stats.bytes_allocated - stats.bytes_deallocated) as u64
}

/// How many files there are in a directory, and their bytes.
pub(crate) fn files(directory: &Path) -> (u64, u64) {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
    files.fold((0, 0), |(count, bytes), file| (count + 1, bytes + file.len()))
}

/// Threads and open files of the process, where the system tells. Pipes are no files of ours: with its first report, be it
/// one that is suppressed, `ThreadSanitizer` opens two to what looks names up for it.
pub(crate) fn of_process() -> (u64, u64) {
    let entries = |path| std::fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path());
    let is_pipe = |open: &Path| std::fs::read_link(open).is_ok_and(|to| to.to_string_lossy().starts_with("pipe:"));
    (entries("/proc/self/task").count() as u64, entries("/proc/self/fd").filter(|open| !is_pipe(open)).count() as u64)
}

impl Measures {
    pub(crate) fn new() -> Self {
        let tolerances = [
            // The skip lists of dropped keyspaces are freed in bunches, some 150 kB after many rounds.
            ("bytes of memory", 256 << 10),
            ("bytes in files", 32 << 10),
            ("files", 1),
            ("threads", 1),
            ("open files", 1),
            ("keys", 0),
            ("versions", 0),
            ("bytes that live", 0),
            ("bytes of history", 0),
            ("readers", 0),
            ("bytes in the queue", 0),
            ("bytes in the log", 4 << 10),
            ("keyspaces", 0),
        ];
        Self(tolerances.into_iter().map(|(name, tolerance)| Series::new(name, tolerance)).collect())
    }

    pub(crate) fn take(&mut self, db: &Database, directory: &Path) {
        let heap_bytes = heap_bytes();
        let stats = db.stats();
        let (files, file_bytes) = files(directory);
        let (threads, open_files) = of_process();
        let values = [
            heap_bytes,
            file_bytes,
            files,
            threads,
            open_files,
            stats.keys,
            stats.versions,
            stats.live_bytes,
            stats.history_bytes,
            stats.readers as u64,
            stats.queued_bytes,
            stats.log_bytes,
            db.keyspaces().len() as u64,
        ];
        assert_eq!(values.len(), self.0.len());
        self.0.iter_mut().zip(values).for_each(|(series, value)| series.push(value));
    }

    /// What keeps growing.
    pub(crate) fn growing(&self) -> Vec<String> {
        self.0.iter().filter_map(Series::growth).map(|growth| growth.to_string()).collect()
    }

    /// The last values, in words.
    pub(crate) fn summary(&self) -> String {
        let values: Vec<_> = self.0.iter().map(|series| format!("{} {}", series.last(), series.name)).collect();
        values.join(", ")
    }
}
