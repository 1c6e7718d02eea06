//! The event loop of a browser or of Node: timers, and giving it a turn.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::{JsCast, JsValue, wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_time::{Duration, Instant};

/// How long work goes on before the event loop gets a turn. A frame of a screen takes 16 ms, at most half of it is
/// ours.
const BREATH: Duration = Duration::from_millis(8);

/// The longest delay of a timer: a longer one would fire at once.
const LONGEST_DELAY_MS: i32 = i32::MAX;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, delay_ms: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);

    type MessageChannel;

    #[wasm_bindgen(constructor)]
    fn new() -> MessageChannel;

    #[wasm_bindgen(method, getter)]
    fn port1(this: &MessageChannel) -> MessagePort;

    #[wasm_bindgen(method, getter)]
    fn port2(this: &MessageChannel) -> MessagePort;

    #[derive(Clone)]
    type MessagePort;

    #[wasm_bindgen(method, js_name = addEventListener)]
    fn add_event_listener(this: &MessagePort, kind: &str, listener: &Function, options: &JsValue);

    #[wasm_bindgen(method, js_name = postMessage)]
    fn post_message(this: &MessagePort, message: &JsValue);

    #[wasm_bindgen(method)]
    fn start(this: &MessagePort);
}

thread_local! {
    /// When the event loop had its last turn of ours.
    static LAST_TURN: Cell<Option<Instant>> = const { Cell::new(None) };
    /// How many callers cannot wait, so that giving the event loop a turn would end them with an error.
    static IMPATIENT: Cell<usize> = const { Cell::new(0) };
    /// Where a message comes out, and where it is posted to.
    static CHANNEL: (MessagePort, MessagePort) = new_channel();
}

/// Somebody who cannot wait, as long as it lives.
pub(super) struct Impatience;

impl Impatience {
    pub(super) fn new() -> Self {
        IMPATIENT.set(IMPATIENT.get() + 1);
        Self
    }
}

impl Drop for Impatience {
    fn drop(&mut self) {
        IMPATIENT.set(IMPATIENT.get() - 1);
    }
}

/// Gives the event loop a turn when work has gone on for a while, so that no task of a page takes long.
pub(crate) async fn breathe() {
    #[cfg(feature = "testing")]
    if super::simulated::current().is_some() {
        return;
    }
    let now = Instant::now();
    match LAST_TURN.get() {
        Some(last) if now.saturating_duration_since(last) < BREATH => {}
        _ if IMPATIENT.get() > 0 => {}
        _ => {
            turn().await;
            LAST_TURN.set(Some(Instant::now()));
        }
    }
}

/// Waits for the next task of the event loop.
async fn turn() {
    let mut resolve_later = |resolve: Function, _reject: Function| match immediate() {
        // Node has this. There, a port that listens would keep the process alive.
        Some(set_immediate) => drop(set_immediate.call1(&JsValue::UNDEFINED, &resolve)),
        // A timer would do as well, but browsers make nested ones wait for 4 ms.
        None => CHANNEL.with(|(listening, posting)| {
            listening.add_event_listener("message", &resolve, &once());
            posting.post_message(&JsValue::NULL);
        }),
    };
    // It is never rejected.
    let _resolved = JsFuture::from(Promise::new(&mut resolve_later)).await;
}

fn immediate() -> Option<Function> {
    Reflect::get(&js_sys::global(), &"setImmediate".into()).ok()?.dyn_into().ok()
}

fn new_channel() -> (MessagePort, MessagePort) {
    let channel = MessageChannel::new();
    let listening = channel.port1();
    listening.start();
    (listening, channel.port2())
}

fn once() -> JsValue {
    let options = js_sys::Object::new();
    // Setting a property of an object of our own does not fail.
    let _set = Reflect::set(&options, &"once".into(), &JsValue::TRUE);
    options.into()
}

/// A timer. Dropping it cancels it.
pub(super) struct Sleep {
    timer: JsValue,
    fired: JsFuture,
}

impl Sleep {
    pub(super) fn new(duration: Duration) -> Self {
        // A timer may fire a little early by the clock that the duration was made with.
        let delay_ms = i32::try_from(duration.as_millis()).map_or(LONGEST_DELAY_MS, |ms| ms.saturating_add(1));
        let mut timer = JsValue::UNDEFINED;
        let promise = Promise::new(&mut |resolve, _reject| timer = set_timeout(&resolve, delay_ms));
        release_process(&timer);
        Self { timer, fired: JsFuture::from(promise) }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.fired).poll(context).map(drop)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        clear_timeout(&self.timer);
    }
}

/// Node ends when nothing is left to do, and a timer of the background is nothing to wait for.
fn release_process(timer: &JsValue) {
    // A browser's timer is a number, and asking it for a property throws.
    if timer.is_object()
        && let Ok(unref) = Reflect::get(timer, &"unref".into())
        && let Some(unref) = unref.dyn_ref::<Function>()
    {
        drop(unref.call0(timer));
    }
}
