//! Verifying a database, and saying where it is damaged.

use std::io::Write;
use std::path::Path;

use selkie::{FileKind, FileReport, Verification};

use crate::database;
use crate::failure::Result;
use crate::output::{grouped, size, with_output};
use crate::repair;

pub(crate) fn run(path: &Path) -> Result<bool> {
    database::check_exists(path)?;
    let verification = selkie::verify(path)?;
    with_output(|output| {
        print(&verification, output)?;
        Ok(verification.is_intact())
    })
}

fn print(verification: &Verification, output: &mut impl Write) -> Result<()> {
    let width = verification.files.iter().map(|file| file.name.len()).max().unwrap_or(0);
    for file in &verification.files {
        writeln!(output, "{:width$}  {:>10}  {}", file.name, size(file.bytes), state(file))?;
        for damage in &file.damage {
            writeln!(output, "  {damage}")?;
        }
    }
    writeln!(output, "{}", summary(verification))?;
    match &verification.repair {
        Ok(repair) if verification.is_intact() && repair.losses.is_empty() => Ok(()),
        Ok(repair) => {
            writeln!(output, "what a repair would keep and lose:")?;
            repair::print(repair, output)
        }
        Err(error) => Ok(writeln!(output, "it cannot be repaired: {error}")?),
    }
}

fn state(file: &FileReport) -> String {
    let state = match file.kind {
        _ if !file.damage.is_empty() => "DAMAGED".to_owned(),
        _ if file.unfinished => "unfinished after a crash; opening passes over it".to_owned(),
        FileKind::Segment => format!("ok, {} commits", grouped(file.records)),
        FileKind::Snapshot => format!("ok, {} keys", grouped(file.records)),
        FileKind::Database => "ok".to_owned(),
        _ => "no file of the database".to_owned(),
    };
    if file.torn_bytes == 0 {
        return state;
    }
    format!("{state}, {} bytes of a torn tail after a crash; opening cuts them off", grouped(file.torn_bytes))
}

fn summary(verification: &Verification) -> String {
    let bytes = verification.files.iter().map(|file| file.bytes).sum();
    let files = verification.files.len();
    match &verification.opening {
        Ok(_) if verification.is_intact() => format!("intact: {files} files, {}", size(bytes)),
        Ok(_) => format!("damaged in {} places, but it opens", verification.damage().count()),
        Err(error) => format!("damaged in {} places; it does not open: {error}", verification.damage().count()),
    }
}
