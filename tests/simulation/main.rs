//! The whole engine in a simulation: several clients at once, snapshots, rotation, garbage collection, faults of the
//! storage, crashes and recoveries, all from one seed.
//!
//! `SELKIE_RUNS` is the number of seeds, or `SELKIE_SECONDS` how long to go on, `SELKIE_SEED` the first seed, and
//! `SELKIE_IMAGES` the number of images that are checked after each crash.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod check;
mod client;
#[path = "../common/mod.rs"]
mod common;
mod model;
mod run;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use common::campaign::{Campaign, count, say, variable};
use run::run;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const RUNS: u64 = if cfg!(target_arch = "wasm32") { 10 } else { 40 };
const IMAGES: u64 = 8;

#[test]
fn every_crash_leaves_a_prefix_of_the_commits_with_all_that_was_promised() {
    let campaign = Campaign::of(variable("SELKIE_RUNS", RUNS));
    let (first, mut runs) = (variable("SELKIE_SEED", 1), 0);
    let images = variable("SELKIE_IMAGES", IMAGES);
    let mut sums = [0; 5];
    while campaign.goes_on(runs) {
        let seed = first + runs;
        if cfg!(target_arch = "wasm32") {
            // Nothing catches a panic there: the last seed that is named is the one.
            say(&format!("SELKIE_SEED={seed} SELKIE_IMAGES={images}"));
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| run(seed, images))).unwrap_or_else(|panic| {
            say(&format!("again: SELKIE_SEED={seed} SELKIE_RUNS=1 SELKIE_IMAGES={images}"));
            resume_unwind(panic)
        });
        let counts = [outcome.operations, outcome.commits, outcome.faults, outcome.images, outcome.ended];
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        runs += 1;
    }
    let [operations, commits, faults, images, ended] = sums;
    say(&format!("{runs} runs, {commits} commits, {ended} readers ended by limits"));
    count(operations, "simulated operations");
    count(images, "crash images");
    count(faults, "faults in the simulation");
    assert!(commits > runs && images > runs, "the runs do too little");
    assert!(runs < RUNS || cfg!(target_arch = "wasm32") || ended > 0, "no limit ended a reader");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [1, 2, 3] {
        let (first, second) = (run(seed, 5), run(seed, 5));
        assert_eq!(first, second);
        assert!(first.trace.lines().count() > 10);
    }
}
