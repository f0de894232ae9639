//! Two phases that write the same table without an order between them.

use std::collections::{BTreeMap, BTreeSet};

use spots_findings::{Finding, Level, Place};

use crate::infer::Shown;
use crate::{Action, EdgeKind, Fact, Graph, Migration, MigrationSet, Object, Space};

/// One finding for each object and pair of phases.
pub(super) fn conflicts(
    set: &MigrationSet,
    graph: &Graph,
    migrations: &[(&Migration, &Shown)],
) -> Vec<Finding> {
    let phases = migrations
        .iter()
        .filter_map(|(migration, _)| migration.phase.as_deref())
        .collect::<BTreeSet<_>>();
    if phases.len() < 2 {
        return Vec::new();
    }
    let ordered = Ordered::new(set, graph);
    let mut writers = BTreeMap::<Object, Vec<(&Migration, &Fact)>>::new();
    for (migration, shown) in migrations {
        for fact in shown.facts.iter().filter(|fact| fact.action.is_write()) {
            let object = fact.object.whole();
            if object.space == Space::Relation && fact.action != Action::Create {
                writers.entry(object).or_default().push((migration, fact));
            }
        }
    }
    let mut out = BTreeMap::new();
    for (object, list) in &writers {
        for (at, (later, fact)) in list.iter().enumerate() {
            for (earlier, before) in list.iter().take(at) {
                let (Some(a), Some(b)) = (&earlier.phase, &later.phase) else {
                    continue;
                };
                if a != b && !ordered.are(earlier, later) {
                    out.entry((object.clone(), a, b))
                        .or_insert_with(|| finding((a, b), object, later, (before, fact)));
                }
            }
        }
    }
    out.into_values().collect()
}

fn finding(
    (a, b): (&str, &str),
    object: &Object,
    later: &Migration,
    (before, fact): (&Fact, &Fact),
) -> Finding {
    let rows_only = before.action == Action::Write && fact.action == Action::Write;
    let level = if rows_only {
        Level::Warning
    } else {
        Level::Error
    };
    let identity = format!("{a} {b} {}", object.shown());
    let message = format!(
        "Phases {a} and {b} both write {}, and nothing says which comes first.",
        object.shown()
    );
    Finding::new("phases-write-same", level, identity, message)
        .at(Place::line(&fact.file, fact.line))
        .related(
            Place::line(&before.file, before.line),
            format!("written by phase {a}"),
        )
        .fix(format!(
            "Declare what {} comes after, or a gate in set.toml.",
            later.id
        ))
}

/// What is declared to come before what, by `after` and by gates, to the end of the chain.
struct Ordered<'a> {
    set: &'a MigrationSet,
    before: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Ordered<'a> {
    fn new(set: &'a MigrationSet, graph: &'a Graph) -> Self {
        let mut before = BTreeMap::<&str, BTreeSet<&str>>::new();
        for edge in graph
            .edges
            .iter()
            .filter(|edge| edge.kind == EdgeKind::Declared)
        {
            before.entry(&edge.to).or_default().insert(&edge.from);
        }
        Self { set, before }
    }

    fn are(&self, earlier: &Migration, later: &Migration) -> bool {
        self.gated(earlier.phase.as_deref(), later.phase.as_deref())
            || self.reaches(&later.id, &earlier.id)
    }

    fn gated(&self, earlier: Option<&str>, later: Option<&str>) -> bool {
        let mut left = later.into_iter().collect::<Vec<_>>();
        let mut seen = BTreeSet::new();
        while let Some(phase) = left.pop() {
            for awaited in self.set.gates().get(phase).into_iter().flatten() {
                if Some(awaited.as_str()) == earlier {
                    return true;
                }
                if seen.insert(awaited) {
                    left.push(awaited);
                }
            }
        }
        false
    }

    fn reaches(&self, from: &str, to: &str) -> bool {
        let mut left = vec![from];
        let mut seen = BTreeSet::new();
        while let Some(id) = left.pop() {
            for before in self.before.get(id).into_iter().flatten() {
                if *before == to {
                    return true;
                }
                if seen.insert(*before) {
                    left.push(before);
                }
            }
        }
        false
    }
}
