//! The machine and the moment, without which a number says nothing.

use std::fmt::{Display, Formatter};
use std::process::Command;

use serde::Serialize;

use crate::failure::Result;

#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    system: String,
    pub(crate) date: String,
    commit: String,
    versions: Vec<(String, String)>,
}

impl Machine {
    pub(crate) fn this() -> Result<Self> {
        let information = std::fs::read_to_string("/proc/cpuinfo")?;
        let model = information.lines().find(|line| line.starts_with("model name"));
        let processor =
            model.and_then(|line| line.split_once(':')).map_or("unknown processor", |(_, name)| name.trim());
        let system = rustix::system::uname();
        let system = [system.sysname(), system.release(), system.machine()].map(|part| part.to_string_lossy());
        Ok(Self {
            processor: processor.into(),
            cores: std::thread::available_parallelism()?.get(),
            system: system.join(" "),
            date: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            commit: commit(),
            versions: versions(),
        })
    }

    /// The version of a package among those that this program is made of.
    pub(crate) fn version(&self, package: &str) -> &str {
        self.versions.iter().find(|(name, _)| name == package).map_or("unknown", |(_, version)| version)
    }
}

impl Display for Machine {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { processor, cores, system, date, commit, .. } = self;
        write!(formatter, "{processor}, {cores} cores, {system}; {date}; commit {commit}")
    }
}

/// Of the working tree in which this runs; a copy without its history has none.
fn commit() -> String {
    let run = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = run(&["rev-parse", "--short", "HEAD"]) else { return "unknown".into() };
    let changed = run(&["status", "--porcelain", "--untracked-files=no"]).is_none_or(|changes| !changes.is_empty());
    if changed { format!("{commit} with changes") } else { commit }
}

fn versions() -> Vec<(String, String)> {
    let lock = include_str!("../../Cargo.lock");
    let quoted = |line: &str, name: &str| Some(line.strip_prefix(name)?.trim_matches([' ', '=', '"']).to_owned());
    let mut lines = lock.lines();
    let mut versions = Vec::new();
    while let Some(line) = lines.next() {
        let name = quoted(line, "name = ");
        let version = name.is_some().then(|| lines.next()).flatten().and_then(|line| quoted(line, "version = "));
        versions.extend(name.zip(version));
    }
    versions
}
