//! The table that the demonstration prints as it goes.

use std::fmt::Display;
use std::time::Duration;

use crate::output::span;

pub(crate) fn title(text: &str) {
    println!("\n{text}");
}

pub(crate) fn row(step: &str, result: impl Display, elapsed: Duration) {
    println!("  {step:<16}{:<72}{:>10}", result.to_string(), span(elapsed));
}
