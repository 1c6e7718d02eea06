//! What a database tells about itself: statistics, and what opening did.

use js_sys::{Array, Float64Array};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::database::CoreDatabase;

#[wasm_bindgen]
impl CoreDatabase {
    /// The numbers of the statistics, in the order of their names in the package. A snapshot that is not there has -1.
    pub fn stats(&self) -> Float64Array {
        let stats = self.shared.database.stats();
        let snapshot = stats.snapshot.as_ref().map_or([-1.0; 2], |last| [last.version as f64, last.bytes as f64]);
        let numbers = [
            stats.keys,
            stats.versions,
            stats.live_bytes,
            stats.history_bytes,
            stats.version,
            stats.durable_version,
            stats.readers as u64,
            stats.oldest_reader,
            stats.longest_reader.as_millis() as u64,
            stats.readers_ended,
            stats.queued_bytes,
            stats.stalls,
            stats.log_bytes,
            stats.log_writes,
            stats.log_syncs,
            stats.log_rotations,
            stats.snapshot_failures,
        ];
        let numbers: Vec<f64> = numbers.into_iter().map(|number| number as f64).chain(snapshot).collect();
        Float64Array::from(&numbers[..])
    }

    pub fn snapshot_error(&self) -> Option<String> {
        self.shared.database.stats().snapshot_error.map(|error| error.to_string())
    }

    /// Why writing stopped.
    pub fn poisoned(&self) -> Option<String> {
        self.shared.handle().progress.poisoned().map(ToString::to_string)
    }

    /// Created, snapshot, its entries, segments, frames, bytes cut, ignored files, and how long it took in ms.
    pub fn recovery(&self) -> Array {
        let report = self.shared.database.recovery();
        let row: [JsValue; 8] = [
            report.created.into(),
            report.snapshot.as_deref().map_or(JsValue::UNDEFINED, JsValue::from),
            (report.snapshot_entries as f64).into(),
            (report.segments as f64).into(),
            (report.frames_replayed as f64).into(),
            (report.bytes_cut as f64).into(),
            report.ignored_files.iter().map(JsValue::from).collect::<Array>().into(),
            (report.duration.as_secs_f64() * 1e3).into(),
        ];
        row.iter().collect()
    }
}
