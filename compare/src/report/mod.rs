//! What comes out: Markdown for people, JSON for programs, and a plot.

mod json;
mod machine;
mod markdown;
mod plot;
mod text;

use std::path::Path;

use crate::arguments::Arguments;
use crate::failure::Result;
use crate::results::Results;

/// Saves all three and returns the Markdown.
pub(crate) fn save(arguments: &Arguments, results: &[Results]) -> Result<String> {
    let machine = machine::Machine::this()?;
    let output = &arguments.output;
    let markdown = markdown::render(&machine, arguments, results)?;
    std::fs::write(output.join("compare.md"), &markdown)?;
    std::fs::write(output.join("compare.json"), json::render(&machine, arguments, results)?)?;
    for results in results {
        plot::draw(&machine, results, &plot_path(output, results))?;
    }
    Ok(markdown)
}

fn plot_path(output: &Path, results: &Results) -> std::path::PathBuf {
    output.join(format!("compare-{}.svg", text::entries(results.entries)))
}
