//! Scripts inside a transaction, and foreign keys around them.

use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::lock::is_busy;
use crate::engine::target::{Trouble, cut, text};
use crate::split::Statement;
use crate::{ApplyError, Dialect, Refusal, Source};

/// Whether foreign keys must be off, so that dropping a table deletes no row elsewhere.
pub(super) fn drops_a_table(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| {
        statement.begins(&["DROP", "TABLE"]) || statement.begins(&["PRAGMA", "FOREIGN_KEYS"])
    })
}

/// Rows that point nowhere, counted by child and parent table.
pub(super) type Orphans = BTreeMap<(String, String), i64>;

/// Counts them.
pub(super) fn orphans(connection: &Connection) -> rusqlite::Result<Orphans> {
    let mut statement = connection.prepare_cached(
        "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)?))
    })?;
    rows.collect()
}

/// Refuses a change that leaves more of them than there were.
pub(super) fn refuse_orphans(
    transaction: &Transaction<'_>,
    before: &Orphans,
    id: &str,
) -> Result<(), Trouble> {
    let what = orphans(transaction)?
        .into_iter()
        .filter(|(pair, count)| before.get(pair).is_none_or(|before| count > before))
        .map(|((child, parent), count)| format!("{count} rows of {child} without {parent}"))
        .collect::<Vec<_>>();
    if what.is_empty() {
        return Ok(());
    }
    let id = id.to_owned();
    let refusal = Refusal::Orphans { id, what };
    Err(Trouble::Apply(ApplyError::Refused(refusal)))
}

/// Runs the statements of a script; the engine sets foreign keys itself.
pub(super) fn execute(
    transaction: &Transaction<'_>,
    source: &Source,
    statements: &[Statement],
) -> Result<(), Trouble> {
    for (number, statement) in statements.iter().enumerate() {
        if !statement.begins(&["PRAGMA", "FOREIGN_KEYS"]) {
            transaction
                .execute_batch(text(source, statement))
                .map_err(|error| statement_failed(source, number, statement, &error))?;
        }
    }
    Ok(())
}

fn statement_failed(
    source: &Source,
    number: usize,
    statement: &Statement,
    error: &rusqlite::Error,
) -> Trouble {
    if is_busy(error) {
        return Trouble::Busy;
    }
    Trouble::statement(source, number, statement, error.to_string())
}

/// Runs queries of which every row is a mistake.
pub(super) fn verify(transaction: &Transaction<'_>, source: &Source) -> Result<(), Trouble> {
    for (number, statement) in cut(source, Dialect::Sqlite).iter().enumerate() {
        let found = transaction
            .prepare(text(source, statement))
            .and_then(|mut query| {
                let columns = query.column_count();
                query
                    .query_row([], |row| {
                        (0..columns)
                            .map(|column| Ok(shown(row.get_ref(column)?)))
                            .collect::<rusqlite::Result<Vec<_>>>()
                    })
                    .optional()
            })
            .map_err(|error| statement_failed(source, number, statement, &error))?;
        if let Some(row) = found {
            let reason = format!("verification found a row: {}", row.join(", "));
            return Err(Trouble::statement(source, number, statement, reason));
        }
    }
    Ok(())
}

/// The rows of a query, as text.
pub(super) fn rows(
    connection: &Connection,
    query: &str,
) -> rusqlite::Result<Vec<Vec<Option<String>>>> {
    let mut statement = connection.prepare(query)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..columns)
            .map(|column| {
                let value = row.get_ref(column)?;
                Ok((value != ValueRef::Null).then(|| shown(value)))
            })
            .collect()
    })?;
    rows.collect()
}

/// A value for people.
pub(super) fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => value.to_string(),
        ValueRef::Text(value) => String::from_utf8_lossy(value).into_owned(),
        ValueRef::Blob(value) => format!("{} bytes", value.len()),
    }
}
