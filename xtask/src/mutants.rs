//! How many of the mutants that `cargo mutants` makes of the path of a commit the tests catch. `.cargo/mutants.toml`
//! says which mutants and which tests these are.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process::{command, root};
use crate::tools::Tool;
use crate::{Result, ui};

const FOLDER: &str = "target/cargo-mutants";
/// Of a hundred mutants that compile, so many have to be caught.
const WANTED_PERCENT: usize = 90;

/// What became of the mutants that compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    caught: usize,
    /// Mutants under which a test never ended, which is noticed as well.
    timeouts: usize,
    missed: usize,
}

impl Counts {
    fn viable(self) -> usize {
        self.caught + self.timeouts + self.missed
    }

    fn noticed(self) -> usize {
        self.caught + self.timeouts
    }

    fn are_enough(self) -> bool {
        self.viable() > 0 && self.noticed() * 100 >= self.viable() * WANTED_PERCENT
    }
}

/// Arguments go to `cargo mutants` as they are: a shard or some files, say.
pub(crate) fn run(arguments: &[&str]) -> Result {
    Tool::cargo_mutants().ensure()?;
    let base = ["mutants", "--output", FOLDER, "--colors", "never"];
    let mut mutants = command("cargo", [&base[..], arguments].concat());
    finish(&mut mutants)?;
    let counts = counted(&root().join(FOLDER).join("mutants.out"))?;
    let Counts { caught, timeouts, missed } = counts;
    let viable = counts.viable();
    let line = format!("{viable} viable mutants: {caught} caught, {timeouts} never ended, {missed} missed");
    if !counts.are_enough() {
        return Err(format!(
            "{line}; {WANTED_PERCENT} % have to be noticed. {FOLDER}/mutants.out/missed.txt lists those missed"
        ));
    }
    ui::ok(&line);
    Ok(())
}

/// Missed mutants and tests that never end are for the counts to judge; anything else means that they do not count.
fn finish(mutants: &mut Command) -> Result {
    let status = mutants.status().map_err(|error| format!("cargo mutants could not be started: {error}"))?;
    match status.code() {
        Some(0 | 2 | 3) => Ok(()),
        Some(4) => Err("the tests fail although nothing is broken".to_owned()),
        _ => Err(format!("cargo mutants ended with {status}")),
    }
}

/// Each file lists the mutants that ended so, one a line.
fn counted(folder: &Path) -> Result<Counts> {
    let lines = |name: &str| {
        let file = folder.join(name);
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok::<_, String>(text.lines().count())
    };
    Ok(Counts { caught: lines("caught.txt")?, timeouts: lines("timeout.txt")?, missed: lines("missed.txt")? })
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn one_missed_mutant_too_many_fails_and_so_does_none_at_all() {
        assert!(Counts { caught: 80, timeouts: 10, missed: 10 }.are_enough());
        assert!(!Counts { caught: 79, timeouts: 10, missed: 11 }.are_enough());
        assert!(!Counts { caught: 0, timeouts: 0, missed: 0 }.are_enough());
    }
}
