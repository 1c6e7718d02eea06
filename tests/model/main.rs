//! Random operations against a simple model.
//!
//! `PROPTEST_CASES` sets how many cases there are. What fails is kept in `proptest-regressions/model.txt` and
//! tried again first.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod model;
mod operations;
mod reading;
mod session;
mod transactions;
mod views;

use proptest::test_runner::{Config, FailurePersistence, FileFailurePersistence, TestRunner};

const CASES: u32 = if cfg!(target_arch = "wasm32") { 60 } else { 300 };
const OPERATIONS: usize = if cfg!(target_arch = "wasm32") { 300 } else { 700 };

fn config() -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    Config { cases, max_shrink_iters: 4000, failure_persistence: persistence(), ..Config::default() }
}

/// Failures are kept in a file, where there are files.
fn persistence() -> Option<Box<dyn FailurePersistence>> {
    let file = || Box::new(FileFailurePersistence::Direct("proptest-regressions/model.txt")) as Box<_>;
    (!cfg!(target_arch = "wasm32")).then(file)
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_operation_does_what_the_model_does() {
    let outcome = TestRunner::new(config()).run(&operations::case(OPERATIONS), |case| {
        let mut session = session::Session::new(&case);
        for operation in &case.operations {
            session.run(operation);
        }
        session.finish();
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
