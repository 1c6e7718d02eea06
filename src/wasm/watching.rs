//! Watches, and the changes since a version.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::database::{CoreDatabase, promise};
use super::error::thrown;
use super::memory::with_input;
use super::ranges;
use super::reader::to_ms;
use crate::changes::ChangesSince;
use crate::progress::Goal;
use crate::runtime::to_ns;
use crate::watch::{Changes, Watch};
use crate::{Error, Result};

/// A watch over a range.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CoreWatch {
    watch: RefCell<Watch>,
    end: Rc<End>,
}

/// The end of a watch, after which nothing waits for it any more.
#[derive(Debug, Default)]
struct End {
    reached: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Drop for CoreWatch {
    fn drop(&mut self) {
        self.end.reached.set(true);
        if let Some(waker) = self.end.waiting.take() {
            waker.wake();
        }
    }
}

/// The commits between two versions.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CoreChanges {
    /// Away while the next ones are being read.
    changes: Rc<RefCell<Option<ChangesSince>>>,
    keyspace: Arc<str>,
}

#[wasm_bindgen]
impl CoreDatabase {
    /// Watches the range in the input. Everything after `version` is reported.
    pub fn watch(
        &self,
        keyspace: u32,
        low: u32,
        low_bytes: u32,
        high: u32,
        high_bytes: u32,
    ) -> std::result::Result<CoreWatch, JsValue> {
        let bounds = with_input(|input| ranges::bounds(input, (low, low_bytes), (high, high_bytes)));
        let handle = self.shared.handle();
        let watch =
            self.shared.with_keyspace(keyspace, |keyspace| Watch::begin(handle, Arc::clone(keyspace.state()), bounds));
        Ok(CoreWatch { watch: RefCell::new(watch.map_err(thrown)?), end: Rc::default() })
    }

    /// A promise of the changes of a keyspace after `version`, as [`CoreChanges`].
    pub fn changes_since(&self, keyspace: u32, version: f64) -> Promise {
        let name = self.shared.with_keyspace(keyspace, |keyspace| Ok(Arc::<str>::from(keyspace.name())));
        self.promise(async move |database| {
            let keyspace = name?;
            let changes = database.changes_since_async(version as u64).await?;
            Ok(CoreChanges { changes: Rc::new(RefCell::new(Some(changes))), keyspace }.into())
        })
    }
}

#[wasm_bindgen]
impl CoreWatch {
    /// The version after which it reports.
    pub fn version(&self) -> f64 {
        self.watch.borrow().version() as f64
    }

    /// The next commit that changed the range, if there is one by now: see [`to_row`].
    pub fn next(&self) -> std::result::Result<Option<Array>, JsValue> {
        let next = self.watch.borrow_mut().try_next().map_err(thrown)?;
        Ok(next.map(|changes| to_row(&changes)))
    }

    /// A promise that something was committed since it last reported, or that the watch has ended.
    pub fn wait(&self) -> Promise {
        let (progress, seen) = {
            let watch = self.watch.borrow();
            (Arc::clone(watch.progress()), watch.version())
        };
        let end = Rc::clone(&self.end);
        promise(async move {
            let mut wait = progress.wait(Goal::Published(seen + 1));
            poll_fn(|context| {
                if end.reached.get() {
                    return Poll::Ready(Ok(()));
                }
                end.waiting.replace(Some(context.waker().clone()));
                Pin::new(&mut wait).poll(context)
            })
            .await?;
            Ok(JsValue::UNDEFINED)
        })
    }
}

#[wasm_bindgen]
impl CoreChanges {
    /// A promise of the next commit that changed the keyspace, or of nothing at the end: see [`to_row`].
    ///
    /// It is asked for again once the promise was kept.
    pub fn next(&self) -> Promise {
        let taken = self.changes.borrow_mut().take();
        let (slot, keyspace) = (Rc::clone(&self.changes), Arc::clone(&self.keyspace));
        promise(async move {
            let mut changes = taken.ok_or_else(|| Error::invalid("the next changes are being read already"))?;
            let next = next_in(&mut changes, &keyspace).await;
            slot.borrow_mut().replace(changes);
            Ok(next?.map_or(JsValue::UNDEFINED, |next| to_row(&next).into()))
        })
    }
}

async fn next_in(changes: &mut ChangesSince, keyspace: &Arc<str>) -> Result<Option<Changes>> {
    while let Some(mut next) = changes.next_async().await? {
        next.changes.retain(|change| change.keyspace == *keyspace);
        if !next.changes.is_empty() {
            return Ok(Some(next));
        }
    }
    Ok(None)
}

/// Version, time in ms, and then key and value of each change; a value is undefined where the key was removed.
fn to_row(changes: &Changes) -> Array {
    let row = Array::new();
    row.push(&(changes.version as f64).into());
    row.push(&to_ms(to_ns(changes.time)).into());
    for change in &changes.changes {
        row.push(&Uint8Array::from(&change.key[..]));
        let value = change.value.as_ref();
        row.push(&value.map_or(JsValue::UNDEFINED, |value| Uint8Array::from(&value[..]).into()));
    }
    row
}
