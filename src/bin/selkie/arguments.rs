//! What the program can be asked for.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use selkie::{Retention, Version};

/// Works on Selkie databases, embedded ordered transactional key-value stores.
///
/// The exit code is 0 when all is well, 1 when a key was not found or a database is damaged, and 2 for errors.
#[derive(Debug, Parser)]
#[command(name = "selkie", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Loads records from JSON Lines or TSV, creating the database when there is none.
    Load(Load),
    /// Writes all records as JSON Lines or TSV.
    Dump(Dump),
    /// Prints the value of a key.
    Get(Get),
    /// Sets the value of a key, creating the database when there is none.
    Set(Set),
    /// Removes a key.
    Remove(Remove),
    /// Prints the entries of a range, a key and its value to a line, separated by a tab.
    Scan(Scan),
    /// Counts the entries of a range.
    Count(Count),
    /// Prints the versions of a key that are kept, newest first: version, time and value.
    History(History),
    /// Shows files, versions, sizes, keyspaces, and what opening did.
    Info { database: PathBuf },
    /// Reads every byte and lists all damage.
    Verify { database: PathBuf },
    /// Writes a snapshot now and removes the log that it replaces.
    Snapshot { database: PathBuf },
    /// Shows loading, queries, a crash amid commits and the recovery from it on real data.
    Demo(Demo),
    #[command(hide = true)]
    DemoWriter { database: PathBuf, first: u64 },
}

/// What is read.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The directory of the database.
    pub(crate) database: PathBuf,
    /// The keyspace.
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub(crate) keyspace: String,
    /// Reads what was there as of this version, as far as the history is kept.
    #[arg(long, value_name = "VERSION")]
    pub(crate) at: Option<Version>,
}

/// What is written to.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The directory of the database.
    pub(crate) database: PathBuf,
    /// The keyspace, created when there is none.
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub(crate) keyspace: String,
    /// Sets which past versions are kept from now on: `none`, `forever`, a number of versions, or an age like `90s`,
    /// `15m`, `12h`, `7d`.
    #[arg(long, value_name = "KEPT", value_parser = retention)]
    pub(crate) history: Option<Retention>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// {"key": text, "value": any JSON} on each line; `key_base64` and `value_base64` for what is no text.
    Jsonl,
    /// A key, a tab and a value on each line, with `\t`, `\n`, `\r`, `\\` and `\xNN` for what they cannot contain.
    Tsv,
}

#[derive(Debug, Args)]
pub(crate) struct Load {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The file to load, or `-` for the standard input.
    #[arg(default_value = "-")]
    pub(crate) file: PathBuf,
    /// The format; without it, TSV for a file named `.tsv`, otherwise JSON Lines.
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// How many records one transaction has.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) batch: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Dump {
    #[command(flatten)]
    pub(crate) source: Source,
    #[arg(long, value_enum, default_value = "jsonl")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    #[command(flatten)]
    pub(crate) source: Source,
    pub(crate) key: String,
    /// The key is given as base64.
    #[arg(long)]
    pub(crate) base64: bool,
    /// Prints the value alone, without an end of line.
    #[arg(long)]
    pub(crate) raw: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    #[command(flatten)]
    pub(crate) target: Target,
    pub(crate) key: String,
    pub(crate) value: String,
    /// Key and value are given as base64.
    #[arg(long)]
    pub(crate) base64: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The directory of the database.
    pub(crate) database: PathBuf,
    pub(crate) key: String,
    /// The keyspace.
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub(crate) keyspace: String,
    /// The key is given as base64.
    #[arg(long)]
    pub(crate) base64: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Bounds {
    /// Only keys that begin with this.
    #[arg(long)]
    pub(crate) prefix: Option<String>,
    /// Only this key and those after it.
    #[arg(long, value_name = "KEY")]
    pub(crate) from: Option<String>,
    /// Only keys before this one.
    #[arg(long, value_name = "KEY")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Scan {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
    /// Begins with the last key.
    #[arg(long)]
    pub(crate) reverse: bool,
    /// At most so many entries.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) limit: Option<usize>,
    /// Passes over so many entries first.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub(crate) skip: usize,
    /// Prints no values.
    #[arg(long)]
    pub(crate) keys_only: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Count {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) source: Source,
    pub(crate) key: String,
    /// The key is given as base64.
    #[arg(long)]
    pub(crate) base64: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The data as JSON Lines.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// Where the database is to be; there must be none yet.
    #[arg(long)]
    pub(crate) directory: PathBuf,
    /// How often a writing process is killed.
    #[arg(long, default_value_t = 5)]
    pub(crate) kills: u32,
}

fn retention(text: &str) -> Result<Retention, String> {
    let wrong = || format!("`{text}` is not `none`, `forever`, a number or an age like `7d`");
    if let Some(unit) = text.chars().last().and_then(seconds) {
        let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
        let seconds = number.checked_mul(unit).ok_or_else(wrong)?;
        return Ok(Retention::Age(std::time::Duration::from_secs(seconds)));
    }
    match text {
        "none" => Ok(Retention::None),
        "forever" => Ok(Retention::Forever),
        number => number.parse().map(Retention::Versions).map_err(|_| wrong()),
    }
}

fn seconds(unit: char) -> Option<u64> {
    match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(60 * 60),
        'd' => Some(24 * 60 * 60),
        _ => None,
    }
}
