//! Rehearsal on a scratch SQLite database in memory.

use std::collections::BTreeSet;

use rusqlite::backup::Backup;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use sha2::{Digest as _, Sha256};

use super::{Backfills, apply, roll_back, status};
use crate::rehearse::{
    Rehearsal, RehearsedStep, Snapshot, changed, differences, has_way_back, problems_again,
    problems_down, problems_up, stages_reversed,
};
use crate::{Applied, ApplyError, Dialect, Migration, MigrationSet, RollBack, Run, Silent};

/// Rehearses what is pending on a copy of `source`, or everything on an empty database.
///
/// The copy is in memory: the source is only read.
///
/// # Errors
/// Whatever keeps the scratch database from being made or read; a migration that fails is a problem
/// in the rehearsal, not an error.
pub fn rehearse(
    source: Option<&Connection>,
    set: &MigrationSet,
    backfills: &Backfills,
) -> Result<Rehearsal, ApplyError> {
    let before = source.map(snapshot).transpose()?;
    let mut scratch = scratch(source)?;
    let mut rehearsal = Rehearsal::default();
    let done = status(&scratch)?
        .into_iter()
        .filter(|record| record.state == crate::State::Applied)
        .map(|record| record.id)
        .collect::<BTreeSet<_>>();
    for migration in set
        .migrations()
        .iter()
        .filter(|one| !done.contains(&one.id))
    {
        match one(&mut scratch, set, backfills, migration, &mut rehearsal) {
            Ok(step) => rehearsal.steps.push(step),
            Err(error) => {
                rehearsal.problems.push(error.to_string());
                return Ok(rehearsal);
            }
        }
    }
    rehearsal.stages_commute =
        commute(source, set, backfills, &snapshot(&scratch)?, &mut rehearsal)?;
    if let (Some(source), Some(before)) = (source, before)
        && snapshot(source)? != before
    {
        rehearsal
            .problems
            .push("the source changed while its copy was rehearsed".to_owned());
    }
    Ok(rehearsal)
}

/// What the set gives and this database lacks, or the other way round, after what was applied.
pub(super) fn compare(
    connection: &Connection,
    set: &MigrationSet,
    backfills: &Backfills,
    last: Option<&str>,
) -> Result<(Applied, Vec<String>), ApplyError> {
    let mut scratch = scratch(None)?;
    let mut silent = Silent;
    let mut run = Run::by("adoption", &mut silent);
    if let Some(last) = last {
        run = run.to(last);
    }
    let applied = apply(&mut scratch, set, backfills, &mut run)?;
    let (wanted, found) = (snapshot(&scratch)?, snapshot(connection)?);
    let what = differences(&wanted.schema, &found.schema).collect();
    Ok((applied, what))
}

fn scratch(source: Option<&Connection>) -> Result<Connection, ApplyError> {
    let what = "make a scratch database";
    let mut scratch = Connection::open_in_memory().map_err(ApplyError::database(what))?;
    if let Some(source) = source {
        Backup::new(source, &mut scratch)
            .and_then(|backup| backup.step(-1))
            .map_err(ApplyError::database(what))?;
    }
    Ok(scratch)
}

fn one(
    scratch: &mut Connection,
    set: &MigrationSet,
    backfills: &Backfills,
    migration: &Migration,
    rehearsal: &mut Rehearsal,
) -> Result<RehearsedStep, ApplyError> {
    let before = snapshot(scratch)?;
    let started = clock(scratch)?;
    to(scratch, set, backfills, migration)?;
    let up_seconds = clock(scratch)? - started;
    let up = snapshot(scratch)?;
    let mut step = RehearsedStep {
        id: migration.id.clone(),
        up_seconds,
        down_seconds: None,
        changed: changed(&before, &up),
    };
    rehearsal
        .problems
        .extend(problems_up(migration, Dialect::Sqlite, &before, &up));
    if has_way_back(migration, Dialect::Sqlite) {
        let started = clock(scratch)?;
        let mut silent = Silent;
        let mut run = Run::by("rehearsal", &mut silent).accept_data_loss([migration.id.clone()]);
        let target = RollBack::Id(migration.id.clone());
        roll_back(scratch, set, backfills, &target, &mut run)?;
        step.down_seconds = Some(clock(scratch)? - started);
        let down = snapshot(scratch)?;
        // Said before the second way up, which may fail for the same reason.
        rehearsal
            .problems
            .extend(problems_down(migration, Dialect::Sqlite, &before, &down));
        to(scratch, set, backfills, migration)?;
        let again = snapshot(scratch)?;
        rehearsal
            .problems
            .extend(problems_again(migration, &up, &again));
    }
    Ok(step)
}

