//! The static checks, each on one line with its time.

use crate::process::{command, quiet};
use crate::setup::WASM;
use crate::{Result, compare, setup, ui};

const CLIPPY: [&str; 5] = ["clippy", "--workspace", "--all-targets", "--features", "cli,testing"];
const CLIPPY_WASM: [&str; 7] = ["clippy", "--package", "selkie", "--lib", "--tests", "--target", WASM];
const DOCUMENTATION: [&str; 7] = ["doc", "--package", "selkie", "--lib", "--no-deps", "--features", "cli,testing"];
/// In the test profile, whose dependencies the tests have compiled already; the bench profile would compile all of them anew.
const EXAMPLES_AND_BENCHES: [&str; 7] =
    ["test", "--workspace", "--features", "cli,testing", "--no-run", "--examples", "--benches"];

pub(crate) fn run() -> Result {
    setup::for_checks()?;
    let results = [
        check("fmt", &["fmt", "--all", "--check", "--", "--color", "never"]),
        check("fmt, comparison", &compare::FORMAT),
        check("clippy, native", &[&CLIPPY[..], &["--", "-D", "warnings"]].concat()),
        check("clippy, wasm", &[&CLIPPY_WASM[..], &["--", "-D", "warnings"]].concat()),
        check("clippy, wasm, storages of browsers", &clippy_wasm_with("web")),
        check("clippy, wasm, exports to JavaScript", &clippy_wasm_with("js")),
        check("documentation", &DOCUMENTATION),
        check("examples and benches compile", &EXAMPLES_AND_BENCHES),
        check("deny: bans, licences, sources", &["deny", "--workspace", "check", "bans", "licenses", "sources"]),
        advisories(),
    ];
    let failed = results.iter().filter(|result| result.is_err()).count();
    if failed > 0 {
        return Err(format!("{failed} of {} checks failed; the output is above", results.len()));
    }
    Ok(())
}

/// Of the library and of what tests this feature.
fn clippy_wasm_with(feature: &str) -> Vec<&str> {
    let target = ["clippy", "--package", "selkie", "--lib", "--target", WASM, "--features", feature];
    let tests = ["storage", "host", "browser", "browser_crashes", "model"].map(|test| ["--test", test]);
    [&target[..], tests.as_flattened(), &["--", "-D", "warnings"]].concat()
}

/// A failure is shown at once and the other checks still run.
fn check(name: &str, arguments: &[&str]) -> Result {
    let mut cargo = command("cargo", arguments);
    cargo.env("RUSTDOCFLAGS", "-D warnings");
    let result = ui::timed(name, || quiet(name, &mut cargo));
    result.map(drop).inspect_err(|error| println!("{error}"))
}

/// The advisories live in a git repository; where that is out of reach the run says so and goes on.
fn advisories() -> Result {
    let fetched = quiet("fetching the advisory database", &mut command("cargo", ["deny", "fetch", "db"]));
    if fetched.is_err() {
        ui::warning(
            "deny: advisories NOT checked, their database (github.com/rustsec/advisory-db) could not be fetched",
        );
        return Ok(());
    }
    check("deny: advisories", &["deny", "--workspace", "check", "advisories"])
}
