//! What a campaign consists of.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fuzz::{self, DECODERS, SEQUENCES};
use crate::process::{command, quiet};
use crate::{Result, models, sanitizers, schedules, teeth, ui};

/// How long a proof goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Share {
    /// As long as it takes.
    Fixed,
    /// So many parts of the time. In an hour on two cores a part is more than one second.
    Parts(u64),
}

pub(crate) struct Proof {
    pub(crate) name: &'static str,
    /// The kind that its time and its failures count for.
    pub(crate) kind: &'static str,
    pub(crate) share: Share,
    needs: Needs,
    pub(crate) run: fn(&Tools, u64, u64) -> Result<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Needs {
    Nothing,
    /// The program of a suite.
    Suite(&'static str),
    /// The fuzz targets.
    Fuzzer,
    /// The npm package, browsers, and what tests need as wasm.
    Package,
}

/// The programs of the suites, by name.
pub(crate) struct Tools {
    programs: BTreeMap<String, String>,
}

const fn test(
    name: &'static str,
    kind: &'static str,
    share: Share,
    suite: &'static str,
    run: fn(&Tools, u64, u64) -> Result<String>,
) -> Proof {
    Proof { name, kind, share, needs: Needs::Suite(suite), run }
}

const fn fuzzed(
    name: &'static str,
    kind: &'static str,
    parts: u64,
    run: fn(&Tools, u64, u64) -> Result<String>,
) -> Proof {
    Proof { name, kind, share: Share::Parts(parts), needs: Needs::Fuzzer, run }
}

const fn in_browsers(name: &'static str, run: fn(&Tools, u64, u64) -> Result<String>) -> Proof {
    Proof { name, kind: "kills in browsers", share: Share::Fixed, needs: Needs::Package, run }
}

/// The longest come first, so that no core is left alone with one of them at the end.
pub(crate) const PROOFS: &[Proof] = &[
    test("kills", "kills of a process", Share::Parts(1000), "kill", |tools, seconds, seed| {
        tools.test("kill", "a_killed_process", &scaled(seconds, seed))
    }),
    test("simulation", "simulated operations", Share::Parts(800), "simulation", |tools, seconds, seed| {
        let images = [("SELKIE_IMAGES", "1".to_owned())];
        tools.test("simulation", "every_crash", &[&scaled(seconds, seed.wrapping_add(1_000_000))[..], &images].concat())
    }),
    fuzzed("operation sequences", SEQUENCES, 1150, |_, seconds, seed| fuzz::run_for("operations", seconds, seed)),
    fuzzed("more operation sequences", SEQUENCES, 1150, |_, seconds, seed| {
        fuzz::run_for("operations", seconds, seed.wrapping_add(1))
    }),
    test("random faults", "fault injections", Share::Parts(640), "faults", |tools, seconds, seed| {
        tools.test("faults", "several_faults", &scaled(seconds, seed))
    }),
    fuzzed("log decoder", DECODERS, 480, |_, seconds, seed| fuzz::run_for("log", seconds, seed)),
    fuzzed("codec decoder", DECODERS, 480, |_, seconds, seed| fuzz::run_for("codec", seconds, seed)),
    Proof {
        name: "schedules",
        kind: "schedules of whole transactions",
        share: Share::Parts(150),
        needs: Needs::Nothing,
        run: |_, seconds, seed| schedules::run_for(seconds, seed),
    },
    fuzzed("snapshot decoder", DECODERS, 85, |_, seconds, seed| fuzz::run_for("snapshot", seconds, seed)),
    fuzzed("database decoder", DECODERS, 85, |_, seconds, seed| fuzz::run_for("database", seconds, seed)),
    test("crash images", "crash images", Share::Parts(60), "simulation", |tools, seconds, seed| {
        let images = [("SELKIE_IMAGES", "25".to_owned())];
        tools.test("simulation", "every_crash", &[&scaled(seconds, seed)[..], &images].concat())
    }),
    test("histories", "checked transactions", Share::Parts(130), "histories", |tools, seconds, seed| {
        // Two tests, one for each level.
        tools.test("histories", "levels", &scaled(seconds.div_ceil(2), seed))
    }),
    test("random damage", "damaged files", Share::Parts(40), "damage", |tools, seconds, seed| {
        tools.test("damage", "random", &scaled(seconds, seed))
    }),
    test("soak", "soak operations", Share::Parts(60), "soak", |tools, seconds, seed| {
        tools.test("soak", "nothing_keeps_growing", &scaled(seconds, seed))
    }),
    test(
        "readers that are ended",
        "reads beside limits that end readers",
        Share::Parts(30),
        "readers",
        // Two campaigns, one for each limit.
        |tools, seconds, seed| tools.test("readers", "", &scaled(seconds.div_ceil(2), seed)),
    ),
    test("every fault at every call", "fault injections", Share::Fixed, "faults", |tools, _, _| {
        tools.test("faults", "whatever_fails", &[])
    }),
    Proof {
        name: "models",
        kind: "models of threads",
        share: Share::Fixed,
        needs: Needs::Nothing,
        run: |_, _, _| models::count().map(|count| format!("counted: {count} models of threads")),
    },
    Proof {
        name: "races",
        kind: "tests under ThreadSanitizer",
        share: Share::Fixed,
        needs: Needs::Nothing,
        run: |_, _, _| sanitizers::RACES.count().map(|count| format!("counted: {count} tests under ThreadSanitizer")),
    },
    Proof {
        name: "miri",
        kind: "tests under Miri",
        share: Share::Fixed,
        needs: Needs::Nothing,
        run: |_, _, _| sanitizers::MIRI.count().map(|count| format!("counted: {count} tests under Miri")),
    },
    Proof {
        name: "mutations",
        kind: "mutations caught",
        share: Share::Fixed,
        needs: Needs::Nothing,
        run: |_, _, _| teeth::run(&[]).map(|count| format!("counted: {count} mutations caught")),
    },
    in_browsers("kills in Chromium", |_, _, seed| kills_in("chromium", "90", seed)),
    // Its parent process does not survive many more crashes of tabs.
    in_browsers("kills in Firefox", |_, _, seed| kills_in("firefox", "12", seed)),
    Proof {
        name: "simulation as wasm",
        kind: "simulated operations as wasm",
        share: Share::Parts(100),
        needs: Needs::Package,
        run: |_, seconds, seed| {
            let arguments = ["test", "--node", "--mode", "no-install", ".", "-p", "selkie", "--features", "js,testing"];
            let only = ["--test", "simulation", "--", "every_crash", "--nocapture"];
            listen("simulation as wasm", "wasm-pack", &[&arguments[..], &only].concat(), &scaled(seconds, seed))
        },
    },
    Proof {
        name: "quota and clearing in browsers",
        kind: "tests of lost storage in browsers",
        share: Share::Fixed,
        needs: Needs::Package,
        run: |_, _, _| {
            let said = listen("quota and clearing", "node", &["tests/web/run.mjs", "quota", "lost", "missing"], &[])?;
            let passed = said.lines().find_map(|line| line.split_once(" passed, ")).map_or("0", |(count, _)| count);
            Ok(format!("{said}\ncounted: {passed} tests of lost storage in browsers"))
        },
    },
];

/// Keeps glibc from giving memory back to the system and asking for it again with each image of a crash, which takes half
/// of the time.
fn heap() -> [(&'static str, String); 2] {
    ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"].map(|name| (name, (1_u64 << 28).to_string()))
}

fn scaled(seconds: u64, seed: u64) -> Vec<(&'static str, String)> {
    vec![("SELKIE_SECONDS", seconds.to_string()), ("SELKIE_SEED", seed.to_string())]
}

/// So many kills for each storage.
fn kills_in(browser: &str, kills: &str, seed: u64) -> Result<String> {
    let seed = [("SELKIE_WEB_SEED", (seed % 1_000_000).to_string())];
    let arguments = ["tests/web/run.mjs", "--browser", browser, "--kills", kills, "kills"];
    listen(&format!("kills in {browser}"), "node", &arguments, &seed)
}

/// Runs a program, and returns what it printed.
fn listen(name: &str, program: &str, arguments: &[&str], variables: &[(&str, String)]) -> Result<String> {
    let mut command = command(program, arguments);
    command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    quiet(name, &mut command)
}

impl Proof {
    pub(crate) fn needs_package(&self) -> bool {
        self.needs == Needs::Package
    }

    pub(crate) fn needs_fuzzer(&self) -> bool {
        self.needs == Needs::Fuzzer
    }

    fn suite(&self) -> Option<&'static str> {
        match self.needs {
            Needs::Suite(suite) => Some(suite),
            _ => None,
        }
    }
}

impl Tools {
    /// Builds the suites that proofs need.
    pub(crate) fn build(proofs: &[&Proof]) -> Result<Self> {
        let mut suites: Vec<_> = proofs.iter().filter_map(|proof| proof.suite()).collect();
        suites.sort_unstable();
        suites.dedup();
        if suites.is_empty() {
            return Ok(Self { programs: BTreeMap::new() });
        }
        let mut arguments = vec!["test", "--profile", "prove", "--package", "selkie", "--features", "testing"];
        arguments.extend(["--no-run", "--message-format", "json"]);
        arguments.extend(suites.iter().flat_map(|suite| ["--test", suite]));
        let said = quiet("building the tests", &mut command("cargo", arguments))?;
        ui::ok("tests built");
        Ok(Self { programs: said.lines().filter_map(program).collect() })
    }

    fn test(&self, suite: &str, filter: &str, variables: &[(&str, String)]) -> Result<String> {
        let program = self.programs.get(suite).ok_or_else(|| format!("cargo did not say where it built {suite}"))?;
        let variables = [variables, &heap()].concat();
        listen(&format!("{suite} {filter}"), program, &[filter, "--nocapture", "--test-threads", "1"], &variables)
    }
}

/// The name of a suite and its program, from a line that cargo prints.
pub(crate) fn program(line: &str) -> Option<(String, String)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let program = message["executable"].as_str()?;
    Some((message["target"]["name"].as_str()?.to_owned(), program.to_owned()))
}
