//! The JavaScript object: its methods, where it is kept, and the answers it gives.

#![expect(clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "positions are checked to be exact")]

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use js_sys::{Array, RangeError, Uint8Array};
use wasm_bindgen::prelude::*;

use super::super::{FileEntry, name};
use crate::numbered::Numbered;

/// From here on numbers of JavaScript have gaps.
pub(super) const POSITION_LIMIT: u64 = 1 << 53;

#[wasm_bindgen]
extern "C" {
    #[derive(Debug, Clone)]
    pub(super) type Object;

    #[wasm_bindgen(method, getter)]
    pub(super) fn location(this: &Object) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = keepsOrder)]
    pub(super) fn keeps_order(this: &Object) -> JsValue;
    #[wasm_bindgen(method, catch)]
    pub(super) fn lock(this: &Object) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn unlock(this: &Object) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn list(this: &Object) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn create(this: &Object, name: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn read(this: &Object, name: &str, offset: f64, length: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn write(
        this: &Object,
        name: &str,
        offset: f64,
        data: &Uint8Array,
        flush: bool,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn truncate(this: &Object, name: &str, length: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn sync(this: &Object, name: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = syncDirectory)]
    pub(super) fn sync_directory(this: &Object) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn remove(this: &Object, name: &str) -> Result<JsValue, JsValue>;
}

thread_local! {
    static OBJECTS: RefCell<Numbered<Object>> = const { RefCell::new(Numbered::new()) };
}

/// Stands for an object, which itself cannot leave its thread. No two objects of a program have the same number.
#[derive(Debug)]
pub(super) struct Number(u64);

impl Number {
    pub(super) fn keep(object: Object) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        OBJECTS.with_borrow_mut(|objects| objects.insert(number, object));
        Self(number)
    }

    /// The object, in its own thread.
    pub(super) fn get(&self) -> Option<Object> {
        OBJECTS.with_borrow(|objects| objects.get(self.0).cloned())
    }

    pub(super) fn forget(&self) {
        OBJECTS.with_borrow_mut(|objects| objects.remove(self.0));
    }
}

/// A position in a file as JavaScript has it.
pub(super) fn position(position: u64) -> Result<f64, JsValue> {
    if position < POSITION_LIMIT {
        Ok(position as f64)
    } else {
        Err(RangeError::new(&format!("{position} is no position in a file")).into())
    }
}

/// A number of bytes in memory as JavaScript has it.
pub(super) fn count(count: usize) -> f64 {
    count as f64
}

/// The files of a listing. Those that a storage cannot have are not its own.
pub(super) fn entries(answer: &JsValue) -> Result<Vec<FileEntry>, String> {
    let listed = answer.dyn_ref::<Array>().ok_or("a listing is not an array")?;
    let entries = listed.iter().map(|entry| entry_of(&entry).ok_or("an entry of a listing is not [name, length]"));
    Ok(entries.collect::<Result<Vec<_>, _>>()?.into_iter().filter(|entry| name::is_valid(&entry.name)).collect())
}

fn entry_of(entry: &JsValue) -> Option<FileEntry> {
    let pair = entry.dyn_ref::<Array>()?;
    let (name, length) = (pair.get(0).as_string()?, pair.get(1).as_f64()?);
    let is_length = length >= 0.0 && length.fract() == 0.0 && length < POSITION_LIMIT as f64;
    is_length.then_some(FileEntry { name, length: length as u64 })
}

pub(super) fn bytes(answer: JsValue, length: usize) -> Result<Bytes, String> {
    let array: Uint8Array = answer.dyn_into().map_err(|_| "what was read is not a Uint8Array")?;
    if array.length() as usize > length {
        return Err(format!("{} bytes were read, where {length} were asked for", array.length()));
    }
    Ok(array.to_vec().into())
}
