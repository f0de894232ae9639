//! The smallest set of moves that makes a bad order right.

use std::collections::{BTreeMap, BTreeSet};

use spots_findings::{Finding, Level, Place};

use crate::set::topological;
use crate::{EdgeKind, Graph, MigrationSet};

/// Up to this many conflicting files the smallest set is found exactly; beyond it greedily.
const EXACT_MAX: usize = 24;

/// One note that names the moves, where users come before their creators.
pub(super) fn smallest(
    set: &MigrationSet,
    graph: &Graph,
    backward: &BTreeSet<(usize, usize)>,
) -> Option<Finding> {
    if backward.is_empty() {
        return None;
    }
    let needed = needed(set, graph, backward);
    let moved = cover(&conflicts(&needed, backward));
    let count = set.migrations().len();
    let stay = (0..count).filter(|node| !moved.contains(node));
    let stay = stay.collect::<Vec<_>>();
    let mut edges = needed;
    edges.extend(stay.windows(2).filter_map(|pair| match pair {
        [a, b] => Some((*a, *b)),
        _ => None,
    }));
    let order = topological(count, &edges).ok()?;
    let id = |node: usize| set.migrations().get(node).map(|found| found.id.as_str());
    let steps = order
        .iter()
        .enumerate()
        .filter(|(_, node)| moved.contains(node))
        .filter_map(|(at, node)| {
            let before = at.checked_sub(1).and_then(|before| order.get(before));
            let place = match before.and_then(|before| id(*before)) {
                Some(before) => format!("after {before}"),
                None => "to the front".to_owned(),
            };
            Some(format!("{} {place}", id(*node)?))
        })
        .collect::<Vec<_>>();
    let first = moved.first().and_then(|node| set.migrations().get(*node))?;
    let message = format!(
        "Moving {} of {count} migrations makes the order right: {}.",
        moved.len(),
        steps.join(", ")
    );
    Some(
        Finding::new("smallest-moves", Level::Note, steps.join(", "), message)
            .at(Place::file(&first.path))
            .fix("Give them numbers, or `after` entries, that put them there."),
    )
}

/// Creator before user, by place in the order.
fn needed(
    set: &MigrationSet,
    graph: &Graph,
    backward: &BTreeSet<(usize, usize)>,
) -> BTreeSet<(usize, usize)> {
    let number = set
        .migrations()
        .iter()
        .enumerate()
        .map(|(number, migration)| (migration.id.as_str(), number))
        .collect::<BTreeMap<_, _>>();
    graph
        .edges
        .iter()
        .filter(|edge| matches!(edge.kind, EdgeKind::Uses | EdgeKind::Declared))
        .filter_map(|edge| Some((*number.get(&*edge.from)?, *number.get(&*edge.to)?)))
        .chain(backward.iter().copied())
        .collect()
}

/// Pairs (earlier, later) of which the later must come first.
fn conflicts(
    needed: &BTreeSet<(usize, usize)>,
    backward: &BTreeSet<(usize, usize)>,
) -> BTreeSet<(usize, usize)> {
    let reach = |from: usize, forward: bool| {
        let mut seen = BTreeSet::from([from]);
        let mut left = vec![from];
        while let Some(node) = left.pop() {
            for (a, b) in needed {
                let (here, next) = if forward { (a, b) } else { (b, a) };
                if *here == node && seen.insert(*next) {
                    left.push(*next);
                }
            }
        }
        seen
    };
    let mut out = BTreeSet::new();
    for (creator, user) in backward {
        let firsts = reach(*creator, false);
        for last in reach(*user, true) {
            out.extend(
                firsts
                    .iter()
                    .filter(|first| **first > last)
                    .map(|first| (last, *first)),
            );
        }
    }
    out
}

/// A smallest set of nodes that has one of every pair.
fn cover(pairs: &BTreeSet<(usize, usize)>) -> BTreeSet<usize> {
    let nodes = pairs.iter().flat_map(|(a, b)| [*a, *b]);
    let nodes = nodes.collect::<BTreeSet<_>>();
    let mut best = greedy(pairs.clone());
    if nodes.len() <= EXACT_MAX {
        branch(pairs, &mut BTreeSet::new(), &mut best);
    }
    best
}

fn greedy(mut pairs: BTreeSet<(usize, usize)>) -> BTreeSet<usize> {
    let mut out = BTreeSet::new();
    while !pairs.is_empty() {
        let mut degree = BTreeMap::<usize, usize>::new();
        for (a, b) in &pairs {
            *degree.entry(*a).or_default() += 1;
            *degree.entry(*b).or_default() += 1;
        }
        let Some((node, _)) = degree
            .into_iter()
            .max_by_key(|(node, degree)| (*degree, *node))
        else {
            break;
        };
        out.insert(node);
        pairs.retain(|(a, b)| *a != node && *b != node);
    }
    out
}

fn branch(
    pairs: &BTreeSet<(usize, usize)>,
    chosen: &mut BTreeSet<usize>,
    best: &mut BTreeSet<usize>,
) {
    if chosen.len() >= best.len() {
        return;
    }
    let open = pairs
        .iter()
        .find(|(a, b)| !chosen.contains(a) && !chosen.contains(b));
    let Some((a, b)) = open else {
        best.clone_from(chosen);
        return;
    };
    for node in [*b, *a] {
        chosen.insert(node);
        branch(pairs, chosen, best);
        chosen.remove(&node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_move_mends_many_conflicts() {
        // 0, 1 and 2 use what 3 creates: moving 3 is enough.
        assert_eq!(
            cover(&BTreeSet::from([(0, 3), (1, 3), (2, 3)])),
            BTreeSet::from([3])
        );
        // A path of three edges needs two.
        assert_eq!(cover(&BTreeSet::from([(0, 1), (1, 2), (2, 3)])).len(), 2);
    }
}
