//! What an SQLite database looks like at one moment.

use std::collections::BTreeSet;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use sha2::{Digest as _, Sha256};

use crate::rehearse::Snapshot;
use crate::{ApplyError, quoted};

/// Schema and contents, without the engine's own tables.
pub(super) fn take(connection: &Connection) -> Result<Snapshot, ApplyError> {
    let mut out = Snapshot {
        schema: schema(connection)?,
        ..Snapshot::default()
    };
    for (kind, table, _) in entries(connection)? {
        if kind == "table" {
            let contents = contents(connection, &table).map_err(ApplyError::database(
                "read the rows of the scratch database",
            ))?;
            out.tables.insert(table, contents);
        }
    }
    Ok(out)
}

/// Definitions of everything, one a line.
pub(super) fn schema(connection: &Connection) -> Result<BTreeSet<String>, ApplyError> {
    let lines = entries(connection)?.into_iter().map(|(kind, name, sql)| {
        // A rename adds quotes, and layout says nothing.
        let sql = sql.replace(['"', '`', '[', ']'], "");
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{kind} {name}: {sql}")
    });
    Ok(lines.collect())
}

/// Kind, name and definition of everything but the engine's own.
pub(super) fn entries(
    connection: &Connection,
) -> Result<Vec<(String, String, String)>, ApplyError> {
    connection
        .prepare(
            "SELECT type, name, coalesce(sql, '') FROM sqlite_schema
             WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                 AND tbl_name NOT LIKE 'spots\\_migrate\\_%' ESCAPE '\\'",
        )
        .and_then(|mut statement| {
            statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        })
        .map_err(ApplyError::database(
            "read the schema of the scratch database",
        ))
}

/// Rows, and the sum of their hashes: the same in any order.
fn contents(connection: &Connection, table: &str) -> rusqlite::Result<(u64, String)> {
    let query = format!("SELECT * FROM {}", quoted(table));
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
