//! Files in Node, where these tests run without the storages of browsers.

use js_sys::{Function, Promise};
use selkie::storage::{HostStorage, Storage};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

pub(crate) fn new_directory() -> String {
    let make =
        "const { join } = process.getBuiltinModule('node:path'), { tmpdir } = process.getBuiltinModule('node:os');
        return join(process.getBuiltinModule('node:fs').mkdtempSync(join(tmpdir(), 'selkie-test-')), 'a', 'database');";
    Function::new_no_args(make).call0(&JsValue::NULL).unwrap().as_string().unwrap()
}

pub(crate) async fn open(directory: String) -> Box<dyn Storage> {
    let module = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/src/storage/web/node.js");
    let open =
        Function::new_with_args("directory", &format!("return import('{module}').then((m) => m.openFiles(directory))"));
    let host: Promise = open.call1(&JsValue::NULL, &directory.into()).unwrap().unchecked_into();
    Box::new(HostStorage::new(&JsFuture::from(host).await.unwrap()))
}
