//! Stable sorting. On wasm one sort serves all types, because a sort compiled for each would be a tenth of the code.

use std::cmp::Ordering;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    items.sort_by(compare);
}

#[cfg(target_arch = "wasm32")]
pub(crate) fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let order = sorted_places(items.len(), &|a, b| compare(&items[a], &items[b]));
    arrange(items, &order);
}

/// The places in the order of what lies there, by merging longer and longer runs.
#[cfg(any(target_arch = "wasm32", test))]
fn sorted_places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    let mut merged = Vec::with_capacity(count);
    let mut length = 1;
    while length < count {
        for pair in places.chunks(2 * length) {
            let (left, right) = pair.split_at(length.min(pair.len()));
            merge(left, right, &mut merged, compare);
        }
        std::mem::swap(&mut places, &mut merged);
        merged.clear();
        length *= 2;
    }
    places
}

/// Appends two runs as one. Where they follow one another already, it takes one comparison.
#[cfg(any(target_arch = "wasm32", test))]
fn merge(mut left: &[usize], mut right: &[usize], merged: &mut Vec<usize>, compare: &dyn Fn(usize, usize) -> Ordering) {
    let in_order = left.last().zip(right.first()).is_none_or(|(a, b)| compare(*a, *b).is_le());
    while let (false, [a, after_a @ ..], [b, after_b @ ..]) = (in_order, left, right) {
        if compare(*a, *b).is_le() {
            merged.push(*a);
            left = after_a;
        } else {
            merged.push(*b);
            right = after_b;
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
}

/// Moves the items so that the one that lies at `order[n]` comes to lie at `n`.
#[cfg(any(target_arch = "wasm32", test))]
fn arrange<T>(items: &mut [T], order: &[usize]) {
    let mut destinations = vec![0; order.len()];
    for (destination, place) in order.iter().enumerate() {
        destinations[*place] = destination;
    }
    for place in 0..items.len() {
        while destinations[place] != place {
            let destination = destinations[place];
            items.swap(place, destination);
            destinations.swap(place, destination);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn equal_items_keep_their_order() {
        let mut items: Vec<(u32, usize)> =
            (0..500).map(|place| ((place as u32).wrapping_mul(7919) % 37, place)).collect();
        let mut expected = items.clone();
        expected.sort_unstable();
        sort_by(&mut items, |a, b| a.0.cmp(&b.0));
        assert_eq!(items, expected);
    }

    #[test]
    fn merging_sorts_like_the_sort_of_the_library() {
        for count in (0..40).chain([63, 64, 65, 1000]) {
            for keys in [1, 3, 1_000_000] {
                let items: Vec<usize> = (0..count).map(|place| (place * 7919 + 13) % 1009 % keys).collect();
                let mut expected: Vec<usize> = (0..count).collect();
                expected.sort_by_key(|place| items[*place]);
                assert_eq!(sorted_places(count, &|a, b| items[a].cmp(&items[b])), expected);
            }
        }
    }

    #[test]
    fn items_are_arranged_by_where_they_lie() {
        let mut items = ["a", "b", "c", "d", "e"];
        arrange(&mut items, &[3, 0, 4, 1, 2]);
        assert_eq!(items, ["d", "a", "e", "b", "c"]);
    }
}
