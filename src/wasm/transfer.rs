//! Exporting a database as a stream, and making one of such a stream.

use std::sync::Arc;

use bytes::Bytes;
use js_sys::{Array, Function, Promise, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

use super::database::{CoreDatabase, promise};
use super::error::from_js;
use super::options;
use super::reader::to_ms;
use crate::Result;
use crate::runtime::to_ns;
use crate::storage::{HostStorage, MemoryStorage, Storage};

/// How many bytes of an import are asked for at once.
const PIECE_BYTES: u32 = 1 << 20;

#[wasm_bindgen]
impl CoreDatabase {
    /// Calls `sink` with each piece of an export, and waits for the promise it returns.
    ///
    /// The promise is for the version, its time in ms, the bytes and the entries.
    pub fn export_to(&self, sink: Function) -> Promise {
        self.promise(async move |database| {
            let info = database
                .backup_async(async |piece| call(&sink, Uint8Array::from(&piece[..]).into()).await.map(drop))
                .await?;
            let row = [info.version as f64, to_ms(to_ns(info.time)), info.bytes as f64, info.entries as f64];
            Ok(row.map(JsValue::from).iter().collect::<Array>().into())
        })
    }
}

/// Makes a database of an export, in a host's files or in memory without a host.
///
/// `source` is called with a length and returns a promise of so many bytes, or of fewer at the end. The promise is for
/// a [`CoreDatabase`].
#[wasm_bindgen]
pub fn restore_core(host: JsValue, settings: &[f64], source: Function) -> Promise {
    let options = options::from_settings(settings);
    promise(async move {
        let storage: Arc<dyn Storage> =
            if host.is_undefined() { Arc::new(MemoryStorage::new()) } else { Arc::new(HostStorage::new(&host)) };
        let restored = options.restore_pieces_async(async || next_piece(&source).await, storage).await?;
        Ok(CoreDatabase::new(restored).into())
    })
}

async fn next_piece(source: &Function) -> Result<Option<Bytes>> {
    let piece = call(source, PIECE_BYTES.into()).await?;
    let piece = piece.dyn_into::<Uint8Array>().map_err(|other| from_js("read", &other))?;
    Ok((piece.length() > 0).then(|| Bytes::from(piece.to_vec())))
}

/// Calls a function and waits for what it promises.
async fn call(function: &Function, argument: JsValue) -> Result<JsValue> {
    let failed = |error: JsValue| from_js("pass on a piece of", &error);
    let answer = function.call1(&JsValue::UNDEFINED, &argument).map_err(failed)?;
    JsFuture::from(Promise::resolve(&answer)).await.map_err(failed)
}
