//! Mixed: two threads read and overwrite random keys, each operation in a transaction of its own, after the same warm-up
//! as the point reads.
//!
//! What is read is checked by its sum, which overwriting does not change, and each key that was written must have the
//! mark of it afterwards. Every value that is written differs from the one before, since some engines skip equal ones.

use super::{Workload, points};
use crate::data::{Data, counter, increment, stamp};
use crate::engines::{Engine, Session};
use crate::failure::{Result, ensure_equal};
use crate::pace::{Pace, Tally, in_parallel};
use crate::recorder::{Outcome, Recorder};
use crate::task::Task;

const MOSTLY_READS: Workload = Workload::per_second("mixed, 95 % reads, 5 % writes, 2 threads");
const HALF: Workload = Workload::per_second("mixed, 50 % reads, 50 % writes, 2 threads");
pub(super) const ALL: [Workload; 2] = [MOSTLY_READS, HALF];
const OPERATIONS: usize = 1_000_000;

pub(super) fn run<E: Engine>(engine: &E, task: &Task, data: &Data, recorder: &mut Recorder) -> Result {
    if !recorder.wants_any(&ALL) {
        return Ok(());
    }
    points::warm_up(engine, task, data)?;
    let shares = [7, 8].map(|seed| data.uniform(seed, OPERATIONS / 2));
    recorder.measure(&MOSTLY_READS, || measure(engine, task, data, &shares, 20))?;
    recorder.measure(&HALF, || measure(engine, task, data, &shares, 2))
}

/// Every so many operations, one writes.
fn measure<E: Engine>(engine: &E, task: &Task, data: &Data, shares: &[Vec<usize>], every: usize) -> Result<Outcome> {
    let pace = in_parallel(engine, task.limit, shares, |session, share| {
        let (mut sum, mut turn) = (0_u64, 0);
        let done = share.each(|index| {
            turn += 1;
            if turn % every != 0 {
                sum = sum.wrapping_add(session.get(data.key(index), stamp)?.unwrap_or_default());
                return Ok(());
            }
            let mut value = data.value(index);
            (0..=turn % 7).for_each(|_| increment(&mut value));
            session.put(data.key(index), &value)
        })?;
        Ok(Tally { done, sum })
    })?;
    verify(engine, data, shares, every, &pace)?;
    Ok(pace.rate())
}

fn verify<E: Engine>(engine: &E, data: &Data, shares: &[Vec<usize>], every: usize, pace: &Pace) -> Result {
    let mut session = engine.session()?;
    for (tally, items) in pace.tallies.iter().zip(shares) {
        let numbered = || items[..tally.done].iter().copied().zip(1..);
        let read = numbered().filter(|(_, turn)| turn % every != 0).map(|(index, _)| index);
        ensure_equal("sum of what was read", data.sum(read), tally.sum)?;
        for (index, _) in numbered().filter(|(_, turn)| turn % every == 0) {
            let marked = session.get(data.key(index), |value| counter(value) > 0)?;
            ensure_equal("a written key has its mark", true, marked.unwrap_or_default())?;
        }
    }
    Ok(())
}
