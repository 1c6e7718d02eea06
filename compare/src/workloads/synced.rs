//! Synced commits: 1, 16 and 64 writers store new keys, each commit on the medium before it is acknowledged.
//!
//! All engines promise the same here, and none is asked for less: afterwards the database is closed and opened again,
//! and every acknowledged entry has to be there.

use std::time::Instant;

use super::medium::{self, MEDIUM, SHARED};
use super::{Unit, Workload};
use crate::data::{Data, stamp};
use crate::engines::{Engine, Mode, Session};
use crate::failure::{Failure, Result, ensure_equal};
use crate::pace::{Pace, Tally, median, slowly_in_parallel};
use crate::recorder::{Outcome, Recorder};
use crate::task::Task;

const LATENCY: Workload = Workload { name: "synced commit, 1 writer, median latency", unit: Unit::Microseconds };
const WRITERS: [(Workload, usize, usize); 3] = [
    (Workload::per_second("synced commits, 1 writer"), 1, 1_000),
    (Workload::per_second("synced commits, 16 writers"), 16, 500),
    (Workload::per_second("synced commits, 64 writers"), 64, 500),
];
pub(super) const ALL: [Workload; 4] = [LATENCY, WRITERS[0].0, WRITERS[1].0, WRITERS[2].0];

pub(super) fn run<E: Engine>(task: &Task, data: &Data, recorder: &mut Recorder) -> Result {
    recorder.measure(&MEDIUM, || medium::measure(&task.directory))?;
    recorder.measure(&SHARED, || medium::measure_shared(&task.directory))?;
    for (workload, writers, each) in &WRITERS {
        let with_latency = *writers == 1 && recorder.wants(&LATENCY);
        if !recorder.wants(workload) && !with_latency {
            continue;
        }
        let result = measure::<E>(task, data, *writers, *each);
        let (rate, latency) = match result {
            Ok((rate, latency)) => (Ok(rate), latency.ok_or_else(|| "no commit was made".into())),
            Err(failure) => {
                let same = Failure::Failed(failure.to_string().into());
                (Err(failure), Err(same))
            }
        };
        recorder.measure(workload, || rate)?;
        if with_latency {
            recorder.put(&LATENCY, latency.map(Outcome::number))?;
        }
    }
    Ok(())
}

fn measure<E: Engine>(task: &Task, data: &Data, writers: usize, each: usize) -> Result<(Outcome, Option<f64>)> {
    let directory = task.directory.join(format!("synced-{writers}"));
    std::fs::create_dir(&directory)?;
    let each = each.min(data.len() / writers);
    let shares: Vec<Vec<_>> = (0..writers).map(|writer| (writer * each..(writer + 1) * each).collect()).collect();
    let engine = E::open(&directory, Mode::Synced)?;
    let (pace, latency) = commit(&engine, task, data, &shares)?;
    engine.close()?;

    let engine = E::open(&directory, Mode::Synced)?;
    let mut session = engine.session()?;
    let (mut found, mut acknowledged) = (0, 0);
    for (tally, items) in pace.tallies.iter().zip(&shares) {
        for &index in &items[..tally.done] {
            let value = session.get(data.key(index), stamp)?;
            acknowledged += 1;
            found += usize::from(value == Some(stamp(&data.value(index))));
        }
    }
    ensure_equal("acknowledged commits that are there after reopening", acknowledged, found)?;
    drop(session);
    engine.close()?;
    Ok((pace.rate(), latency))
}

/// The latency is that of one writer, in microseconds.
fn commit<E: Engine>(engine: &E, task: &Task, data: &Data, shares: &[Vec<usize>]) -> Result<(Pace, Option<f64>)> {
    let latencies = std::sync::Mutex::new(Vec::new());
    let pace = slowly_in_parallel(engine, task.limit, shares, |session, share| {
        let mut own = Vec::new();
        let done = share.each(|index| {
            let start = Instant::now();
            session.put(data.key(index), &data.value(index))?;
            own.push(start.elapsed().as_secs_f64() * 1e6);
            Ok(())
        })?;
        latencies.lock().map_err(|_| "a thread panicked")?.append(&mut own);
        Ok(Tally { done, sum: 0 })
    })?;
    let latencies = latencies.into_inner().map_err(|_| "a thread panicked")?;
    Ok((pace, median(latencies)))
}
