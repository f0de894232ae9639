//! A topological order in which ties are broken by the given order.

use std::collections::{BTreeMap, BTreeSet};

/// Orders `0..count` so that for every `(before, after)` the first comes first.
///
/// Among those that are ready the least number comes first, so the order is unique.
///
/// # Errors
/// The members of one cycle, in its order.
pub(crate) fn topological(
    count: usize,
    edges: &BTreeSet<(usize, usize)>,
) -> Result<Vec<usize>, Vec<usize>> {
    let mut following = BTreeMap::<usize, Vec<usize>>::new();
    let mut waiting = vec![0_usize; count];
    for (before, after) in edges {
        following.entry(*before).or_default().push(*after);
        if let Some(waits) = waiting.get_mut(*after) {
            *waits += 1;
        }
    }
    let mut ready = waiting
        .iter()
        .enumerate()
        .filter_map(|(node, waits)| (*waits == 0).then_some(node))
        .collect::<BTreeSet<_>>();
    let mut order = Vec::with_capacity(count);
    while let Some(node) = ready.pop_first() {
        order.push(node);
        for next in following.get(&node).into_iter().flatten() {
            if let Some(waits) = waiting.get_mut(*next) {
                *waits -= 1;
                if *waits == 0 {
                    ready.insert(*next);
                }
            }
        }
    }
    if order.len() == count {
        Ok(order)
    } else {
        let left = (0..count).filter(|node| !order.contains(node)).collect();
        Err(cycle(&left, edges))
    }
}

/// Walks backwards inside the nodes that wait for each other until one comes twice.
fn cycle(left: &BTreeSet<usize>, edges: &BTreeSet<(usize, usize)>) -> Vec<usize> {
    let before = |node: usize| {
        edges
            .iter()
            .find(|(from, to)| *to == node && left.contains(from))
            .map(|(from, _)| *from)
    };
    let mut path = Vec::new();
    let mut node = left.first().copied();
    while let Some(current) = node {
        if let Some(at) = path.iter().position(|seen| *seen == current) {
            let mut found = path.split_off(at);
            found.reverse();
            return found;
        }
        path.push(current);
        node = before(current);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_keep_the_given_order() {
        let edges = BTreeSet::from([(3, 0), (2, 1)]);
        assert_eq!(topological(4, &edges), Ok(vec![2, 1, 3, 0]));
    }

    #[test]
    fn a_cycle_is_named_in_its_order() {
        let edges = BTreeSet::from([(0, 1), (1, 2), (2, 1), (2, 3)]);
        assert_eq!(topological(4, &edges).unwrap_err(), [2, 1]);
    }
}
