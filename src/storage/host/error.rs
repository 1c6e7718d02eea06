//! Errors of JavaScript as errors of this crate.

use std::io;
use std::sync::Arc;

use js_sys::Reflect;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{Error, ErrorKind};

/// What was being done, to say it when it fails.
#[derive(Debug)]
pub(in crate::storage) struct Context {
    operation: &'static str,
    location: Arc<str>,
    file: Option<String>,
}

impl Context {
    pub(in crate::storage) fn new(operation: &'static str, location: &Arc<str>, file: Option<&str>) -> Self {
        Self { operation, location: Arc::clone(location), file: file.map(str::to_owned) }
    }

    /// The error for what JavaScript threw.
    pub(in crate::storage) fn error(&self, thrown: &JsValue) -> Error {
        let code = property(thrown, "code").or_else(|| property(thrown, "name"));
        if code.as_deref() == Some("LOCKED") {
            return Error::new(ErrorKind::Locked { path: self.location.to_string() });
        }
        if code.as_deref() == Some("INVALID_ARGUMENT") {
            return Error::invalid(in_words(thrown));
        }
        let kind = code.as_deref().map_or(io::ErrorKind::Other, kind_of);
        self.io(io::Error::new(kind, in_words(thrown)))
    }

    /// The error for an answer that is none.
    pub(in crate::storage) fn failed(&self, reason: &str) -> Error {
        self.io(io::Error::other(reason))
    }

    fn io(&self, source: io::Error) -> Error {
        let file = match &self.file {
            Some(file) => format!("{}/{file}", self.location),
            None => self.location.to_string(),
        };
        Error::io(self.operation, file, source)
    }
}

/// The kind for a code of Node or of this package, or for the name of a `DOMException`.
fn kind_of(code: &str) -> io::ErrorKind {
    match code {
        "EXISTS" | "EEXIST" => io::ErrorKind::AlreadyExists,
        "ENOENT" | "NotFoundError" => io::ErrorKind::NotFound,
        "ENOSPC" => io::ErrorKind::StorageFull,
        "EDQUOT" | "QuotaExceededError" => io::ErrorKind::QuotaExceeded,
        "EACCES" | "EPERM" | "NotAllowedError" | "SecurityError" => io::ErrorKind::PermissionDenied,
        "EROFS" => io::ErrorKind::ReadOnlyFilesystem,
        "EBUSY" | "NoModificationAllowedError" => io::ErrorKind::ResourceBusy,
        "UNAVAILABLE" | "NotSupportedError" => io::ErrorKind::Unsupported,
        "RangeError" => io::ErrorKind::InvalidInput,
        "TimeoutError" => io::ErrorKind::TimedOut,
        _ => io::ErrorKind::Other,
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = String, catch)]
    fn string_of(value: &JsValue) -> Result<String, JsValue>;
}

/// What was thrown, as JavaScript makes a string of it: the name and the message of an error. That fails for an object
/// without a prototype.
pub(crate) fn in_words(thrown: &JsValue) -> String {
    string_of(thrown).unwrap_or_else(|_| "an object that has no string".to_owned())
}

fn property(thrown: &JsValue, name: &str) -> Option<String> {
    if thrown.is_object() { Reflect::get(thrown, &name.into()).ok()?.as_string() } else { None }
}
