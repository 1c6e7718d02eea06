//! The tables, one for each class of engines, with what a number needs beside it in notes below.

use std::fmt::Write;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::machine::Machine;
use super::text;
use crate::arguments::Arguments;
use crate::engines::{Class, Contestant};
use crate::failure::Result;
use crate::recorder::Outcome;
use crate::results::Results;
use crate::workloads::{Suite, Workload};

const INTRODUCTION: &str = "\
The same work by every engine in one run: random keys of 16 bytes, values of 100, a fixed seed. In each round the engines
follow each other workload by workload, each in a process of its own; the numbers are medians. Every result is verified,
and who returns a wrong one gets no number. The last column is Selkie's ratio to the best rival: above 1 Selkie is faster,
or smaller. A percentage beside a rate: the time was up after so much of the work, and the rate is that of this part. All
engines use the system's allocator.";

pub(crate) fn render(machine: &Machine, arguments: &Arguments, all: &[Results]) -> Result<String> {
    let mut page = format!("# Selkie and other embedded engines\n\n{machine}\n\n{INTRODUCTION}\n\n");
    writeln!(page, "Rounds: {}. At most {} s for one workload.\n", arguments.rounds, arguments.limit().as_secs())?;
    for contestant in arguments.contestants() {
        let Contestant { name, package, settings, is_limit, .. } = contestant;
        let origin = if *is_limit { "no engine".into() } else { format!("{package} {}", machine.version(package)) };
        writeln!(page, "- {name}: {origin}; {settings}")?;
    }
    for results in all {
        for (class, title) in [(Class::Memory, "in memory"), (Class::Log, "with files")] {
            if !arguments.contestants().iter().any(|contestant| contestant.class == class) {
                continue;
            }
            write!(page, "\n## {} entries, {title}\n\n", results.entries)?;
            page.push_str(&section(arguments, results, class));
        }
    }
    Ok(page)
}

fn section(arguments: &Arguments, results: &Results, class: Class) -> String {
    let mut contestants = arguments.contestants();
    contestants.retain(|contestant| contestant.class == class);
    let suites = Suite::MEASURED.into_iter().filter(|suite| class == Class::Log || !suite.needs_files());
    let mut workloads: Vec<_> = suites.flat_map(Suite::workloads).collect();
    workloads.retain(|workload| workload.is_named_by(&arguments.only));

    let mut notes = Notes::default();
    let mut table = Table::new();
    let names = contestants.iter().map(|contestant| contestant.name);
    table
        .load_style(ASCII_MARKDOWN)
        .set_header(["workload"].into_iter().chain(names).chain(["Selkie to the best rival"]));
    for workload in &workloads {
        table.add_row(row(results, workload, class, &contestants, &mut notes));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n\n{}\n", notes.render())
}

fn row(
    results: &Results,
    workload: &Workload,
    class: Class,
    engines: &[&Contestant],
    notes: &mut Notes,
) -> Vec<String> {
    let cells = engines.iter().map(|engine| match results.outcome(workload, engine.name) {
        None => "-".into(),
        Some(Outcome::Nothing { reason }) => format!("- [{}]", notes.number(reason)),
        Some(Outcome::Number { value, share, remark }) => {
            let part = if share < 1.0 { format!(" ({} %)", text::digits(100.0 * share)) } else { String::new() };
            let note = remark.map_or(String::new(), |remark| format!(" [{}]", notes.number(remark)));
            text::value(value, workload.unit) + &part + &note
        }
    });
    let ratio = results.ratio(workload, class).map_or("-".into(), text::ratio);
    [workload.name.to_owned()].into_iter().chain(cells).chain([ratio]).collect()
}

/// Each note once, numbered in the order of the table.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn number(&mut self, note: String) -> usize {
        let place = self.0.iter().position(|known| *known == note).unwrap_or_else(|| {
            self.0.push(note);
            self.0.len() - 1
        });
        place + 1
    }

    fn render(&self) -> String {
        let lines: Vec<_> =
            self.0.iter().enumerate().map(|(place, note)| format!("- [{}] {note}", place + 1)).collect();
        lines.join("\n")
    }
}
