//! What the engine relies on of a storage, checked on every backend.
//!
//! A case is an async function over a way to open the same place again. To check another backend, write a function
//! that makes such a way and add one `conformance!` line.

#![allow(clippy::unwrap_used)]

use std::future::ready;
use std::io::ErrorKind;
use std::pin::Pin;

use bytes::Bytes;
use selkie::storage::{Flush, MemoryStorage, Storage};
use selkie::{Error, Result};

type Opening = Pin<Box<dyn Future<Output = Box<dyn Storage>>>>;
type Open = dyn Fn() -> Opening;

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
            truncation_to_nothing_leaves_an_empty_file
            truncation_cuts_between_and_within_writes
            operations_submitted_at_once_keep_their_order
            values_larger_than_a_message_fit
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
#[cfg(all(target_arch = "wasm32", feature = "web"))]
conformance!(opfs);
#[cfg(all(target_arch = "wasm32", feature = "web"))]
conformance!(indexed_db);

#[cfg(all(target_arch = "wasm32", feature = "js", not(feature = "web")))]
conformance!(node_files);

fn memory() -> impl Fn() -> Opening {
    let storage = MemoryStorage::new();
    move || Box::pin(ready(Box::new(storage.clone()) as Box<dyn Storage>))
}

#[cfg(not(target_arch = "wasm32"))]
fn file() -> impl Fn() -> Opening {
    let directory = tempfile::tempdir().unwrap();
    move || {
        let storage = selkie::storage::FileStorage::new(directory.path().join("database"));
        Box::pin(ready(Box::new(storage) as Box<dyn Storage>))
    }
}

/// In a page through a worker, in a dedicated worker directly.
#[cfg(all(target_arch = "wasm32", feature = "web"))]
fn opfs() -> impl Fn() -> Opening {
    let name = new_name();
    move || {
        let name = name.clone();
        Box::pin(async move { Box::new(selkie::storage::web::opfs(&name).await.unwrap()) as Box<dyn Storage> })
    }
}

#[cfg(all(target_arch = "wasm32", feature = "web"))]
fn indexed_db() -> impl Fn() -> Opening {
    let name = new_name();
    move || {
        let name = name.clone();
        Box::pin(async move { Box::new(selkie::storage::web::indexed_db(&name).await.unwrap()) as Box<dyn Storage> })
    }
}

#[cfg(all(target_arch = "wasm32", feature = "js", not(feature = "web")))]
fn node_files() -> impl Fn() -> Opening {
    let directory = node::new_directory();
    move || Box::pin(node::open(directory.clone()))
}

