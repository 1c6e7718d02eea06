//! The parts of the tests, and what each runs.

use crate::process::{command, quiet, root, show};
use crate::test::Options;
use crate::{Result, browser_tests, dataset, models, package, page, sanitizers, schedules, ui};

pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// Whether it tests what `cargo xtask package` builds.
    pub(crate) needs_package: bool,
    /// Whether it has a second attempt.
    pub(crate) tried_twice: bool,
    pub(crate) run: fn(&Options) -> Result,
}

impl Part {
    const fn new(name: &'static str, run: fn(&Options) -> Result) -> Self {
        Self { name, needs_package: false, tried_twice: false, run }
    }

    const fn of_the_package(self) -> Self {
        Self { needs_package: true, ..self }
    }

    /// For what drives so many tabs, crashes and restarts of browsers that one of them may not answer.
    const fn with_second_attempt(self) -> Self {
        Self { tried_twice: true, ..self }
    }
}

pub(crate) const PARTS: &[Part] = &[
    Part::new("native", native),
    Part::new("models", |_| models::run()),
    Part::new("schedules", |_| schedules::run()),
    Part::new("races", |_| sanitizers::RACES.run()),
    Part::new("miri", |_| sanitizers::MIRI.run()),
    Part::new("wasm", wasm),
    Part::new("browser", |_| browser_tests::run()),
    Part::new("api", api).of_the_package(),
    Part::new("level", |_| node(&["tests/level/run.mjs"])).of_the_package(),
    Part::new("bundlers", |_| node(&["tests/bundlers/run.mjs"])).of_the_package(),
    Part::new("web", web).of_the_package().with_second_attempt(),
    Part::new("page", page).of_the_package(),
];

pub(crate) fn build_package() -> Result {
    package::run(package::Build::Published)
}

fn native(options: &Options) -> Result {
    let arguments = ["test", "--workspace", "--features", "cli,testing", "--no-fail-fast"];
    show(command("cargo", arguments).env("SELKIE_KILLS", options.kills.to_string()))
}

/// The library's own tests and the integration tests in Node; files for other targets compile to nothing there.
fn wasm(_: &Options) -> Result {
    let arguments = [
        "test",
        "--node",
        "--mode",
        "no-install",
        ".",
        "-p",
        "selkie",
        "--features",
        "js,testing",
        "--lib",
        "--test",
        "*",
    ];
    show(&mut command("wasm-pack", arguments))
}

/// The package's API in Node.
fn api(_: &Options) -> Result {
    let folder = root().join("tests/api");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".test.mjs"))
        .map(|name| format!("tests/api/{name}"))
        .collect();
    files.sort();
    let arguments: Vec<&str> = ["--expose-gc", "--test"].into_iter().chain(files.iter().map(String::as_str)).collect();
    node(&arguments)
}

/// Tabs, faults and kills in Chromium and Firefox. The exchange with native databases needs the program.
fn web(_: &Options) -> Result {
    let arguments = ["build", "--release", "--features", "cli", "--bin", "selkie"];
    quiet("building selkie", &mut command("cargo", arguments))?;
    ui::ok("selkie built (release)");
    node(&["tests/web/run.mjs"])
}

/// The playground in Chromium and Firefox, over the data of the demonstration.
fn page(_: &Options) -> Result {
    dataset::ensure(&root().join("target/demo"))?;
    page::build()?;
    node(&["tests/page/run.mjs"])
}

fn node(arguments: &[&str]) -> Result {
    show(&mut command("node", arguments))
}
