//! Random operations against a simple model.
//!
//! `PROPTEST_CASES` sets how many cases there are. What fails is kept in `proptest-regressions/model.txt` and
//! tried again first.

mod model;
mod operations;
mod reading;
mod session;
mod transactions;
mod views;

use proptest::test_runner::{Config, TestRunner};

const CASES: u32 = if cfg!(target_arch = "wasm32") { 60 } else { 300 };
const OPERATIONS: usize = 400;

fn config() -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let config = Config { cases, max_shrink_iters: 4000, ..Config::default() };
    persist(config)
}

#[cfg(not(target_arch = "wasm32"))]
fn persist(config: Config) -> Config {
    use proptest::test_runner::FileFailurePersistence;
    let file = FileFailurePersistence::Direct("proptest-regressions/model.txt");
    Config { failure_persistence: Some(Box::new(file)), ..config }
}

#[cfg(target_arch = "wasm32")]
fn persist(config: Config) -> Config {
    Config { failure_persistence: None, ..config }
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
