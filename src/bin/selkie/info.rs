//! What a database consists of.

use std::io::Write;
use std::path::Path;

use selkie::{Database, Readable};

use crate::database;
use crate::failure::Result;
use crate::output::{grouped, size, span, with_output};

pub(crate) fn run(path: &Path) -> Result<bool> {
    let db = database::open_read_only(path)?;
    with_output(|output| {
        for (title, lines) in [
            ("database", overview(&db, path)),
            ("keyspaces", keyspaces(&db)?),
            ("files", files(path)?),
            ("opening", opening(&db)),
        ] {
            writeln!(output, "{title}")?;
            let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            for (name, value) in lines {
                writeln!(output, "  {name:width$}  {value}")?;
            }
        }
        Ok(true)
    })
}

pub(crate) fn snapshot(path: &Path) -> Result<bool> {
    let db = database::open_existing(path)?;
    let info = db.snapshot()?;
    db.close()?;
    with_output(|output| {
        let (entries, bytes) = (grouped(info.entries), size(info.bytes));
        writeln!(output, "snapshot of version {}: {entries} keys, {bytes}", info.version)?;
        Ok(true)
    })
}

type Lines = Vec<(String, String)>;

fn line(name: impl Into<String>, value: impl Into<String>) -> (String, String) {
    (name.into(), value.into())
}

fn overview(db: &Database, path: &Path) -> Lines {
    let stats = db.stats();
    let mut lines = vec![
        line("path", path.display().to_string()),
        line("version", stats.version.to_string()),
        line("keys", grouped(stats.keys)),
        line("keys and values", size(stats.live_bytes)),
        line("versions kept", grouped(stats.versions)),
        line("older values", size(stats.history_bytes)),
        line("retention", format!("{:?}", db.retention()).to_lowercase()),
    ];
    if let Some(snapshot) = stats.snapshot {
        lines.push(line("snapshot version", snapshot.version.to_string()));
    }
    lines
}

fn keyspaces(db: &Database) -> Result<Lines> {
    let view = db.begin_read()?;
    let mut lines = Lines::new();
    for name in db.keyspaces() {
        let count = view.keyspace(&db.keyspace(&name)?).count_range::<&[u8]>(..)?;
        lines.push(line(name, format!("{} keys", grouped(count as u64))));
    }
    Ok(lines)
}

fn files(path: &Path) -> Result<Lines> {
    let mut lines = Lines::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != "lock" && entry.file_type()?.is_file() {
            lines.push(line(name, size(entry.metadata()?.len())));
        }
    }
    lines.sort();
    Ok(lines)
}

fn opening(db: &Database) -> Lines {
    let recovery = db.recovery();
    let snapshot = match &recovery.snapshot {
        Some(name) => format!("{name}, {} keys", grouped(recovery.snapshot_entries)),
        None => "none".to_owned(),
    };
    let mut lines = vec![
        line("snapshot", snapshot),
        line("log", format!("{} commits in {} segments", grouped(recovery.frames_replayed), recovery.segments)),
        line("torn tail", format!("{} bytes", grouped(recovery.bytes_cut))),
        line("time", span(recovery.duration)),
    ];
    lines.extend(recovery.ignored_files.iter().map(|name| line("passed over", name)));
    lines
}