/// A name that no other test has, with characters that a directory cannot have.
#[cfg(all(target_arch = "wasm32", feature = "web"))]
fn new_name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("../a:b*/\u{e9}? {}", NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn open_locked(open: &Open) -> Result<Box<dyn Storage>> {
    let storage = open().await;
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
    for again in [storage.lock().await, open().await.lock().await] {
        assert!(matches!(again, Err(Error::Locked { path }) if path == location));
    }
    Ok(())
}

async fn lock_is_free_after_unlock(open: &Open) -> Result<()> {
    let (first, second) = (open().await, open().await);
    first.unlock();
    first.lock().await?;
    first.unlock();
    second.lock().await?;
    second.unlock();
    first.lock().await
}

async fn lock_is_free_after_drop(open: &Open) -> Result<()> {
    drop(open_locked(open).await?);
    open().await.lock().await
}

async fn unlock_of_another_handle_does_nothing(open: &Open) -> Result<()> {
    let _holder = open_locked(open).await?;
    let other = open().await;
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

async fn truncation_to_nothing_leaves_an_empty_file(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    create_with(&*storage, "log-1", "0123").await?;
    storage.truncate("log-1", 0).await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "");
    append(&*storage, "log-1", 0, "new").await?;
    assert_eq!(read_all(&*storage, "log-1").await?, "new");
    Ok(())
}

async fn truncation_cuts_between_and_within_writes(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    for length in [0, 2, 3, 4, 6, 9, 10] {
        create_with(&*storage, "log-1", "abc").await?;
        append(&*storage, "log-1", 3, "def").await?;
        append(&*storage, "log-1", 6, "ghi").await?;
        storage.truncate("log-1", length).await?;
        let expected = &"abcdefghi"[..9.min(length as usize)];
        assert_eq!(read_all(&*storage, "log-1").await?, expected);
        assert_eq!(storage.list().await?[0].length, expected.len() as u64);
        storage.remove("log-1").await?;
    }
    Ok(())
}

async fn operations_submitted_at_once_keep_their_order(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    for _ in 0..3 {
        let mut done = vec![
            storage.create("log-1"),
            storage.write("log-1", 0, "abc".into(), Flush::No),
            storage.write("log-1", 3, "def".into(), Flush::Yes),
            storage.truncate("log-1", 4),
            storage.write("log-1", 4, "".into(), Flush::Yes),
            storage.write("log-1", 4, "xyz".into(), Flush::No),
        ];
        let read = storage.read("log-1", 1, 100);
        done.extend([storage.sync("log-1"), storage.remove("log-1"), storage.create("log-1")]);
        done.push(storage.write("log-1", 0, "new".into(), Flush::No));
        let read_again = storage.read("log-1", 0, 100);
        done.extend([storage.sync("log-1"), storage.sync("log-1"), storage.remove("log-1")]);
        for operation in done {
            operation.await?;
        }
        assert_eq!(read.await?, "bcdxyz");
        assert_eq!(read_again.await?, "new");
        assert_eq!(storage.list().await?, []);
    }
    Ok(())
}

async fn values_larger_than_a_message_fit(open: &Open) -> Result<()> {
    let storage = open_locked(open).await?;
    let large: Bytes = (0..(64_u32 << 20)).map(|place| (place >> 7) as u8 ^ place as u8).collect::<Vec<_>>().into();
    storage.create("log-1").await?;
    append(&*storage, "log-1", 0, "before").await?;
    storage.write("log-1", 6, large.clone(), Flush::No).await?;
    append(&*storage, "log-1", 6 + large.len() as u64, "after").await?;
    for offset in [0, 16 << 20, (16 << 20) - 3, (64 << 20) - 10] {
        assert_eq!(storage.read("log-1", 6 + offset as u64, 10).await?, large[offset..offset + 10]);
    }
    assert!(storage.read("log-1", 6, large.len()).await? == large);
    storage.remove("log-1").await
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

/// What else is asked of the storages of browsers.
#[cfg(all(target_arch = "wasm32", feature = "web"))]
mod web {
    use selkie::storage::HostStorage;
    use selkie::storage::web;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    /// The length of the file is not known to a handle that has just taken the lock.
    async fn refuse_writes_elsewhere(open: &Open) {
        let storage = open_locked(open).await.unwrap();
        create_with(&*storage, "log-1", "abc").await.unwrap();
        for offset in [0, 2, 4, 1 << 50] {
            storage.unlock();
            storage.lock().await.unwrap();
            for _ in 0..2 {
                assert_io(append(&*storage, "log-1", offset, "elsewhere").await, ErrorKind::InvalidInput);
            }
        }
        append(&*storage, "log-1", 3, "def").await.unwrap();
        assert_eq!(read_all(&*storage, "log-1").await.unwrap(), "abcdef");
    }

    #[wasm_bindgen_test]
    async fn opfs_refuses_writes_that_are_not_at_the_end() {
        refuse_writes_elsewhere(&opfs()).await;
    }

    #[wasm_bindgen_test]
    async fn indexed_db_refuses_writes_that_are_not_at_the_end() {
        refuse_writes_elsewhere(&indexed_db()).await;
    }

    async fn both_at_once(first: Result<HostStorage>, second: Result<HostStorage>) {
        let (first, second) = (first.unwrap(), second.unwrap());
        let locks = [first.lock(), second.lock()];
        let mut taken = 0;
        for lock in locks {
            match lock.await {
                Ok(()) => taken += 1,
                Err(error) => assert!(matches!(error, Error::Locked { .. }), "{error}"),
            }
        }
        assert_eq!(taken, 1);
    }

    #[wasm_bindgen_test]
    async fn opfs_opened_twice_at_once_has_one_holder() {
        let name = new_name();
        both_at_once(web::opfs(&name).await, web::opfs(&name).await).await;
    }

    #[wasm_bindgen_test]
    async fn indexed_db_opened_twice_at_once_has_one_holder() {
        let name = new_name();
        both_at_once(web::indexed_db(&name).await, web::indexed_db(&name).await).await;
    }

    #[wasm_bindgen_test]
    async fn indexed_db_that_is_chosen_once_is_chosen_again() {
        let name = new_name();
        let storage = web::indexed_db(&name).await.unwrap();
        storage.lock().await.unwrap();
        create_with(&storage, "log-1", "kept").await.unwrap();
        drop(storage);
        let storage = web::auto(&name).await.unwrap();
        assert_eq!(storage.location(), format!("indexeddb:{name}"));
        storage.lock().await.unwrap();
        assert_eq!(read_all(&storage, "log-1").await.unwrap(), "kept");
    }

    #[wasm_bindgen_test]
    async fn names_that_no_database_can_have_are_refused() {
        for name in [String::new(), "\u{e9}".repeat(100)] {
            for opened in [web::opfs(&name).await, web::indexed_db(&name).await] {
                assert!(matches!(opened, Err(Error::InvalidArgument { .. })), "{opened:?}");
            }
        }
    }

    /// Another script deletes the database: what was there is gone, and the storage says so instead of starting anew.
    #[wasm_bindgen_test]
    async fn indexed_db_that_is_deleted_is_lost() {
        let name = new_name();
        let storage = web::indexed_db(&name).await.unwrap();
        storage.lock().await.unwrap();
        create_with(&storage, "log-1", "gone").await.unwrap();
        let delete = "return new Promise((resolve, reject) => {
            const request = indexedDB.deleteDatabase('selkie:' + name);
            request.onsuccess = resolve; request.onerror = reject; })";
        let delete =
            js_sys::Function::new_with_args("name", delete).call1(&wasm_bindgen::JsValue::NULL, &name.as_str().into());
        wasm_bindgen_futures::JsFuture::from(js_sys::Promise::from(delete.unwrap())).await.unwrap();
        let message = append(&storage, "log-1", 4, "more").await.unwrap_err().to_string();
        assert!(message.contains("another tab deletes the database"), "{message}");
        drop(storage);
        let again = web::indexed_db(&name).await.unwrap();
        again.lock().await.unwrap();
        assert_eq!(again.list().await.unwrap(), []);
    }
}

