//! What a child process is asked to do.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engines::{CONTESTANTS, Class, Contestant, Mode};
use crate::failure::{Failure, Result};
use crate::workloads::Suite;

/// One suite of workloads for one engine. Each runs in a process of its own: memory and threads of one engine cannot
/// slow down the next, and an engine that crashes or hangs costs only its own numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) engine: String,
    pub(crate) suite: Suite,
    pub(crate) entries: usize,
    /// Empty, and removed afterwards by the parent.
    pub(crate) directory: PathBuf,
    /// Where the measurements go, a line each.
    pub(crate) results: PathBuf,
    /// How long one workload may take.
    pub(crate) limit: Duration,
    /// Only workloads whose names have one of these words, if there are any.
    pub(crate) only: Vec<String>,
}

impl Task {
    pub(crate) fn contestant(&self) -> Result<&'static Contestant> {
        let named = CONTESTANTS.iter().find(|contestant| contestant.name == self.engine);
        named.ok_or_else(|| Failure::Failed(format!("there is no engine `{}`", self.engine).into()))
    }

    /// Without a sync for each commit.
    pub(crate) fn mode(&self) -> Result<Mode> {
        Ok(match self.contestant()?.class {
            Class::Memory => Mode::Memory,
            Class::Log => Mode::Log,
        })
    }
}
