//! What comes after what and why, and which migrations may run side by side.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::infer::read_up;
use crate::set::topological;
use crate::{Certainty, Dialect, Fact, MigrationSet, timeline};

/// Why one migration comes after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EdgeKind {
    /// Its manifest says so.
    Declared,
    /// It needs what the other created.
    Uses,
    /// Both change one object, or one changes what the other reads.
    Writes,
    /// A function's body names what the other created.
    Body,
}

impl EdgeKind {
    pub(crate) fn of(fact: &Fact, conflict: bool) -> Self {
        if fact.certainty == Certainty::Body {
            Self::Body
        } else if conflict {
            Self::Writes
        } else {
            Self::Uses
        }
    }

    /// The word in JSON and pictures.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Uses => "uses",
            Self::Writes => "writes",
            Self::Body => "body",
        }
    }
}

/// One migration in the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// The file that findings point to.
    pub file: String,
    /// Its phase.
    pub phase: Option<String>,
}

/// `to` comes after `from`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The earlier one.
    pub from: String,
    /// The later one.
    pub to: String,
    /// Why.
    pub kind: EdgeKind,
    /// Over which object; empty for declared edges.
    pub object: String,
    /// Where the later one says so.
    pub file: String,
    /// From 1.
    pub line: u32,
}

/// A set as a graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// All migrations in the order of the set.
    pub nodes: Vec<Node>,
    /// All reasons, sorted.
    pub edges: Vec<Edge>,
    /// Ids that may run side by side once the stages before are done.
    pub stages: Vec<Vec<String>>,
}

impl Graph {
    /// Infers the graph of a set on a database.
    pub fn of(set: &MigrationSet, dialect: Dialect) -> Self {
        let shown = set
            .migrations()
            .iter()
            .map(|migration| (migration, read_up(migration, dialect)))
            .collect::<Vec<_>>();
        let borrowed = shown
            .iter()
            .map(|(migration, shown)| (*migration, shown))
            .collect::<Vec<_>>();
        Self::from_edges(set, timeline::walk(&borrowed).edges)
    }

    pub(crate) fn from_edges(set: &MigrationSet, mut edges: Vec<Edge>) -> Self {
        for migration in set.migrations() {
            edges.extend(migration.after.iter().map(|before| Edge {
                from: before.clone(),
                to: migration.id.clone(),
                kind: EdgeKind::Declared,
                object: String::new(),
                file: migration.path.clone(),
                line: 1,
            }));
        }
        edges.sort_by(|a, b| {
            (&a.from, &a.to, a.kind, &a.object).cmp(&(&b.from, &b.to, b.kind, &b.object))
        });
        let nodes = set
            .migrations()
            .iter()
            .map(|migration| Node {
                id: migration.id.clone(),
                file: migration.path.clone(),
                phase: migration.phase.clone(),
            })
            .collect::<Vec<_>>();
        let stages = stages(&nodes, &edges, set.gates());
        Self {
            nodes,
            edges,
            stages,
        }
    }

    /// Everything that must be gone before these can go, themselves included.
    pub fn dependants(&self, ids: &BTreeSet<String>) -> BTreeSet<String> {
        let mut following = BTreeMap::<&str, Vec<&str>>::new();
        for edge in &self.edges {
            following.entry(&edge.from).or_default().push(&edge.to);
        }
        let mut out = ids.clone();
        let mut left = ids.iter().map(String::as_str).collect::<Vec<_>>();
        while let Some(id) = left.pop() {
            for next in following.get(id).into_iter().flatten() {
                if out.insert((*next).to_owned()) {
                    left.push(next);
                }
            }
        }
        out
    }
}

/// Layers: a migration stands one stage after the last one that it waits for.
///
/// A phase stands after every migration of the phases that its gate names. Where a wrong order makes
/// two wait for each other, the order of the set decides.
fn stages(
    nodes: &[Node],
    edges: &[Edge],
    gates: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<Vec<String>> {
    let (pairs, count) = waits(nodes, edges, gates);
    let order = topological(count, &pairs).unwrap_or_else(|_| (0..count).collect());
    let mut rank = vec![0; count];
    for (position, node) in order.iter().enumerate() {
        if let Some(rank) = rank.get_mut(*node) {
            *rank = position;
        }
    }
    let mut before = BTreeMap::<usize, Vec<usize>>::new();
    for (from, to) in &pairs {
        if rank.get(*from) < rank.get(*to) {
            before.entry(*to).or_default().push(*from);
        }
    }
    let mut level = vec![0_usize; count];
    for this in order {
        // Gates stand between stages and take none themselves.
        let own = usize::from(this < nodes.len());
        let waits = before.get(&this).into_iter().flatten();
        let reached = waits
            .filter_map(|other| Some(level.get(*other)? + own))
            .max()
            .unwrap_or(0);
        if let Some(level) = level.get_mut(this) {
            *level = reached;
        }
    }
    let mut out = BTreeMap::<usize, Vec<String>>::new();
    for (node, level) in nodes.iter().zip(level) {
        out.entry(level).or_default().push(node.id.clone());
    }
    out.into_values().collect()
}

/// Edges by number; each gated phase is one more node, between what it waits for and its own.
fn waits(
    nodes: &[Node],
    edges: &[Edge],
    gates: &BTreeMap<String, BTreeSet<String>>,
) -> (BTreeSet<(usize, usize)>, usize) {
    let number = nodes
        .iter()
        .enumerate()
        .map(|(number, node)| (node.id.as_str(), number))
        .collect::<BTreeMap<_, _>>();
    let mut pairs = edges
        .iter()
        .filter_map(|edge| Some((*number.get(&*edge.from)?, *number.get(&*edge.to)?)))
        .collect::<BTreeSet<_>>();
    let mut count = nodes.len();
    for (phase, awaited) in gates {
        for (node, at) in nodes.iter().zip(0..) {
            match &node.phase {
                Some(own) if own == phase => pairs.insert((count, at)),
                Some(other) if awaited.contains(other) => pairs.insert((at, count)),
                _ => false,
            };
        }
        count += 1;
    }
    (pairs, count)
}
