//! What the processors allow between threads: how fast a cache line goes from one to another and back.
//!
//! On a virtual machine it may differ several times over from one minute to the next, as the host places its processors,
//! and whatever several threads write differs with it. So it is measured in the same process, before those with keys of
//! their own do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use super::Workload;
use crate::recorder::Outcome;

pub(super) const PROCESSORS: Workload = Workload::per_second("the processors themselves: a number handed over");
const TURNS: u64 = 100_000;

/// A number on a cache line of its own.
#[repr(align(128))]
struct Number(AtomicU64);

pub(super) fn measure() -> Outcome {
    let number = Number(AtomicU64::new(0));
    let start = Instant::now();
    thread::scope(|scope| {
        for own in [0, 1] {
            let number = &number.0;
            scope.spawn(move || (0..TURNS).for_each(|turn| hand_over(number, 2 * turn + own)));
        }
    });
    Outcome::number((2 * TURNS) as f64 / start.elapsed().as_secs_f64())
}

/// Where both have one processor, they come to nothing unless who waits gives it up.
const LOOKS: u32 = 10_000;

fn hand_over(number: &AtomicU64, own: u64) {
    let mut looks = 0;
    while number.load(Ordering::Acquire) != own {
        looks += 1;
        if looks % LOOKS == 0 {
            thread::yield_now();
        }
        std::hint::spin_loop();
    }
    number.store(own + 1, Ordering::Release);
}
