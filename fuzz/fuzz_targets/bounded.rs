//! A bound on what is allocated, in proportion to the input.
//!
//! Counted is everything that is asked for, whether or not it is given back meanwhile, so that the bound holds for
//! the peak as well.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What a decoder may ask for whatever its input.
const BASE_BYTES: usize = 64 << 10;

/// Decodes an input, and fails where more is asked for than so many bytes for each byte that the input stands for.
pub(crate) fn bounded(decode: fn(&[u8]) -> usize, multiple: usize, input: &[u8]) {
    let region = Region::new(ALLOCATOR);
    let weight = decode(input);
    let allocated = region.change().bytes_allocated;
    let bound = BASE_BYTES + multiple * weight;
    assert!(allocated <= bound, "{allocated} bytes are allocated for {weight}, where {bound} are the bound");
}