/// Without the storages of browsers these tests run in Node.
#[cfg(all(target_arch = "wasm32", feature = "js", not(feature = "web")))]
mod node {
    use js_sys::{Function, Promise};
    use selkie::storage::{HostStorage, Storage};
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;

    pub(crate) fn new_directory() -> String {
        let make = "const { join } = process.getBuiltinModule('node:path'), { tmpdir } = process.getBuiltinModule('node:os');
            return join(process.getBuiltinModule('node:fs').mkdtempSync(join(tmpdir(), 'selkie-test-')), 'a', 'database');";
        Function::new_no_args(make).call0(&JsValue::NULL).unwrap().as_string().unwrap()
    }

    pub(crate) async fn open(directory: String) -> Box<dyn Storage> {
        let module = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/src/storage/web/node.js");
        let open = Function::new_with_args(
            "directory",
            &format!("return import('{module}').then((m) => m.openFiles(directory))"),
        );
        let host: Promise = open.call1(&JsValue::NULL, &directory.into()).unwrap().unchecked_into();
        Box::new(HostStorage::new(&JsFuture::from(host).await.unwrap()))
    }
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

    /// What is not named there is missing where a program is bound, and nothing else would tell.
    #[test]
    fn every_script_for_browsers_is_named() {
        let named = include_str!("../src/storage/web/snippets.rs");
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
