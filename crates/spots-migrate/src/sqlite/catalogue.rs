//! The tables of an SQLite database, as rows are made for them.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::quoted;
use crate::rehearse::generate::{Column, Kind, Reference, Table, mentioned};

/// Every table but the engine's own and those that others maintain.
pub(super) fn tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let mut statement = connection.prepare(
        "SELECT l.name, coalesce(s.sql, '') FROM pragma_table_list l
         JOIN sqlite_schema s ON s.name = l.name AND s.type = 'table'
         WHERE l.schema = 'main' AND l.type = 'table' AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
             AND l.name NOT LIKE 'spots\\_migrate\\_%' ESCAPE '\\' ORDER BY l.name",
    )?;
    let found = statement
        .query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    found
        .iter()
        .map(|(name, sql)| {
            Ok(Table {
                name: quoted(name),
                columns: columns(connection, name, &checks(sql))?,
                unique: unique(connection, name)?,
                references: references(connection, name)?,
            })
        })
        .collect()
}

fn columns(
    connection: &Connection,
    table: &str,
    checks: &[String],
) -> rusqlite::Result<Vec<Column>> {
    let mut statement = connection.prepare(
        "SELECT name, upper(type), \"notnull\", dflt_value IS NOT NULL OR hidden > 0 OR
             (pk = 1 AND upper(type) = 'INTEGER' AND
              (SELECT count(*) FROM pragma_table_xinfo(?1) WHERE pk > 0) = 1)
         FROM pragma_table_xinfo(?1)",
    )?;
    let mut columns = statement
        .query_map([table], |row| {
            Ok(Column {
                name: row.get(0)?,
                kind: kind(&row.get::<_, String>(1)?),
                nullable: !row.get::<_, bool>(2)?,
                filled: row.get(3)?,
                mentioned: Vec::new(),
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let names = columns.iter().map(|one| one.name.clone());
    let names = names.collect::<Vec<_>>();
    for check in checks {
        let words = check.split(|c: char| !c.is_alphanumeric() && c != '_');
        let words = words.collect::<BTreeSet<_>>();
        let about = names.iter().filter(|name| words.contains(name.as_str()));
        if let [only] = about.collect::<Vec<_>>().as_slice() {
            let columns = columns.iter_mut().filter(|one| one.name == **only);
            columns.for_each(|one| one.mentioned.extend(mentioned(check)));
        }
    }
    for column in &mut columns {
        column.name = quoted(&column.name);
    }
    Ok(columns)
}

/// SQLite's own rules of affinity, and the names that people give to days and moments.
fn kind(declared: &str) -> Kind {
    let has = |part: &str| declared.contains(part);
    if has("INT") {
        Kind::Whole
    } else if has("BOOL") {
        Kind::Truth
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Kind::Text
    } else if has("BLOB") || declared.is_empty() {
        Kind::Bytes
    } else if has("REAL") || has("FLOA") || has("DOUB") || has("NUM") || has("DEC") {
        Kind::Real
    } else if has("TIME") {
        Kind::Moment
    } else if has("DATE") {
        Kind::Day
    } else if has("JSON") {
        Kind::Json
    } else {
        Kind::Text
    }
}

fn unique(connection: &Connection, table: &str) -> rusqlite::Result<BTreeSet<String>> {
    let mut statement = connection.prepare(
        "SELECT i.name FROM pragma_index_list(?1) l, pragma_index_info(l.name) i
             WHERE l.\"unique\" AND i.name IS NOT NULL
         UNION SELECT name FROM pragma_table_xinfo(?1) WHERE pk > 0",
    )?;
    let rows = statement.query_map([table], |row| row.get::<_, String>(0))?;
    rows.map(|name| Ok(quoted(&name?))).collect()
}

fn references(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Reference>> {
    // Without named columns a reference means the parent's key.
    let mut statement = connection.prepare(
        "SELECT f.id, f.\"table\", f.\"from\", coalesce(f.\"to\",
             (SELECT name FROM pragma_table_xinfo(f.\"table\") WHERE pk = f.seq + 1))
         FROM pragma_foreign_key_list(?1) f ORDER BY f.id, f.seq",
    )?;
    let rows = statement.query_map([table], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, Option<String>>(3)?,
        ))
    })?;
    let mut out = Vec::<(i64, Reference)>::new();
    for row in rows {
        let (id, parent, from, to) = row?;
        if out.last().is_none_or(|(last, _)| *last != id) {
            let reference = Reference {
                columns: Vec::new(),
                table: quoted(&parent),
                to: Vec::new(),
            };
            out.push((id, reference));
        }
        if let Some((_, reference)) = out.last_mut() {
            reference.columns.push(quoted(&from));
            reference.to.push(quoted(&to.unwrap_or_default()));
        }
    }
    Ok(out.into_iter().map(|(_, reference)| reference).collect())
}

/// What stands in the parentheses after each `CHECK`.
fn checks(sql: &str) -> Vec<String> {
    let upper = sql.to_ascii_uppercase();
    let mut out = Vec::new();
    for (at, _) in upper.match_indices("CHECK") {
        let rest = sql.get(at + "CHECK".len()..).unwrap_or_default();
        let Some(inner) = rest.trim_start().strip_prefix('(') else {
            continue;
        };
        let mut depth = 1_u32;
        let end = inner.find(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        out.extend(end.and_then(|end| inner.get(..end)).map(str::to_owned));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_cut_out_of_a_definition() {
        assert_eq!(
            checks("CREATE TABLE a (s TEXT CHECK (s IN ('x', 'y')), k BLOB check(length(k) = 32))"),
            ["s IN ('x', 'y')", "length(k) = 32"]
        );
    }
}
