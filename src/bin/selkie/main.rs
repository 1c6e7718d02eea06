//! The command line program.

mod arguments;
mod database;
mod demo;
mod dump;
mod failure;
mod history;
mod info;
mod load;
mod output;
mod point;
mod record;
mod repair;
mod retention;
mod scan;
mod tsv;
mod verify;

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use failure::Result;

/// Exit code for a key that is not there, and for damage.
const NEGATIVE: u8 = 1;
/// Exit code for errors, as for wrong usage.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NEGATIVE),
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("selkie: {}", failure::line(error.as_ref()));
            ExitCode::from(FAILED)
        }
    }
}

/// Runs a command and says whether it found what it was asked for.
fn run(command: Command) -> Result<bool> {
    match command {
        Command::Load(arguments) => load::run(&arguments),
        Command::Dump(arguments) => dump::run(&arguments),
        Command::Get(arguments) => point::get(&arguments),
        Command::Set(arguments) => point::set(&arguments),
        Command::Remove(arguments) => point::remove(&arguments),
        Command::Scan(arguments) => scan::run(&arguments),
        Command::Count(arguments) => scan::count(&arguments),
        Command::History(arguments) => history::run(&arguments),
        Command::Info { database } => info::run(&database),
        Command::Verify { database } => verify::run(&database),
        Command::Repair { database, destination } => repair::run(&database, &destination),
        Command::Snapshot { database } => info::snapshot(&database),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::DemoWriter { database, first } => demo::writer::run(&database, first),
    }
}

/// Whoever read the output has seen enough.
fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
