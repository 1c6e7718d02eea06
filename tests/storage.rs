//! What the engine relies on of a storage, checked on every backend.
//!
//! A case is an async function over a way to open the same place again. To check another backend, write a function
//! that makes such a way and add one `conformance!` line.

#![allow(clippy::unwrap_used)]

use std::io::ErrorKind;

use bytes::Bytes;
use selkie::storage::{Flush, MemoryStorage, Storage};
use selkie::{Error, Result};

type Open = dyn Fn() -> Box<dyn Storage>;

macro_rules! conformance {
    ($backend:ident) => {
        conformance! { $backend:
            lock_is_exclusive
            lock_is_free_after_unlock
            lock_is_free_after_drop
            unlock_of_another_handle_does_nothing
            create_refuses_an_existing_file
            missing_files_are_errors
            reads_end_with_the_file
            writes_land_at_their_offsets
            truncated_file_is_written_at_its_new_end
            truncation_never_grows_a_file
            reserved_space_is_zeros_and_can_be_written
            reserve_never_shrinks_a_file
            removed_file_can_be_created_again
            list_has_every_file_with_its_length
            bad_names_are_refused
            errors_name_the_operation_and_the_file
            second_handle_sees_the_bytes
            files_replaced_by_another_holder_are_seen
        }
    };
    ($backend:ident: $($case:ident)*) => {
        mod $backend {
            $(
                #[cfg(target_arch = "wasm32")]
                #[wasm_bindgen_test::wasm_bindgen_test]
                async fn $case() {
                    super::$case(&super::$backend()).await.unwrap();
                }

                #[cfg(not(target_arch = "wasm32"))]
                #[test]
                fn $case() {
                    super::native::block_on(super::$case(&super::$backend())).unwrap();
                }
            )*
        }
    };
}

conformance!(memory);
#[cfg(not(target_arch = "wasm32"))]
conformance!(file);

fn memory() -> impl Fn() -> Box<dyn Storage> {
    let storage = MemoryStorage::new();
    move || Box::new(storage.clone())
}

#[cfg(not(target_arch = "wasm32"))]
fn file() -> impl Fn() -> Box<dyn Storage> {
    let directory = tempfile::tempdir().unwrap();
    move || Box::new(selkie::storage::FileStorage::new(directory.path().join("database")))
}

async fn open_locked(open: &Open) -> Result<Box<dyn Storage>> {
    let storage = open();
    storage.lock().await?;
    Ok(storage)
}

async fn append(storage: &dyn Storage, name: &str, offset: u64, data: &'static str) -> Result<()> {
    storage.write(name, offset, data.into(), Flush::No).await
}

async fn create_with(storage: &dyn Storage, name: &str, data: &'static str) -> Result<()> {
    storage.create(name).await?;
    append(storage, name, 0, data).await
}

async fn read_all(storage: &dyn Storage, name: &str) -> Result<Bytes> {
    storage.read(name, 0, 1000).await
}

fn assert_io<T: std::fmt::Debug>(result: Result<T>, expected: ErrorKind) {
    match result {
        Err(Error::Io { source, .. }) => assert_eq!(source.kind(), expected),
        other => panic!("expected {expected:?}, got {other:?}"),
    }
}

async fn lock_is_exclusive(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    let location = storage.location();
    for again in [storage.lock().await, open().lock().await] {
        assert!(matches!(again, Err(Error::Locked { path }) if path == location));
    }
    Ok(())
}

async fn lock_is_free_after_unlock(open: &Open) -> Result<()> {
    let (first, second) = (open(), open());
    first.unlock();
    first.lock().await?;
    first.unlock();
    second.lock().await?;
    second.unlock();
    first.lock().await
}

async fn lock_is_free_after_drop(open: &Open) -> Result<()> {
    drop(open_locked(open).await?);
    open().lock().await
}

async fn unlock_of_another_handle_does_nothing(open: &Open) -> Result<()> {
    let _holder = open_locked(open).await?;
    let other = open();
    assert!(other.lock().await.is_err());
    other.unlock();
    assert!(matches!(other.lock().await, Err(Error::Locked { .. })));
    Ok(())
}

async fn create_refuses_an_existing_file(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "kept").await?;
    assert_io(storage.create("log-1").await, ErrorKind::AlreadyExists);
    assert_eq!(read_all(&*storage, "log-1").await?, "kept");
    Ok(())
}

async fn missing_files_are_errors(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    assert_io(storage.read("log-1", 0, 1).await, ErrorKind::NotFound);
    assert_io(append(&*storage, "log-1", 0, "x").await, ErrorKind::NotFound);
    assert_io(storage.reserve("log-1", 10).await, ErrorKind::NotFound);
    assert_io(storage.truncate("log-1", 0).await, ErrorKind::NotFound);
    assert_io(storage.sync("log-1").await, ErrorKind::NotFound);
    assert_io(storage.remove("log-1").await, ErrorKind::NotFound);
    assert_eq!(storage.list().await?, []);
    Ok(())
}

async fn reads_end_with_the_file(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "0123456789").await?;
    assert_eq!(storage.read("log-1", 3, 4).await?, "3456");
    assert_eq!(storage.read("log-1", 7, 4).await?, "789");
    assert_eq!(storage.read("log-1", 7, usize::MAX).await?, "789");
    assert_eq!(storage.read("log-1", 10, 1).await?, "");
    assert_eq!(storage.read("log-1", u64::MAX, 1).await?, "");
    assert_eq!(storage.read("log-1", 0, 0).await?, "");
    Ok(())
}

