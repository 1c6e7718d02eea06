//! The parent: round after round, suite after suite, each engine in turn in a process of its own.
//!
//! Within a suite the engines follow each other closely, so that a machine that gets slower does so for all; each round
//! begins with another engine, so that none always follows the same one.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::arguments::Arguments;
use crate::engines::{Class, Contestant};
use crate::failure::Result;
use crate::recorder::{Measurement, Outcome};
use crate::results::Results;
use crate::task::Task;
use crate::workloads::{Suite, Workload};

/// What a process may take beside its workloads: to load, to verify and to close.
const PATIENCE: Duration = Duration::from_secs(30);
/// An engine that loads fewer entries in a second is left out.
const SLOWEST_LOAD: f64 = 15_000.0;
const POLL: Duration = Duration::from_millis(20);

pub(crate) fn run(arguments: &Arguments, entries: usize) -> Result<Results> {
    let contestants = arguments.contestants();
    let mut results = Results::new(entries);
    for round in 0..arguments.rounds {
        for suite in Suite::MEASURED {
            let mut workloads = suite.workloads();
            workloads.retain(|workload| workload.is_named_by(&arguments.only));
            if workloads.is_empty() {
                continue;
            }
            let mut turn = contestants.clone();
            turn.rotate_left(round as usize % contestants.len().max(1));
            turn.retain(|contestant| contestant.class == Class::Log || !suite.needs_files());
            for contestant in turn {
                let start = Instant::now();
                eprint!("{entries} entries, round {}, {suite:?}: {} ... ", round + 1, contestant.name);
                let measurements = in_a_process(arguments, entries, suite, contestant, &workloads)?;
                eprintln!("{:.1} s", start.elapsed().as_secs_f64());
                results.add(contestant, measurements);
            }
        }
    }
    Ok(results)
}

fn in_a_process(
    arguments: &Arguments,
    entries: usize,
    suite: Suite,
    contestant: &Contestant,
    workloads: &[Workload],
) -> Result<Vec<Measurement>> {
    // Beside the results and not in the system's directory for temporary files, which may be in memory.
    let place = tempfile::Builder::new().prefix("databases-").tempdir_in(&arguments.output)?;
    let directory = place.path().join("database");
    std::fs::create_dir(&directory)?;
    let results = place.path().join("results");
    let task = Task {
        engine: contestant.name.into(),
        suite,
        entries,
        directory,
        results: results.clone(),
        limit: arguments.limit(),
        only: arguments.only.clone(),
    };
    let patience = patience(&task, workloads.len());
    let complaints = place.path().join("complaints");
    let end = run_to_its_end(&task, &complaints, patience)?;
    let mut measurements = read(&results)?;
    let known = |name: &str, measurements: &[Measurement]| measurements.iter().any(|one| one.workload == name);
    for workload in workloads {
        if !known(workload.name, &measurements) {
            let reason = why(end, patience, &complaints)?;
            measurements.push(Measurement { workload: workload.name.into(), outcome: Outcome::Nothing { reason } });
        }
    }
    Ok(measurements)
}

fn patience(task: &Task, workloads: usize) -> Duration {
    let loads = if task.suite.opens() { 2.0 } else { 1.0 };
    PATIENCE + task.limit * workloads as u32 + Duration::from_secs_f64(loads * task.entries as f64 / SLOWEST_LOAD)
}

/// Nothing means that it was ended, having taken too long.
fn run_to_its_end(task: &Task, complaints: &Path, patience: Duration) -> Result<Option<ExitStatus>> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("--task")
        .arg(serde_json::to_string(task)?)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(complaints)?)
        .spawn()?;
    let start = Instant::now();
    while start.elapsed() < patience {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(POLL);
    }
    end(&mut child)?;
    Ok(None)
}

fn end(child: &mut Child) -> Result {
    child.kill()?;
    child.wait()?;
    Ok(())
}

fn read(results: &Path) -> Result<Vec<Measurement>> {
    if !results.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(results)?;
    // A line that the process had no time to end is none.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn why(end: Option<ExitStatus>, patience: Duration, complaints: &Path) -> Result<String> {
    let Some(status) = end else {
        return Ok(format!("left out: its process took longer than {} s", patience.as_secs()));
    };
    let complaints = std::fs::read_to_string(complaints)?;
    let last = complaints.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("without a message");
    Ok(format!("its process ended ({status}): {}", last.trim()))
}
