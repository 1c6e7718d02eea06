//! Large values: of 64 KiB, written one per transaction into an empty database, then read in random order.
//!
//! Reads look at the first and the last bytes and at the length, so that the whole value has to be there.

use super::Workload;
use crate::data::{Data, stamp};
use crate::engines::{Engine, Session};
use crate::failure::{Result, ensure_equal};
use crate::pace::{Pace, Tally, slowly_in_parallel};
use crate::recorder::Recorder;
use crate::task::Task;

const WRITE: Workload = Workload::per_second("write of 64 KiB");
const READ: Workload = Workload::per_second("read of 64 KiB");
pub(super) const ALL: [Workload; 2] = [WRITE, READ];
const LENGTH: usize = 64 << 10;
/// 128 MiB of them.
const VALUES: usize = 2_000;
const READS: usize = 20_000;

pub(super) fn run<E: Engine>(task: &Task, data: &Data, recorder: &mut Recorder) -> Result {
    let engine = E::open(&task.directory, task.mode()?)?;
    let values: Vec<_> = (0..VALUES.min(data.len())).map(|index| data.large_value(index, LENGTH)).collect();
    let written = write(&engine, task, data, &values);
    let count = written.as_ref().map_or(0, Pace::done);
    recorder.measure(&WRITE, || Ok(written?.rate()))?;
    recorder.measure(&READ, || {
        if count == 0 {
            return Err("there was nothing to read".into());
        }
        let shares = [data.uniform(9, READS).into_iter().map(|index| index % count).collect::<Vec<_>>()];
        let expected = |index: usize| look(&values[index]);
        let pace = slowly_in_parallel(&engine, task.limit, &shares, |session, share| {
            let mut sum = 0_u64;
            let done = share.each(|index| {
                sum = sum.wrapping_add(session.get(data.key(index), look)?.unwrap_or_default());
                Ok(())
            })?;
            Ok(Tally { done, sum })
        })?;
        let sum = shares[0][..pace.done()].iter().fold(0_u64, |sum, &index| sum.wrapping_add(expected(index)));
        ensure_equal("sum of the large values", sum, pace.sum())?;
        Ok(pace.rate())
    })?;
    engine.close()
}

fn write<E: Engine>(engine: &E, task: &Task, data: &Data, values: &[Vec<u8>]) -> Result<Pace> {
    let shares = [(0..values.len()).collect::<Vec<_>>()];
    slowly_in_parallel(engine, task.limit, &shares, |session, share| {
        let done = share.each(|index| session.put(data.key(index), &values[index]))?;
        Ok(Tally { done, sum: 0 })
    })
}

fn look(value: &[u8]) -> u64 {
    let end = value.last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
    stamp(value) ^ end.rotate_left(1) ^ value.len() as u64
}
