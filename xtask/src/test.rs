//! All tests: natively, and compiled to wasm in Node.

use std::time::Instant;

use crate::process::{command, show};
use crate::{Result, setup, ui};

const DEFAULT_KILLS: u32 = 100;

#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    native: bool,
    wasm: bool,
    kills: u32,
}

impl Options {
    pub(crate) fn parse(mut arguments: &[&str]) -> Result<Self> {
        let mut options = Self { native: true, wasm: true, kills: DEFAULT_KILLS };
        loop {
            arguments = match arguments {
                [] => return Ok(options),
                ["native", rest @ ..] => {
                    options.wasm = false;
                    rest
                }
                ["wasm", rest @ ..] => {
                    options.native = false;
                    rest
                }
                ["--kills", count, rest @ ..] => {
                    options.kills = count.parse().map_err(|_| format!("--kills takes a count, not `{count}`"))?;
                    rest
                }
                [other, ..] => {
                    return Err(format!("`{other}` is not an argument of test: [native|wasm] [--kills N]"));
                }
            };
        }
    }
}

pub(crate) fn run(options: &Options) -> Result {
    setup::for_tests()?;
    let mut outcomes = Vec::new();
    if options.native {
        outcomes.push(outcome("native", || native(options.kills)));
    }
    if options.wasm {
        outcomes.push(outcome("wasm", wasm));
    }
    let (lines, passed): (Vec<String>, Vec<bool>) = outcomes.into_iter().unzip();
    println!("\n{}", lines.join(", "));
    if passed.contains(&false) {
        return Err("some tests failed; their output is above".to_owned());
    }
    Ok(())
}

/// Goes on after a failure, so that one run shows what fails on either target.
fn outcome(name: &str, work: impl FnOnce() -> Result) -> (String, bool) {
    println!("\n== {name} ==");
    let start = Instant::now();
    let result = work();
    let time = ui::seconds(start.elapsed());
    match result {
        Ok(()) => (format!("{name} ok ({time})"), true),
        Err(error) => {
            eprintln!("{error}");
            (format!("{name} FAILED ({time})"), false)
        }
    }
}

fn native(kills: u32) -> Result {
    let arguments = ["test", "--workspace", "--features", "cli", "--no-fail-fast"];
    show(command("cargo", arguments).env("SELKIE_KILLS", kills.to_string()))
}

/// The library's own tests and the integration tests; files for native targets only compile to nothing there.
fn wasm() -> Result {
    let arguments = ["test", "--node", "--mode", "no-install", ".", "-p", "selkie", "--lib", "--test", "*"];
    show(&mut command("wasm-pack", arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_choose_target_and_kills() {
        let all = Options::parse(&[]).unwrap();
        assert!(all.native && all.wasm && all.kills == DEFAULT_KILLS);
        let one = Options::parse(&["native", "--kills", "7"]).unwrap();
        assert!(one.native && !one.wasm && one.kills == 7);
        assert!(Options::parse(&["--kills", "many"]).is_err());
        assert!(Options::parse(&["browser"]).is_err());
    }
}
