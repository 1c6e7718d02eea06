//! Errors of the program, and how they are printed.

use std::error::Error;

pub(crate) type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// An error and its sources in one line. A source that the error itself names is not repeated.
pub(crate) fn line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        source = error.source();
    }
    line.replace(['\n', '\r'], " ")
}
