//! The inventory and the sequence of a set, for people and for scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use crate::infer::read_up;
use crate::{DataOnRollback, Dialect, Direction, EdgeKind, Graph, Migration, MigrationSet, Space};

/// All migrations of all phases, with what each touches.
#[derive(Clone, Debug, Serialize)]
pub struct Inventory {
    /// In the order of the set.
    pub migrations: Vec<InventoryItem>,
}

/// One migration of the inventory.
#[derive(Clone, Debug, Serialize)]
pub struct InventoryItem {
    /// Its id.
    pub id: String,
    /// What it does, for people.
    pub title: String,
    /// Its phase.
    pub phase: Option<String>,
    /// The file that findings point to.
    pub file: String,
    /// Whether running programs break.
    pub breaking: bool,
    /// Whether it runs as one transaction.
    pub transactional: bool,
    /// Its backfill.
    pub backfill: Option<String>,
    /// `no way back`, or what happens to data.
    pub rollback: String,
    /// What must hold before it is rolled back.
    pub conditions: Vec<String>,
    /// Objects by what is done to them: creates, alters, writes, reads, drops, renames.
    pub objects: BTreeMap<String, BTreeSet<String>>,
}

impl Inventory {
    /// Reads the scripts of a set for a database.
    pub fn of(set: &MigrationSet, dialect: Dialect) -> Self {
        Self {
            migrations: set
                .migrations()
                .iter()
                .map(|migration| item(migration, dialect))
                .collect(),
        }
    }

    /// A Markdown table, one row a migration.
    pub fn markdown(&self) -> String {
        let mut out = String::from(
            "| migration | phase | creates | alters | reads | drops | way back |\n\
             | --- | --- | --- | --- | --- | --- | --- |\n",
        );
        for item in &self.migrations {
            let objects = |words: &[&str]| {
                let found = words.iter().filter_map(|word| item.objects.get(*word));
                let found = found.flatten().map(String::as_str).collect::<Vec<_>>();
                found.join(", ")
            };
            let phase = item.phase.as_deref().unwrap_or("–");
            let breaking = if item.breaking { " (breaking)" } else { "" };
            push(
                &mut out,
                format_args!(
                    "| {}{breaking} | {phase} | {} | {} | {} | {} | {} |\n",
                    item.id,
                    objects(&["creates"]),
                    objects(&["alters", "writes", "renames"]),
                    objects(&["reads"]),
                    objects(&["drops"]),
                    item.rollback
                ),
            );
        }
        out
    }
}

fn item(migration: &Migration, dialect: Dialect) -> InventoryItem {
    let mut objects = BTreeMap::<String, BTreeSet<String>>::new();
    let facts = read_up(migration, dialect).facts;
    let created = facts
        .iter()
        .filter(|fact| fact.action == crate::Action::Create)
        .map(|fact| fact.object.clone())
        .collect::<BTreeSet<_>>();
    for fact in facts {
        // Columns are part of their table; what a migration created is not news to it.
        let own = fact.action != crate::Action::Create && created.contains(&fact.object.whole());
        let part = fact.object.space == Space::Column && own;
        let unsure = fact.certainty == crate::Certainty::Perhaps;
        let column_of_new =
            fact.object.space == Space::Column && created.contains(&fact.object.whole());
        if own || part || unsure || column_of_new {
            continue;
        }
        let word = fact.what;
        objects
            .entry(fact.action.as_str().to_owned())
            .or_default()
            .insert(format!("{word} {}", fact.object.shown()));
    }
    let way_back = migration.script(Direction::Down, dialect).is_some()
        || migration.script(Direction::Up, dialect).is_none();
    let rollback = match (way_back, migration.rollback.data) {
        (false, _) => "no way back",
        (true, DataOnRollback::None) => "no data touched",
        (true, DataOnRollback::Kept) => "data kept",
        (true, DataOnRollback::Derived) => "data derived again",
        (true, DataOnRollback::Lost) => "data lost with consent",
    };
    let conditions = migration.rollback.conditions.iter();
    InventoryItem {
        id: migration.id.clone(),
        title: migration.title.clone(),
        phase: migration.phase.clone(),
        file: migration.path.clone(),
        breaking: migration.breaking,
        transactional: migration.transactional,
        backfill: migration.backfill.clone(),
        rollback: rollback.to_owned(),
        conditions: conditions
            .map(|condition| condition.message.clone())
            .collect(),
        objects,
    }
}

