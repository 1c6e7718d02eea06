//! What else is asked of the storages of browsers.

use std::io::ErrorKind;

use selkie::Result;
use selkie::storage::{HostStorage, Storage, web};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::backends::{indexed_db, new_name, opfs};
use crate::{Open, append, assert_io, create_with, open_locked, read_all};

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
            Err(error) => assert!(matches!(error.kind(), selkie::ErrorKind::Locked { .. }), "{error}"),
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
            assert!(matches!(opened.unwrap_err().kind(), selkie::ErrorKind::InvalidArgument { .. }));
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
