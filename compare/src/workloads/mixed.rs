//! Mixed: two threads read and overwrite random keys, each operation in a transaction of its own, after the same warm-up
//! as the point reads.
//!
//! What is read is checked by its sum, which overwriting does not change, and each key that was written must have one of
//! its marks afterwards. The second workload writes other marks at the same turns, since some engines skip equal values.

use std::collections::HashMap;

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
            (0..mark(turn, every)).for_each(|_| increment(&mut value));
            session.put(data.key(index), &value)
        })?;
        Ok(Tally { done, sum })
    })?;
    verify(engine, data, shares, every, &pace)?;
    Ok(pace.rate())
}

/// How often the counter of a value that is written was raised, from 1 to 7.
fn mark(turn: usize, every: usize) -> u64 {
    1 + ((turn + every) % 7) as u64
}

fn verify<E: Engine>(engine: &E, data: &Data, shares: &[Vec<usize>], every: usize, pace: &Pace) -> Result {
    let mut session = engine.session()?;
    // Which of two threads wrote a key last is not known.
    let mut written: HashMap<usize, u64> = HashMap::new();
    for (tally, items) in pace.tallies.iter().zip(shares) {
        let numbered = || items[..tally.done].iter().copied().zip(1..);
        let read = numbered().filter(|(_, turn)| turn % every != 0).map(|(index, _)| index);
        ensure_equal("sum of what was read", data.sum(read), tally.sum)?;
        for (index, turn) in numbered().filter(|(_, turn)| turn % every == 0) {
            *written.entry(index).or_default() |= 1 << mark(turn, every);
        }
    }
    for (index, marks) in written {
        let found = session.get(data.key(index), |value| marks & (1 << counter(value).min(63)) != 0)?;
        ensure_equal("a written key has one of its marks", true, found.unwrap_or_default())?;
    }
    Ok(())
}
