//! What is asked of the memory only.

use std::io::ErrorKind;

use selkie::storage::{Flush, MemoryStorage, Storage};

use crate::assert_io;

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
