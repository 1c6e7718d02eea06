//! Which segments of the log are still to be read by somebody, so that a snapshot does not remove them.

use crate::locks::Mutex;
use crate::numbered::Counts;

/// The first segments that readers of the log need, with how many readers there are.
#[derive(Debug, Default)]
pub(crate) struct Needed(Mutex<Counts>);

impl Needed {
    /// Keeps the segments from `first` on.
    pub(crate) fn add(&self, first: u64) {
        self.0.lock().add(first);
    }

    /// Takes one [`add`](Self::add) back.
    pub(crate) fn remove(&self, first: u64) {
        self.0.lock().remove(first);
    }

    /// Whether somebody needs a segment.
    pub(crate) fn needs(&self, segment: u64) -> bool {
        self.0.lock().first().is_some_and(|first| first <= segment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_needed_until_the_last_reader_goes() {
        let needed = Needed::default();
        needed.add(3);
        needed.add(3);
        needed.remove(3);
        assert_eq!([2, 3, 4].map(|segment| needed.needs(segment)), [false, true, true]);
        needed.remove(3);
        assert!(!needed.needs(3));
    }
}
