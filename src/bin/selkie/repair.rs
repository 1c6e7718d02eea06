//! Saving what is intact of a damaged database, and saying what that is.

use std::io::Write;
use std::path::Path;

use selkie::Repair;

use crate::database;
use crate::failure::Result;
use crate::output::{grouped, size, with_output};

pub(crate) fn run(path: &Path, destination: &Path) -> Result<bool> {
    database::check_exists(path)?;
    let repair = selkie::repair(path, destination)?;
    with_output(|output| {
        print(&repair, output)?;
        let summary = match repair.losses.len() {
            0 => "repaired: nothing is lost".to_owned(),
            _ if repair.is_lossless() => {
                "repaired: nothing is lost but the end of the log, which opening cuts off as well".to_owned()
            }
            count => format!("repaired, with losses in {count} places"),
        };
        writeln!(output, "{summary}: `{}`", destination.display())?;
        Ok(repair.is_lossless())
    })
}

/// What is kept in one line, and each loss in one.
pub(crate) fn print(repair: &Repair, output: &mut impl Write) -> Result<()> {
    let Repair { version, keys, keyspaces, versions, bytes, past_from, .. } = repair;
    let (keys, versions, bytes, spaces) = (grouped(*keys), grouped(*versions), size(*bytes), keyspaces.len());
    writeln!(output, "kept  commits to {version}: {keys} keys in {spaces} keyspaces, {bytes}, {versions} versions")?;
    if let Some(snapshot) = &repair.snapshot {
        writeln!(output, "      from {snapshot} on; the past can be viewed from version {past_from} on")?;
    }
    for loss in &repair.losses {
        writeln!(output, "lost  {loss}")?;
    }
    Ok(())
}
