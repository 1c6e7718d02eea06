//! Errors of JavaScript as errors of this crate.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::DomException;

use crate::Error;

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
            return Error::Locked { path: self.location.to_string() };
        }
        if code.as_deref() == Some("INVALID_ARGUMENT") {
            return Error::invalid(text(thrown));
        }
        let kind = code.as_deref().map_or(ErrorKind::Other, kind_of);
        self.io(io::Error::new(kind, text(thrown)))
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
fn kind_of(code: &str) -> ErrorKind {
    match code {
        "EXISTS" | "EEXIST" => ErrorKind::AlreadyExists,
        "ENOENT" | "NotFoundError" => ErrorKind::NotFound,
        "ENOSPC" => ErrorKind::StorageFull,
        "EDQUOT" | "QuotaExceededError" => ErrorKind::QuotaExceeded,
        "EACCES" | "EPERM" | "NotAllowedError" | "SecurityError" => ErrorKind::PermissionDenied,
        "EROFS" => ErrorKind::ReadOnlyFilesystem,
        "EBUSY" | "NoModificationAllowedError" => ErrorKind::ResourceBusy,
        "UNAVAILABLE" | "NotSupportedError" => ErrorKind::Unsupported,
        "RangeError" => ErrorKind::InvalidInput,
        "TimeoutError" => ErrorKind::TimedOut,
        _ => ErrorKind::Other,
    }
}

/// What was thrown, in words. The string of a `DOMException` has its name too, so that nothing is lost.
fn text(thrown: &JsValue) -> String {
    if let Some(exception) = thrown.dyn_ref::<DomException>() {
        return format!("{}: {}", exception.name(), exception.message());
    }
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.to_string()),
        None => thrown.as_string().unwrap_or_else(|| format!("{thrown:?}")),
    }
}

fn property(thrown: &JsValue, name: &str) -> Option<String> {
    if thrown.is_object() { Reflect::get(thrown, &name.into()).ok()?.as_string() } else { None }
}
