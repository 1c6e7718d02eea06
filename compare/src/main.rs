//! Compares Selkie with other embedded key-value engines, on the same work in the same run.
//!
//! It is a package of its own so that building and testing Selkie never compiles its rivals. `cargo xtask compare` runs it.

mod arguments;
mod data;
mod engines;
mod failure;
mod pace;
mod recorder;
mod report;
mod results;
mod rounds;
mod task;
mod workloads;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;
use failure::Result;
use recorder::Recorder;
use rustix::process::{Signal, set_parent_process_death_signal};
use task::Task;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.task {
        Some(task) => child(task),
        None => parent(&arguments),
    };
    if let Err(failure) = result {
        eprintln!("error: {failure}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn parent(arguments: &Arguments) -> Result {
    std::fs::create_dir_all(&arguments.output)?;
    let mut all = Vec::new();
    let mut page = String::new();
    for &entries in &arguments.entries {
        all.push(rounds::run(arguments, entries)?);
        // What is measured is saved before the next size begins.
        page = report::save(arguments, &all)?;
    }
    println!("{page}");
    eprintln!("saved in {}", arguments.output.display());
    Ok(())
}

fn child(task: &str) -> Result {
    // A process that was left behind would disturb every measurement after it.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let task: Task = serde_json::from_str(task)?;
    (task.contestant()?.run)(&task, &mut Recorder::new(&task)?)
}
