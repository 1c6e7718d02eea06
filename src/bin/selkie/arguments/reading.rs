//! The arguments of the commands that read.

use std::path::PathBuf;

use clap::Args;
use selkie::Version;

use super::Format;

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

#[derive(Debug, Args)]
pub(crate) struct Dump {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The format.
    #[arg(long, value_enum, default_value = "jsonl")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The key.
    pub(crate) key: String,
    /// The key is given as base64.
    #[arg(long)]
    pub(crate) base64: bool,
    /// Prints the value alone, without an end of line.
    #[arg(long)]
    pub(crate) raw: bool,
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
    /// The key.
    pub(crate) key: String,
    /// The key is given as base64.
    #[arg(long)]
    pub(crate) base64: bool,
}
