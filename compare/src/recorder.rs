//! Where a child process puts its measurements, so that the parent has them even if it dies later.

use std::fs::{File, OpenOptions};
use std::io::Write;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Result};
use crate::task::Task;
use crate::workloads::Workload;

/// A number, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// What share of the work was done before the time was up, of which the number is, and a remark for the notes.
    Number {
        value: f64,
        share: f64,
        remark: Option<String>,
    },
    Nothing {
        reason: String,
    },
}

impl Outcome {
    pub(crate) fn number(value: f64) -> Self {
        Self::Number { value, share: 1.0, remark: None }
    }
}

/// The outcome of one workload in one round.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) workload: String,
    pub(crate) outcome: Outcome,
}

pub(crate) struct Recorder {
    file: File,
    only: Vec<String>,
}

impl Recorder {
    pub(crate) fn new(task: &Task) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(&task.results)?;
        Ok(Self { file, only: task.only.clone() })
    }

    pub(crate) fn wants(&self, workload: &Workload) -> bool {
        workload.is_named_by(&self.only)
    }

    pub(crate) fn wants_any(&self, workloads: &[Workload]) -> bool {
        workloads.iter().any(|workload| self.wants(workload))
    }

    /// Runs a workload if it is wanted. That it fails is a result too, and the next one still runs.
    pub(crate) fn measure(&mut self, workload: &Workload, run: impl FnOnce() -> Result<Outcome>) -> Result {
        if !self.wants(workload) {
            return Ok(());
        }
        let outcome = run();
        self.put(workload, outcome)
    }

    pub(crate) fn put(&mut self, workload: &Workload, outcome: Result<Outcome>) -> Result {
        let outcome = outcome.unwrap_or_else(|failure| reason(&failure));
        let measurement = Measurement { workload: workload.name.into(), outcome };
        writeln!(self.file, "{}", serde_json::to_string(&measurement)?)?;
        Ok(())
    }
}

fn reason(failure: &Failure) -> Outcome {
    Outcome::Nothing { reason: failure.to_string() }
}
