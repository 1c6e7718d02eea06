//! The models of concurrent parts, with loom in place of the standard library's atomic integers and locks.

use std::process::Command;

use crate::Result;
use crate::process::{command, quiet, show};

/// What makes the compiler build models.
pub(crate) const FLAGS: &str = "--cfg loom";
/// How often loom takes a thread's turn away from it in one run. With a third time all models take minutes.
pub(crate) const PREEMPTIONS: (&str, &str) = ("LOOM_MAX_PREEMPTIONS", "2");

/// Tries all orders of all models, within the bound.
pub(crate) fn run() -> Result {
    show(&mut tests())
}

/// Does so silently, and says how many models there are.
pub(crate) fn count() -> Result<u64> {
    let said = quiet("models", &mut tests())?;
    passed(&said).ok_or_else(|| format!("cargo did not say how many models passed:\n{said}"))
}

/// The flag changes every dependency, so that there is a folder of its own for what is compiled.
fn tests() -> Command {
    let mut cargo = command("cargo", ["test", "--package", "selkie", "--lib", "models::"]);
    cargo.env("RUSTFLAGS", format!("{FLAGS} -D warnings")).env("CARGO_TARGET_DIR", "target/models");
    cargo.env(PREEMPTIONS.0, PREEMPTIONS.1);
    cargo
}

/// How many tests passed, by what cargo printed of its programs.
pub(crate) fn passed(said: &str) -> Option<u64> {
    let count = |line: &str| line.strip_prefix("test result: ok. ")?.split_once(" passed")?.0.parse::<u64>().ok();
    Some(said.lines().filter_map(count).sum()).filter(|sum| *sum > 0)
}

#[cfg(test)]
mod tests {
    use super::passed;

    #[test]
    fn what_passed_is_counted() {
        assert_eq!(
            passed("running\ntest result: ok. 9 passed; 0 failed\ntest result: ok. 2 passed; 0 failed\n"),
            Some(11)
        );
        assert_eq!(passed("test result: FAILED. 8 passed; 1 failed\n"), None);
    }
}
