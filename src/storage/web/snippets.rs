//! The JavaScript of this module. wasm-bindgen brings only files that are named, also where one imports another.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/storage/web/opfs.js")]
extern "C" {
    #[wasm_bindgen(js_name = openOpfs, catch)]
    pub(super) async fn open_opfs(name: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = existsOpfs, catch)]
    pub(super) async fn exists_opfs(name: &str) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(module = "/src/storage/web/indexeddb.js")]
extern "C" {
    #[wasm_bindgen(js_name = openIndexedDb, catch)]
    pub(super) async fn open_indexed_db(name: &str) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(module = "/src/storage/web/indexeddb-list.js")]
extern "C" {
    #[wasm_bindgen(js_name = existsIndexedDb, catch)]
    pub(super) async fn exists_indexed_db(name: &str) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(module = "/src/storage/web/indexeddb-connection.js")]
extern "C" {
    #[wasm_bindgen(js_name = factory)]
    fn indexed_db_factory() -> JsValue;
}

#[wasm_bindgen(module = "/src/storage/web/locks.js")]
extern "C" {
    fn acquire(name: &str) -> JsValue;
}

#[wasm_bindgen(module = "/src/storage/web/names.js")]
extern "C" {
    fn prefixed(name: &str) -> JsValue;
}

#[wasm_bindgen(module = "/src/storage/web/errors.js")]
extern "C" {
    #[wasm_bindgen(js_name = codeOf)]
    fn code_of(error: &JsValue) -> JsValue;
}

#[wasm_bindgen(module = "/src/storage/web/opfs-root.js")]
extern "C" {
    #[wasm_bindgen(js_name = canHaveHandles)]
    fn can_have_handles() -> JsValue;
}

#[wasm_bindgen(module = "/src/storage/web/opfs-files.js")]
extern "C" {
    type OpfsFiles;
}

#[wasm_bindgen(module = "/src/storage/web/opfs-snapshot.js")]
extern "C" {
    type OpfsSnapshot;
}

#[wasm_bindgen(module = "/src/storage/web/patience.js")]
extern "C" {
    #[wasm_bindgen(js_name = isHeld)]
    fn is_held(error: &JsValue) -> JsValue;
}

#[wasm_bindgen(module = "/src/storage/web/queue.js")]
extern "C" {
    type Queue;
}

#[wasm_bindgen(module = "/src/storage/web/worker-files.js")]
extern "C" {
    type WorkerFiles;
}

#[wasm_bindgen(module = "/src/storage/web/worker.js")]
extern "C" {
    #[wasm_bindgen(js_name = files)]
    fn files_of_worker() -> JsValue;
}

#[wasm_bindgen(module = "/src/storage/web/clearing.js")]
extern "C" {
    #[wasm_bindgen(js_name = watchClearing)]
    fn clearing_of_storage() -> JsValue;
}
