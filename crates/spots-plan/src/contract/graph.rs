//! Which service reaches which, with the evidence.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use spots_findings::graph::{Edge, Graph, Node};

use super::World;
use super::model::{Contract, Mark, MemberKind, Use, UseKind};
use super::types::head;

/// One service depends on another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// The service that depends.
    pub from: String,
    /// The service that is depended on.
    pub to: String,
    /// `field`, `constructor`, `locator`, `construction`, or `declared` from a plan.
    pub kind: &'static str,
    /// Where the evidence is, relative to the tree.
    pub file: String,
    /// Its line.
    pub line: u32,
}

/// Services and their dependencies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// Names of services, sorted.
    pub services: Vec<String>,
    /// Sorted, without repeats.
    pub edges: Vec<Dependency>,
}

impl Dependencies {
    /// Finds them in a tree.
    pub fn of(world: &World) -> Self {
        Self::among(&world.services())
    }

    /// Finds them among services.
    pub fn among(contracts: &[Contract]) -> Self {
        let mut by_name: BTreeMap<&str, Vec<&Contract>> = BTreeMap::new();
        for contract in contracts {
            by_name
                .entry(&contract.decl.name)
                .or_default()
                .push(contract);
        }
        let mut edges = BTreeSet::new();
        for contract in contracts {
            for found in &contract.decl.uses {
                let Some(targets) = by_name.get(found.target.as_str()) else {
                    continue;
                };
                if found.target != contract.decl.name && is_dependency(found, targets) {
                    edges.insert(Dependency {
                        from: contract.decl.name.clone(),
                        to: found.target.clone(),
                        kind: found.kind.as_str(),
                        file: contract.file.clone(),
                        line: found.line,
                    });
                }
            }
        }
        Self {
            services: by_name.keys().map(|name| (*name).to_owned()).collect(),
            edges: edges.into_iter().collect(),
        }
    }

    /// Services that this one reaches directly, in order.
    pub fn direct(&self, service: &str) -> BTreeSet<&str> {
        let edges = self.edges.iter().filter(|edge| edge.from == service);
        edges.map(|edge| edge.to.as_str()).collect()
    }

    /// The shortest chain of dependencies from one service to another, both included.
    pub fn chain(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        let mut reached = vec![from];
        while !reached.is_empty() {
            let mut further = Vec::new();
            for service in reached {
                for next in self.direct(service) {
                    if next != from && !before.contains_key(next) {
                        before.insert(next, service);
                        further.push(next);
                    }
                }
            }
            if before.contains_key(to) {
                break;
            }
            reached = further;
        }
        let mut chain = vec![to.to_owned()];
        let mut at = to;
        while at != from {
            at = before.get(at)?;
            chain.push(at.to_owned());
        }
        chain.reverse();
        Some(chain)
    }

    /// The picture; one arrow a pair and kind.
    pub fn graph(&self, title: &str) -> Graph {
        let nodes = self.services.iter().map(Node::new);
        let mut evidence: BTreeMap<(&str, &str, &str), &Dependency> = BTreeMap::new();
        for edge in &self.edges {
            evidence
                .entry((&edge.from, &edge.to, edge.kind))
                .or_insert(edge);
        }
        let edges = evidence
            .values()
            .map(|edge| Edge::new(&edge.from, &edge.to, edge.kind));
        Graph::new(title, nodes, edges)
    }

    /// `{"nodes":[name],"edges":[{"from","to","kind","file","line"}],"cycles":[[name]]}`.
    pub fn json(&self) -> Value {
        json!({
            "nodes": self.services,
            "edges": self.edges.iter().map(|edge| json!({
                "from": edge.from,
                "to": edge.to,
                "kind": edge.kind,
                "file": edge.file,
                "line": edge.line,
            })).collect::<Vec<_>>(),
            "cycles": self.graph("").cycles(),
        })
    }
}

/// A static call is one only where it hands out an instance.
fn is_dependency(found: &Use, targets: &[&Contract]) -> bool {
    let Some(through) = found.through.as_deref() else {
        return true;
    };
    if found.kind == UseKind::Locator {
        return true;
    }
    targets.iter().any(|target| {
        let name = &target.decl.name;
        let full = format!("{name}.{through}");
        target.decl.members.iter().any(|member| {
            if member.kind == MemberKind::Constructor {
                return member.name == full;
            }
            let instance = member.ty.as_deref().is_some_and(|ty| makes(ty, name));
            member.name == through && member.is(Mark::Static) && instance
        })
    })
}

/// Whether a type is this one, or a future of it.
fn makes(ty: &str, name: &str) -> bool {
    let (outer, inner) = head(ty);
    let made = if outer == "Future" {
        inner.first().copied().unwrap_or("")
    } else {
        outer
    };
    head(made).0 == name
}
