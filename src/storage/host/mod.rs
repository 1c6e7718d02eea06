//! A storage that JavaScript carries.
//!
//! The platforms of JavaScript keep files in ways that differ: access handles in a worker, records of IndexedDB, the
//! file system of Node. Each is a *host*, an object with the methods of [`Storage`], and this is the one bridge to
//! all of them. It trusts no answer: an answer of the wrong type, or with more bytes than asked for, is an error.

mod error;
mod object;
mod promise;

use std::sync::Arc;

use bytes::Bytes;
use wasm_bindgen::JsValue;

use super::{Completion, FileEntry, Flush, Storage, name};
#[cfg(doc)]
use crate::ErrorKind;
use crate::Result;
pub(super) use error::Context;
#[cfg(feature = "js")]
pub(crate) use error::in_words;
use object::{Number, Object};
use promise::{Answer, complete};

/// The files that a JavaScript object keeps.
///
/// The object has the methods of [`Storage`] by their names in JavaScript (`syncDirectory` for
/// [`sync_directory`](Storage::sync_directory)), and each returns its result or a promise of it. It also says where it
/// is by a property `location`, and may say by a property `keepsOrder` that [its operations keep their
/// order](Storage::keeps_order). An error whose `code` is `LOCKED` becomes [`ErrorKind::Locked`]; any other becomes an
/// [`ErrorKind::Io`] with the text of the JavaScript error and, where its `code` or `name` tells one, its kind.
///
/// Dropping it gives the lock back.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
/// use selkie::{Database, Options, storage::HostStorage};
/// use wasm_bindgen::JsValue;
///
/// async fn open(host: &JsValue) -> selkie::Result<Database> {
///     Options::new().open_storage_async(Arc::new(HostStorage::new(host))).await
/// }
/// ```
#[derive(Debug)]
pub struct HostStorage {
    object: Number,
    location: Arc<str>,
}

impl HostStorage {
    /// The storage that this object carries.
    ///
    /// ```no_run
    /// # use selkie::storage::HostStorage;
    /// # let host = wasm_bindgen::JsValue::NULL;
    /// let storage = HostStorage::new(&host);
    /// ```
    pub fn new(host: &JsValue) -> Self {
        let object = Object::from(host.clone());
        let location = object.location().as_string().unwrap_or_default();
        Self { object: Number::keep(object), location: location.into() }
    }

    /// Calls a method of the object, and turns its answer into a result.
    fn call<T: Send + 'static>(
        &self,
        operation: &'static str,
        file: Option<&str>,
        call: &dyn Fn(&Object) -> Answer,
        convert: impl FnOnce(JsValue) -> std::result::Result<T, String> + 'static,
    ) -> Completion<T> {
        match self.ask(operation, file, call) {
            Ok((answer, context)) => complete(answer, context, convert),
            Err(error) => Completion::ready(Err(error)),
        }
    }

    /// One function for all calls: they differ in what they do alone.
    fn ask(
        &self,
        operation: &'static str,
        file: Option<&str>,
        call: &dyn Fn(&Object) -> Answer,
    ) -> Result<(Answer, Context)> {
        if let Some(file) = file {
            name::check(file)?;
        }
        let context = Context::new(operation, &self.location, file);
        match self.object.get() {
            Some(object) => Ok((call(&object), context)),
            None => Err(context.failed("a storage of JavaScript is used in another thread")),
        }
    }

    fn act(&self, operation: &'static str, file: Option<&str>, call: &dyn Fn(&Object) -> Answer) -> Completion<()> {
        self.call(operation, file, call, |_nothing| Ok(()))
    }
}

impl Storage for HostStorage {
    fn lock(&self) -> Completion<()> {
        self.act("lock", None, &Object::lock)
    }

    fn unlock(&self) {
        if let Some(object) = self.object.get() {
            // A file that could not be closed was synced before, and the lock is given back whatever happens.
            let _harmless = object.unlock();
        }
    }

    fn list(&self) -> Completion<Vec<FileEntry>> {
        self.call("list", None, &Object::list, |answer| object::entries(&answer))
    }

    fn create(&self, name: &str) -> Completion<()> {
        self.act("create", Some(name), &|object| object.create(name))
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> Completion<Bytes> {
        // Where no file can have a byte there is nothing to read.
        let position = object::position(offset.min(object::POSITION_LIMIT - 1));
        let call = |object: &Object| object.read(name, position.clone()?, object::count(length));
        self.call("read", Some(name), &call, move |answer| object::bytes(answer, length))
    }

    fn write(&self, name: &str, offset: u64, data: Bytes, flush: Flush) -> Completion<()> {
        self.act("write", Some(name), &|object| {
            // The object may transfer the bytes, so they need a buffer of their own.
            let data = js_sys::Uint8Array::from(&data[..]);
            object.write(name, object::position(offset)?, &data, flush == Flush::Yes)
        })
    }

    fn truncate(&self, name: &str, length: u64) -> Completion<()> {
        self.act("truncate", Some(name), &|object| object.truncate(name, object::position(length)?))
    }

    fn sync(&self, name: &str) -> Completion<()> {
        self.act("sync", Some(name), &|object| object.sync(name))
    }

    fn sync_directory(&self) -> Completion<()> {
        self.act("sync", None, &Object::sync_directory)
    }

    fn reserve(&self, name: &str, _length: u64) -> Completion<()> {
        Completion::ready(name::check(name))
    }

    fn remove(&self, name: &str) -> Completion<()> {
        self.act("remove", Some(name), &|object| object.remove(name))
    }

    fn keeps_order(&self) -> bool {
        self.object.get().is_some_and(|object| object.keeps_order().is_truthy())
    }

    fn location(&self) -> String {
        self.location.to_string()
    }
}

impl Drop for HostStorage {
    fn drop(&mut self) {
        self.unlock();
        self.object.forget();
    }
}
