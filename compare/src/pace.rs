//! How fast work goes: by one thread or many, until it is done or its time is up.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use crate::engines::Engine;
use crate::failure::Result;
use crate::recorder::Outcome;

/// How often the clock is looked at, in operations: asking for the time costs as much as a fast read.
const STRIDE: usize = 128;

/// What one thread has to do.
pub(crate) struct Share<'a> {
    items: &'a [usize],
    limit: Duration,
    stride: usize,
}

impl Share<'_> {
    /// Works on one item after the other and returns how many it did.
    pub(crate) fn each(&self, mut work: impl FnMut(usize) -> Result) -> Result<usize> {
        let start = Instant::now();
        for (turn, &item) in self.items.iter().enumerate() {
            if turn % self.stride == 0 && turn > 0 && start.elapsed() > self.limit {
                return Ok(turn);
            }
            work(item)?;
        }
        Ok(self.items.len())
    }
}

/// What one thread did: how many items, and a sum that depends on the workload.
pub(crate) struct Tally {
    pub(crate) done: usize,
    pub(crate) sum: u64,
}

/// What all threads did.
pub(crate) struct Pace {
    pub(crate) tallies: Vec<Tally>,
    pub(crate) seconds: f64,
    planned: usize,
}

impl Pace {
    pub(crate) fn done(&self) -> usize {
        self.tallies.iter().map(|tally| tally.done).sum()
    }

    pub(crate) fn sum(&self) -> u64 {
        self.tallies.iter().fold(0, |sum, tally| sum.wrapping_add(tally.sum))
    }

    /// The rate of what was really done.
    pub(crate) fn rate(&self) -> Outcome {
        self.rate_of(1.0)
    }

    /// The rate where each item stands for several operations.
    pub(crate) fn rate_of(&self, each: f64) -> Outcome {
        self.outcome(each, None)
    }

    /// The rate, with the number of conflicts.
    pub(crate) fn rate_with_conflicts(&self) -> Outcome {
        let conflicts = self.sum() as f64 / self.done().max(1) as f64;
        let remark = (conflicts >= 0.005).then(|| format!("{conflicts:.2} conflicts per commit, retried"));
        self.outcome(1.0, remark)
    }

    fn outcome(&self, each: f64, remark: Option<String>) -> Outcome {
        let done = self.done() as f64;
        Outcome::Number { value: done * each / self.seconds, share: done / self.planned as f64, remark }
    }
}

/// Gives each thread a session and its items; all of them start at once.
pub(crate) fn in_parallel<'e, E: Engine>(
    engine: &'e E,
    limit: Duration,
    items: &[Vec<usize>],
    work: impl Fn(&mut E::Session<'e>, &Share<'_>) -> Result<Tally> + Sync,
) -> Result<Pace> {
    with_stride(engine, limit, STRIDE, items, work)
}

/// The same for work whose every item takes long.
pub(crate) fn slowly_in_parallel<'e, E: Engine>(
    engine: &'e E,
    limit: Duration,
    items: &[Vec<usize>],
    work: impl Fn(&mut E::Session<'e>, &Share<'_>) -> Result<Tally> + Sync,
) -> Result<Pace> {
    with_stride(engine, limit, 1, items, work)
}

fn with_stride<'e, E: Engine>(
    engine: &'e E,
    limit: Duration,
    stride: usize,
    items: &[Vec<usize>],
    work: impl Fn(&mut E::Session<'e>, &Share<'_>) -> Result<Tally> + Sync,
) -> Result<Pace> {
    let all_are_there = Barrier::new(items.len());
    let one = |items: &[usize]| -> Result<(Instant, Instant, Tally)> {
        // Whoever fails to get a session must not leave the others waiting.
        let session = engine.session();
        all_are_there.wait();
        let start = Instant::now();
        let tally = work(&mut session?, &Share { items, limit, stride })?;
        Ok((start, Instant::now(), tally))
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let one = &one;
        let threads: Vec<_> = items.iter().map(|items| scope.spawn(move || one(items))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("a thread panicked".into()))).collect()
    });
    let results = results.into_iter().collect::<Result<Vec<_>>>()?;
    let start = results.iter().map(|(start, ..)| *start).min();
    let end = results.iter().map(|(_, end, _)| *end).max();
    let seconds = start.zip(end).map_or(0.0, |(start, end)| (end - start).as_secs_f64());
    let planned = items.iter().map(Vec::len).sum();
    Ok(Pace { tallies: results.into_iter().map(|(.., tally)| tally).collect(), seconds, planned })
}

/// The middle of some numbers, or nothing of none.
pub(crate) fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let upper = *numbers.get(middle)?;
    if numbers.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(numbers[middle - 1], upper)) }
}
