//! Delete: a tenth of the keys, in random order, each in a transaction of its own.
//!
//! Afterwards the others are counted.

use super::Workload;
use crate::data::{Data, KEY};
use crate::engines::{Engine, Reader, Session};
use crate::failure::{Result, ensure_equal};
use crate::pace::{Tally, in_parallel};
use crate::recorder::Recorder;
use crate::task::Task;

pub(super) const DELETE: Workload = Workload::per_second("delete");

pub(super) fn run<E: Engine>(engine: &E, task: &Task, data: &Data, recorder: &mut Recorder) -> Result {
    recorder.measure(&DELETE, || {
        // The order of the data is random already.
        let shares = [(0..data.len() / 10).collect::<Vec<_>>()];
        let pace = in_parallel(engine, task.limit, &shares, |session, share| {
            let done = share.each(|index| session.remove(data.key(index)))?;
            Ok(Tally { done, sum: 0 })
        })?;
        let left = engine.session()?.reader()?.count(&[0; KEY])?;
        ensure_equal("entries that are left", data.len() - pace.done(), left)?;
        Ok(pace.rate())
    })
}
