//! What fuzzing kept is decoded again, within the bounds of its targets. It needs no fuzzer.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

#[path = "../fuzz/fuzz_targets/bounded.rs"]
mod bounded;
mod common;
#[path = "../fuzz/fuzz_targets/decoders.rs"]
mod decoders;

use common::corpus;

/// One test, because what is allocated beside it would be counted.
#[test]
fn kept_inputs_decode_within_their_bounds() {
    for decoder in [decoders::CODEC, decoders::LOG, decoders::SNAPSHOT, decoders::DATABASE] {
        let kept = corpus::of(decoder.name);
        assert!(!kept.is_empty(), "{} has no inputs", decoder.name);
        for (name, input) in kept {
            let _told = corpus::Told(name);
            decoder.run(&input);
        }
    }
}
