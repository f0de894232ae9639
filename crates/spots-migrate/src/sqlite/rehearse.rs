//! Rehearsal on a scratch SQLite database in memory.

use std::collections::BTreeSet;

use rusqlite::backup::Backup;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::target::Sqlite;
use super::{Backfills, apply, at_once, catalogue, script, snapshot};
use crate::engine::target::{Trouble, cut};
use crate::rehearse::generate::{Kind, Table};
use crate::rehearse::{InOrder, Rehearsal, RehearseOptions, Scratch, Snapshot, differences, frame};
use crate::{Applied, ApplyError, Dialect, MigrationSet, Run, Silent, Source};

/// Rehearses what is pending on a copy of `source`, or everything on an empty database.
///
/// The copy is in memory: the source is only read, and no script can attach another file.
///
/// # Errors
/// Whatever keeps the scratch database from being made or read; a migration that fails is a problem
/// in the rehearsal, not an error.
pub fn rehearse(
    source: Option<&Connection>,
    set: &MigrationSet,
    backfills: &Backfills,
) -> Result<Rehearsal, ApplyError> {
    rehearse_with(source, set, backfills, &RehearseOptions::default())
}

/// Like [`rehearse`], with made or sanitised rows.
///
/// # Errors
/// As [`rehearse`].
pub fn rehearse_with(
    source: Option<&Connection>,
    set: &MigrationSet,
    backfills: &Backfills,
    options: &RehearseOptions,
) -> Result<Rehearsal, ApplyError> {
    let before = source.map(snapshot::take).transpose()?;
    let scratch = scratch(source)?;
    let mut target = Sqlite::new(&scratch);
    let mut rehearsal = at_once(frame::rehearse(&mut target, set, backfills, options))?;
    if let (Some(source), Some(before)) = (source, before)
        && snapshot::take(source)? != before
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
    let (wanted, found) = (snapshot::take(&scratch)?, snapshot::take(connection)?);
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
    scratch
        .authorizer(Some(within))
        .and_then(|()| scratch.pragma_update(None, "foreign_keys", true))
        .map_err(ApplyError::database(what))?;
    Ok(scratch)
}

/// Nothing reaches another file: `ATTACH`, `VACUUM INTO`. A plain `VACUUM` attaches a nameless one.
fn within(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { filename } if !filename.is_empty() && filename != ":memory:" => {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    }
}

#[expect(
    clippy::future_not_send,
    reason = "a connection to SQLite stays on its thread, and nothing here waits"
)]
impl Scratch for Sqlite<'_> {
    async fn snapshot(&self) -> Result<Snapshot, ApplyError> {
        snapshot::take(self.connection)
    }

    async fn clock(&self) -> Result<f64, ApplyError> {
        self.connection
            .query_row("SELECT unixepoch('subsec')", [], |row| row.get(0))
            .map_err(ApplyError::database("read the database's clock"))
    }

    async fn surroundings(&self) -> Result<BTreeSet<String>, ApplyError> {
        // The authoriser lets nothing out.
        Ok(BTreeSet::new())
    }

    async fn in_order(&mut self, scripts: &[&Source]) -> Result<InOrder, ApplyError> {
        let what = "try two migrations in both orders";
        self.connection
            .pragma_update(None, "foreign_keys", false)
            .map_err(ApplyError::database(what))?;
        let transaction =
            Transaction::new_unchecked(self.connection, TransactionBehavior::Immediate)
                .map_err(ApplyError::database(what))?;
        for source in scripts {
            let statements = cut(source, Dialect::Sqlite);
            if let Err(trouble) = script::execute(&transaction, source, &statements) {
                return match trouble {
                    Trouble::Statement { reason, .. } => Ok(Err(frame::failed(source, &reason))),
                    Trouble::Busy => Ok(Err("another connection is in the way".to_owned())),
                    Trouble::Apply(error) => Err(error),
                };
            }
        }
        // Dropped, the transaction takes everything back.
        snapshot::schema(&transaction).map(Ok)
    }

    async fn tables(&self) -> Result<Vec<Table>, ApplyError> {
        catalogue::tables(self.connection).map_err(ApplyError::database(
            "read the tables of the scratch database",
        ))
    }

    async fn attempt(&mut self, statement: &str) -> Result<bool, ApplyError> {
        Ok(self.connection.execute_batch(statement).is_ok())
    }

    fn watch(&mut self) {
        // A change holds the one lock that there is.
    }

    fn watched(&mut self, _before: &Snapshot) -> BTreeSet<String> {
        BTreeSet::from(["the whole file against writers".to_owned()])
    }

    fn as_literal(column: &str) -> String {
        format!("quote({column})")
    }

    fn bytes(hex: &str) -> String {
        format!("X'{hex}'")
    }

    fn replaced(column: &str, kind: &Kind, unique: bool) -> String {
        match kind {
            Kind::Bytes => format!("randomblob(length({column}))"),
            Kind::Json => "'{}'".to_owned(),
            Kind::Day => format!("date({column}, (abs(random()) % 2000 - 1000) || ' days')"),
            _ if unique => "lower(hex(randomblob(16)))".to_owned(),
            _ => format!(
                "substr(lower(hex(randomblob(length({column}) / 2 + 1))), 1, length({column}))"
            ),
        }
    }
}
