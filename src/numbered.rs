//! A small map from numbers, kept in order in one piece of memory.
//!
//! Its maps are of keyspaces, readers and the like: few entries, most of them added at the end. It is a fraction of the
//! code of a tree or a table, which counts where the code is downloaded.

#[derive(Debug, Clone)]
pub(crate) struct Numbered<V>(Vec<(u64, V)>);

impl<V> Numbered<V> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    fn place(&self, number: u64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&number, |(number, _)| *number)
    }

    pub(crate) fn get(&self, number: u64) -> Option<&V> {
        let place = self.place(number).ok()?;
        Some(&self.0[place].1)
    }

    /// The value of a number, which is made if there is none.
    pub(crate) fn get_or_insert(&mut self, number: u64, make: impl FnOnce() -> V) -> &mut V {
        let place = self.place(number).unwrap_or_else(|place| {
            self.0.insert(place, (number, make()));
            place
        });
        &mut self.0[place].1
    }

    /// Sets the value of a number, and returns the one it had.
    pub(crate) fn insert(&mut self, number: u64, value: V) -> Option<V> {
        match self.place(number) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, value)),
            Err(place) => {
                self.0.insert(place, (number, value));
                None
            }
        }
    }

    pub(crate) fn remove(&mut self, number: u64) -> Option<V> {
        let place = self.place(number).ok()?;
        Some(self.0.remove(place).1)
    }

    /// The least number.
    pub(crate) fn first(&self) -> Option<u64> {
        self.0.first().map(|(number, _)| *number)
    }

    /// The values in the order of their numbers.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }
}

impl<V> Default for Numbered<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> FromIterator<(u64, V)> for Numbered<V> {
    fn from_iter<I: IntoIterator<Item = (u64, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        for (number, value) in entries {
            map.insert(number, value);
        }
        map
    }
}

/// How many there are of each number.
#[derive(Debug, Default)]
pub(crate) struct Counts(Numbered<usize>);

impl Counts {
    pub(crate) fn add(&mut self, number: u64) {
        *self.0.get_or_insert(number, usize::default) += 1;
    }

    /// Takes one [`add`](Self::add) back.
    pub(crate) fn remove(&mut self, number: u64) {
        if let Some(count @ 2..) = self.0.get(number) {
            let count = count - 1;
            self.0.insert(number, count);
        } else {
            self.0.remove(number);
        }
    }

    /// The least number of which there is one.
    pub(crate) fn first(&self) -> Option<u64> {
        self.0.first()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn values_are_found_by_their_numbers_and_in_their_order() {
        let mut map: Numbered<&str> = [(7, "seven"), (2, "two"), (5, "five")].into_iter().collect();
        assert_eq!(map.insert(5, "cinque"), Some("five"));
        assert_eq!((map.get(5), map.get(6), map.first()), (Some(&"cinque"), None, Some(2)));
        assert_eq!(*map.get_or_insert(9, || "nine"), "nine");
        assert_eq!((map.remove(2), map.remove(2)), (Some("two"), None));
        assert_eq!(map.values().copied().collect::<Vec<_>>(), ["cinque", "seven", "nine"]);
    }

    #[test]
    fn a_number_counts_until_the_last_is_taken_back() {
        let mut counts = Counts::default();
        for number in [4, 3, 4, 3] {
            counts.add(number);
        }
        counts.remove(3);
        assert_eq!(counts.first(), Some(3));
        counts.remove(3);
        counts.remove(3);
        assert_eq!(counts.first(), Some(4));
    }
}
