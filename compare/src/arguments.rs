//! The arguments of the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::engines::{CONTESTANTS, Contestant};

/// Fewer would leave threads without keys of their own.
const FEWEST: usize = 1_000;

/// Compares Selkie with other embedded key-value engines: the same work in one run, engine after engine in each round.
#[derive(Debug, Parser)]
#[command(name = "compare")]
pub(crate) struct Arguments {
    /// How many entries the databases have: 100k, 1m, 5m or any number; several may be given
    #[arg(long, num_args = 1.., value_delimiter = ',', value_parser = count, default_values = ["100k", "1m"])]
    pub(crate) entries: Vec<usize>,

    /// How often everything is measured; the tables have the medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// Only workloads whose names have one of these words
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,

    /// Only these engines
    #[arg(long, value_delimiter = ',', value_parser = CONTESTANTS.map(|contestant| contestant.name))]
    pub(crate) engines: Vec<String>,

    /// How many seconds one workload of one engine may take
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,

    /// Where the results go, and the databases while they are measured: the file system matters
    #[arg(long, default_value = "target/compare")]
    pub(crate) output: PathBuf,

    /// What a child process does
    #[arg(long, hide = true)]
    pub(crate) task: Option<String>,
}

impl Arguments {
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.limit)
    }

    pub(crate) fn contestants(&self) -> Vec<&'static Contestant> {
        let wanted = |name: &str| self.engines.is_empty() || self.engines.iter().any(|engine| engine == name);
        CONTESTANTS.iter().filter(|contestant| wanted(contestant.name)).collect()
    }
}

fn count(text: &str) -> Result<usize, String> {
    let lower = text.to_lowercase();
    let (digits, unit) = match lower.strip_suffix(['k', 'm']) {
        Some(digits) if lower.ends_with('k') => (digits, 1_000),
        Some(digits) => (digits, 1_000_000),
        None => (&lower[..], 1),
    };
    let number: usize = digits.parse().map_err(|_| format!("`{text}` is not a number like 100k, 1m or 20000"))?;
    let entries = number.checked_mul(unit).ok_or_else(|| format!("{text} entries are too many"))?;
    if entries < FEWEST { Err(format!("at least {FEWEST} entries are needed")) } else { Ok(entries) }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn numbers_of_entries_may_have_a_unit() {
        assert_eq!(count("100k"), Ok(100_000));
        assert_eq!(count("5M"), Ok(5_000_000));
        assert_eq!(count("20000"), Ok(20_000));
        assert!(count("few").is_err());
        assert!(count("10").is_err());
    }
}
