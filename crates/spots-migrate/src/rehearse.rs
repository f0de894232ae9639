//! Rehearsals: up, down and up again on a scratch database, with everything compared.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[expect(
    clippy::future_not_send,
    reason = "whether a future is Send is the target's to say"
)]
pub(crate) mod frame;
#[expect(
    clippy::future_not_send,
    reason = "whether a future is Send is the target's to say"
)]
pub(crate) mod generate;
mod sanitise;

pub use self::generate::ROWS_MAX;

use self::generate::{Kind, Table};
use crate::engine::target::Target;
use crate::infer::read_up;
use crate::{
    Action, ApplyError, Certificate, DataOnRollback, Dialect, Direction, Migration, Source, Space,
    engine,
};

/// At most so many pairs are applied in both orders; how many were left is said.
pub const PAIRS_MAX: usize = 500;

/// How a rehearsal is done.
#[derive(Clone, Debug, Default)]
pub struct RehearseOptions {
    /// Fill tables that are empty with so many rows before each migration.
    pub rows: Option<u32>,
    /// The rows are the same for the same seed.
    pub seed: u64,
    /// Replace what people wrote in the copy before anything else.
    pub sanitise: bool,
}

/// The schema that scripts give, one after the other, if they do.
pub(crate) type InOrder = Result<BTreeSet<String>, String>;

/// A scratch database.
pub(crate) trait Scratch: Target {
    /// Schema and contents, without the engine's own.
    async fn snapshot(&self) -> Result<Snapshot, ApplyError>;

    /// The database's clock in seconds.
    async fn clock(&self) -> Result<f64, ApplyError>;

    /// What lies outside this database and could be reached from it.
    async fn surroundings(&self) -> Result<BTreeSet<String>, ApplyError>;

    /// The schema after these scripts, which are taken back.
    async fn in_order(&mut self, scripts: &[&Source]) -> Result<InOrder, ApplyError>;

    /// Every table, with what rows for it need.
    async fn tables(&self) -> Result<Vec<Table>, ApplyError>;

    /// Runs a statement if the database takes it.
    async fn attempt(&mut self, statement: &str) -> Result<bool, ApplyError>;

    /// From now on, notes the locks that are held.
    fn watch(&mut self);

    /// The locks held since, on what was there before.
    fn watched(&mut self, before: &Snapshot) -> BTreeSet<String>;

    /// An expression: a column's value as a literal.
    fn as_literal(column: &str) -> String;

    /// Bytes as a literal, from hexadecimal digits.
    fn bytes(hex: &str) -> String;

    /// An expression: something else of the same length in the column's place.
    fn replaced(column: &str, kind: &Kind, unique: bool) -> String;
}

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
    /// Migrations of one stage, two at a time, in either order.
    pub pairs: Vec<Pair>,
    /// How many more pairs there are than were tried.
    pub pairs_left: usize,
    /// Rows made for the rehearsal, by table.
    pub generated: BTreeMap<String, u64>,
    /// Columns that could not be sanitised: their constraints did not let it.
    pub not_sanitised: Vec<String>,
    /// What a rehearsal without problems proves.
    pub certificate: Certificate,
}

/// Two migrations that are said to be independent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// One.
    pub first: String,
    /// The other.
    pub second: String,
    /// Whether both orders gave the same schema.
    pub commute: bool,
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
    /// Locks on tables that were there before, held until its commit.
    pub locks: BTreeSet<String>,
    /// How many declared invariants were compared.
    pub invariants: usize,
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
    let aside = aside(migration, before, down);
    let mut out = differences(&before.schema, &down.schema)
        .filter(|line| !(line.starts_with("left over") && names(line, &aside)))
        .map(|line| format!("{id}: the way back leaves the schema different: {line}"))
        .collect::<Vec<_>>();
    let lost = if migration.rollback.data == DataOnRollback::Lost {
        engine::losses(migration, dialect)
            .into_iter()
            .map(|loss| {
                let table = loss.shown.split('.').next();
                table.unwrap_or_default().to_owned()
            })
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

/// Tables in which a way back that keeps data put it; the second way up brings it back.
fn aside<'a>(migration: &Migration, before: &Snapshot, down: &'a Snapshot) -> BTreeSet<&'a str> {
    let kept = migration.rollback.data == DataOnRollback::Kept;
    let tables = down.tables.keys().filter(|_| kept);
    let new = tables.filter(|table| !before.tables.contains_key(*table));
    new.filter_map(|table| table.rsplit('.').next()).collect()
}

/// Whether a line of a schema names one of these tables.
fn names(line: &str, tables: &BTreeSet<&str>) -> bool {
    line.split(|sign: char| !sign.is_alphanumeric() && sign != '_')
        .any(|word| tables.contains(word))
}

/// How the second way up differs from the first.
pub(crate) fn problems_again(
    migration: &Migration,
    up: &Snapshot,
    again: &Snapshot,
) -> Vec<String> {
    let id = &migration.id;
    let mut out = differences(&up.schema, &again.schema)
        .map(|line| format!("{id}: the second way up gives another schema: {line}"))
        .collect::<Vec<_>>();
    for (table, (rows, hash)) in &up.tables {
        let declared = !migration.invariants.is_empty() || migration.changes.contains(table);
        let same = again.tables.get(table).is_some_and(|(_, now)| now == hash);
        if !same && !declared {
            out.push(format!(
                "{id}: the second way up gives other rows in {table} ({rows} the first time); where values are random by design, declare `invariants`"
            ));
        }
    }
    out
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
