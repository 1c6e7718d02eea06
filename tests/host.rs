//! What a storage makes of the answers of a JavaScript object, right ones and wrong ones.

#![cfg(all(target_arch = "wasm32", any(feature = "web", feature = "js")))]
#![allow(clippy::unwrap_used)]

use std::io::ErrorKind;

use js_sys::Function;
use selkie::Result;
use selkie::storage::{FileEntry, Flush, HostStorage, Storage};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

/// A storage whose methods all do what one expression says.
fn host(answer: &str) -> HostStorage {
    let methods = ["lock", "list", "create", "read", "write", "truncate", "sync", "syncDirectory", "remove"];
    let methods = methods.map(|name| format!("{name}(...given) {{ {answer} }},")).concat();
    let body = format!("return {{ location: 'place', unlock() {{ globalThis.unlocked = true; }}, {methods} }}");
    HostStorage::new(&Function::new_no_args(&body).call0(&JsValue::NULL).unwrap())
}

fn assert_io<T: std::fmt::Debug>(result: &Result<T>, kind: ErrorKind, message: &str) {
    let error = result.as_ref().unwrap_err();
    assert!(matches!(error.kind(), selkie::ErrorKind::Io { source, .. } if source.kind() == kind), "{kind:?}: {error}");
    assert_eq!(error.to_string(), message);
}

#[wasm_bindgen_test]
async fn answers_may_come_at_once_or_later() -> Result<()> {
    for way in ["return X", "return Promise.resolve(X)", "return { then(done) { setTimeout(() => done(X)) } }"] {
        let answering = |answer: &str| host(&way.replace('X', answer));
        answering("undefined").lock().await?;
        answering("undefined").write("log-1", 0, "abc".into(), Flush::Yes).await?;
        assert_eq!(answering("new Uint8Array([1, 2])").read("log-1", 0, 2).await?, [1, 2][..]);
        let listed = answering("[['log-1', 3], ['.hidden', 1]]").list().await?;
        assert_eq!(listed, [FileEntry { name: "log-1".to_owned(), length: 3 }]);
    }
    Ok(())
}

#[wasm_bindgen_test]
async fn arguments_arrive() -> Result<()> {
    let storage = host("globalThis.given = given");
    let to_text = "JSON.stringify(given, (_, value) => value instanceof Uint8Array ? [...value] : value)";
    let given = || js_sys::eval(to_text).unwrap().as_string().unwrap();
    storage.write("log-1", 5_000_000_000, "ab".into(), Flush::Yes).await?;
    assert_eq!(given(), r#"["log-1",5000000000,[97,98],true]"#);
    storage.write("log-1", 0, "".into(), Flush::No).await?;
    assert_eq!(given(), r#"["log-1",0,[],false]"#);
    storage.truncate("log-1", 7).await?;
    assert_eq!(given(), r#"["log-1",7]"#);
    assert!(storage.read("log-2", 1, 2).await.is_err());
    assert_eq!(given(), r#"["log-2",1,2]"#);
    Ok(())
}

#[wasm_bindgen_test]
async fn written_bytes_are_the_objects_own() -> Result<()> {
    let storage = host("structuredClone(given[2], { transfer: [given[2].buffer] })");
    storage.write("log-1", 0, "abc".into(), Flush::No).await
}

#[wasm_bindgen_test]
async fn errors_keep_their_kind_and_text() {
    let quota = "new DOMException('no space', 'QuotaExceededError')";
    let node = "Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC' })";
    for (error, kind, text) in [
        (quota, ErrorKind::QuotaExceeded, "QuotaExceededError: no space"),
        (node, ErrorKind::StorageFull, "Error: ENOSPC: full"),
        ("new DOMException('gone', 'NotFoundError')", ErrorKind::NotFound, "NotFoundError: gone"),
        ("new TypeError('odd')", ErrorKind::Other, "TypeError: odd"),
        ("'words'", ErrorKind::Other, "words"),
        ("undefined", ErrorKind::Other, "undefined"),
        ("null", ErrorKind::Other, "null"),
    ] {
        for way in [format!("throw {error}"), format!("return Promise.reject({error})")] {
            let storage = host(&way);
            assert_io(&storage.sync("log-1").await, kind, &format!("cannot sync `place/log-1`: {text}"));
            assert_io(&storage.list().await, kind, &format!("cannot list `place`: {text}"));
        }
    }
}

#[wasm_bindgen_test]
async fn held_lock_is_told_apart() {
    let refused = host("throw Object.assign(new Error('held'), { code: 'LOCKED' })").lock().await;
    assert!(matches!(refused.unwrap_err().kind(), selkie::ErrorKind::Locked { path } if path == "place"));
}

#[wasm_bindgen_test]
async fn wrong_answers_are_errors() {
    let prefix = "cannot read `place/log-1`: ";
    let more = host("return new Uint8Array(3)").read("log-1", 0, 2).await;
    assert_io(&more, ErrorKind::Other, &format!("{prefix}3 bytes were read, where 2 were asked for"));
    for answer in ["return 'text'", "return undefined", "return [1]", "return Promise.resolve(new ArrayBuffer(1))"] {
        let wrong = host(answer).read("log-1", 0, 2).await;
        assert_io(&wrong, ErrorKind::Other, &format!("{prefix}what was read is not a Uint8Array"));
    }
    for answer in ["'ab'", "{}", "['ab']", "[['ab']]", "[['ab', -1]]", "[['ab', 0.5]]", "[['ab', NaN]]", "[[1, 1]]"] {
        assert!(host(&format!("return {answer}")).list().await.is_err(), "{answer}");
    }
}

#[wasm_bindgen_test]
async fn positions_beyond_all_files_are_refused() {
    let storage = host("globalThis.called = true");
    assert!(storage.truncate("log-1", 1 << 53).await.is_err());
    assert!(storage.write("log-1", u64::MAX, "a".into(), Flush::No).await.is_err());
    assert!(js_sys::eval("globalThis.called").unwrap().is_undefined());
}

#[wasm_bindgen_test]
fn dropping_gives_the_lock_back() {
    drop(host(""));
    assert_eq!(js_sys::eval("globalThis.unlocked").unwrap(), JsValue::TRUE);
}

/// The completion is dropped before the answer comes; the answer then has nobody to go to, and harms nobody.
#[wasm_bindgen_test]
async fn answers_may_come_too_late() -> Result<()> {
    let storage = host("return new Promise((done) => setTimeout(done))");
    drop(storage.sync("log-1"));
    let last = storage.sync("log-1");
    drop(storage);
    last.await
}
