//! How long a test goes on: for a number of cases, or in a campaign for a number of seconds.
//!
//! `SELKIE_SECONDS` sets the seconds. `cargo xtask prove` does, and adds up what is counted.

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
        let seconds = std::env::var("SELKIE_SECONDS").ok().map(number);
        Self { cases, end: seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds)) }
    }

    pub(crate) fn goes_on(&self, done: u64) -> bool {
        self.end.map_or(done < self.cases, |end| Instant::now() < end)
    }
}

/// Says how many cases of a kind were tried.
pub(crate) fn count(cases: u64, kind: &str) {
    println!("counted: {cases} {kind}");
}

/// A number from the environment, or another.
pub(crate) fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
