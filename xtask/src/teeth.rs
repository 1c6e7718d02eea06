//! Whether the tests notice a broken engine: it is broken in each way of a list, in a copy of the sources, and the test
//! that is named for it has to fail.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::models::{self, PREEMPTIONS};
use crate::mutations::{LIBRARY, MODELS, MUTATIONS, Mutation, SCHEDULES};
use crate::process::{answer, command, root};
use crate::{Result, schedules, ui};

const FOLDER: &str = "target/teeth";
/// Much longer than any of the tests takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns how many mutations were caught, if all of them were.
pub(crate) fn run(arguments: &[&str]) -> Result<usize> {
    let wanted: Vec<&Mutation> = MUTATIONS.iter().filter(|mutation| matches(mutation, arguments)).collect();
    if wanted.is_empty() {
        return Err(format!("no mutation is named like `{}`", arguments.join(" ")));
    }
    let copy = copy_sources()?;
    check_tests(&copy, &wanted)?;
    let missed: Vec<_> = wanted.iter().filter_map(|mutation| attempt(&copy, mutation).err()).collect();
    println!("{} of {} mutations caught", wanted.len() - missed.len(), wanted.len());
    if missed.is_empty() { Ok(wanted.len()) } else { Err(missed.join("\n")) }
}

fn matches(mutation: &Mutation, words: &[&str]) -> bool {
    words.iter().all(|word| mutation.name.contains(word))
}

/// The files that belong to the repository, as they are now.
fn copy_sources() -> Result<PathBuf> {
    let folder = root().join(FOLDER).join("copy");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{FOLDER}: {error}"))?;
    }
    let listed = answer("git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    for file in listed.ok_or("git does not list the files")?.lines() {
        let (from, to) = (root().join(file), folder.join(file));
        // A file that was removed is still listed until that is committed.
        if from.exists() {
            let parent = to.parent().unwrap_or(&folder);
            let copied = fs::create_dir_all(parent).and_then(|()| fs::copy(&from, &to));
            copied.map_err(|error| format!("{file}: {error}"))?;
        }
    }
    Ok(folder)
}

fn attempt(copy: &Path, mutation: &Mutation) -> Result {
    let file = copy.join(mutation.file);
    let source = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", mutation.file))?;
    if source.matches(mutation.from).count() != 1 {
        return Err(format!("{}: its place in {} is not there once", mutation.name, mutation.file));
    }
    let write = |text: &str| fs::write(&file, text).map_err(|error| format!("{}: {error}", mutation.file));
    write(&source.replace(mutation.from, mutation.to))?;
    let start = Instant::now();
    let outcome = is_caught(copy, mutation);
    write(&source)?;
    outcome?;
    ui::ok(&format!("{} ({})", mutation.name, ui::seconds(start.elapsed())));
    Ok(())
}

/// The test must compile, and fail, or not come to an end.
fn is_caught(copy: &Path, mutation: &Mutation) -> Result {
    let (suite, test) = mutation.test;
    let program = built(copy, suite).map_err(|said| format!("{}: it does not compile\n{said}", mutation.name))?;
    if passes(copy, &program, test)? {
        Err(format!("{}: {suite} {test} does not notice", mutation.name))
    } else {
        Ok(())
    }
}

/// A test that fails without any mutation proves nothing.
fn check_tests(copy: &Path, mutations: &[&Mutation]) -> Result {
    let tests: BTreeSet<_> = mutations.iter().map(|mutation| mutation.test).collect();
    for (suite, test) in tests {
        if !passes(copy, &built(copy, suite)?, test)? {
            return Err(format!("{suite} {test} fails although nothing is broken"));
        }
    }
    Ok(())
}

/// The program of a suite.
fn built(copy: &Path, suite: &str) -> Result<String> {
    let of: &[&str] = if suite == LIBRARY || suite == MODELS { &["--lib"] } else { &["--test", suite] };
    let (flags, target) = match suite {
        MODELS => (models::FLAGS, MODELS),
        SCHEDULES => (schedules::FLAGS, SCHEDULES),
        _ => ("", "target"),
    };
    let build = ["test", "--package", "selkie", "--features", "testing", "--no-run"];
    let mut cargo = command("cargo", [&build[..], of].concat());
    cargo.current_dir(copy).env("CARGO_TARGET_DIR", root().join(FOLDER).join(target));
    let output = cargo.env("RUSTFLAGS", format!("-Awarnings {flags}")).output();
    let output = output.map_err(|error| format!("cargo: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let program =
        said.rsplit_once(" (").and_then(|(_, end)| end.split_once(')')).map(|(program, _)| program.to_owned());
    program.filter(|_| output.status.success()).ok_or(said)
}

/// Whether a test comes to an end in time, and passes.
fn passes(copy: &Path, program: &str, test: &str) -> Result<bool> {
    let failed = |error| format!("{program}: {error}");
    let mut running = Command::new(program);
    running.env(PREEMPTIONS.0, PREEMPTIONS.1);
    running.arg(test).current_dir(copy).stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = running.spawn().map_err(failed)?;
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(status) = running.try_wait().map_err(failed)? {
            return Ok(status.success());
        }
        thread::sleep(Duration::from_millis(20));
    }
    running.kill().and_then(|()| running.wait()).map_err(failed)?;
    Ok(false)
}
