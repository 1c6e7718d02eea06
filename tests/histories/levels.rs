//! What each isolation level promises, in as many histories as there are transactions asked for.

use std::time::{Instant, SystemTime};

use selkie::{Durability, Isolation, Visibility};

use crate::checker::{Anomalies, STRICT_SERIALIZABLE, STRONG_SNAPSHOT_ISOLATION, check};
use crate::common::Random;
use crate::generations::{Ending, Setup, Story};
use crate::history::{Attempt, Outcome};

const TRANSACTIONS: u64 = 8_000;
/// How many transactions a generation commits. The checker's time grows faster than its history.
const GENERATION: u64 = 1_000;
const GENERATIONS: u64 = 4;

/// One history: the first generations crash, unless what is visible is not yet durable, and the last is closed.
fn history(isolation: Isolation, seed: u64) -> (Vec<Attempt>, u64) {
    let mut random = Random(seed);
    let survives = random.below(4) > 0;
    let durability = if random.below(2) == 0 { Durability::Immediate } else { Durability::Buffered };
    let visibility = if survives { Visibility::Durable } else { Visibility::Applied };
    let endings: Vec<_> = (1..GENERATIONS)
        .map(|_| match random.below(2) {
            _ if !survives => Ending::Close,
            0 => Ending::Crash,
            _ => Ending::TornWrite,
        })
        .chain([Ending::Close])
        .collect();
    let mut story = Story::new(Setup { isolation, durability, visibility }, random);
    for ending in &endings {
        story.generation(GENERATION, *ending);
    }
    let crashes = endings.iter().filter(|ending| **ending != Ending::Close).count();
    (story.finish(), crashes as u64)
}

fn run(isolation: Isolation, model: &str) {
    let variable = |name| std::env::var(name).ok().and_then(|value| value.parse().ok());
    let transactions = variable("SELKIE_TRANSACTIONS").unwrap_or(TRANSACTIONS);
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed: u64 = variable("SELKIE_SEED").unwrap_or_else(now);
    let (started, mut anomalies) = (Instant::now(), Anomalies::new());
    let (mut committed, mut aborted, mut crashes) = (0, 0, 0);
    for number in 0.. {
        if committed >= transactions || !anomalies.is_empty() {
            break;
        }
        let (attempts, crashed) = history(isolation, seed.wrapping_add(number));
        let count = |outcome| attempts.iter().filter(|attempt| attempt.outcome == outcome).count() as u64;
        committed += count(Outcome::Committed);
        aborted += count(Outcome::Aborted);
        crashes += crashed;
        anomalies = check(&attempts, model);
    }
    let found: usize = anomalies.values().map(Vec::len).sum();
    println!(
        "{committed} transactions committed, {aborted} aborted, {crashes} crashes, {found} anomalies, {model}, \
         in {:.1?}, SELKIE_SEED={seed}",
        started.elapsed()
    );
    assert!(anomalies.is_empty(), "SELKIE_SEED={seed} SELKIE_TRANSACTIONS={transactions}: {anomalies:#?}");
}

#[test]
fn serializable_transactions_have_an_order_that_agrees_with_time() {
    run(Isolation::Serializable, STRICT_SERIALIZABLE);
}

#[test]
fn snapshots_are_of_what_was_committed_and_their_writers_do_not_overlap() {
    run(Isolation::Snapshot, STRONG_SNAPSHOT_ISOLATION);
}
