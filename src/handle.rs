//! What every handle to a database shares: the engine, which is closed with the last of them.

use std::ops::Deref;
use std::sync::Arc;

use crate::engine::Engine;
use crate::locks::Apart;
use crate::runtime;

/// The engine as its handles hold it.
#[derive(Debug)]
pub(crate) struct Handle {
    /// Apart from the count of the handles, which each transaction changes.
    engine: Apart<Arc<Engine>>,
}

impl Handle {
    pub(crate) fn new(engine: Arc<Engine>) -> Arc<Self> {
        Arc::new(Self { engine: engine.into() })
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }
}

impl Deref for Handle {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl Drop for Handle {
    /// Drains and syncs. Whoever wants to know whether that went well calls `close` before.
    fn drop(&mut self) {
        let engine = Arc::clone(&self.engine);
        // A waker may hold the last handle, and who wakes may be the very worker that closing waits for.
        runtime::run_outside(async move {
            // An error here has nobody left to hear it; it poisoned the database and lost nothing acknowledged.
            let _unheard = engine.close().await;
        });
    }
}
