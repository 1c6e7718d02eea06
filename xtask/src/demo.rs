//! The main job on real data: load, query, crash in the middle of a stream of commits, recover, verify.

use std::path::Path;

use crate::process::{command, quiet, root, show};
use crate::{Result, dataset, setup, ui};

const RELEASE: [&str; 5] = ["--release", "--features", "cli", "--bin", "selkie"];

pub(crate) fn run() -> Result {
    setup::npm()?;
    let folder = root().join("target/demo");
    let data = dataset::ensure(&folder)?;
    let arguments = [&["build"], &RELEASE[..]].concat();
    quiet("building selkie", &mut command("cargo", arguments))?;
    ui::ok("selkie built (release)");
    let database = folder.join("db");
    remove_earlier(&database)?;
    let arguments = [&["run", "--quiet"], &RELEASE[..], &["--", "demo", "--data"]].concat();
    let mut selkie = command("cargo", arguments);
    show(selkie.arg(data).arg("--directory").arg(database))
}

/// Each demonstration starts from an empty database.
fn remove_earlier(database: &Path) -> Result {
    if !database.exists() {
        return Ok(());
    }
    std::fs::remove_dir_all(database)
        .map_err(|error| format!("removing {} failed: {error}; remove it by hand", database.display()))
}
