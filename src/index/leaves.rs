//! The leaves of an index by their low keys: a skip list for many threads, and for one thread, where code is
//! downloaded, sorted arrays.

cfg_if::cfg_if! {
    if #[cfg(any(target_arch = "wasm32", loom))] {
        pub(super) use single::{Leaves, Node};
    } else {
        pub(super) type Leaves = crossbeam_skiplist::SkipMap<super::Blob, std::sync::Arc<super::SharedLeaf>>;
        pub(super) type Node<'a> = crossbeam_skiplist::map::Entry<'a, super::Blob, std::sync::Arc<super::SharedLeaf>>;
    }
}

#[cfg(any(target_arch = "wasm32", test, loom))]
mod single {
    use std::ops::Bound;
    use std::sync::Arc;

    use super::super::order::compare;
    use super::super::{Blob, SharedLeaf};
    use crate::locks::RwLock;

    /// An array that has grown to this is cut in two, so that adding a leaf moves few others.
    const ARRAY: usize = 512;

    type Leaf = (Blob, Arc<SharedLeaf>);

    /// Arrays of leaves, none of them empty, all in the order of their low keys.
    pub(in crate::index) struct Leaves(RwLock<Vec<Vec<Leaf>>>);

    /// A leaf as it was found.
    pub(in crate::index) struct Node<'a> {
        leaves: &'a Leaves,
        leaf: Leaf,
    }

    impl Leaves {
        pub(in crate::index) fn new() -> Self {
            Self(RwLock::new(Vec::new()))
        }

        pub(in crate::index) fn insert(&self, low: Blob, leaf: Arc<SharedLeaf>) {
            let mut arrays = self.0.write();
            let Some(place) =
                last_within(&arrays, |array| array[0].0 <= low).or(arrays.len().checked_sub(1).map(|_| 0))
            else {
                return arrays.push(vec![(low, leaf)]);
            };
            let array = &mut arrays[place];
            array.insert(array.partition_point(|(other, _)| *other < low), (low, leaf));
            if array.len() > ARRAY {
                let second = array.split_off(ARRAY / 2);
                arrays.insert(place + 1, second);
            }
        }

        /// The leaf with the greatest low key within the bound.
        pub(in crate::index) fn upper_bound(&self, bound: Bound<&[u8]>) -> Option<Node<'_>> {
            let is_within = |(low, _): &Leaf| match bound {
                Bound::Unbounded => true,
                Bound::Included(key) => compare(low, key).is_le(),
                Bound::Excluded(key) => compare(low, key).is_lt(),
            };
            let arrays = self.0.read();
            let array = &arrays[last_within(&arrays, |array| is_within(&array[0]))?];
            let leaf = array[last_within(array, is_within)?].clone();
            Some(Node { leaves: self, leaf })
        }

        pub(in crate::index) fn back(&self) -> Option<Node<'_>> {
            self.upper_bound(Bound::Unbounded)
        }

        pub(in crate::index) fn iter(&self) -> impl Iterator<Item = Node<'_>> {
            let all: Vec<Leaf> = self.0.read().iter().flatten().cloned().collect();
            all.into_iter().map(|leaf| Node { leaves: self, leaf })
        }

        #[cfg(test)]
        pub(in crate::index) fn len(&self) -> usize {
            self.0.read().iter().map(Vec::len).sum()
        }

        fn remove(&self, low: &Blob) {
            let mut arrays = self.0.write();
            let Some(place) = last_within(&arrays, |array| array[0].0 <= *low) else { return };
            arrays[place].retain(|(other, _)| other != low);
            if arrays[place].is_empty() {
                arrays.remove(place);
            }
        }
    }

    impl Node<'_> {
        pub(in crate::index) fn key(&self) -> &Blob {
            &self.leaf.0
        }

        pub(in crate::index) fn value(&self) -> &Arc<SharedLeaf> {
            &self.leaf.1
        }

        pub(in crate::index) fn remove(&self) {
            self.leaves.remove(self.key());
        }
    }

    /// The place of the last item for which this holds; it holds for the first ones.
    fn last_within<T>(items: &[T], is_within: impl Fn(&T) -> bool) -> Option<usize> {
        items.partition_point(is_within).checked_sub(1)
    }

    #[cfg(test)]
    mod tests {
        use std::collections::BTreeSet;

        use super::super::super::leaf::Leaf;
        use super::*;

        #[cfg(target_arch = "wasm32")]
        use wasm_bindgen_test::wasm_bindgen_test as test;

        fn low(number: u32) -> Blob {
            Blob::new(&number.to_be_bytes())
        }

        #[test]
        fn leaves_are_found_like_in_a_set() {
            let leaves = Leaves::new();
            let mut expected = BTreeSet::new();
            assert!(leaves.back().is_none());
            for turn in 0..6_000_u32 {
                let number = turn.wrapping_mul(2_654_435_761) % 4_000;
                if turn % 3 == 2 {
                    let found = leaves.upper_bound(Bound::Included(&low(number)));
                    if let Some(node) = found {
                        expected.remove(node.key());
                        node.remove();
                    }
                } else if expected.insert(low(number)) {
                    leaves.insert(low(number), Arc::new(RwLock::new(Arc::new(Leaf::new(low(number), None)))));
                }
            }
            assert!(leaves.0.read().len() > 2);
            assert!(leaves.iter().all(|node| node.value().read().low == *node.key()));
            assert!(leaves.iter().map(|node| node.key().clone()).eq(expected.iter().cloned()));
            assert_eq!(leaves.len(), expected.len());
            assert_eq!(leaves.back().map(|node| node.key().clone()), expected.last().cloned());
            for number in (0..4_000).step_by(7) {
                let key = low(number);
                let up_to = leaves.upper_bound(Bound::Included(&key)).map(|node| node.key().clone());
                assert_eq!(up_to, expected.iter().rfind(|low| **low <= key).cloned());
                let below = leaves.upper_bound(Bound::Excluded(&key)).map(|node| node.key().clone());
                assert_eq!(below, expected.iter().rfind(|low| **low < key).cloned());
            }
        }
    }
}
