//! Killing a process amid its commits, and looking at what is left.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use selkie::{Database, Readable};

use super::table::row;
use super::{DATA, writer};
use crate::arguments::Demo;
use crate::failure::Result;
use crate::output::{grouped, rate};

/// How much later each process is killed than the one before.
const STEP: Duration = Duration::from_millis(170);

pub(crate) fn run(arguments: &Demo, records: usize) -> Result<()> {
    let mut present = 0;
    for round in 1..=arguments.kills {
        let acknowledged = write_and_kill(arguments, present, STEP * round)?;
        present = recover(arguments, acknowledged, records)?;
    }
    Ok(())
}

/// Kills a writing process a while after its first commit, and says which was the last that it acknowledged.
fn write_and_kill(arguments: &Demo, present: u64, delay: Duration) -> Result<u64> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("demo-writer").arg(&arguments.directory).arg((present + 1).to_string());
    let mut writer = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let output = writer.stdout.take().ok_or("the writing process has no output")?;
    let mut acknowledged = present;
    let mut started = None;
    let mut killed = false;
    // What is still in the pipe after the kill was acknowledged before it.
    for line in BufReader::new(output).lines() {
        acknowledged = line?.parse()?;
        let started: &mut Instant = started.get_or_insert_with(Instant::now);
        if !killed && started.elapsed() >= delay {
            writer.kill()?;
            killed = true;
        }
    }
    let status = writer.wait()?;
    if !killed {
        return Err(format!("the writing process ended by itself, with {status}").into());
    }
    let elapsed = started.map_or(delay, |started| started.elapsed());
    let commits = acknowledged - present;
    row("kill", format!("after {} commits, {}", grouped(commits), rate(commits, elapsed)), elapsed);
    Ok(acknowledged)
}

/// Opens the database, and checks that it holds all that was acknowledged and nothing that was never written.
fn recover(arguments: &Demo, acknowledged: u64, records: usize) -> Result<u64> {
    let started = Instant::now();
    let db = Database::open(&arguments.directory)?;
    let elapsed = started.elapsed();
    let view = db.begin_read()?;
    let present = writer::check(&view, &db.keyspace(writer::STREAM)?)?;
    if present < acknowledged {
        return Err(format!("{} acknowledged commits are gone", acknowledged - present).into());
    }
    if present > acknowledged + 1 {
        return Err(format!("{} commits are there that were never begun", present - acknowledged - 1).into());
    }
    let data = view.keyspace(&db.keyspace(DATA)?).count_range::<&[u8]>(..)?;
    if data != records {
        return Err(format!("{data} of {records} records are there").into());
    }
    row("recover", outcome(&db, acknowledged, present), elapsed);
    drop(view);
    db.close()?;
    Ok(present)
}

fn outcome(db: &Database, acknowledged: u64, present: u64) -> String {
    let replayed = grouped(db.recovery().frames_replayed);
    let torn = db.recovery().bytes_cut;
    let unheard = if present > acknowledged { ", and one not yet acknowledged" } else { "" };
    let tail = if torn > 0 { format!(", {torn} torn bytes cut") } else { String::new() };
    format!("all {} acknowledged are there{unheard}; {replayed} replayed{tail}", grouped(acknowledged))
}