fn to(
    scratch: &mut Connection,
    set: &MigrationSet,
    backfills: &Backfills,
    migration: &Migration,
) -> Result<(), ApplyError> {
    let mut silent = Silent;
    let mut run = Run::by("rehearsal", &mut silent).to(&migration.id);
    apply(scratch, set, backfills, &mut run).map(drop)
}

/// Applies each stage backwards and compares the schema.
fn commute(
    source: Option<&Connection>,
    set: &MigrationSet,
    backfills: &Backfills,
    forwards: &Snapshot,
    rehearsal: &mut Rehearsal,
) -> Result<Option<bool>, ApplyError> {
    let Some(reversed) = stages_reversed(set, Dialect::Sqlite) else {
        return Ok(None);
    };
    let mut other = scratch(source)?;
    let mut silent = Silent;
    if let Err(error) = apply(
        &mut other,
        &reversed,
        backfills,
        &mut Run::by("rehearsal", &mut silent),
    ) {
        rehearsal
            .problems
            .push(format!("with each stage in the opposite order: {error}"));
        return Ok(Some(false));
    }
    let backwards = snapshot(&other)?;
    let found = differences(&forwards.schema, &backwards.schema).collect::<Vec<_>>();
    let same = found.is_empty();
    rehearsal.problems.extend(
        found
            .into_iter()
            .map(|line| format!("a stage does not commute: {line}")),
    );
    Ok(Some(same))
}

fn clock(connection: &Connection) -> Result<f64, ApplyError> {
    connection
        .query_row("SELECT unixepoch('subsec')", [], |row| row.get(0))
        .map_err(ApplyError::database("read the database's clock"))
}

/// Schema and contents, without the engine's own tables.
fn snapshot(connection: &Connection) -> Result<Snapshot, ApplyError> {
    let what = "read the schema of the scratch database";
    let mut out = Snapshot::default();
    let mut tables = Vec::new();
    let mut statement = connection
        .prepare(
            "SELECT type, name, coalesce(sql, '') FROM sqlite_schema
             WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                 AND tbl_name NOT LIKE 'spots\\_migrate\\_%' ESCAPE '\\'",
        )
        .map_err(ApplyError::database(what))?;
    let rows = statement
        .query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
            ))
        })
        .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
        .map_err(ApplyError::database(what))?;
    for (kind, name, sql) in rows {
        // A rename adds quotes, and layout says nothing.
        let sql = sql.replace(['"', '`', '[', ']'], "");
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        out.schema.insert(format!("{kind} {name}: {sql}"));
        if kind == "table" {
            tables.push(name);
        }
    }
    for table in tables {
        let contents = contents(connection, &table).map_err(ApplyError::database(
            "read the rows of the scratch database",
        ))?;
        out.tables.insert(table, contents);
    }
    Ok(out)
}

/// Rows, and the sum of their hashes: the same in any order.
fn contents(connection: &Connection, table: &str) -> rusqlite::Result<(u64, String)> {
    let query = format!("SELECT * FROM \"{}\"", table.replace('"', "\"\""));
    let mut statement = connection.prepare(&query)?;
    let columns = statement.column_count();
    let (mut count, mut sum) = (0, 0_u128);
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        count += 1;
        sum = sum.wrapping_add(row_hash(row, columns)?);
    }
    Ok((count, format!("{sum:032x}")))
}

fn row_hash(row: &Row<'_>, columns: usize) -> rusqlite::Result<u128> {
    let mut hash = Sha256::new();
    for column in 0..columns {
        let (kind, bytes) = match row.get_ref(column)? {
            ValueRef::Null => (0, Vec::new()),
            ValueRef::Integer(value) => (1, value.to_be_bytes().to_vec()),
            ValueRef::Real(value) => (2, value.to_bits().to_be_bytes().to_vec()),
            ValueRef::Text(value) => (3, value.to_vec()),
            ValueRef::Blob(value) => (4, value.to_vec()),
        };
        hash.update([kind]);
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
    let digest = hash.finalize();
    let mut first = [0; 16];
    for (to, from) in first.iter_mut().zip(digest) {
        *to = from;
    }
    Ok(u128::from_be_bytes(first))
}
