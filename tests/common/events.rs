//! Tests that wait: natively a thread of their own polls, on wasm the event loop goes on meanwhile.

#![allow(unused_macros, unused_imports, reason = "not every suite has such tests")]

#[cfg(not(target_arch = "wasm32"))]
use std::{
    future::{Future, Ready, ready},
    pin::pin,
    task::{Context, Poll, Waker},
};

/// Makes tests of asynchronous functions.
macro_rules! async_tests {
    ($($(#[$attribute:meta])* async fn $name:ident() $body:block)*) => {$(
        $(#[$attribute])*
        #[cfg(not(target_arch = "wasm32"))]
        #[test]
        fn $name() {
            crate::common::events::block_on(async $body);
        }

        $(#[$attribute])*
        #[cfg(target_arch = "wasm32")]
        #[wasm_bindgen_test::wasm_bindgen_test]
        async fn $name() $body
    )*};
}

pub(crate) use async_tests;

/// Lets the background do what it has to do by itself.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn turn() -> Ready<()> {
    std::thread::yield_now();
    ready(())
}

/// Lets the background do what it has to do by itself.
#[cfg(target_arch = "wasm32")]
pub(crate) async fn turn() {
    // A browser has timers only, and they are slower.
    let is_node = js_sys::Reflect::has(&js_sys::global(), &"setImmediate".into()).unwrap();
    scheduled(if is_node { "setImmediate" } else { "setTimeout" }, 0).await;
}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn sleep(duration_ms: u32) -> Ready<()> {
    std::thread::sleep(std::time::Duration::from_millis(duration_ms.into()));
    ready(())
}

#[cfg(target_arch = "wasm32")]
pub(crate) async fn sleep(duration_ms: u32) {
    scheduled("setTimeout", duration_ms).await;
}

#[cfg(target_arch = "wasm32")]
async fn scheduled(scheduler: &str, argument: u32) {
    use js_sys::{Function, Promise, Reflect, global};
    let scheduler: Function = Reflect::get(&global(), &scheduler.into()).unwrap().into();
    let promise = Promise::new(&mut |resolve, _reject| {
        scheduler.call2(&global(), &resolve, &argument.into()).unwrap();
    });
    wasm_bindgen_futures::JsFuture::from(promise).await.unwrap();
}

/// A tiny executor: it asks again and again, and lets other threads run.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    for _ in 0..10_000_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
        std::thread::yield_now();
    }
    panic!("the future is never ready");
}
