//! Errors as JavaScript sees them: with a stable code, and the details that name the cause.

use std::cell::RefCell;
use std::io;

use js_sys::{Function, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::storage::in_words;
use crate::{Error, ErrorKind, Result};

thread_local! {
    /// Makes an error of a code, a message and details.
    static FACTORY: RefCell<Option<Function>> = const { RefCell::new(None) };
    /// The error of the last fast call that failed.
    static LAST: RefCell<Option<Error>> = const { RefCell::new(None) };
}

/// Says how errors are made: `factory(code, message, details)`.
#[wasm_bindgen]
pub fn set_error_factory(factory: Function) {
    FACTORY.set(Some(factory));
}

/// The error of the last fast call that failed.
#[wasm_bindgen]
pub fn take_error() -> JsValue {
    LAST.take().map_or(JsValue::UNDEFINED, |error| to_js(&error))
}

/// Keeps the error of a fast call, which answers `failed` then.
pub(super) fn answer<T>(result: Result<T>, failed: T) -> T {
    result.unwrap_or_else(|error| {
        LAST.set(Some(error));
        failed
    })
}

pub(super) fn to_js(error: &Error) -> JsValue {
    let details = details_of(error);
    let message = JsValue::from(error.to_string());
    let factory = FACTORY.with_borrow(Clone::clone);
    let made = factory.map(|factory| factory.call3(&JsValue::UNDEFINED, &code_of(error).into(), &message, &details));
    // Without a factory, or when it fails, the message is what there is.
    made.and_then(std::result::Result::ok).unwrap_or(message)
}

/// For `map_err`.
#[expect(clippy::needless_pass_by_value, reason = "what `map_err` calls owns its argument")]
pub(super) fn thrown(error: Error) -> JsValue {
    to_js(&error)
}

fn code_of(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::Conflict { .. } => "CONFLICT",
        ErrorKind::Closed => "CLOSED",
        ErrorKind::Poisoned { .. } => "POISONED",
        ErrorKind::DurabilityUnknown { .. } => "DURABILITY_UNKNOWN",
        ErrorKind::InvalidArgument { .. } => "INVALID_ARGUMENT",
        ErrorKind::Limit { .. } => "LIMIT",
        ErrorKind::Corrupted { .. } => "CORRUPTED",
        ErrorKind::Locked { .. } => "LOCKED",
        ErrorKind::UnsupportedFormat { .. } => "UNSUPPORTED_FORMAT",
        ErrorKind::HistoryCollected { .. } => "HISTORY_COLLECTED",
        ErrorKind::ReaderEnded { .. } => "READER_ENDED",
        ErrorKind::Lagged { .. } => "LAGGED",
        ErrorKind::KeyspaceNotFound { .. } => "KEYSPACE_NOT_FOUND",
        ErrorKind::Aborted { .. } => "ABORTED",
        ErrorKind::Io { source, .. } => match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "QUOTA",
            io::ErrorKind::NotFound => "NOT_FOUND",
            io::ErrorKind::AlreadyExists => "EXISTS",
            _ => "IO",
        },
    }
}

fn details_of(error: &Error) -> JsValue {
    let details = Object::new();
    let set = |name: &str, value: JsValue| {
        // A new object takes every property.
        let _set = Reflect::set(&details, &name.into(), &value);
    };
    match error.kind() {
        ErrorKind::Conflict { keyspace, key, version } => {
            set("keyspace", keyspace.as_ref().into());
            set("key", Uint8Array::from(&key[..]).into());
            set("version", (*version as f64).into());
        }
        ErrorKind::Poisoned { cause } => set("cause", to_js(cause)),
        ErrorKind::DurabilityUnknown { version, cause } => {
            set("version", (*version as f64).into());
            set("cause", to_js(cause));
        }
        ErrorKind::Corrupted { file, offset, .. } => {
            set("file", file.into());
            set("offset", (*offset as f64).into());
        }
        ErrorKind::UnsupportedFormat { file, .. } => set("file", file.into()),
        ErrorKind::HistoryCollected { requested: version }
        | ErrorKind::ReaderEnded { version, .. }
        | ErrorKind::Lagged { resume: version } => {
            set("version", (*version as f64).into());
        }
        ErrorKind::KeyspaceNotFound { name } => set("keyspace", name.as_ref().into()),
        ErrorKind::Io { operation, file, .. } => {
            set("operation", (*operation).into());
            set("file", file.into());
        }
        _ => {}
    }
    details.into()
}

/// An error of JavaScript's, as one of the engine's.
pub(super) fn from_js(operation: &'static str, error: &JsValue) -> Error {
    let message = Reflect::get(error, &"message".into()).ok().and_then(|message| message.as_string());
    let message = message.unwrap_or_else(|| in_words(error));
    Error::io(operation, "export", std::io::Error::other(message))
}
