//! What the engine does by itself in the background: garbage collection, and snapshots by their policy.

use std::sync::Arc;

use super::Engine;
use crate::runtime::{self, Duration};

impl Engine {
    /// One piece of background work. Returns how long to rest before the next.
    pub(crate) fn maintain(self: &Arc<Self>) -> Option<Duration> {
        if self.snapshot_is_due() {
            let engine = Arc::clone(self);
            runtime::run(async move {
                // A failure is noted, and tried again after a pause.
                let _noted = engine.write_snapshot().await;
            });
        }
        let rests = [self.collect_step(), self.snapshot_pause()];
        rests.into_iter().flatten().min()
    }
}
