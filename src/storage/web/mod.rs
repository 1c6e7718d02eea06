//! The storages of a browser, for Rust programs compiled to wasm.
//!
//! [`opfs`] keeps databases in the origin's private file system, [`indexed_db`] in IndexedDB, and [`auto`] in the
//! better of both that there is. They work in pages and in dedicated workers, IndexedDB in workers of every kind.
//!
//! The code of this module that is JavaScript comes with the program through `wasm-bindgen --target web`, or
//! `bundler`, as files below `snippets`. One of them is the script of the worker that has the files of the private
//! file system open for a page.

mod snippets;

use std::io;
use std::sync::Arc;

use wasm_bindgen::JsValue;

use super::HostStorage;
use super::host::Context;
#[cfg(doc)]
use crate::ErrorKind;
use crate::Result;

/// The files of a database in the origin's private file system.
///
/// In a page they are open in a worker that this starts.
///
/// ```no_run
/// async fn open() -> selkie::Result<selkie::Database> {
///     let storage = selkie::storage::web::opfs("notes").await?;
///     selkie::Options::new().open_storage_async(std::sync::Arc::new(storage)).await
/// }
/// ```
///
/// # Errors
///
/// [`ErrorKind::Io`] of the kind [`Unsupported`](std::io::ErrorKind::Unsupported) where the browser has no such files,
/// as in some private windows; [`ErrorKind::InvalidArgument`] for a name that a database cannot have.
pub async fn opfs(name: &str) -> Result<HostStorage> {
    opened(format!("opfs:{name}"), snippets::open_opfs(name).await)
}

/// The files of a database in IndexedDB.
///
/// ```no_run
/// async fn open() -> selkie::Result<selkie::Database> {
///     let storage = selkie::storage::web::indexed_db("notes").await?;
///     selkie::Options::new().open_storage_async(std::sync::Arc::new(storage)).await
/// }
/// ```
///
/// # Errors
///
/// [`ErrorKind::Io`] of the kind [`Unsupported`](std::io::ErrorKind::Unsupported) where the browser has none;
/// [`ErrorKind::InvalidArgument`] for a name that a database cannot have.
pub async fn indexed_db(name: &str) -> Result<HostStorage> {
    opened(format!("indexeddb:{name}"), snippets::open_indexed_db(name).await)
}

/// The files of a database where it is already, else in the private file system, else in IndexedDB.
///
/// ```no_run
/// async fn open() -> selkie::Result<selkie::Database> {
///     let storage = selkie::storage::web::auto("notes").await?;
///     selkie::Options::new().open_storage_async(std::sync::Arc::new(storage)).await
/// }
/// ```
///
/// # Errors
///
/// As for [`indexed_db`], when there is neither.
pub async fn auto(name: &str) -> Result<HostStorage> {
    let in_opfs = is_there(snippets::exists_opfs(name).await);
    if !in_opfs && is_there(snippets::exists_indexed_db(name).await) {
        return indexed_db(name).await;
    }
    match opfs(name).await {
        Err(error) if error.is_io(io::ErrorKind::Unsupported) => indexed_db(name).await,
        opened => opened,
    }
}

/// A storage that cannot even be asked has nothing; opening it tells why.
fn is_there(answer: std::result::Result<JsValue, JsValue>) -> bool {
    answer.is_ok_and(|answer| answer.is_truthy())
}

fn opened(location: String, host: std::result::Result<JsValue, JsValue>) -> Result<HostStorage> {
    match host {
        Ok(host) => Ok(HostStorage::new(&host)),
        Err(thrown) => Err(Context::new("open", &Arc::from(location), None).error(&thrown)),
    }
}
