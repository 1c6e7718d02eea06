//! How many instructions the hot paths take, counted by callgrind, beside what is kept in benches/instructions.json.
//!
//! Instructions repeat where times do not, whatever else the machine does. Another compiler makes other code, and another
//! C library has other functions, so that the kept counts name theirs; beside others they are only shown.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};

use crate::process::{answer, command, find, quiet, root};
use crate::system::install;
use crate::{Result, proofs, ui};

const KEPT: &str = "benches/instructions.json";
/// The part by which a path may differ from what is kept: changes elsewhere move what is inlined by up to 3 %.
const TOLERANCE: f64 = 0.05;
/// What is collected is what this function of the benchmark calls.
const COLLECTED: &str = "--toggle-collect=*counted_path*";

#[derive(Serialize, Deserialize)]
struct Counts {
    tools: String,
    instructions: BTreeMap<String, u64>,
}

pub(crate) fn run(arguments: &[&str]) -> Result {
    let keeps = match arguments {
        [] => false,
        ["--keep"] => true,
        _ => return Err(format!("`{}` are not arguments of instructions: [--keep]", arguments.join(" "))),
    };
    if let Err(error) = ensure_valgrind() {
        ui::warning(&format!("no instructions are counted: {error}"));
        return Ok(());
    }
    let counted = count()?;
    if keeps { write(&counted) } else { compare(&counted, &read()?) }
}

fn ensure_valgrind() -> Result {
    if find("valgrind").is_none() {
        install("valgrind", |manager| manager.valgrind)?;
    }
    let version = answer("valgrind", &["--version"]).ok_or("valgrind does not run")?;
    ui::ok(&version);
    Ok(())
}

fn count() -> Result<Counts> {
    let arguments = ["bench", "--package", "selkie", "--bench", "instructions", "--no-run", "--message-format", "json"];
    let said = quiet("building the paths", &mut command("cargo", arguments))?;
    let built = said.lines().filter_map(proofs::program).next_back();
    let (_, program) = built.ok_or("cargo did not say where the paths are")?;
    let names = answer(&program, &[]).ok_or("the benchmark does not name its paths")?;
    let instructions =
        names.lines().map(|name| Ok((name.to_owned(), count_one(&program, name)?))).collect::<Result<_>>()?;
    Ok(Counts { tools: tools(), instructions })
}

fn tools() -> String {
    let asked = [("rustc", "--version"), ("valgrind", "--version"), ("getconf", "GNU_LIBC_VERSION"), ("uname", "-m")];
    asked.iter().filter_map(|(program, argument)| answer(program, &[argument])).collect::<Vec<_>>().join(", ")
}

fn count_one(program: &str, path: &str) -> Result<u64> {
    let log = root().join("target/callgrind.log");
    let to_log = format!("--log-file={}", log.display());
    let arguments = ["--tool=callgrind", "--callgrind-out-file=/dev/null", COLLECTED, &to_log, program, path];
    quiet(path, &mut command("valgrind", arguments))?;
    let said = fs::read_to_string(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    match collected(&said) {
        None | Some(0) => Err(format!("callgrind counted nothing of {path}:\n{said}")),
        Some(count) => Ok(count),
    }
}

fn collected(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.split_once("Collected : "))?.1.trim().parse().ok()
}

fn read() -> Result<Counts> {
    let text = fs::read_to_string(root().join(KEPT)).map_err(|error| format!("{KEPT}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("{KEPT}: {error}"))
}

fn write(counts: &Counts) -> Result {
    let text = serde_json::to_string_pretty(counts).map_err(|error| format!("{KEPT}: {error}"))?;
    fs::write(root().join(KEPT), text + "\n").map_err(|error| format!("{KEPT}: {error}"))
}

/// By which part a count has changed.
#[expect(clippy::cast_precision_loss, reason = "counts are far smaller than what a float holds")]
fn change(now: u64, before: u64) -> f64 {
    now as f64 / before as f64 - 1.0
}

/// Shows every path, and fails when one of them takes more than it did, or less, so that less is kept from then on.
fn compare(counted: &Counts, kept: &Counts) -> Result {
    let mut differing = Vec::new();
    for (path, now) in &counted.instructions {
        let before = kept.instructions.get(path).copied().unwrap_or(0);
        let change = change(*now, before);
        println!("{now:>12} instructions, {:>+6.1} %   {path}", change * 100.0);
        if change.is_nan() || change.abs() > TOLERANCE {
            differing.push(path.as_str());
        }
    }
    let is_gone = |path: &&String| !counted.instructions.contains_key(*path);
    differing.extend(kept.instructions.keys().filter(is_gone).map(String::as_str));
    if differing.is_empty() {
        return Ok(());
    }
    let told = format!("these paths differ from {KEPT} by more than {} %: {}", TOLERANCE * 100.0, differing.join("; "));
    if counted.tools == kept.tools {
        return Err(format!("{told}\n`cargo xtask instructions --keep` keeps them as they are now"));
    }
    ui::warning(&format!("{told}; but they were kept with {}", kept.tools));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(tools: &str, count: u64) -> Counts {
        Counts { tools: tools.to_owned(), instructions: BTreeMap::from([("path".to_owned(), count)]) }
    }

    #[test]
    fn what_differs_fails_unless_the_tools_differ_too() {
        assert!(compare(&counts("one", 103), &counts("one", 100)).is_ok());
        assert!(compare(&counts("one", 106), &counts("one", 100)).is_err());
        assert!(compare(&counts("one", 94), &counts("one", 100)).is_err());
        assert!(compare(&counts("two", 106), &counts("one", 100)).is_ok());
        assert!(compare(&counts("one", 1), &Counts { instructions: BTreeMap::new(), ..counts("one", 0) }).is_err());
        assert!(compare(&Counts { instructions: BTreeMap::new(), ..counts("one", 0) }, &counts("one", 1)).is_err());
        assert_eq!(collected("==7== \n==7== Collected : 916479\n"), Some(916_479));
    }
}
