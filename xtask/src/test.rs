//! All tests, in parts: natively, as wasm in Node, and what is built from the package.

use std::time::Instant;

use crate::parts::{PARTS, Part, build_package};
use crate::{Result, setup, ui};

const DEFAULT_KILLS: u32 = 100;

#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    /// The parts to run, by name; all of them when none is named.
    names: Vec<String>,
    pub(crate) kills: u32,
}

impl Options {
    pub(crate) fn parse(mut arguments: &[&str]) -> Result<Self> {
        let mut options = Self { names: Vec::new(), kills: DEFAULT_KILLS };
        loop {
            arguments = match arguments {
                [] => return Ok(options),
                ["--kills", count, rest @ ..] => {
                    options.kills = count.parse().map_err(|_| format!("--kills takes a count, not `{count}`"))?;
                    rest
                }
                [name, rest @ ..] if PARTS.iter().any(|part| part.name == *name) => {
                    options.names.push((*name).to_owned());
                    rest
                }
                [other, ..] => {
                    let names: Vec<_> = PARTS.iter().map(|part| part.name).collect();
                    return Err(format!("`{other}` is not an argument of test: {} [--kills N]", names.join(", ")));
                }
            };
        }
    }

    fn wants(&self, part: &Part) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == part.name)
    }
}

pub(crate) fn run(options: &Options) -> Result {
    setup::for_tests()?;
    let wanted = || PARTS.iter().filter(|part| options.wants(part));
    let mut outcomes = Vec::new();
    let mut package_failed = false;
    if wanted().any(|part| part.needs_package) {
        let (line, passed) = outcome("build", build_package);
        package_failed = !passed;
        outcomes.push((line, passed));
    }
    for part in wanted() {
        if part.needs_package && package_failed {
            outcomes.push((format!("{} not run", part.name), false));
        } else {
            outcomes.push(attempt(part, options));
        }
    }
    let (lines, passed): (Vec<String>, Vec<bool>) = outcomes.into_iter().unzip();
    println!("\n{}", lines.join(", "));
    if passed.contains(&false) {
        return Err("some tests failed; their output is above".to_owned());
    }
    Ok(())
}

/// A second attempt is told, so that nobody takes it for a first.
fn attempt(part: &Part, options: &Options) -> (String, bool) {
    let first = outcome(part.name, || (part.run)(options));
    if first.1 || !part.tried_twice {
        return first;
    }
    ui::warning(&format!("{}: the first attempt failed; its output is above", part.name));
    let (line, passed) = outcome(part.name, || (part.run)(options));
    (format!("{line}, second attempt"), passed)
}

/// Goes on after a failure, so that one run shows everything that fails.
fn outcome(name: &str, work: impl FnOnce() -> Result) -> (String, bool) {
    println!("\n== {name} ==");
    let start = Instant::now();
    let result = work();
    let time = ui::seconds(start.elapsed());
    match result {
        Ok(()) => (format!("{name} ok ({time})"), true),
        Err(error) => {
            eprintln!("{error}");
            (format!("{name} FAILED ({time})"), false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_choose_parts_and_kills() {
        let all = Options::parse(&[]).unwrap();
        assert!(PARTS.iter().all(|part| all.wants(part)) && all.kills == DEFAULT_KILLS);
        let one = Options::parse(&["native", "--kills", "7"]).unwrap();
        let wanted: Vec<_> = PARTS.iter().filter(|part| one.wants(part)).map(|part| part.name).collect();
        assert_eq!((wanted, one.kills), (vec!["native"], 7));
        assert!(Options::parse(&["--kills", "many"]).is_err());
        assert!(Options::parse(&["everything"]).is_err());
    }
}
