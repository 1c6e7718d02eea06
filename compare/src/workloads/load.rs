//! Load: all entries into an empty database, in the fastest way that the engine documents.
//!
//! The entries come in random order, and sorting them is part of the time. That all of them are there is checked
//! afterwards, by number and sum.

use std::time::Instant;

use super::Workload;
use crate::data::{Data, KEY, stamp};
use crate::engines::{Engine, Reader, Session};
use crate::failure::{Result, ensure_equal};
use crate::recorder::{Outcome, Recorder};

pub(super) const LOAD: Workload = Workload::per_second("load, entries");

pub(super) fn run<E: Engine>(engine: &E, data: &Data, recorder: &mut Recorder) -> Result {
    let start = Instant::now();
    engine.load(data)?;
    let seconds = start.elapsed().as_secs_f64();
    verify(engine, data)?;
    recorder.measure(&LOAD, || Ok(Outcome::number(data.len() as f64 / seconds)))
}

/// Every entry is there, once, with its value.
pub(super) fn verify<E: Engine>(engine: &E, data: &Data) -> Result {
    let mut session = engine.session()?;
    let mut sum = 0_u64;
    let seen = session.reader()?.scan(&[0; KEY], 0, usize::MAX, |_, value| sum = sum.wrapping_add(stamp(value)))?;
    ensure_equal("entries", data.len(), seen)?;
    ensure_equal("sum of the values", data.sum(0..data.len()), sum)
}
