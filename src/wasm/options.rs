//! The options of a database, as JavaScript sets them.

use std::time::Duration;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::options::{Durability, Limits, Options, Retention, SnapshotPolicy, Visibility};

/// Options that are set one by one. Numbers below zero leave a setting as it is.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct CoreOptions {
    options: std::cell::RefCell<Options>,
}

#[wasm_bindgen]
impl CoreOptions {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        let options = Self::default();
        options.change(|options| options.visibility(Visibility::Applied));
        options
    }

    fn change(&self, change: impl FnOnce(Options) -> Options) {
        let options = self.options.take();
        self.options.replace(change(options));
    }

    pub(super) fn get(&self) -> Options {
        self.options.borrow().clone()
    }

    /// 1 none, 2 queued, 3 buffered, 4 immediate.
    pub fn durability(&self, code: u32) {
        let level = match code {
            1 => Durability::None,
            2 => Durability::Queued,
            3 => Durability::Buffered,
            _ => Durability::Immediate,
        };
        self.change(|options| options.durability(level));
    }

    pub fn durability_interval(&self, interval_ms: f64, commits: f64, bytes: f64) {
        self.change(|options| options.durability(interval(interval_ms, commits, bytes)));
    }

    pub fn visible_when_durable(&self) {
        self.change(|options| options.visibility(Visibility::Durable));
    }

    pub fn no_history(&self) {
        self.change(|options| options.history(Retention::None));
    }

    pub fn all_history(&self) {
        self.change(|options| options.history(Retention::Forever));
    }

    pub fn history_versions(&self, versions: u32) {
        self.change(|options| options.history(Retention::Versions(versions)));
    }

    pub fn history_age(&self, age_ms: f64) {
        self.change(|options| options.history(Retention::Age(from_ms(age_ms))));
    }

    pub fn no_snapshots(&self) {
        self.change(|options| options.snapshots(SnapshotPolicy::Never));
    }

    pub fn snapshot_interval(&self, interval_ms: f64) {
        self.change(|options| options.snapshots(SnapshotPolicy::Interval(from_ms(interval_ms))));
    }

    pub fn snapshot_log_bytes(&self, bytes: f64) {
        self.change(|options| options.snapshots(SnapshotPolicy::LogSize(bytes as u64)));
    }

    pub fn read_only(&self) {
        self.change(|options| options.read_only(true));
    }

    /// Opens to read, at most up to a version.
    pub fn read_until(&self, version: f64) {
        self.change(|options| options.read_until(version as u64));
    }

    pub fn limits(
        &self,
        transaction_bytes: f64,
        queue_bytes: f64,
        history_bytes: f64,
        watch_bytes: f64,
        attempts: f64,
    ) {
        let mut limits = Limits::default();
        let set = |limit: &mut u64, value: f64| {
            if value >= 0.0 {
                *limit = value as u64;
            }
        };
        set(&mut limits.transaction_bytes, transaction_bytes);
        set(&mut limits.queue_bytes, queue_bytes);
        set(&mut limits.history_bytes, history_bytes);
        set(&mut limits.watch_bytes, watch_bytes);
        if attempts >= 0.0 {
            limits.attempts = attempts as u32;
        }
        self.change(|options| options.limits(limits));
    }
}

pub(super) fn interval(interval_ms: f64, commits: f64, bytes: f64) -> Durability {
    let commits = if commits < 0.0 { u32::MAX } else { commits as u32 };
    let bytes = if bytes < 0.0 { u64::MAX } else { bytes as u64 };
    Durability::Interval { time: from_ms(interval_ms), commits, bytes }
}

/// A time that is too long for a duration is for ever, as far as one database is concerned.
fn from_ms(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or(Duration::MAX)
}
