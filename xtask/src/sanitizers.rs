//! Tests under [ThreadSanitizer](https://doc.rust-lang.org/beta/unstable-book/compiler-flags/sanitizer.html), which
//! tells of data races, and under [Miri](https://github.com/rust-lang/miri), which tells of undefined behaviour.
//!
//! Selkie's core has no unsafe code. What is tried is that of the crates below it, in the way in which it is used here.

use std::process::Command;

use crate::process::{answer, quiet, show};
use crate::{Result, models, nightly, ui};

pub(crate) struct Sanitizer {
    name: &'static str,
    /// What of the nightly toolchain it needs.
    component: &'static str,
    environment: &'static [(&'static str, &'static str)],
    /// What is compiled with such flags has a folder of its own.
    folder: &'static str,
    cargo: &'static str,
    few: &'static str,
    all: &'static str,
    /// Whether the target has to be named, so that what is compiled for the machine itself gets no such flags.
    is_cross: bool,
}

/// The suites with threads. The standard library has to be compiled with the sanitizer too.
pub(crate) const RACES: Sanitizer = Sanitizer {
    name: "ThreadSanitizer",
    component: "rust-src",
    environment: &[
        ("RUSTFLAGS", "-Zsanitizer=thread"),
        ("TSAN_OPTIONS", "suppressions=xtask/thread_sanitizer_suppressions.txt"),
    ],
    folder: "target/races",
    cargo: "test -Zbuild-std --profile prove --features testing --package selkie",
    few: "--lib --test auditor --test rivals_threads",
    all: "--lib --test auditor --test backup --test changes --test failures --test following_random --test histories \
          --test readers --test rivals_threads --test soak --test waiting",
    is_cross: true,
};

/// The unit tests. The models of aliasing are experiments, and the skip list violates them
/// ([crossbeam](https://github.com/crossbeam-rs/crossbeam/issues/878)); what is released at the end of a program is left.
pub(crate) const MIRI: Sanitizer = Sanitizer {
    name: "Miri",
    component: "miri",
    environment: &[(
        "MIRIFLAGS",
        "-Zmiri-disable-isolation -Zmiri-disable-stacked-borrows -Zmiri-permissive-provenance -Zmiri-ignore-leaks",
    )],
    folder: "target/miri",
    cargo: "miri test --package selkie --lib",
    few: "index::tests -- --skip churn",
    // What is left out has no threads, and does the same so often that it takes an interpreter hours.
    all: "-- --skip churn --skip a_very_long_chain --skip leaves_are_found --skip checksum:: --skip snapshot:: \
          --skip reading_the_same_again",
    is_cross: false,
};

impl Sanitizer {
    /// Runs a few of the tests, if the machine can have what it takes.
    pub(crate) fn run(&self) -> Result {
        if let Err(error) = nightly::ensure(&[self.component]) {
            ui::warning(&format!("no tests under {}: {error}", self.name));
            return Ok(());
        }
        show(&mut self.tests(self.few)?)
    }

    /// Runs all of them silently, and says how many there are.
    pub(crate) fn count(&self) -> Result<u64> {
        nightly::ensure(&[self.component])?;
        let said = quiet(self.name, &mut self.tests(self.all)?)?;
        models::passed(&said).ok_or_else(|| format!("no test passed under {}:\n{said}", self.name))
    }

    fn tests(&self, which: &str) -> Result<Command> {
        let words: Vec<&str> = self.cargo.split_whitespace().chain(which.split_whitespace()).collect();
        let mut cargo = nightly::cargo(&words)?;
        cargo.envs(self.environment.iter().copied()).env("CARGO_TARGET_DIR", self.folder);
        if self.is_cross {
            let said = answer("rustc", &["-vV"]).unwrap_or_default();
            let host = said.lines().find_map(|line| line.strip_prefix("host: "));
            cargo.env("CARGO_BUILD_TARGET", host.ok_or("rustc does not say what machine this is")?);
        }
        Ok(cargo)
    }
}
