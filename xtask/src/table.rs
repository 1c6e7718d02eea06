//! What a proof counted, and the table of it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// How many cases of a kind were tried, how many failed, and for how long.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) kind: String,
    pub(crate) cases: u64,
    pub(crate) failures: u64,
    pub(crate) seconds: u64,
}

impl Row {
    /// Reads what a proof printed. A failed one failed in its own kind, whatever it counted.
    pub(crate) fn read(kind: &str, said: &str, failed: bool, time: Duration) -> Vec<Self> {
        let mut rows =
            vec![Self { kind: kind.to_owned(), cases: 0, failures: u64::from(failed), seconds: time.as_secs() }];
        let counted = said.lines().filter_map(|line| line.split_once("counted: ")?.1.split_once(' '));
        for (cases, kind) in counted {
            let Ok(cases) = cases.parse() else { continue };
            rows.push(Self { kind: kind.trim_end().to_owned(), cases, failures: 0, seconds: 0 });
        }
        rows
    }
}

/// The sums by kind. What a proof counts beside its own kind took no time of its own.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut sums: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry(&row.kind).or_default();
        [row.cases, row.failures, row.seconds].iter().zip(sum).for_each(|(value, sum)| *sum += value);
    }
    let mut text = String::from("| kind | cases | failures | seconds |\n|---|---:|---:|---:|\n");
    for (kind, [cases, failures, seconds]) in sums {
        let _always_succeeds = writeln!(text, "| {kind} | {} | {failures} | {seconds} |", grouped(cases));
    }
    text
}

/// With a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_added_up_by_kind() {
        let said = "running\ncounted: 1200 kills\n.counted: 34 kills\ncounted: 5 faults\nelse\n";
        let rows = Row::read("kills", said, true, Duration::from_secs(3));
        let table = table(&rows);
        assert!(table.ends_with("| faults | 5 | 0 | 0 |\n| kills | 1,234 | 1 | 3 |\n"), "{table}");
    }
}
