//! Cases made of seeds that are told, for where nothing catches the panic of a case that fails.

use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

use crate::operations::{Case, case};
use crate::places::Kind;

const OPERATIONS: usize = 300;
#[cfg(feature = "web")]
const CASES_IN_BROWSERS: u32 = 12;
/// No case begins later, so that a busy machine plays fewer of them.
const TIME_MS: f64 = 10_000.0;

fn case_of(seed: u64, kinds: BoxedStrategy<Kind>) -> Case {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    case(kinds, OPERATIONS).new_tree(&mut runner).unwrap().current()
}

/// Plays cases of random seeds, or the one that failed before.
async fn play_all(kinds: BoxedStrategy<Kind>, cases: u32) {
    let chosen = option_env!("MODEL_SEED").map(|seed| seed.parse().unwrap());
    let cases = if chosen.is_some() { 1 } else { cases };
    let end = js_sys::Date::now() + TIME_MS;
    for case in 0..cases {
        if case > 0 && js_sys::Date::now() > end {
            return;
        }
        let seed = chosen.unwrap_or_else(|| js_sys::Math::random().to_bits());
        console_log!("MODEL_SEED={seed} plays this case again");
        crate::play(&case_of(seed, kinds.clone())).await;
    }
}

#[wasm_bindgen_test]
async fn every_operation_does_what_the_model_does() {
    play_all(crate::operations::in_memory(), if cfg!(feature = "web") { 10 } else { 60 }).await;
}

#[cfg(feature = "web")]
#[wasm_bindgen_test]
async fn every_operation_does_what_the_model_does_on_opfs() {
    play_all(proptest::strategy::Just(Kind::Opfs).boxed(), CASES_IN_BROWSERS).await;
}

#[cfg(feature = "web")]
#[wasm_bindgen_test]
async fn every_operation_does_what_the_model_does_on_indexed_db() {
    play_all(proptest::strategy::Just(Kind::IndexedDb).boxed(), CASES_IN_BROWSERS).await;
}
