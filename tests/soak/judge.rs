//! Whether a measure keeps growing.
//!
//! The first quarter of a series is for warming up. A measure that is bounded comes back in the last quarter to where it
//! was in the second. One that leaks does not: whatever it is in the last quarter lies above whatever it was in the second,
//! and by more than a tolerance.

use std::fmt;

/// With fewer values nothing is said: chance alone would order them too often.
pub(crate) const FEWEST: usize = 32;

/// A measure over time.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    /// How much more is no growth, beside a fiftieth.
    tolerance: u64,
    values: Vec<u64>,
}

/// What keeps growing, with all values.
#[derive(Debug)]
pub(crate) struct Growth<'a> {
    series: &'a Series,
    highest_before: u64,
    lowest_after: u64,
}

impl Series {
    pub(crate) fn new(name: &'static str, tolerance: u64) -> Self {
        Self { name, tolerance, values: Vec::new() }
    }

    pub(crate) fn push(&mut self, value: u64) {
        self.values.push(value);
    }

    pub(crate) fn last(&self) -> u64 {
        self.values.last().copied().unwrap_or_default()
    }

    pub(crate) fn growth(&self) -> Option<Growth<'_>> {
        let count = self.values.len();
        if count < FEWEST {
            return None;
        }
        let highest_before = *self.values[count / 4..count / 2].iter().max()?;
        let lowest_after = *self.values[count / 4 * 3..].iter().min()?;
        let grows = lowest_after > highest_before + highest_before / 50 + self.tolerance;
        grows.then_some(Growth { series: self, highest_before, lowest_after })
    }
}

impl fmt::Display for Growth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { series, highest_before, lowest_after } = self;
        write!(f, "{} keeps growing: at most {highest_before} in the second quarter of the time, ", series.name)?;
        write!(f, "at least {lowest_after} in the last: {:?}", series.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::Random;

    fn grows(values: impl Iterator<Item = u64>) -> bool {
        let mut series = Series::new("measure", 10);
        values.for_each(|value| series.push(value));
        series.growth().is_some()
    }

    #[test]
    fn what_is_flat_does_not_grow() {
        assert!(!grows((0..100).map(|_| 1_000)));
        assert!(!grows((0..100).map(|_| 0)));
        // It takes a while to come to its height.
        assert!(!grows((0..100).map(|n: u64| 1_000 * n.min(30))));
        assert!(!grows((0..100).map(|n| 10_000 - n * 100)));
    }

    #[test]
    fn what_is_noisy_or_comes_back_does_not_grow() {
        for seed in 0..2_000 {
            let mut random = Random(seed);
            assert!(!grows((0..40).map(|_| 1_000 + random.below(1_000))), "seed {seed}");
            // A rare peak, wherever it is.
            assert!(!grows((0..60).map(|_| if random.below(20) == 0 { 90_000 } else { 1_000 })), "seed {seed}");
        }
        assert!(!grows((0..100).map(|n| 1_000 + (n % 9) * 500)));
    }

    #[test]
    fn what_grows_is_found_beside_noise() {
        assert!(grows((0..40).map(|n| 1_000 + n * 20)));
        for seed in 0..500 {
            let mut random = Random(seed);
            assert!(grows((0..40).map(|n| 1_000 + n * 100 + random.below(400))), "seed {seed}");
            // A small leak needs more time to show.
            assert!(grows((0..600).map(|n| 100_000 + n * 100 + random.below(10_000))), "seed {seed}");
        }
        // One step in three is enough.
        assert!(grows((0..60).map(|n| 100 + n / 3 * 10)));
    }

    #[test]
    fn nothing_is_said_of_a_few_values_nor_within_the_tolerance() {
        assert!(!grows((0..FEWEST as u64 - 1).map(|n| n * 1_000)));
        assert!(grows((0..FEWEST as u64).map(|n| n * 1_000)));
        assert!(!grows((0..40).map(|n| 100 + n / 2)));
    }

    #[test]
    fn it_tells_the_measure_and_its_values() {
        let mut series = Series::new("files", 0);
        (0..32).for_each(|n| series.push(n));
        let told = series.growth().map(|growth| growth.to_string()).unwrap();
        assert!(told.starts_with("files keeps growing: at most 15 in"), "{told}");
        assert!(told.contains("at least 24 in the last: [0, 1, 2, 3"), "{told}");
    }
}
