//! Cycles by Tarjan's strongly connected components (SIAM J. Comput. 1972), without recursion.

use std::collections::{BTreeMap, BTreeSet};

use super::Graph;

pub(super) fn find(graph: &Graph) -> Vec<Vec<String>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for edge in graph.edges() {
        next.entry(&edge.from).or_default().insert(&edge.to);
    }
    let mut found: Vec<Vec<String>> = components(graph, &next)
        .into_iter()
        .filter(|component| {
            component.len() > 1
                || component
                    .iter()
                    .all(|name| next.get(name).is_some_and(|to| to.contains(name)))
        })
        .map(|component| walk(&component, &next))
        .collect();
    found.sort();
    found
}

#[derive(Default)]
struct Search<'a> {
    order: BTreeMap<&'a str, usize>,
    low: BTreeMap<&'a str, usize>,
    open: Vec<&'a str>,
    is_open: BTreeSet<&'a str>,
    done: Vec<BTreeSet<&'a str>>,
}

type Next<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn components<'a>(graph: &'a Graph, next: &Next<'a>) -> Vec<BTreeSet<&'a str>> {
    let mut search = Search::default();
    for node in graph.nodes() {
        if !search.order.contains_key(node.id.as_str()) {
            search.run(&node.id, next);
        }
    }
    search.done
}

impl<'a> Search<'a> {
    fn run(&mut self, root: &'a str, next: &Next<'a>) {
        let mut stack = vec![self.enter(root, next)];
        while let Some((node, rest)) = stack.last_mut() {
            let node = *node;
            match rest.pop() {
                Some(to) if !self.order.contains_key(to) => {
                    let entered = self.enter(to, next);
                    stack.push(entered);
                }
                Some(to) if self.is_open.contains(to) => {
                    let reached = self.order.get(to).copied().unwrap_or(usize::MAX);
                    self.lower(node, reached);
                }
                Some(_) => {}
                None => {
                    stack.pop();
                    self.leave(node);
                    let low = self.low.get(node).copied().unwrap_or(usize::MAX);
                    if let Some((parent, _)) = stack.last() {
                        self.lower(parent, low);
                    }
                }
            }
        }
    }

    fn enter(&mut self, node: &'a str, next: &Next<'a>) -> (&'a str, Vec<&'a str>) {
        let number = self.order.len();
        self.order.insert(node, number);
        self.low.insert(node, number);
        self.open.push(node);
        self.is_open.insert(node);
        let rest = next
            .get(node)
            .into_iter()
            .flatten()
            .rev()
            .copied()
            .collect();
        (node, rest)
    }

    fn lower(&mut self, node: &'a str, to: usize) {
        if let Some(low) = self.low.get_mut(node) {
            *low = to.min(*low);
        }
    }

    fn leave(&mut self, node: &'a str) {
        if self.low.get(node) != self.order.get(node) {
            return;
        }
        let mut component = BTreeSet::new();
        while let Some(member) = self.open.pop() {
            self.is_open.remove(member);
            component.insert(member);
            if member == node {
                break;
            }
        }
        self.done.push(component);
    }
}

/// The shortest way around from the first member back to itself.
fn walk(component: &BTreeSet<&str>, next: &Next<'_>) -> Vec<String> {
    let Some(first) = component.first() else {
        return Vec::new();
    };
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut reached = vec![*first];
    'search: while !reached.is_empty() {
        let mut further = Vec::new();
        for node in reached {
            for to in next.get(node).into_iter().flatten() {
                if component.contains(to) && !came_from.contains_key(to) {
                    came_from.insert(to, node);
                    if to == first {
                        break 'search;
                    }
                    further.push(*to);
                }
            }
        }
        reached = further;
    }
    let mut around = Vec::new();
    let mut at = *first;
    while let Some(before) = came_from.get(at) {
        at = before;
        around.push(at.to_owned());
        if at == *first {
            break;
        }
    }
    around.reverse();
    around
}
