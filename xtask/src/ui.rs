//! One line for each step, and a sign of life while a long one runs.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const TERMINAL_INTERVAL: Duration = Duration::from_millis(100);
/// Without a terminal a line as rare as this keeps a log readable and still shows that the step lives.
const LOG_INTERVAL: Duration = Duration::from_secs(15);
const LINE_WIDTH: usize = 100;

pub(crate) fn ok(text: &str) {
    println!("ok       {text}");
}

pub(crate) fn warning(text: &str) {
    println!("warning  {text}");
}

pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// Runs `work` and prints one line with the time it took, or that it failed.
pub(crate) fn timed<T>(name: &str, work: impl FnOnce() -> crate::Result<T>) -> crate::Result<T> {
    let start = Instant::now();
    let result = work();
    let status = if result.is_ok() { "ok    " } else { "FAILED" };
    println!("{status}   {name} ({})", seconds(start.elapsed()));
    result
}

/// The line that changes while a program runs silently.
pub(crate) struct Progress {
    name: String,
    start: Instant,
    shown: Instant,
    terminal: bool,
}

impl Progress {
    pub(crate) fn new(name: &str) -> Self {
        let now = Instant::now();
        Self { name: name.to_owned(), start: now, shown: now, terminal: std::io::stdout().is_terminal() }
    }

    /// Called for each line that the program writes, and once a second while it writes none.
    pub(crate) fn tick(&mut self, last_line: &str) {
        let interval = if self.terminal { TERMINAL_INTERVAL } else { LOG_INTERVAL };
        if self.shown.elapsed() < interval {
            return;
        }
        self.shown = Instant::now();
        let text = format!("...      {}: {} s  {}", self.name, self.start.elapsed().as_secs(), last_line.trim());
        let text: String = text.chars().take(LINE_WIDTH).collect();
        if self.terminal {
            print!("\r\x1b[2K{text}");
        } else {
            println!("{text}");
        }
        flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal {
            print!("\r\x1b[2K");
            flush();
        }
    }
}

fn flush() {
    // A progress line that cannot be shown is no reason to stop the work.
    let _ = std::io::stdout().flush();
}
