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

#[cfg(target_arch = "wasm32")]
fn sorted_places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|a, b| compare(*a, *b));
    places
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
    fn items_are_arranged_by_where_they_lie() {
        let mut items = ["a", "b", "c", "d", "e"];
        arrange(&mut items, &[3, 0, 4, 1, 2]);
        assert_eq!(items, ["d", "a", "e", "b", "c"]);
    }
}
