//! Whether the tests notice a broken engine: it is broken in each way of a list, in a copy of the sources, and the test
//! that is named for it has to fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::mutations::{MUTATIONS, Mutation};
use crate::process::{answer, command, root};
use crate::{Result, ui};

const FOLDER: &str = "target/teeth";

pub(crate) fn run(arguments: &[&str]) -> Result {
    let wanted: Vec<&Mutation> = MUTATIONS.iter().filter(|mutation| matches(mutation, arguments)).collect();
    if wanted.is_empty() {
        return Err(format!("no mutation is named like `{}`", arguments.join(" ")));
    }
    let copy = copy_sources()?;
    let missed: Vec<_> = wanted.iter().filter_map(|mutation| attempt(&copy, mutation).err()).collect();
    println!("{} of {} mutations caught", wanted.len() - missed.len(), wanted.len());
    if missed.is_empty() { Ok(()) } else { Err(missed.join("\n")) }
}

fn matches(mutation: &Mutation, words: &[&str]) -> bool {
    words.iter().all(|word| mutation.name.contains(word))
}

/// The files that belong to the repository, as they are now.
fn copy_sources() -> Result<PathBuf> {
    let folder = root().join(FOLDER).join("copy");
    let listed = answer("git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    for file in listed.ok_or("git does not list the files")?.lines() {
        let (from, to) = (root().join(file), folder.join(file));
        let Ok(new) = fs::read(&from) else { continue };
        // What is the same keeps its time, so that it is not compiled again.
        if fs::read(&to).is_ok_and(|old| old == new) {
            continue;
        }
        let parent = to.parent().unwrap_or(&folder);
        fs::create_dir_all(parent).and_then(|()| fs::write(&to, new)).map_err(|error| format!("{file}: {error}"))?;
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

/// The test must compile, and fail.
fn is_caught(copy: &Path, mutation: &Mutation) -> Result {
    let (suite, test) = mutation.test;
    let build = ["test", "--package", "selkie", "--features", "testing", "--test", suite];
    succeeds(copy, &mut command("cargo", [&build[..], &["--no-run"]].concat()))
        .then_some(())
        .ok_or_else(|| format!("{}: it does not compile", mutation.name))?;
    let passed = succeeds(copy, &mut command("cargo", [&build[..], &["--", test]].concat()));
    if passed { Err(format!("{}: {suite} {test} does not notice", mutation.name)) } else { Ok(()) }
}

fn succeeds(copy: &Path, cargo: &mut Command) -> bool {
    let target = root().join(FOLDER).join("target");
    let output = cargo.current_dir(copy).env("CARGO_TARGET_DIR", target).env("RUSTFLAGS", "-Awarnings").output();
    output.is_ok_and(|output| output.status.success())
}
