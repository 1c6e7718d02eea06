//! What is asked of files, and a tiny executor.

use std::fs;
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use bytes::Bytes;
use selkie::storage::{FileStorage, Flush, Storage};

use crate::{assert_io, create_with};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// What is not named there is missing where a program is bound, and nothing else would tell.
#[test]
fn every_script_for_browsers_is_named() {
    let named = include_str!("../../src/storage/web/snippets.rs");
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/storage/web")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.extension().is_some_and(|extension| extension == "js") && !name.starts_with("node") {
            assert!(named.contains(&format!("/src/storage/web/{name}\"")), "{name}");
        }
    }
}

#[test]
fn file_lock_creates_all_missing_directories() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b/c");
    let storage = FileStorage::new(&path);
    assert!(!directory.path().join("a").exists());
    block_on(storage.lock()).unwrap();
    assert!(path.join("lock").is_file());
}

#[test]
fn file_lock_names_what_is_in_its_way() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("occupied");
    fs::write(&path, "a file").unwrap();
    let message = block_on(FileStorage::new(&path).lock()).unwrap_err().to_string();
    assert!(message.starts_with(&format!("cannot create `{}`", path.display())), "{message}");
}

#[test]
fn file_list_leaves_out_what_is_not_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(directory.path());
    block_on(storage.lock()).unwrap();
    fs::create_dir(directory.path().join("subdirectory")).unwrap();
    fs::write(directory.path().join(".DS_Store"), "").unwrap();
    fs::write(directory.path().join("log-1~"), "").unwrap();
    assert_eq!(block_on(storage.list()).unwrap(), []);
}

#[test]
fn file_errors_carry_the_whole_path() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(directory.path());
    let path = directory.path().join("log-1").display().to_string();
    let error = block_on(storage.read("log-1", 0, 1)).unwrap_err();
    let is_named = matches!(error.kind(), selkie::ErrorKind::Io { operation: "open", file, .. } if *file == path);
    assert!(is_named, "{error}");
}

#[test]
fn file_operations_on_a_missing_directory_fail() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(directory.path().join("missing"));
    assert_io(block_on(storage.list()), ErrorKind::NotFound);
    assert_io(block_on(storage.create("log-1")), ErrorKind::NotFound);
    #[cfg(unix)]
    assert_io(block_on(storage.sync_directory()), ErrorKind::NotFound);
}

#[cfg(target_os = "linux")]
#[test]
fn file_reserve_grows_the_file_with_zeros() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(directory.path());
    block_on(create_with(&storage, "log-1", "0123")).unwrap();
    block_on(storage.reserve("log-1", 8192)).unwrap();
    let bytes = fs::read(directory.path().join("log-1")).unwrap();
    assert_eq!(bytes.len(), 8192);
    assert!(bytes.starts_with(b"0123") && bytes[4..].iter().all(|byte| *byte == 0));
}

#[test]
fn file_reads_and_writes_of_several_threads_keep_their_positions() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(directory.path());
    block_on(storage.create("log-1")).unwrap();
    thread::scope(|scope| {
        for thread in 0..4_u8 {
            let storage = &storage;
            scope.spawn(move || {
                for round in 0..500_u64 {
                    let offset = (round * 4 + u64::from(thread)) * 8;
                    let data = Bytes::copy_from_slice(&[thread; 8]);
                    block_on(storage.write("log-1", offset, data.clone(), Flush::No)).unwrap();
                    assert_eq!(block_on(storage.read("log-1", offset, 8)).unwrap(), data);
                }
            });
        }
    });
}

#[test]
fn file_list_goes_on_when_a_file_is_removed_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(directory.path());
    block_on(storage.create("log-1")).unwrap();
    thread::scope(|scope| {
        let churn = scope.spawn(|| {
            for round in 0..2_000_u64 {
                let name = format!("log-{}", 2 + round % 8);
                block_on(storage.create(&name)).unwrap();
                block_on(storage.remove(&name)).unwrap();
            }
        });
        while !churn.is_finished() {
            let files = block_on(storage.list()).unwrap();
            assert!(files.iter().any(|file| file.name == "log-1"));
        }
    });
}
