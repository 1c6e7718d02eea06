//! The storages of browsers, tested in pages and in dedicated workers of real browsers.

use std::process::Command;
use std::time::Instant;

use crate::process::{command, find, quiet, root};
use crate::setup::WASM;
use crate::test_server::TestServer;
use crate::{Result, browser, ui};

/// The files of tests that run in browsers.
const TESTS: [&str; 4] = ["storage", "browser", "browser_crashes", "model"];
const TEST_LIMIT_S: &str = "80";
const RUN_LIMIT_S: &str = "90";
/// On a busy machine a browser is not always there within the time limit of the driver.
const START_ATTEMPTS: u32 = 2;

#[derive(Clone, Copy, PartialEq)]
enum Browser {
    Chromium,
    Firefox,
    WebKit,
}

#[derive(Clone, Copy)]
enum Context {
    Page,
    Worker,
}

/// Runs them all, also after a failure.
pub(crate) fn run() -> Result {
    let programs = compile()?;
    let mut browsers = vec![Browser::Chromium, Browser::Firefox];
    if browser::has_webkit() {
        browsers.push(Browser::WebKit);
    } else {
        ui::warning("WebKitGTK is not here, so that nothing was tested in it");
    }
    let mut failures = 0;
    for browser in browsers {
        for context in [Context::Page, Context::Worker] {
            for (test, program) in &programs {
                failures += u32::from(!passes(browser, context, test, program));
            }
        }
    }
    if failures == 0 { Ok(()) } else { Err(format!("{failures} runs in browsers failed")) }
}

/// Compiles the tests, and returns each with its program.
fn compile() -> Result<Vec<(&'static str, String)>> {
    let tests = TESTS.iter().flat_map(|test| ["--test", test]);
    // Optimized, as what is shipped: the compiler of WebKitGTK 2.50 makes mistakes in loops that are not.
    let arguments =
        ["test", "--profile", "prove", "--package", "selkie", "--target", WASM, "--features", "web", "--no-run"];
    let arguments: Vec<&str> = arguments.into_iter().chain(["--message-format", "json"]).chain(tests).collect();
    let messages =
        ui::timed("tests compiled for browsers", || quiet("compiling the tests", &mut command("cargo", arguments)))?;
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let programs: Vec<_> = artifacts
        .filter_map(|artifact| {
            let name = artifact["target"]["name"].as_str()?;
            let test = TESTS.iter().find(|test| **test == name)?;
            Some((*test, artifact["executable"].as_str()?.to_owned()))
        })
        .collect();
    if programs.len() == TESTS.len() { Ok(programs) } else { Err("cargo named no program of some tests".to_owned()) }
}

/// Prints one line, and the output after it where something failed.
fn passes(browser: Browser, context: Context, test: &str, program: &str) -> bool {
    let name = format!("{test} in {} ({})", browser.name(), context.name());
    let start = Instant::now();
    for attempt in 1.. {
        let result = TestServer::new().and_then(|server| {
            quiet(&name, runner(browser, context, program).env("WASM_BINDGEN_TEST_ADDRESS", server.address.to_string()))
        });
        let output = result.as_ref().unwrap_or_else(|output| output);
        let started = output.lines().any(|line| line.trim_start().starts_with("running "));
        match &result {
            Ok(output) if output.contains("test result: ok") => {
                ui::ok(&format!("{name}: {} ({})", passed(output), ui::seconds(start.elapsed())));
                return true;
            }
            Err(_) if !started && attempt < START_ATTEMPTS => {
                ui::warning(&format!("{name}: the browser did not start its tests, once more"));
            }
            _ => {
                println!("FAILED   {name} ({})\n{output}\n{}", ui::seconds(start.elapsed()), causes(output));
                return false;
            }
        }
    }
    false
}

/// What panicked, and the seeds that play it again, each once more after the stacks that follow them.
fn causes(output: &str) -> String {
    let mut causes: Vec<&str> = Vec::new();
    let mut panicked = false;
    for line in output.lines().map(str::trim) {
        let tells = panicked || line.contains("panicked at") || line.contains("_SEED=");
        if tells && !causes.contains(&line) {
            causes.push(line);
        }
        panicked = line.contains("panicked at");
    }
    causes.join("\n")
}

/// How many tests passed, as the runner says.
fn passed(output: &str) -> String {
    let count = output.split("test result: ok. ").nth(1).and_then(|rest| rest.split(';').next());
    count.unwrap_or("passed").to_owned()
}

fn runner(browser: Browser, context: Context, program: &str) -> Command {
    let arguments: &[&str] = if browser == Browser::WebKit { &[program, "--skip", "opfs"] } else { &[program] };
    let mut words = vec!["wasm-bindgen-test-runner"];
    words.extend(arguments);
    if browser == Browser::WebKit {
        // WebKitGTK has no mode without a display, and refuses OPFS to sessions that a driver began.
        words.splice(..0, ["xvfb-run", "-a"]);
    }
    if find("timeout").is_some() {
        // The runner's own limits do not end a driver that does not answer.
        words.splice(..0, ["timeout", "--kill-after=5", RUN_LIMIT_S]);
    }
    let mut runner = command(words[0], &words[1..]);
    let (variable, driver) = browser.driver();
    let path = find(driver).unwrap_or_else(|| driver.into());
    runner
        .env(variable, path)
        .env(context.variable(), "1")
        // Headers of the server that Selkie does not need, so that it is tested without.
        .env("WASM_BINDGEN_TEST_NO_ORIGIN_ISOLATION", "1")
        .env("WASM_BINDGEN_TEST_TIMEOUT", TEST_LIMIT_S)
        .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "30");
    let capabilities = if browser == Browser::Chromium { "webdriver.json" } else { "none" };
    runner.env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", root().join(capabilities));
    runner
}

impl Browser {
    fn name(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
            Self::WebKit => "WebKitGTK",
        }
    }

    /// The variable that chooses the driver, and its program.
    fn driver(self) -> (&'static str, &'static str) {
        match self {
            Self::Chromium => ("CHROMEDRIVER", "chromedriver"),
            Self::Firefox => ("GECKODRIVER", "geckodriver"),
            Self::WebKit => ("SAFARIDRIVER", "WebKitWebDriver"),
        }
    }
}

impl Context {
    fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Worker => "dedicated worker",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::Page => "WASM_BINDGEN_USE_BROWSER",
            Self::Worker => "WASM_BINDGEN_USE_DEDICATED_WORKER",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::causes;

    #[test]
    fn a_cause_is_told_once_with_what_it_says_and_without_its_stack() {
        let told =
            "log output:\n  MODEL_SEED=7 plays this case again\nerror output:\n  panicked at a.rs:9:1:\n  it broke\n";
        let output = format!("running 1 test\n{told}  Stack:\n  f@<?>:wasm-function[9]\nconsole output:\n{told}");
        assert_eq!(causes(&output), "MODEL_SEED=7 plays this case again\npanicked at a.rs:9:1:\nit broke");
    }
}
