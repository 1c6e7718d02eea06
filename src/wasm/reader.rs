//! Reading: the newest state, a view, or a transaction, through the same methods.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::error::{answer, thrown};
use super::memory::{self, Parts, with_input};
use super::ranges::{self, Bounds};
use super::shared::Shared;
use crate::history::of_key;
use crate::index::Record;
use crate::keyspace::read;
use crate::runtime::to_ns;
use crate::source::Source;
use crate::transaction::Transaction;
use crate::view::{Snapshot, View};
use crate::{Error, Result};

const NONE: u32 = 0;
const FOUND: u32 = 1;
pub(super) const FAILED: u32 = u32::MAX;

/// What is read from.
#[derive(Debug)]
pub(super) enum Place {
    /// Whatever is newest when a call comes.
    Newest,
    View(View),
    Transaction(Box<Transaction>),
    /// Closed, committed or aborted.
    Ended,
}

/// A reader of the newest state, of a view or of a transaction; a transaction writes as well (see `writes`).
#[wasm_bindgen]
#[derive(Debug)]
pub struct CoreReader {
    pub(super) shared: Rc<Shared>,
    pub(super) place: RefCell<Place>,
    /// The view that goes on where a portion of the newest state ended.
    rest: RefCell<Option<View>>,
}

impl CoreReader {
    pub(super) fn new(shared: &Rc<Shared>, place: Place) -> Self {
        Self { shared: Rc::clone(shared), place: RefCell::new(place), rest: RefCell::default() }
    }

    fn with_source<R>(&self, keyspace: u32, read: impl FnOnce(Result<Source<'_>>) -> Result<R>) -> Result<R> {
        let state = self.shared.with_keyspace(keyspace, |keyspace| keyspace.state_in(self.shared.handle()))?;
        match &*self.place.borrow() {
            Place::Newest => {
                let snapshot = Snapshot::now(self.shared.handle())?;
                read(snapshot.source(&state))
            }
            Place::View(view) => read(view.source_of(&state)),
            Place::Transaction(transaction) => read(transaction.source_of(&state)),
            Place::Ended => Err(ended()),
        }
    }

    fn read<R>(&self, keyspace: u32, key: &[u8], reader: impl Fn(&Record) -> R) -> Result<Option<R>> {
        if matches!(*self.place.borrow(), Place::Newest) {
            let handle = self.shared.handle();
            return self.shared.with_keyspace(keyspace, |keyspace| read(handle, keyspace.state(), key, reader));
        }
        self.with_source(keyspace, |source| source?.read(key, reader))
    }

    fn scan_now(&self, keyspace: u32, bounds: Bounds, flags: u32, offset: u32, limit: u32) -> Result<u32> {
        if !matches!(*self.place.borrow(), Place::Newest) {
            return self.with_source(keyspace, |source| ranges::pack(source, bounds, flags, offset, limit));
        }
        let view = self.shared.database.begin_read()?;
        let state = self.shared.with_keyspace(keyspace, |keyspace| keyspace.state_in(self.shared.handle()))?;
        let packed = ranges::pack(view.source_of(&state), bounds, flags, offset, limit);
        self.rest.replace(Some(view));
        packed
    }
}

#[wasm_bindgen]
impl CoreReader {
    /// Points the registers to the value of the key in the input. 0 when there is none.
    pub fn get(&self, keyspace: u32, key_bytes: u32) -> u32 {
        let value = with_input(|input| self.read(keyspace, &input[..key_bytes as usize], Record::clone));
        let found = value.map(|value| {
            value.map_or(NONE, |value| {
                memory::point_to(value);
                FOUND
            })
        });
        answer(found, FAILED)
    }

    /// Whether the key in the input has a value.
    pub fn has(&self, keyspace: u32, key_bytes: u32) -> u32 {
        let value = with_input(|input| self.read(keyspace, &input[..key_bytes as usize], |_| ()));
        answer(value.map(|value| u32::from(value.is_some())), FAILED)
    }

    /// Packs the values of the keys in the input (see `Parts`). 1 if all of it is ASCII.
    pub fn get_many(&self, keyspace: u32, count: u32) -> u32 {
        let packed = with_input(|input| {
            self.with_source(keyspace, |source| {
                let source = source?;
                let mut keys = Parts::new(input, count)?;
                let (read, ascii) = memory::with_output(|output| {
                    (0..count).try_for_each(|_| {
                        let key = keys.next_present()?;
                        source.read(key, |record| output.push(record.bytes()))?.unwrap_or_else(|| output.push_none());
                        Ok(())
                    })
                });
                read.map(|()| u32::from(ascii))
            })
        });
        answer(packed, FAILED)
    }

    /// Packs a portion of a range: see `ranges`.
    #[expect(clippy::too_many_arguments, reason = "numbers cross cheaper than objects")]
    pub fn scan(
        &self,
        keyspace: u32,
        low: u32,
        low_bytes: u32,
        high: u32,
        high_bytes: u32,
        flags: u32,
        offset: u32,
        limit: u32,
    ) -> u32 {
        let bounds = with_input(|input| ranges::bounds(input, (low, low_bytes), (high, high_bytes)));
        answer(self.scan_now(keyspace, bounds, flags, offset, limit), FAILED)
    }

    /// The moment from which the last portion was read: what follows of it is read there.
    pub fn rest(&self) -> Option<CoreReader> {
        let view = self.rest.borrow_mut().take()?;
        Some(Self::new(&self.shared, Place::View(view)))
    }

    /// Lets go of that moment.
    pub fn drop_rest(&self) {
        drop(self.rest.borrow_mut().take());
    }

    pub fn count(
        &self,
        keyspace: u32,
        low: u32,
        low_bytes: u32,
        high: u32,
        high_bytes: u32,
        limit: f64,
    ) -> std::result::Result<f64, JsValue> {
        let bounds = with_input(|input| ranges::bounds(input, (low, low_bytes), (high, high_bytes)));
        self.with_source(keyspace, |source| ranges::count(source, bounds, limit)).map_err(thrown)
    }

    /// The versions of the key in the input, newest first: version, time in ms, and value for each.
    pub fn history(&self, keyspace: u32, key_bytes: u32) -> std::result::Result<Array, JsValue> {
        let versions =
            with_input(|input| self.with_source(keyspace, |source| of_key(source?, &input[..key_bytes as usize])));
        let rows = Array::new();
        for row in versions.map_err(thrown)? {
            rows.push(&(row.version as f64).into());
            rows.push(&to_ms(to_ns(row.time)).into());
            rows.push(&row.value.map_or(JsValue::UNDEFINED, |value| Uint8Array::from(&value[..]).into()));
        }
        Ok(rows)
    }

    /// The version that is read, of a view.
    pub fn version(&self) -> std::result::Result<f64, JsValue> {
        match &*self.place.borrow() {
            Place::View(view) => Ok(view.version() as f64),
            Place::Newest => Ok(self.shared.database.version() as f64),
            Place::Transaction(_) | Place::Ended => Err(thrown(ended())),
        }
    }

    /// Ends it; later calls say so.
    pub fn end(&self) {
        drop(self.place.replace(Place::Ended));
        self.drop_rest();
    }
}

pub(super) fn ended() -> Error {
    Error::aborted("it was committed, aborted or closed before")
}

/// Nanoseconds since the epoch as milliseconds, the unit of a `Date`.
pub(super) fn to_ms(ns: u64) -> f64 {
    (ns / 1_000_000) as f64
}
