//! The comparison with other engines, natively: `compare/` measures, as a package of its own, so that nothing else here
//! compiles the rivals.

use std::process::Command;

use crate::Result;
use crate::process::{command, show};

const MANIFEST: &str = "compare/Cargo.toml";

/// `--check` lints and tests the comparison itself; other arguments go on to it as they are.
pub(crate) fn run(arguments: &[&str]) -> Result {
    if arguments == ["--check"] {
        show(&mut cargo("clippy", &["--all-targets", "--", "-D", "warnings"]))?;
        return show(&mut cargo("test", &["--profile", "quick"]));
    }
    show(cargo("run", &["--release", "--"]).args(arguments))
}

/// Formatting is checked with everything else, since it compiles nothing.
pub(crate) const FORMAT: [&str; 7] = ["fmt", "--manifest-path", MANIFEST, "--check", "--", "--color", "never"];

fn cargo(subcommand: &str, arguments: &[&str]) -> Command {
    command("cargo", [&[subcommand, "--locked", "--manifest-path", MANIFEST], arguments].concat())
}
