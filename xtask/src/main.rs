//! The repository's own commands: `cargo xtask <command>`.

mod browser;
mod browser_tests;
mod checks;
mod compare;
mod compare_web;
mod dataset;
mod demo;
mod fuzz;
mod instructions;
mod models;
mod mutants;
mod mutations;
mod nightly;
mod package;
mod page;
mod parts;
mod process;
mod proofs;
mod prove;
mod sanitizers;
mod schedules;
mod setup;
mod system;
mod table;
mod teeth;
mod test;
mod test_server;
mod tools;
mod ui;

use std::process::ExitCode;

/// Every error is a sentence for the person at the terminal: what failed and what to do.
type Result<T = ()> = std::result::Result<T, String>;

const USAGE: &str = "\
usage: cargo xtask <command>

  demo [--check]                 the main job on a published data set, with a crash in the middle: natively, then as a
                                 page in the browser; --check does not stay up to serve it
  test [PART...] [--kills N]     all tests, or some: native, models, schedules, races, miri, wasm, browser, api, level,
                                 bundlers, web, page; N child processes are killed in the native part (default 100)
  package [--dev]                the npm package: pkg/ and a tarball in target/package; --dev is quick and not optimized
  compare [--check] [--entries n...] [--rounds n] [--only word,...] [--engines a,b]
                                 Selkie and eight others natively: tables and a plot, saved in target/compare; --check lints
                                 and tests the comparison itself
  compare-web [--quick] [--browsers a,b] [--peers a,b] [--records n,n] [--rounds n]
                                 Selkie and other databases in Chromium and Firefox: tables and a plot, saved in target/compare-web;
                                 also as bench-web
  teeth [WORD...]                breaks the engine on purpose, in every way or those whose names have the words: a test must fail
  mutants [ARGUMENT...]          breaks the path of a commit in every small way, by cargo-mutants, and fails when less than 90 % are
                                 noticed; takes hours, and is no part of `prove`; arguments go to cargo-mutants (--shard 0/8)
  fuzz [TARGET...] [--seconds n] [--seed n]
                                 all fuzz targets, or some, each for so many seconds (default 60): codec, log, snapshot,
                                 database, operations
  prove [--budget minutes] [--seed n] [WORD...]
                                 the campaign of all proofs, or of those whose names have a word: its table is appended to
                                 docs/RELIABILITY.md
  instructions [--keep]          what the hot paths take by callgrind, beside benches/instructions.json; --keep writes it
  check                          formatting, lints, documentation, dependencies, examples and benches
  setup                          install everything that the other commands need, and nothing else";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result {
    match arguments {
        ["demo", rest @ ..] => demo::run(demo::Page::parse(rest)?),
        ["test", rest @ ..] => test::run(&test::Options::parse(rest)?),
        ["package", rest @ ..] => package::run(package::Build::parse(rest)?),
        ["compare", rest @ ..] => compare::run(rest),
        ["compare-web" | "bench-web", rest @ ..] => compare_web::run(rest),
        ["teeth", rest @ ..] => teeth::run(rest).map(drop),
        ["mutants", rest @ ..] => mutants::run(rest),
        ["prove", rest @ ..] => prove::run(&prove::Options::parse(rest)?),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["instructions", rest @ ..] => instructions::run(rest),
        ["check"] => checks::run(),
        ["setup"] => setup::all(),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(format!("`{}` is not a command of xtask\n\n{USAGE}", arguments.join(" "))),
    }
}
