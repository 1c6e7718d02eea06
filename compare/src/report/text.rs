//! How numbers are written.

use crate::results::Ratio;
use crate::workloads::Unit;

/// Three digits that count, with a unit.
pub(crate) fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::PerSecond if value >= 1e6 => format!("{} M/s", digits(value / 1e6)),
        Unit::PerSecond if value >= 1e3 => format!("{} k/s", digits(value / 1e3)),
        Unit::PerSecond => format!("{} /s", digits(value)),
        Unit::Milliseconds => format!("{} ms", digits(value)),
        Unit::Microseconds => format!("{} µs", digits(value)),
        Unit::Bytes => format!("{value:.0} B"),
    }
}

pub(crate) fn ratio(ratio: Ratio) -> String {
    format!("{} x {}", digits(ratio.value), ratio.rival)
}

pub(crate) fn digits(value: f64) -> String {
    let decimals = match value {
        _ if value >= 100.0 => 0,
        _ if value >= 10.0 => 1,
        _ if value >= 0.1 => 2,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

/// As it is given on the command line.
pub(crate) fn entries(entries: usize) -> String {
    match entries {
        _ if entries.is_multiple_of(1_000_000) => format!("{}m", entries / 1_000_000),
        _ if entries.is_multiple_of(1_000) => format!("{}k", entries / 1_000),
        _ => entries.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_a_unit() {
        assert_eq!(value(1_234_567.0, Unit::PerSecond), "1.23 M/s");
        assert_eq!(value(98_700.0, Unit::PerSecond), "98.7 k/s");
        assert_eq!(value(150.4, Unit::Microseconds), "150 µs");
        assert_eq!(entries(5_000_000), "5m");
        assert_eq!(entries(20_500), "20500");
    }
}
