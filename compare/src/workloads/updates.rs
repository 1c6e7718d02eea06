//! Read-modify-write: each transaction reads one key, adds one to the counter in its value and writes it back.
//!
//! By 1, 4 and 64 threads; on keys that no two threads share, and on 16 keys that all share. A commit that conflicts is
//! retried, with the conflicts counted, and it counts once it succeeds. Afterwards the counters must have grown by the
//! number of acknowledged commits: an engine that loses updates gets no number.

use super::Workload;
use crate::data::{Data, counter, increment};
use crate::engines::{Engine, Session};
use crate::failure::{Result, ensure_equal};
use crate::pace::{Tally, slowly_in_parallel};
use crate::recorder::{Outcome, Recorder};
use crate::task::Task;

pub(super) const DISJOINT: [Workload; 3] = [
    Workload::per_second("read-modify-write, 1 thread"),
    Workload::per_second("read-modify-write, 4 threads, disjoint keys"),
    Workload::per_second("read-modify-write, 64 threads, disjoint keys"),
];
pub(super) const CONTENDED: [Workload; 2] = [
    Workload::per_second("read-modify-write, 4 threads, contended keys"),
    Workload::per_second("read-modify-write, 64 threads, contended keys"),
];
const SHARED_KEYS: usize = 16;
const UPDATES: usize = 128_000;

pub(super) fn run<E: Engine>(task: &Task, data: &Data, recorder: &mut Recorder, workloads: &[Workload]) -> Result {
    let engine = E::open(&task.directory, task.mode()?)?;
    engine.load(data)?;
    for workload in workloads {
        recorder.measure(workload, || {
            let disjoint = DISJOINT.contains(workload);
            let threads = threads(workload);
            let shares: Vec<_> = (0..threads).map(|thread| share(data, thread, threads, disjoint)).collect();
            measure(&engine, task, data, &shares)
        })?;
    }
    engine.close()
}

fn threads(workload: &Workload) -> usize {
    match workload.name {
        name if name.contains("64 threads") => 64,
        name if name.contains("4 threads") => 4,
        _ => 1,
    }
}

fn share(data: &Data, thread: usize, threads: usize, disjoint: bool) -> Vec<usize> {
    let drawn = data.uniform(100 + thread as u64, UPDATES / threads);
    let last = data.len() - threads;
    let place = |index: usize| {
        if disjoint { index.min(last) / threads * threads + thread } else { index % SHARED_KEYS }
    };
    drawn.into_iter().map(place).collect()
}

fn measure<E: Engine>(engine: &E, task: &Task, data: &Data, shares: &[Vec<usize>]) -> Result<Outcome> {
    let mut touched = shares.concat();
    touched.sort_unstable();
    touched.dedup();
    let before = counters(engine, data, &touched)?;
    let pace = slowly_in_parallel(engine, task.limit, shares, |session, share| {
        let mut conflicts = 0;
        let done = share.each(|index| {
            conflicts += session.update(data.key(index), increment)?;
            Ok(())
        })?;
        Ok(Tally { done, sum: conflicts })
    })?;
    let after = counters(engine, data, &touched)?;
    ensure_equal("updates that are there, of those acknowledged", pace.done() as u64, after - before)?;
    Ok(pace.rate_with_conflicts())
}

fn counters<E: Engine>(engine: &E, data: &Data, touched: &[usize]) -> Result<u64> {
    let mut session = engine.session()?;
    let mut sum = 0;
    for &index in touched {
        sum += session.get(data.key(index), counter)?.unwrap_or_default();
    }
    Ok(sum)
}
