//! Opening, and what concerns a database as a whole.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use wasm_bindgen_futures::future_to_promise;

use super::error::thrown;
use super::options;
use super::reader::{CoreReader, Place};
use super::shared::Shared;
use crate::database::Database;
use crate::keyspace::Keyspace;
use crate::progress::{Goal, Stage};
use crate::runtime::from_ns;
use crate::storage::HostStorage;
use crate::{Error, Refreshed, Result};

/// A database.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CoreDatabase {
    pub(super) shared: Rc<Shared>,
}

/// Opens the database in a host's files, or one in memory without a host.
///
/// The promise is for a [`CoreDatabase`].
#[wasm_bindgen]
pub fn open_core(host: JsValue, settings: &[f64]) -> Promise {
    let options = options::from_settings(settings);
    promise(async move {
        let opened = if host.is_undefined() {
            options.in_memory()?
        } else {
            options.open_storage_async(Arc::new(HostStorage::new(&host))).await?
        };
        Ok(CoreDatabase::new(opened).into())
    })
}

/// A promise of what a future comes to.
pub(super) fn promise(future: impl Future<Output = Result<JsValue>> + 'static) -> Promise {
    keep(Box::pin(future))
}

/// One function for all futures: what makes promises of them is not small.
fn keep(future: Pin<Box<dyn Future<Output = Result<JsValue>>>>) -> Promise {
    future_to_promise(async move { future.await.map_err(thrown) })
}

impl CoreDatabase {
    pub(super) fn new(database: Database) -> Self {
        Self { shared: Rc::new(Shared::new(database)) }
    }

    /// A promise that `work` on the database keeps.
    pub(super) fn promise<F: Future<Output = Result<JsValue>> + 'static>(
        &self,
        work: impl FnOnce(Database) -> F,
    ) -> Promise {
        promise(work(self.shared.database.clone()))
    }

    /// A promise that a goal is reached.
    fn reach(&self, goal: Goal) -> Promise {
        self.promise(async move |database| {
            database.handle().progress.wait(goal).await?;
            Ok(JsValue::UNDEFINED)
        })
    }
}

#[wasm_bindgen]
impl CoreDatabase {
    /// The reader of the newest state.
    pub fn newest(&self) -> CoreReader {
        CoreReader::new(&self.shared, Place::Newest)
    }

    /// A view of what is committed now.
    pub fn view(&self) -> std::result::Result<CoreReader, JsValue> {
        let view = self.shared.database.begin_read().map_err(thrown)?;
        Ok(CoreReader::new(&self.shared, Place::View(view)))
    }

    /// A view as of a version.
    pub fn at(&self, version: f64) -> std::result::Result<CoreReader, JsValue> {
        let view = self.shared.database.at(version as u64).map_err(thrown)?;
        Ok(CoreReader::new(&self.shared, Place::View(view)))
    }

    /// A view as of the end of a millisecond: what was committed within it has that time in JavaScript.
    pub fn as_of(&self, time_ms: f64) -> std::result::Result<CoreReader, JsValue> {
        let end = (time_ms.max(0.0) as u64).saturating_add(1).saturating_mul(1_000_000) - 1;
        let view = self.shared.database.as_of(from_ns(end)).map_err(thrown)?;
        Ok(CoreReader::new(&self.shared, Place::View(view)))
    }

    /// A code for an interval of durability.
    pub fn add_interval(&self, interval_ms: f64, commits: f64, bytes: f64) -> u32 {
        self.shared.add_interval(options::interval(interval_ms, commits, bytes))
    }

    /// Opens a keyspace, or creates it, at once. Answers with its number.
    pub fn keyspace(&self, name: &str) -> std::result::Result<u32, JsValue> {
        let handle = self.shared.handle();
        let (state, _ticket) = handle.begin_create_keyspace(name).map_err(thrown)?;
        self.write_soon();
        Ok(self.shared.add_keyspace(Keyspace::new(Arc::clone(handle), state)))
    }

    pub fn keyspaces(&self) -> Vec<String> {
        self.shared.database.keyspaces()
    }

    /// Drops a keyspace at once. Answers with the version of that commit.
    pub fn drop_keyspace(&self, name: &str) -> std::result::Result<f64, JsValue> {
        let ticket = self.shared.handle().begin_drop_keyspace(name).map_err(thrown)?;
        self.shared.forget_keyspace(name);
        self.write_soon();
        Ok(ticket.version as f64)
    }

    /// A promise that a commit is visible and has reached a stage: 0 applied, 1 written, 2 synced.
    pub fn wait(&self, version: f64, stage: u32) -> Promise {
        let stage = match stage {
            0 => Stage::Applied,
            1 => Stage::Written,
            _ => Stage::Synced,
        };
        self.reach(Goal::Commit(version as u64, stage))
    }

    /// A promise that a version is visible.
    pub fn wait_published(&self, version: f64) -> Promise {
        self.reach(Goal::Published(version as u64))
    }

    /// The newest version that is visible.
    pub fn published(&self) -> f64 {
        self.shared.database.version() as f64
    }

    /// The newest version that is written, but perhaps not synced.
    pub fn written(&self) -> f64 {
        self.shared.handle().progress.written() as f64
    }

    /// The newest version that is synced; 0 in memory.
    pub fn synced(&self) -> f64 {
        self.shared.database.durable_version() as f64
    }

    pub fn sync(&self) -> Promise {
        self.promise(async move |database| {
            database.sync_async().await?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Writes a snapshot. The promise is for its version, bytes and entries.
    pub fn snapshot(&self) -> Promise {
        self.promise(async move |database| {
            let info = database.snapshot_async().await?;
            let row: Array =
                [info.version as f64, info.bytes as f64, info.entries as f64].map(JsValue::from).iter().collect();
            Ok(row.into())
        })
    }

    pub fn collect_garbage(&self) -> std::result::Result<(), JsValue> {
        self.shared.database.collect_garbage().map_err(thrown)
    }

    /// Reads what another tab wrote since, up to a version if that is not negative. The promise is for the version that
    /// is seen then, or for -1 if the database has to be opened anew.
    pub fn refresh(&self, until: f64) -> Promise {
        let until = (until >= 0.0).then_some(until as u64);
        self.promise(async move |database| {
            let version = match database.refresh_async(until).await? {
                Refreshed::UpTo(version) => version as f64,
                Refreshed::Replaced => -1.0,
            };
            Ok(version.into())
        })
    }

    /// Drains, syncs and closes.
    pub fn close(&self) -> Promise {
        self.promise(async move |database| {
            database.close_async().await?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Stops all writing because the storage is lost.
    pub fn poison(&self, reason: &str) {
        let cause = Error::io("use", "storage", std::io::Error::other(reason.to_owned()));
        self.shared.handle().progress.poison(cause);
    }

    fn write_soon(&self) {
        if let Some(log) = &self.shared.handle().log {
            log.signal();
        }
    }
}
