//! Schedules of whole transactions, with shuttle in place of the standard library's threads, locks and atomic integers.

use std::process::Command;

use crate::process::{command, quiet, show};
use crate::{Result, ui};

/// What makes the compiler build them.
pub(crate) const FLAGS: &str = "--cfg shuttle";
const BUILD: [&str; 7] = ["test", "--package", "selkie", "--features", "testing", "--test", "schedules"];

/// Some schedules of each program.
pub(crate) fn run() -> Result {
    show(&mut tests())
}

/// Draws schedules for so many seconds, and returns what was printed.
pub(crate) fn run_for(seconds: u64, seed: u64) -> Result<String> {
    let mut listing = tests();
    listing.args(["--profile", "prove", "--", "--list"]);
    let programs = quiet("schedules", &mut listing)?.lines().filter(|line| line.ends_with(": test")).count() as u64;
    let mut tests = tests();
    tests.args(["--profile", "prove", "--", "--nocapture", "--test-threads", "1"]);
    // One program after the other, so that the proof takes one core.
    tests.env("SELKIE_SECONDS", seconds.div_ceil(programs.max(1)).to_string()).env("SELKIE_SEED", seed.to_string());
    ui::timed(&format!("schedules, seed {seed}"), || quiet("schedules", &mut tests))
}

/// The flag changes every dependency, so that there is a folder of its own for what is compiled.
fn tests() -> Command {
    let mut cargo = command("cargo", BUILD);
    cargo.env("RUSTFLAGS", format!("{FLAGS} -D warnings")).env("CARGO_TARGET_DIR", "target/schedules");
    cargo
}
