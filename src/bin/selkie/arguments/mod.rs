//! What the program can be asked for.

mod reading;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use selkie::Retention;

use crate::retention;
pub(crate) use reading::{Bounds, Count, Dump, Get, History, Scan, Source};

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
    Info {
        /// The directory of the database.
        database: PathBuf,
    },
    /// Reads every byte, lists all damage, and says what a repair would keep and lose.
    Verify {
        /// The directory of the database.
        database: PathBuf,
    },
    /// Writes what can be saved of a damaged database to a new one, and says what it kept and lost.
    Repair {
        /// The directory of the damaged database, which stays as it is.
        database: PathBuf,
        /// The directory of the new one; it must be empty, or not be there.
        destination: PathBuf,
    },
    /// Writes a snapshot now and removes the log that it replaces.
    Snapshot {
        /// The directory of the database.
        database: PathBuf,
    },
    /// Shows loading, queries, a crash amid commits and the recovery from it on real data.
    Demo(Demo),
    #[command(hide = true)]
    DemoWriter { database: PathBuf, first: u64 },
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
    #[arg(long, value_name = "KEPT", value_parser = retention::parse)]
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
    /// How many records are committed at a time.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) batch: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The key.
    pub(crate) key: String,
    /// The value.
    pub(crate) value: String,
    /// Key and value are given as base64.
    #[arg(long)]
    pub(crate) base64: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The directory of the database.
    pub(crate) database: PathBuf,
    /// The key.
    pub(crate) key: String,
    /// The keyspace.
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub(crate) keyspace: String,
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
