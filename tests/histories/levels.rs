//! What each isolation level promises, in as many histories as there are transactions asked for.

use std::time::{Instant, SystemTime};

use selkie::{Durability, Isolation, Retention, Visibility};

use crate::checker::{Anomalies, STRICT_SERIALIZABLE, STRONG_SNAPSHOT_ISOLATION, check};
use crate::common::Random;
use crate::common::campaign::{Campaign, count as counted, variable};
use crate::generations::{Ending, Setup, Story};
use crate::history::{Attempt, Outcome};

const TRANSACTIONS: u64 = 12_000;
/// How many transactions a generation commits. The checker's time grows a little faster than its history.
const GENERATION: u64 = 500;
const GENERATIONS: u64 = 8;

/// How the database of one history is used, and how its openings may end: what is visible before it is durable does
/// not survive a crash, and what is not synced no loss of power.
fn setup(isolation: Isolation, random: &mut Random) -> (Setup, &'static [Ending]) {
    use Ending::{Close, Crash, PowerLoss, TornWrite};
    let (durability, visibility, endings): (_, _, &[Ending]) = match random.below(4) {
        0 => (Durability::Buffered, Visibility::Durable, &[Crash, TornWrite]),
        1 => (Durability::Queued, Visibility::Applied, &[Close]),
        _ => (Durability::Immediate, Visibility::Durable, &[Crash, TornWrite, PowerLoss]),
    };
    let retention = if random.below(3) == 0 { Retention::Versions(2) } else { Retention::None };
    (Setup { isolation, durability, visibility, retention }, endings)
}

/// What the histories of a run come to.
#[derive(Debug, Default)]
struct Totals {
    committed: u64,
    aborted: u64,
    crashes: u64,
    snapshots: u64,
    anomalies: Anomalies,
}

impl Totals {
    fn add_history(&mut self, isolation: Isolation, model: &str, seed: u64) {
        let (_repeat, mut random) = (Repeat { seed }, Random(seed));
        let (setup, crashes) = setup(isolation, &mut random);
        let mut story = Story::new(setup, Random(random.next()));
        for _ in 1..GENERATIONS {
            let ending = crashes[random.below(crashes.len() as u64) as usize];
            self.crashes += u64::from(ending != Ending::Close);
            story.generation(GENERATION, ending);
        }
        story.generation(GENERATION, Ending::Close);
        let (attempts, snapshots) = story.finish();
        self.snapshots += snapshots;
        self.committed += count(&attempts, Outcome::Committed);
        self.aborted += count(&attempts, Outcome::Aborted);
        self.anomalies = check(&attempts, model);
    }
}

/// Says how to run a history again, if its threads panic.
struct Repeat {
    seed: u64,
}

impl Drop for Repeat {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("again: SELKIE_SEED={} SELKIE_TRANSACTIONS=1 cargo test --test histories", self.seed);
        }
    }
}

fn count(attempts: &[Attempt], outcome: Outcome) -> u64 {
    attempts.iter().filter(|attempt| attempt.outcome == outcome).count() as u64
}

fn run(isolation: Isolation, model: &str) {
    let campaign = Campaign::of(variable("SELKIE_TRANSACTIONS", TRANSACTIONS));
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let first: u64 = variable("SELKIE_SEED", now());
    let (started, mut totals, mut seed) = (Instant::now(), Totals::default(), first);
    while campaign.goes_on(totals.committed) && totals.anomalies.is_empty() {
        totals.add_history(isolation, model, seed);
        seed = seed.wrapping_add(1);
    }
    let Totals { committed, aborted, crashes, snapshots, anomalies } = totals;
    let found: usize = anomalies.values().map(Vec::len).sum();
    println!(
        "{model}: {committed} transactions committed, {aborted} aborted, {crashes} crashes, {snapshots} snapshots, \
         {found} anomalies in {:.1?}; SELKIE_SEED={first}",
        started.elapsed()
    );
    counted(committed, "checked transactions");
    for (name, proofs) in &anomalies {
        println!("{name}, {} times, for one:\n{}", proofs.len(), proofs[0]);
    }
    let _repeat = Repeat { seed: seed.wrapping_sub(1) };
    assert_eq!(found, 0);
    assert!(snapshots > 0);
}

#[test]
fn serializable_transactions_have_an_order_that_agrees_with_time() {
    run(Isolation::Serializable, STRICT_SERIALIZABLE);
}

#[test]
fn snapshots_are_of_what_was_committed_and_their_writers_do_not_overlap() {
    run(Isolation::Snapshot, STRONG_SNAPSHOT_ISOLATION);
}
