//! What a proof counted, and the table of it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use indicatif::HumanCount;

/// How many cases of a kind were tried, how many failed, and for how long.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) kind: String,
    pub(crate) cases: u64,
    pub(crate) failures: u64,
    pub(crate) seconds: u64,
}

impl Row {
    /// What a proof printed: its own kind with its time, and whatever it counted. It failed as well where it counted none
    /// of its kind, for then it has proven nothing.
    pub(crate) fn read(kind: &str, said: &str, has_failed: bool, time: Duration) -> Vec<Self> {
        let row = |(cases, kind): (&str, &str)| {
            Some(Self { kind: kind.trim_end().to_owned(), cases: cases.parse().ok()?, failures: 0, seconds: 0 })
        };
        let counted = said.lines().filter_map(|line| line.split_once("counted: ")?.1.split_once(' '));
        let mut rows: Vec<Self> = counted.filter_map(row).collect();
        let is_empty = !rows.iter().any(|row| row.kind == kind && row.cases > 0);
        let failures = u64::from(has_failed || is_empty);
        rows.push(Self { kind: kind.to_owned(), cases: 0, failures, seconds: time.as_secs() });
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
        let _always_succeeds = writeln!(text, "| {kind} | {} | {failures} | {seconds} |", HumanCount(cases));
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

    #[test]
    fn whoever_counts_nothing_of_its_kind_has_failed() {
        let failures =
            |said| Row::read("kills", said, false, Duration::ZERO).iter().map(|row| row.failures).sum::<u64>();
        assert_eq!(
            ["counted: 1 kills", "counted: 0 kills", "counted: 1 faults", "counted: x kills", ""].map(failures),
            [0, 1, 1, 1, 1]
        );
    }
}
