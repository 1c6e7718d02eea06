//! Footprint: memory per entry once all entries were loaded and each was read by its key, as far as the time was enough,
//! and file bytes per entry.
//!
//! Memory is what the process holds (its resident set), before and after, in a process of its own for each engine: the
//! pages of a map and what libraries in C allocate count as well. Engines that cache files hold what their cache allows.
//! Files are counted by the blocks that they occupy once the database is closed, so that a hole costs nothing and what
//! is allocated in advance does.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::load::verify;
use super::{Unit, Workload, points};
use crate::data::Data;
use crate::engines::{Engine, Mode};
use crate::failure::{Failure, Result};
use crate::recorder::{Outcome, Recorder};
use crate::task::Task;

const MEMORY: Workload = Workload { name: "memory per entry", unit: Unit::Bytes };
const FILES: Workload = Workload { name: "files per entry", unit: Unit::Bytes };
pub(super) const ALL: [Workload; 2] = [MEMORY, FILES];
/// The unit of `stat` for blocks, whatever the file system's own is.
const BLOCK: u64 = 512;

pub(super) fn run<E: Engine>(task: &Task, data: &Data, recorder: &mut Recorder) -> Result {
    // Made before, so that it does not count.
    let all = [(0..data.len()).collect()];
    let before = resident()?;
    let mode = task.mode()?;
    let engine = E::open(&task.directory, mode)?;
    engine.load(data)?;
    points::read(&engine, task, data, &all)?;
    let held = resident()?.saturating_sub(before);
    recorder.measure(&MEMORY, || Ok(Outcome::number(held as f64 / data.len() as f64)))?;
    verify(&engine, data)?;
    engine.close()?;
    recorder.measure(&FILES, || {
        if mode == Mode::Memory {
            return Err(Failure::Unsupported("there are no files"));
        }
        Ok(Outcome::number(occupied(&task.directory)? as f64 / data.len() as f64))
    })
}

fn resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the system tells no resident set")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes << 10)
}

fn occupied(directory: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { occupied(&entry.path())? } else { metadata.blocks() * BLOCK };
    }
    Ok(bytes)
}
