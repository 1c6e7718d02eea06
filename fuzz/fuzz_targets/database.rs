#![no_main]
#![allow(dead_code, reason = "this target is one of the decoders")]

mod bounded;
mod decoders;

libfuzzer_sys::fuzz_target!(|input: &[u8]| decoders::DATABASE.run(input));
