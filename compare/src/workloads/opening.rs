//! Opening: of a database that was closed, of one whose process ended without closing it, and from a snapshot.
//!
//! Another process fills the database, with all of it synced, and each opening is the first one of its process, so that
//! its allocator holds nothing of an earlier one; the files are in the page cache for everybody. Two times are taken from
//! the same start: when the engine says that it is open, and when the first read has returned the right value. Some engines
//! put their work off until then. Selkie and surrealmx read their whole logs in the first two cases. That everything is
//! there is checked afterwards.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::load::verify;
use super::{Suite, Unit, Workload};
use crate::data::{Data, stamp};
use crate::engines::{Engine, Mode, Session};
use crate::failure::{Failure, Result, ensure_equal};
use crate::recorder::{Outcome, Recorder};
use crate::task::Task;

const fn milliseconds(name: &'static str) -> Workload {
    Workload { name, unit: Unit::Milliseconds }
}

pub(super) const AFTER_CLOSE: [Workload; 2] =
    [milliseconds("open after a close"), milliseconds("open after a close, to the first read")];
pub(super) const AFTER_EXIT: [Workload; 2] = [
    milliseconds("recover from an exit without closing"),
    milliseconds("recover from an exit without closing, to the first read"),
];
pub(super) const FROM_SNAPSHOT: [Workload; 2] =
    [milliseconds("open from a snapshot"), milliseconds("open from a snapshot, to the first read")];
/// How a filling process says that its engine has no snapshots.
const NO_SNAPSHOT: i32 = 3;

/// Measures both times of an opening, after another process has filled the database in the way of `filling`.
pub(super) fn run<E: Engine>(
    task: &Task,
    data: &Data,
    recorder: &mut Recorder,
    filling: Suite,
    workloads: &[Workload; 2],
) -> Result {
    let times = fill_elsewhere(task, filling).and_then(|()| measure::<E>(&task.directory, data));
    let [open, first] = match times {
        Ok(times) => times.map(|time| Ok(Outcome::number(time))),
        Err(Failure::Unsupported(reason)) => [(); 2].map(|()| Err(Failure::Unsupported(reason))),
        Err(failure) => [(); 2].map(|()| Err(Failure::Failed(failure.to_string().into()))),
    };
    recorder.measure(&workloads[0], || open)?;
    recorder.measure(&workloads[1], || first)
}

fn measure<E: Engine>(directory: &Path, data: &Data) -> Result<[f64; 2]> {
    let start = Instant::now();
    let engine = E::open(directory, Mode::Synced)?;
    let open = start.elapsed();
    let mut session = engine.session()?;
    let value = session.get(data.key(0), stamp)?;
    let first = start.elapsed();
    ensure_equal("the first read", stamp(&data.value(0)), value.unwrap_or_default())?;
    drop(session);
    verify(&engine, data)?;
    engine.close()?;
    Ok([open, first].map(|time| time.as_secs_f64() * 1e3))
}

fn fill_elsewhere(task: &Task, filling: Suite) -> Result {
    let task = Task { suite: filling, ..task.clone() };
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--task").arg(serde_json::to_string(&task)?).stdin(Stdio::null());
    let output = command.output()?;
    if output.status.code() == Some(NO_SNAPSHOT) {
        return Err(Failure::Unsupported("it has no snapshots beside its files"));
    }
    if output.status.success() {
        return Ok(());
    }
    Err(format!("filling the database: {}", String::from_utf8_lossy(&output.stderr).trim()).into())
}

/// What the filling process does.
pub(super) fn fill<E: Engine>(task: &Task, data: &Data) -> Result {
    let engine = E::open(&task.directory, Mode::Synced)?;
    engine.load(data)?;
    if task.suite == Suite::FillAndExit {
        std::process::exit(0);
    }
    if task.suite == Suite::FillAndSnapshot {
        match engine.snapshot() {
            Err(Failure::Unsupported(_)) => std::process::exit(NO_SNAPSHOT),
            result => result?,
        }
    }
    engine.close()
}
