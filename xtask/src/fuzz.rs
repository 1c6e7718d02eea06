//! Fuzzing, in `fuzz`: each target for some time, from the inputs that are kept.
//!
//! The engine has no unsafe code, so that no sanitizer is needed, which makes each execution several times faster.
//! Assertions and overflow checks stay. New inputs go to `target/fuzz`, and inputs that crash a target to
//! `fuzz/artifacts`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use crate::process::{command, quiet, root};
use crate::tools::Tool;
use crate::{Result, nightly, ui};

/// What a target counts, and how long its inputs are at most.
struct Target {
    name: &'static str,
    counted: &'static str,
    most_bytes: u32,
}

const TARGETS: [Target; 5] = [
    Target { name: "codec", counted: DECODERS, most_bytes: 512 },
    Target { name: "log", counted: DECODERS, most_bytes: 1024 },
    Target { name: "snapshot", counted: DECODERS, most_bytes: 1024 },
    Target { name: "database", counted: DECODERS, most_bytes: 1536 },
    Target { name: "operations", counted: SEQUENCES, most_bytes: 66 },
];
pub(crate) const DECODERS: &str = "decoder executions";
pub(crate) const SEQUENCES: &str = "operation sequences";
const DEFAULT_SECONDS: u64 = 60;
/// With optimization, assertions and overflow checks, and without a sanitizer.
const BUILD: [&str; 4] = ["--release", "--debug-assertions", "--sanitizer", "none"];

pub(crate) fn run(mut arguments: &[&str]) -> Result {
    let (mut wanted, mut seconds, mut seed) = (Vec::new(), DEFAULT_SECONDS, 1);
    loop {
        arguments = match arguments {
            [] => break,
            ["--seconds", value, rest @ ..] => {
                seconds = number("--seconds", value)?;
                rest
            }
            ["--seed", value, rest @ ..] => {
                seed = number("--seed", value)?;
                rest
            }
            [name, rest @ ..] => {
                wanted.push(find(name)?);
                rest
            }
        };
    }
    if wanted.is_empty() {
        wanted.extend(&TARGETS);
    }
    for target in wanted {
        println!("{}", run_for(target.name, seconds, seed)?);
    }
    Ok(())
}

fn number(name: &str, value: &str) -> Result<u64> {
    value.parse().map_err(|_| format!("{name} takes a number, not `{value}`"))
}

fn find(name: &str) -> Result<&'static Target> {
    TARGETS.iter().find(|target| target.name == name).ok_or_else(|| {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        format!("`{name}` is not a target of fuzz: {} [--seconds n] [--seed n]", names.join(", "))
    })
}

/// Runs one target for some time and counts how often it was executed.
pub(crate) fn run_for(target: &str, seconds: u64, seed: u64) -> Result<String> {
    ensure()?;
    let target = find(target)?;
    let folder = root().join("target/fuzz").join(target.name);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let name = format!("fuzz {}, seed {seed}", target.name);
    let executions = ui::timed(&name, || execute(target, &folder, seconds, seed))?;
    Ok(format!("counted: {executions} {}", target.counted))
}

/// Installs what fuzzing needs and builds the targets, once.
pub(crate) fn ensure() -> Result {
    static PREPARED: OnceLock<Result> = OnceLock::new();
    PREPARED.get_or_init(prepare).clone()
}

fn prepare() -> Result {
    nightly::ensure(&[])?;
    Tool::cargo_fuzz().ensure()?;
    quiet("building the fuzz targets", &mut cargo_fuzz("build", &[]))
        .map(drop)
        .map_err(|error| format!("{error}\nThe fuzzer itself is compiled by a C++ compiler."))?;
    ui::ok("fuzz targets built");
    Ok(())
}

fn cargo_fuzz(subcommand: &str, arguments: &[&str]) -> Command {
    command("rustup", [&["run", "nightly", "cargo", "fuzz", subcommand], &BUILD[..], arguments].concat())
}

fn execute(target: &Target, folder: &Path, seconds: u64, seed: u64) -> Result<u64> {
    let (found, kept) = (folder.display().to_string(), format!("fuzz/corpus/{}", target.name));
    // The fuzzer takes 32 bits, and 0 for a seed of its own.
    let (seed, time) = (format!("-seed={}", seed % u64::from(u32::MAX) + 1), format!("-max_total_time={seconds}"));
    let length = format!("-max_len={}", target.most_bytes);
    let arguments = [target.name, &found, &kept, "--", &seed, &time, &length, "-print_final_stats=1", "-verbosity=0"];
    let output = cargo_fuzz("run", &arguments).output().map_err(|error| format!("cargo fuzz: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(crash(target, &said));
    }
    executions(&said).ok_or_else(|| format!("fuzz {}: it does not say how often it was executed:\n{said}", target.name))
}

fn executions(said: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
    line.trim().parse().ok()
}

fn crash(target: &Target, said: &str) -> String {
    let name = target.name;
    let Some((_, input)) = said.lines().find_map(|line| line.split_once("Test unit written to ")) else {
        return format!("fuzz {name} failed:\n{said}");
    };
    let again = format!("rustup run nightly cargo fuzz run {} {name} {input}", BUILD.join(" "));
    let message = said.lines().skip_while(|line| !line.contains("panicked at")).take(4).collect::<Vec<_>>().join("\n");
    format!("fuzz {name} crashed: the input is {input}\n{message}\nagain: {again}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_says_how_often_and_a_crash_where_the_input_is() {
        let said = "stat::number_of_executed_units: 70153\nstat::average_exec_per_sec:     1\n";
        assert_eq!(executions(said), Some(70153));
        assert_eq!(executions("nothing"), None);
        let said = "thread panicked at src/log.rs:\noverflow\nx; Test unit written to /fuzz/artifacts/log/crash-1\n";
        let told = crash(&TARGETS[1], said);
        assert!(told.contains("the input is /fuzz/artifacts/log/crash-1\n") && told.contains("overflow"), "{told}");
        assert!(run(&["logs"]).is_err() && run(&["--seconds", "many"]).is_err());
    }
}
