//! Rehearsals: up, down and up again on a scratch database, with everything compared.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::infer::read_up;
use crate::{
    Action, DataOnRollback, Dialect, Direction, Graph, Migration, MigrationSet, Space, engine,
};

/// What a database looks like at one moment, without the engine's own record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Definitions of everything, one a line.
    pub(crate) schema: BTreeSet<String>,
    /// Table → its rows and a hash of them that does not depend on their order.
    pub(crate) tables: BTreeMap<String, (u64, String)>,
}

/// What a rehearsal showed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rehearsal {
    /// One a migration, in order.
    pub steps: Vec<RehearsedStep>,
    /// What must be mended; none means that the set may run.
    pub problems: Vec<String>,
    /// Whether migrations of one stage gave the same schema in the opposite order.
    pub stages_commute: Option<bool>,
}

/// How one migration went.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RehearsedStep {
    /// The migration.
    pub id: String,
    /// Seconds that the way up took, by the database's clock.
    pub up_seconds: f64,
    /// Seconds that the way back took; `None` when there is none.
    pub down_seconds: Option<f64>,
    /// Tables whose rows changed on the way up: rows before and after.
    pub changed: BTreeMap<String, (u64, u64)>,
}

/// Rows changed by a way up, as rows before and after.
pub(crate) fn changed(before: &Snapshot, after: &Snapshot) -> BTreeMap<String, (u64, u64)> {
    before
        .tables
        .iter()
        .filter_map(|(table, (rows, hash))| {
            let (now, now_hash) = after.tables.get(table)?;
            (hash != now_hash).then(|| (table.clone(), (*rows, *now)))
        })
        .collect()
}

/// What the way up changed without saying so.
pub(crate) fn problems_up(
    migration: &Migration,
    dialect: Dialect,
    before: &Snapshot,
    up: &Snapshot,
) -> Vec<String> {
    let id = &migration.id;
    let touched = touched(migration, dialect);
    changed(before, up)
        .into_iter()
        .filter(|(table, _)| !touched.contains(table) && !migration.changes.contains(table))
        .map(|(table, (rows, now))| {
            format!("{id} changed rows of {table} ({rows} before, {now} after), which its SQL does not name; declare it in `changes`")
        })
        .collect()
}

/// What the way back does not restore, beyond declared losses.
pub(crate) fn problems_down(
    migration: &Migration,
    dialect: Dialect,
    before: &Snapshot,
    down: &Snapshot,
) -> Vec<String> {
    let id = &migration.id;
    let mut out = differences(&before.schema, &down.schema)
        .map(|line| format!("{id}: the way back leaves the schema different: {line}"))
        .collect::<Vec<_>>();
    let lost = if migration.rollback.data == DataOnRollback::Lost {
        engine::losses(migration, dialect)
            .into_iter()
            .map(|(name, _)| name.split('.').next().unwrap_or_default().to_owned())
            .collect()
    } else {
        BTreeSet::new()
    };
    for (table, (rows, hash)) in &before.tables {
        let back = down.tables.get(table);
        if back.is_none_or(|(_, back)| back != hash) && !lost.contains(table) {
            let now = back.map_or_else(|| "gone".to_owned(), |(rows, _)| format!("{rows} rows"));
            out.push(format!(
                "{id}: the way back does not restore {table} ({rows} rows before, now {now}), and no loss is declared"
            ));
        }
    }
    out
}

/// How the second way up differs from the first.
pub(crate) fn problems_again(
    migration: &Migration,
    up: &Snapshot,
    again: &Snapshot,
) -> Vec<String> {
    let id = &migration.id;
    differences(&up.schema, &again.schema)
        .map(|line| format!("{id}: the second way up gives another schema: {line}"))
        .collect()
}

/// Tables that the scripts name as changed.
fn touched(migration: &Migration, dialect: Dialect) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for fact in read_up(migration, dialect).facts {
        let object = fact.object.whole();
        if fact.action.is_write() && object.space == Space::Relation {
            out.insert(object.shown());
            if let Action::Rename(to) = &fact.action {
                out.insert(to.shown());
            }
        }
    }
    out
}

pub(crate) fn differences<'a>(
    before: &'a BTreeSet<String>,
    after: &'a BTreeSet<String>,
) -> impl Iterator<Item = String> + 'a {
    let gone = before
        .difference(after)
        .map(|line| format!("missing {line}"));
    let new = after
        .difference(before)
        .map(|line| format!("left over {line}"));
    gone.chain(new)
}

/// Whether the way back can be rehearsed.
pub(crate) fn has_way_back(migration: &Migration, dialect: Dialect) -> bool {
    migration.script(Direction::Down, dialect).is_some()
        || migration.script(Direction::Up, dialect).is_none()
}

/// The same set with the migrations of each stage in the opposite order; `None` where no stage has
/// two.
pub(crate) fn stages_reversed(set: &MigrationSet, dialect: Dialect) -> Option<MigrationSet> {
    let graph = Graph::of(set, dialect);
    if graph.stages.iter().all(|stage| stage.len() < 2) {
        return None;
    }
    let order = graph
        .stages
        .iter()
        .flat_map(|stage| stage.iter().rev())
        .filter_map(|id| set.find(id).cloned())
        .collect();
    Some(MigrationSet::ordered(order, set.gates().clone()))
}
