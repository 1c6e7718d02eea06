//! Random operations against a simple model.
//!
//! Natively `PROPTEST_CASES` sets how many cases there are; what fails is made smaller, kept in
//! `proptest-regressions/model.txt`, and tried again first. As wasm a case that fails is the last that the output
//! names: it runs again, alone, when the tests are compiled with its `MODEL_SEED`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
#[cfg(not(target_arch = "wasm32"))]
mod kept;
mod model;
mod operations;
mod places;
mod reading;
#[cfg(target_arch = "wasm32")]
mod seeds;
mod session;
mod transactions;
mod views;

use operations::Case;

async fn play(case: &Case) {
    let mut session = session::Session::new(case).await;
    for operation in &case.operations {
        session.run(operation).await;
    }
    session.finish().await;
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn every_operation_does_what_the_model_does() {
    use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
    const CASES: u32 = 300;
    const OPERATIONS: usize = 700;
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let persistence = FileFailurePersistence::Direct("proptest-regressions/model.txt");
    let failure_persistence = Some(Box::new(persistence) as Box<_>);
    let config = Config { cases, max_shrink_iters: 4000, failure_persistence, ..Config::default() };
    let outcome = TestRunner::new(config).run(&operations::case(operations::in_memory(), OPERATIONS), |case| {
        common::events::block_on(play(&case));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn kept_sequences_do_what_the_model_does() {
    let kept = common::corpus::of("operations");
    assert!(!kept.is_empty());
    for (name, bytes) in kept {
        let _told = common::corpus::Told(name);
        kept::play(&bytes);
    }
}
