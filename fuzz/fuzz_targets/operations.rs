#![no_main]
#![allow(dead_code, unused_imports, reason = "this target uses a part of the suite")]

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../tests/model/kept.rs"]
mod kept;
#[path = "../../tests/model/model.rs"]
mod model;
#[path = "../../tests/model/operations.rs"]
mod operations;
#[path = "../../tests/model/places.rs"]
mod places;
#[path = "../../tests/model/reading.rs"]
mod reading;
#[path = "../../tests/model/session.rs"]
mod session;
#[path = "../../tests/model/transactions.rs"]
mod transactions;
#[path = "../../tests/model/views.rs"]
mod views;

libfuzzer_sys::fuzz_target!(|input: &[u8]| kept::play(input));
