//! Point reads: of keys that exist, drawn evenly or by Zipf's law, by one thread and by two.
//!
//! "Own transaction" is the engine's way to read one key on its own, without a transaction where it has such a call;
//! "one transaction" reads all keys in a single one. Values are borrowed where an engine lends them, and each is
//! touched: the sum of their stamps is checked against what it must be.

use super::Workload;
use crate::data::{Data, stamp};
use crate::engines::{Engine, Reader, Session};
use crate::failure::{Result, ensure_equal};
use crate::pace::{Pace, Share, Tally, in_parallel};
use crate::recorder::{Outcome, Recorder};
use crate::task::Task;

pub(super) const ALL: [Workload; 8] = [
    Workload::per_second("point read, own transaction, uniform"),
    Workload::per_second("point read, own transaction, Zipf"),
    Workload::per_second("point read, own transaction, 2 threads, uniform"),
    Workload::per_second("point read, own transaction, 2 threads, Zipf"),
    Workload::per_second("point read, one transaction, uniform"),
    Workload::per_second("point read, one transaction, Zipf"),
    Workload::per_second("point read, one transaction, 2 threads, uniform"),
    Workload::per_second("point read, one transaction, 2 threads, Zipf"),
];
const READS: usize = 1_000_000;
/// So many reads before the first that is timed, since the caches are cold after loading.
const WARM_UP: usize = 100_000;

pub(super) fn run<E: Engine>(engine: &E, task: &Task, data: &Data, recorder: &mut Recorder) -> Result {
    if !recorder.wants_any(&ALL) {
        return Ok(());
    }
    let draws = [[1, 2].map(|seed| data.uniform(seed, READS / 2)), [3, 4].map(|seed| data.zipf(seed, READS / 2))];
    warm_up(engine, task, data)?;
    for (number, workload) in ALL.iter().enumerate() {
        let [first, second] = &draws[number % 2];
        let shares =
            if number % 4 < 2 { vec![[&first[..], second].concat()] } else { vec![first.clone(), second.clone()] };
        recorder.measure(workload, || {
            let pace = if number < 4 {
                in_parallel(engine, task.limit, &shares, |session, share| own_transactions(session, share, data))?
            } else {
                in_parallel(engine, task.limit, &shares, |session, share| one_transaction(session, share, data))?
            };
            verified(&pace, &shares, data)
        })?;
    }
    Ok(())
}

/// Reads before the first operation that is timed.
pub(super) fn warm_up<E: Engine>(engine: &E, task: &Task, data: &Data) -> Result {
    read(engine, task, data, &[data.uniform(10, WARM_UP)])
}

/// Reads these entries, each share in a thread of its own, as many as there is time for.
pub(super) fn read<E: Engine>(engine: &E, task: &Task, data: &Data, shares: &[Vec<usize>]) -> Result {
    let pace = in_parallel(engine, task.limit, shares, |session, share| own_transactions(session, share, data))?;
    verified(&pace, shares, data)?;
    Ok(())
}

fn own_transactions(session: &mut impl Session, share: &Share<'_>, data: &Data) -> Result<Tally> {
    let mut sum = 0_u64;
    let done = share.each(|index| {
        sum = sum.wrapping_add(session.get(data.key(index), stamp)?.unwrap_or_default());
        Ok(())
    })?;
    Ok(Tally { done, sum })
}

fn one_transaction(session: &mut impl Session, share: &Share<'_>, data: &Data) -> Result<Tally> {
    let mut reader = session.reader()?;
    let mut sum = 0_u64;
    let done = share.each(|index| {
        sum = sum.wrapping_add(reader.get(data.key(index), stamp)?.unwrap_or_default());
        Ok(())
    })?;
    Ok(Tally { done, sum })
}

fn verified(pace: &Pace, shares: &[Vec<usize>], data: &Data) -> Result<Outcome> {
    for (tally, items) in pace.tallies.iter().zip(shares) {
        ensure_equal("sum of the values", data.sum(items[..tally.done].iter().copied()), tally.sum)?;
    }
    Ok(pace.rate())
}
