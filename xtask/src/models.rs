//! The models of concurrent parts, with loom in place of the standard library's atomic integers and locks.

use crate::Result;
use crate::process::{command, show};

/// What makes the compiler build models.
pub(crate) const FLAGS: &str = "--cfg loom";
/// How often loom takes a thread's turn away from it in one run. With a third time all models take minutes.
pub(crate) const PREEMPTIONS: (&str, &str) = ("LOOM_MAX_PREEMPTIONS", "2");

/// Tries all orders. The flag changes every dependency, so that there is a folder of its own for what is compiled.
pub(crate) fn run() -> Result {
    let mut cargo = command("cargo", ["test", "--package", "selkie", "--lib", "models::"]);
    cargo.env("RUSTFLAGS", format!("{FLAGS} -D warnings")).env("CARGO_TARGET_DIR", "target/models");
    show(cargo.env(PREEMPTIONS.0, PREEMPTIONS.1))
}
