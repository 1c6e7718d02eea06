//! How long a test goes on: for a number of cases, or in a campaign for a number of seconds.
//!
//! `SELKIE_SECONDS` sets the seconds. `cargo xtask prove` does, and adds up what is counted. As wasm there is no
//! environment but that of the compiler.

use std::time::Duration;

use web_time::Instant;

pub(crate) struct Campaign {
    cases: u64,
    end: Option<Instant>,
}

impl Campaign {
    /// Goes on for so many cases where no time is set.
    pub(crate) fn of(cases: u64) -> Self {
        let number = |text: String| text.parse().unwrap_or_else(|_| panic!("SELKIE_SECONDS is a number"));
        let seconds = from_environment("SELKIE_SECONDS").map(number);
        Self { cases, end: seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds)) }
    }

    pub(crate) fn goes_on(&self, done: u64) -> bool {
        self.end.map_or(done < self.cases, |end| Instant::now() < end)
    }
}

/// Says how many cases of a kind were tried.
pub(crate) fn count(cases: u64, kind: &str) {
    let place = if cfg!(target_arch = "wasm32") { " as wasm" } else { "" };
    say(&format!("counted: {cases} {kind}{place}"));
}

/// A number from the environment, or another.
pub(crate) fn variable(name: &str, default: u64) -> u64 {
    from_environment(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Prints a line where a person sees it.
pub(crate) fn say(line: &str) {
    #[cfg(target_arch = "wasm32")]
    wasm_bindgen_test::console_log!("{line}");
    #[cfg(not(target_arch = "wasm32"))]
    println!("{line}");
}

#[cfg(not(target_arch = "wasm32"))]
fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(target_arch = "wasm32")]
fn from_environment(name: &str) -> Option<String> {
    let value = match name {
        "SELKIE_SECONDS" => option_env!("SELKIE_SECONDS"),
        "SELKIE_SEED" => option_env!("SELKIE_SEED"),
        "SELKIE_RUNS" => option_env!("SELKIE_RUNS"),
        "SELKIE_IMAGES" => option_env!("SELKIE_IMAGES"),
        _ => None,
    };
    value.map(str::to_owned)
}