/// The stages of a graph as text: what may run side by side, what waits for what and why.
pub fn sequence(set: &MigrationSet, graph: &Graph) -> String {
    let mut out = String::new();
    for (number, stage) in graph.stages.iter().enumerate() {
        push(&mut out, format_args!("stage {}\n", number + 1));
        for id in stage {
            let phase = set.find(id).and_then(|migration| migration.phase.as_ref());
            let phase = phase
                .map(|phase| format!("  (phase {phase})"))
                .unwrap_or_default();
            push(&mut out, format_args!("  {id}{phase}\n"));
            for (from, why) in waits(graph, id) {
                push(&mut out, format_args!("    after {from}: {why}\n"));
            }
        }
    }
    for (phase, awaited) in set.gates() {
        let awaited = awaited.iter().map(String::as_str).collect::<Vec<_>>();
        push(
            &mut out,
            format_args!(
                "phase {phase} starts when {} is complete\n",
                awaited.join(", ")
            ),
        );
    }
    out
}

fn waits<'a>(graph: &'a Graph, id: &str) -> BTreeMap<&'a str, String> {
    let mut out = BTreeMap::<&str, Vec<String>>::new();
    let shown = |from: &str| {
        graph
            .edges
            .iter()
            .any(|edge| edge.to == id && edge.from == from && edge.kind != EdgeKind::Declared)
    };
    for edge in graph.edges.iter().filter(|edge| edge.to == id) {
        let why = match edge.kind {
            EdgeKind::Declared if shown(&edge.from) => "declared".to_owned(),
            // Declared and inferred are compared here: one may know what the other cannot.
            EdgeKind::Declared => "declared; its SQL touches nothing of it".to_owned(),
            kind => format!(
                "{} {} ({}:{})",
                kind.as_str(),
                edge.object,
                edge.file,
                edge.line
            ),
        };
        out.entry(&edge.from).or_default().push(why);
    }
    out.into_iter()
        .map(|(from, mut reasons)| {
            let more = reasons.len().saturating_sub(3);
            reasons.truncate(3);
            let mut why = reasons.join(", ");
            if more > 0 {
                push(&mut why, format_args!(", and {more} more"));
            }
            (from, why)
        })
        .collect()
}

/// A graph as a picture: boxes by phase, arrows from what waits to what it waits for.
pub fn picture(graph: &Graph) -> spots_findings::graph::Graph {
    use spots_findings::graph::{Edge, Graph as Picture, Node};
    let nodes = graph.nodes.iter().map(|node| {
        let shown = Node::new(&node.id);
        match &node.phase {
            Some(phase) => shown.group(format!("phase {phase}")),
            None => shown,
        }
    });
    // One arrow for each pair and kind, with the objects on it.
    let mut arrows = BTreeMap::<(&str, &str, EdgeKind), BTreeSet<&str>>::new();
    for edge in &graph.edges {
        let key = (edge.to.as_str(), edge.from.as_str(), edge.kind);
        arrows.entry(key).or_default().insert(&edge.object);
    }
    let edges = arrows.into_iter().map(|((to, from, kind), objects)| {
        let objects = objects.into_iter().filter(|object| !object.is_empty());
        let objects = objects.take(3).collect::<Vec<_>>();
        let arrow = Edge::new(to, from, kind.as_str());
        if objects.is_empty() {
            arrow
        } else {
            arrow.label(objects.join(", "))
        }
    });
    Picture::new("Migrations", nodes, edges)
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a string cannot fail");
}
