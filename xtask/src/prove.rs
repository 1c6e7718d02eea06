//! The campaign: every proof goes on for its share of the time, and one table says what was tried.
//!
//! Proofs run side by side, one for each core. What a proof prints is kept in `target/prove`, and its lines
//! `counted: N kind` are added up. The table is printed and appended to docs/RELIABILITY.md.

use std::collections::VecDeque;
use std::fs;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::process::{answer, command, quiet, root};
use crate::proofs::{PROOFS, Proof, Share, Tools};
use crate::table::{Row, table};
use crate::{Result, fuzz, package, setup, ui};

const FOLDER: &str = "target/prove";
const RELIABILITY: &str = "docs/RELIABILITY.md";
const DEFAULT_MINUTES: u64 = 60;

pub(crate) struct Options {
    minutes: u64,
    seed: u64,
    /// Only the proofs whose names have one of these words; all of them when there is none.
    words: Vec<String>,
}

impl Options {
    pub(crate) fn parse(mut arguments: &[&str]) -> Result<Self> {
        let mut options = Self { minutes: DEFAULT_MINUTES, seed: seed_of_now(), words: Vec::new() };
        loop {
            arguments = match arguments {
                [] => return Ok(options),
                ["--budget", minutes, rest @ ..] => {
                    options.minutes = number("--budget", minutes)?;
                    rest
                }
                ["--seed", seed, rest @ ..] => {
                    options.seed = number("--seed", seed)?;
                    rest
                }
                [word, rest @ ..] if !word.starts_with('-') => {
                    options.words.push((*word).to_owned());
                    rest
                }
                [other, ..] => {
                    return Err(format!("`{other}` is not an argument of prove: [--budget minutes] [--seed n]"));
                }
            };
        }
    }

    fn wants(&self, proof: &Proof) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| proof.name.contains(word.as_str()))
    }
}

fn number(name: &str, text: &str) -> Result<u64> {
    text.parse().map_err(|_| format!("{name} takes a number, not `{text}`"))
}

/// A new one each time, small enough to be typed.
fn seed_of_now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_secs() % 1_000_000 * 1_000_000)
}

pub(crate) fn run(options: &Options) -> Result {
    let wanted: Vec<&Proof> = PROOFS.iter().filter(|proof| options.wants(proof)).collect();
    let tools = prepare(&wanted)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let shares: u64 = wanted.iter().map(|proof| proof.share.parts()).sum();
    let seconds = |parts: u64| options.minutes * 60 * cores as u64 * parts / shares.max(1);
    let queue: Mutex<VecDeque<&Proof>> = Mutex::new(wanted.into());
    let rows = Mutex::new(Vec::new());
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(proof) = next(&queue) {
                    let row = attempt(proof, &tools, seconds(proof.share.parts()).max(1), options.seed);
                    add(&rows, row);
                }
            });
        }
    });
    let rows = rows.into_inner().unwrap_or_default();
    let heading = heading(options, cores, started.elapsed());
    let text = format!("\n### {heading}\n\n{}", table(&rows));
    println!("{text}");
    append(&text)?;
    match rows.iter().filter(|row| row.failures > 0).count() {
        0 => Ok(()),
        failed => Err(format!("{failed} kinds failed: the output is in {FOLDER}")),
    }
}

fn next<'a>(queue: &Mutex<VecDeque<&'a Proof>>) -> Option<&'a Proof> {
    queue.lock().ok()?.pop_front()
}

fn add(all: &Mutex<Vec<Row>>, new: Vec<Row>) {
    if let Ok(mut all) = all.lock() {
        all.extend(new);
    }
}

/// Builds everything first, so that the time goes to what is tried.
fn prepare(proofs: &[&Proof]) -> Result<Tools> {
    let folder = root().join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| format!("{FOLDER}: {error}"))?;
    if proofs.iter().any(|proof| proof.needs_package()) {
        setup::for_tests()?;
        package::run(package::Build::Published)?;
    }
    if proofs.iter().any(|proof| proof.needs_fuzzer()) {
        fuzz::ensure()?;
    }
    Tools::build(proofs)
}

/// Runs a proof and keeps what it prints.
fn attempt(proof: &Proof, tools: &Tools, seconds: u64, seed: u64) -> Vec<Row> {
    let started = Instant::now();
    let outcome = (proof.run)(tools, seconds, seed);
    let time = started.elapsed();
    let (said, failed) = match &outcome {
        Ok(said) => (said, false),
        Err(error) => (error, true),
    };
    let log = root().join(FOLDER).join(proof.name.replace(' ', "-")).with_extension("log");
    if let Err(error) = fs::write(&log, said) {
        ui::warning(&format!("{}: {error}", log.display()));
    }
    let status = if failed { "FAILED" } else { "ok    " };
    println!("{status}   {} ({})", proof.name, ui::seconds(time));
    if failed {
        println!("{said}");
    }
    Row::read(proof.kind, said, failed, time)
}

fn heading(options: &Options, cores: usize, time: Duration) -> String {
    let commit = answer("git", &["describe", "--always", "--dirty"]).unwrap_or_else(|| "no commit".to_owned());
    let date = answer("git", &["log", "-1", "--format=%cs"]).unwrap_or_default();
    let (minutes, seed) = (time.as_secs().div_ceil(60), options.seed);
    format!("{commit} of {date}: {minutes} minutes on {cores} cores, seed {seed}")
}

fn append(text: &str) -> Result {
    let file = root().join(RELIABILITY);
    let failed = |error| format!("{RELIABILITY}: {error}");
    let old = fs::read_to_string(&file).map_err(failed)?;
    fs::write(&file, format!("{}\n{text}", old.trim_end())).map_err(failed)
}

/// Runs a program, and returns what it printed.
pub(crate) fn listen(name: &str, program: &str, arguments: &[&str], variables: &[(&str, String)]) -> Result<String> {
    let mut command = command(program, arguments);
    command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    quiet(name, &mut command)
}

impl Share {
    fn parts(self) -> u64 {
        match self {
            Self::Fixed => 0,
            Self::Parts(parts) => parts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_set_budget_seed_and_proofs() {
        let options = Options::parse(&["--budget", "5", "--seed", "7", "kills"]).unwrap();
        assert_eq!((options.minutes, options.seed), (5, 7));
        assert!(PROOFS.iter().any(|proof| options.wants(proof)));
        assert!(PROOFS.iter().any(|proof| !options.wants(proof)));
        assert!(Options::parse(&["--budget", "long"]).is_err());
        assert!(Options::parse(&["--seeds"]).is_err());
    }
}