async fn writes_land_at_their_offsets(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "one").await?;
    create_with(&*storage, "log-2", "other").await?;
    storage.write("log-1", 3, "two".into(), Flush::Yes).await?;
    append(&*storage, "log-1", 6, "").await?;
    append(&*storage, "log-1", 6, "three").await?;
    storage.sync("log-1").await?;
    storage.sync_directory().await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "onetwothree");
    assert_eq!(read_all(&*storage, "log-2").await?, "other");
    Ok(())
}

async fn truncated_file_is_written_at_its_new_end(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "0123456789").await?;
    storage.truncate("log-1", 4).await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "0123");
    append(&*storage, "log-1", 4, "new").await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "0123new");
    Ok(())
}

async fn truncation_never_grows_a_file(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "0123").await?;
    storage.truncate("log-1", 100).await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "0123");
    Ok(())
}

async fn reserved_space_is_zeros_and_can_be_written(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "0123").await?;
    storage.reserve("log-1", 100).await?;
    assert!(storage.read("log-1", 4, 1000).await?.iter().all(|byte| *byte == 0));
    append(&*storage, "log-1", 4, "456").await?;
    assert!(read_all(&*storage, "log-1").await?.starts_with(b"0123456"));
    storage.truncate("log-1", 7).await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "0123456");
    Ok(())
}

async fn reserve_never_shrinks_a_file(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "0123").await?;
    storage.reserve("log-1", 0).await?;
    storage.reserve("log-1", 2).await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "0123");
    Ok(())
}

async fn removed_file_can_be_created_again(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "old").await?;
    storage.remove("log-1").await?;
    assert_io(read_all(&*storage, "log-1").await, ErrorKind::NotFound);
    storage.create("log-1").await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "");
    append(&*storage, "log-1", 0, "new").await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "new");
    Ok(())
}

async fn list_has_every_file_with_its_length(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    assert_eq!(storage.list().await?, []);
    create_with(&*storage, "log-1", "one").await?;
    create_with(&*storage, "snapshot-1.new", "").await?;
    let mut listed = storage.list().await?;
    listed.sort_by(|left, right| left.name.cmp(&right.name));
    let listed: Vec<_> = listed.iter().map(|entry| (entry.name.as_str(), entry.length)).collect();
    assert_eq!(listed, [("log-1", 3), ("snapshot-1.new", 0)]);
    Ok(())
}

async fn bad_names_are_refused(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    for name in ["", "lock", "Lock", ".", "..", ".hidden", "a/b", "a\\b", "a b", "a_b", "é", "a\0"] {
        for result in [
            storage.create(name).await,
            storage.read(name, 0, 1).await.map(drop),
            append(&*storage, name, 0, "x").await,
            storage.reserve(name, 1).await,
            storage.truncate(name, 0).await,
            storage.sync(name).await,
            storage.remove(name).await,
        ] {
            assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{name:?}: {result:?}");
        }
    }
    assert_eq!(storage.list().await?, []);
    Ok(())
}

async fn errors_name_the_operation_and_the_file(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    storage.create("log-1").await?;
    let message = storage.create("log-1").await.unwrap_err().to_string();
    assert!(message.starts_with("cannot create `") && message.contains("log-1`"), "{message}");
    let message = storage.remove("log-2").await.unwrap_err().to_string();
    assert!(message.starts_with("cannot remove `") && message.contains("log-2`"), "{message}");
    Ok(())
}

async fn second_handle_sees_the_bytes(open: &Open) -> Result<()> {
    let first = open_locked(open).await?;
    create_with(&*first, "log-1", "kept").await?;
    first.sync("log-1").await?;
    first.sync_directory().await?;
    first.unlock();
    let second = open_locked(open).await?;
    assert_eq!(read_all(&*second, "log-1").await?, "kept");
    append(&*second, "log-1", 4, " on").await?;
    assert_eq!(read_all(&*second, "log-1").await?, "kept on");
    Ok(())
}

async fn files_replaced_by_another_holder_are_seen(open: &Open) -> Result<()> {
    let first = open_locked(open).await?;
    create_with(&*first, "log-1", "old").await?;
    first.unlock();
    let second = open_locked(open).await?;
    second.remove("log-1").await?;
    create_with(&*second, "log-1", "new").await?;
    second.unlock();
    first.lock().await?;
    assert_eq!(read_all(&*first, "log-1").await?, "new");
    Ok(())
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn memory_refuses_writes_that_are_not_at_the_end() {
    let storage = MemoryStorage::new();
    let write = |offset| storage.write("log-1", offset, "abc".into(), Flush::No).try_take().unwrap();
    storage.create("log-1").try_take().unwrap().unwrap();
    write(0).unwrap();
    for offset in [0, 2, 4, u64::MAX] {
        assert_io(write(offset), ErrorKind::InvalidInput);
    }
    storage.truncate("log-1", 2).try_take().unwrap().unwrap();
    assert_io(write(3), ErrorKind::InvalidInput);
    write(2).unwrap();
    assert_eq!(storage.files()["log-1"], b"ababc");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn copy_of_memory_is_separate_and_unlocked() {
    let storage = MemoryStorage::new();
    storage.lock().try_take().unwrap().unwrap();
    storage.create("log-1").try_take().unwrap().unwrap();
    let copy = storage.copy();
    copy.lock().try_take().unwrap().unwrap();
    copy.remove("log-1").try_take().unwrap().unwrap();
    assert!(storage.files().contains_key("log-1"));
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::fs;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};
    use std::thread::{self, Thread};

    use selkie::storage::FileStorage;

    use super::*;

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
        match block_on(storage.read("log-1", 0, 1)) {
            Err(Error::Io { operation: "open", file, .. }) => assert_eq!(file, path),
            other => panic!("unexpected: {other:?}"),
        }
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
}
