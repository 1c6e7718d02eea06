//! The campaign: every proof goes on for its share of the time, and one table says what was tried.
//!
//! Proofs run side by side, one for each core. What a proof prints is kept in `target/prove`, and its lines
//! `counted: N kind` are added up. The table is printed and appended to docs/RELIABILITY.md.

use std::fs;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::process::{answer, root};
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
    if wanted.is_empty() {
        return Err(format!("no proof is named like `{}`", options.words.join("` or `")));
    }
    let tools = prepare(&wanted)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let shares: u64 = wanted.iter().map(|proof| proof.share.parts()).sum();
    let seconds = |parts: u64| options.minutes * 60 * cores as u64 * parts / shares.max(1);
    let next = AtomicUsize::new(0);
    let work = || {
        let proofs = std::iter::from_fn(|| wanted.get(next.fetch_add(1, Ordering::Relaxed)));
        let rows = proofs.map(|proof| attempt(proof, &tools, seconds(proof.share.parts()).max(1), options.seed));
        rows.flatten().collect::<Vec<Row>>()
    };
    let started = Instant::now();
    let rows: Vec<Row> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let heading = heading(options, cores, started.elapsed());
    let text = format!("\n### {heading}\n\n{}", table(&rows));
    println!("{text}");
    append(&text)?;
    match rows.iter().filter(|row| row.failures > 0).count() {
        0 => Ok(()),
        failed => Err(format!("{failed} proofs failed: the output is in {FOLDER}")),
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
    let (Ok(said) | Err(said)) = &outcome;
    let log = root().join(FOLDER).join(proof.name.replace(' ', "-")).with_extension("log");
    if let Err(error) = fs::write(&log, said) {
        ui::warning(&format!("{}: {error}", log.display()));
    }
    let rows = Row::read(proof.kind, said, outcome.is_err(), time);
    let has_failed = rows.iter().any(|row| row.failures > 0);
    let status = if has_failed { "FAILED" } else { "ok    " };
    println!("{status}   {} ({})", proof.name, ui::seconds(time));
    if has_failed {
        println!("{said}");
    }
    rows
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
        assert!(run(&Options::parse(&["nothing"]).unwrap()).is_err());
    }
}
