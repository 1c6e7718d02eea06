//! The demonstration: load, query, be killed amid commits, recover, verify.

mod crash;
mod queries;
mod table;
pub(crate) mod writer;

use std::fs::File;
use std::io::BufReader;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use selkie::{Database, Options, Retention};

use crate::arguments::{Demo, Format};
use crate::failure::Result;
use crate::load::Loader;
use crate::output::{grouped, rate, size, span};
use table::{row, title};

/// The keyspace of the data.
const DATA: &str = "data";

pub(crate) fn run(arguments: &Demo) -> Result<bool> {
    if crate::database::check_exists(&arguments.directory).is_ok() {
        return Err(format!("there is a database at `{}` already", arguments.directory.display()).into());
    }
    let started = Instant::now();
    title("A database of real data");
    let db = Options::new().history(Retention::Versions(5)).open(&arguments.directory)?;
    load(&db, arguments)?;
    snapshot(&db)?;
    title("Queries");
    let records = queries::run(&db)?;
    db.close()?;
    title("A process killed (SIGKILL) while it commits, each commit synced before it is acknowledged");
    crash::run(arguments, records)?;
    title("Verification");
    verify(arguments)?;
    farewell(arguments, started.elapsed())?;
    Ok(true)
}

fn farewell(arguments: &Demo, elapsed: Duration) -> Result<()> {
    println!("\nNothing that was acknowledged is gone after {} kills. All took {}.", arguments.kills, span(elapsed));
    println!("The database stays for you to look at, for example with:");
    let program = std::env::current_exe()?;
    let (program, directory) = (program.display(), arguments.directory.display());
    println!("  {program} info {directory}");
    println!("  {program} scan {directory} --keyspace {DATA} --limit 5");
    Ok(())
}

fn load(db: &Database, arguments: &Demo) -> Result<()> {
    let started = Instant::now();
    let keyspace = db.keyspace(DATA)?;
    let failed = |error| format!("cannot open `{}`: {error}", arguments.data.display());
    let input = BufReader::with_capacity(1 << 18, File::open(&arguments.data).map_err(failed)?);
    let mut loader = Loader::new(db, &keyspace, 1000, ProgressBar::hidden());
    loader.load(input, Format::Jsonl)?;
    let records = loader.loaded;
    if records == 0 {
        return Err(format!("`{}` has no records", arguments.data.display()).into());
    }
    let elapsed = started.elapsed();
    let result = format!("{} records, {}, in synced transactions of 1,000", grouped(records), rate(records, elapsed));
    row("load", result, elapsed);
    Ok(())
}

fn snapshot(db: &Database) -> Result<()> {
    let started = Instant::now();
    let log = db.stats().log_bytes;
    let info = db.snapshot()?;
    row("snapshot", format!("{}, for {} of log", size(info.bytes), size(log)), started.elapsed());
    Ok(())
}

fn verify(arguments: &Demo) -> Result<()> {
    let started = Instant::now();
    let verification = selkie::verify(&arguments.directory)?;
    if let Some(damage) = verification.damage().next() {
        return Err(damage.clone().into());
    }
    verification.opening?;
    let bytes = verification.files.iter().map(|file| file.bytes).sum();
    let files = verification.files.len();
    row("verify", format!("every byte of {files} files, {}: no damage", size(bytes)), started.elapsed());
    Ok(())
}
