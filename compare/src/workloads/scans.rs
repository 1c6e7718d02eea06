//! Scans: of a hundred entries from a random key on, forwards and backwards, after leaving 5,000 out, and of everything;
//! and counting a range.
//!
//! Each visits keys and values, and the sums of both are checked against the sorted data. The count is of three quarters
//! of the keys, since some engines keep the number of all entries in a counter, which would compare nothing.

use super::Workload;
use crate::data::{Data, KEY, Key, stamp};
use crate::engines::{Engine, Reader, Session};
use crate::failure::{Result, ensure_equal};
use crate::pace::{Pace, Share, Tally, in_parallel, slowly_in_parallel};
use crate::recorder::{Outcome, Recorder};
use crate::task::Task;

const SCAN: Workload = Workload::per_second("scan of 100");
const REVERSE: Workload = Workload::per_second("reverse scan of 100");
const SKIP: Workload = Workload::per_second("skip 5000, then 100");
const FULL: Workload = Workload::per_second("full scan, entries");
const COUNT: Workload = Workload::per_second("count, entries");
pub(super) const ALL: [Workload; 5] = [SCAN, REVERSE, SKIP, FULL, COUNT];

const LENGTH: usize = 100;
const SKIPPED: usize = 5_000;
const SCANS: usize = 50_000;
const SKIPS: usize = 5_000;
/// Everything is read, or counted, until so many entries were.
const ENTRIES: usize = 20_000_000;
/// A quarter of all keys are below.
const QUARTER: Key = [0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

pub(super) fn run<E: Engine>(engine: &E, task: &Task, data: &Data, recorder: &mut Recorder) -> Result {
    if !recorder.wants_any(&ALL) {
        return Ok(());
    }
    let sorted = Sorted::new(data);
    let starts = [data.uniform(5, SCANS)];
    recorder.measure(&SCAN, || {
        let pace = in_parallel(engine, task.limit, &starts, |session, share| forwards(session, share, data, 0))?;
        sorted.verified(&pace, &starts[0], |start| (start, start + LENGTH))
    })?;
    recorder.measure(&REVERSE, || {
        let pace = in_parallel(engine, task.limit, &starts, |session, share| backwards(session, share, data))?;
        sorted.verified(&pace, &starts[0], |start| (start.saturating_sub(LENGTH), start))
    })?;
    let starts = [data.uniform(6, SKIPS)];
    recorder.measure(&SKIP, || {
        let pace = in_parallel(engine, task.limit, &starts, |session, share| forwards(session, share, data, SKIPPED))?;
        sorted.verified(&pace, &starts[0], |start| (start + SKIPPED, start + SKIPPED + LENGTH))
    })?;
    recorder.measure(&FULL, || full(engine, task, &sorted))?;
    recorder.measure(&COUNT, || count(engine, task, &sorted))
}

fn forwards(session: &mut impl Session, share: &Share<'_>, data: &Data, skip: usize) -> Result<Tally> {
    let mut reader = session.reader()?;
    let mut sum = 0_u64;
    let done = share.each(|index| {
        reader.scan(data.key(index), skip, LENGTH, |key, value| add(&mut sum, key, value))?;
        Ok(())
    })?;
    Ok(Tally { done, sum })
}

fn backwards(session: &mut impl Session, share: &Share<'_>, data: &Data) -> Result<Tally> {
    let mut reader = session.reader()?;
    let mut sum = 0_u64;
    let done = share.each(|index| {
        reader.scan_back(data.key(index), LENGTH, |key, value| add(&mut sum, key, value))?;
        Ok(())
    })?;
    Ok(Tally { done, sum })
}

fn full<E: Engine>(engine: &E, task: &Task, sorted: &Sorted) -> Result<Outcome> {
    let pace = slowly_in_parallel(engine, task.limit, &[vec![0; sorted.passes()]], |session, share| {
        let mut reader = session.reader()?;
        let mut sum = 0_u64;
        let done = share.each(|_| {
            reader.scan(&[0; KEY], 0, usize::MAX, |key, value| add(&mut sum, key, value))?;
            Ok(())
        })?;
        Ok(Tally { done, sum })
    })?;
    let expected = sorted.sum(0, sorted.keys.len()).wrapping_mul(pace.done() as u64);
    ensure_equal("sum of all entries", expected, pace.sum())?;
    Ok(pace.rate_of(sorted.keys.len() as f64))
}

fn count<E: Engine>(engine: &E, task: &Task, sorted: &Sorted) -> Result<Outcome> {
    let pace = slowly_in_parallel(engine, task.limit, &[vec![0; sorted.passes()]], |session, share| {
        let mut reader = session.reader()?;
        let mut sum = 0;
        let done = share.each(|_| {
            sum += reader.count(&QUARTER)? as u64;
            Ok(())
        })?;
        Ok(Tally { done, sum })
    })?;
    let counted = sorted.keys.len() - sorted.position(&QUARTER);
    ensure_equal("count", (counted * pace.done()) as u64, pace.sum())?;
    Ok(pace.rate_of(counted as f64))
}

/// Every reader pays the same for looking at what it was given.
#[inline]
fn add(sum: &mut u64, key: &[u8], value: &[u8]) {
    *sum = sum.wrapping_add(stamp(key) ^ stamp(value));
}

/// The data in the order of the keys, with the sums of all its beginnings.
struct Sorted<'a> {
    data: &'a Data,
    keys: Vec<Key>,
    sums: Vec<u64>,
}

impl<'a> Sorted<'a> {
    fn new(data: &'a Data) -> Self {
        let order = data.sorted();
        let mut sums = vec![0_u64];
        let mut sum = 0_u64;
        for &index in &order {
            add(&mut sum, data.key(index), &data.value(index));
            sums.push(sum);
        }
        Self { data, keys: order.iter().map(|&index| *data.key(index)).collect(), sums }
    }

    fn passes(&self) -> usize {
        ENTRIES.div_ceil(self.keys.len())
    }

    fn position(&self, key: &Key) -> usize {
        self.keys.partition_point(|other| other < key)
    }

    fn sum(&self, from: usize, to: usize) -> u64 {
        let [from, to] = [from, to].map(|place| self.sums[place.min(self.keys.len())]);
        to.wrapping_sub(from)
    }

    /// The rate, if the entries that `range` names for the position of each start are what was visited.
    fn verified(&self, pace: &Pace, starts: &[usize], range: impl Fn(usize) -> (usize, usize)) -> Result<Outcome> {
        let expected = starts[..pace.done()].iter().fold(0_u64, |sum, &start| {
            let (from, to) = range(self.position(self.data.key(start)));
            sum.wrapping_add(self.sum(from, to))
        });
        ensure_equal("sum of the scans", expected, pace.sum())?;
        Ok(pace.rate())
    }
}
