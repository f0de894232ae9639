//! Moves on SQLite.

use std::error::Error;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Transaction, params_from_iter};
use spots_migrate::Batch;
use spots_migrate::sqlite::Backfill;

use super::Chain;
use super::moves::{
    Dialect, Known, Move, MoveError, NewGuest, Row, Table, Value, Write, holds_old,
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A chain of moves as the engine runs it.
pub(super) struct Chained(pub(super) Chain);

impl Backfill for Chained {
    fn count(&self, connection: &Connection) -> Outcome<u64> {
        let Some(first) = self.0.moves.first() else {
            return Ok(0);
        };
        let mut all = 0;
        // What a chain's first move prepares, the others count.
        let counted = if first.prepare(Dialect::Sqlite).is_empty() {
            self.0.moves.as_slice()
        } else {
            std::slice::from_ref(first)
        };
        for part in counted {
            all += connection
                .query_row(&part.count(), [], |row| row.get::<_, i64>(0))?
                .unsigned_abs();
        }
        Ok(all)
    }

    fn batch(&self, db: &Transaction<'_>, from: Option<&str>, rows: u32) -> Outcome<Batch> {
        let place = || MoveError::Place(from.unwrap_or_default().to_owned());
        let (number, step, key) = self.0.at(from).ok_or_else(place)?;
        if key.is_empty() {
            db.execute_batch(step.prepare(Dialect::Sqlite))?;
        }
        let limit = (rows / step.weight()).max(1);
        let read = query(
            db,
            &step.select(Dialect::Sqlite),
            &[key.into(), i64::from(limit).into()],
        )?;
        if !read.is_empty() {
            let mover = self.0.with_keys()?;
            let known = known(db, step, &read)?;
            for write in step.writes(mover, &read, &known)? {
                perform(db, write)?;
            }
        }
        Ok(Batch {
            rows: read.len() as u64,
            next: self.0.next(number, &read, limit),
        })
    }
}

/// Whether the database holds people of the old form: then it moves before it serves.
pub(crate) fn is_old(db: &Connection) -> rusqlite::Result<bool> {
    let there = |table: &str, column: &str| {
        db.prepare("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2")?
            .exists([table, column])
    };
    let mappings = there("user_agent_mappings", "user_id")?;
    for table in ["users", "legacy_users"] {
        if there(table, "email")?
            && db.query_row(&holds_old(table, mappings), [], |row| row.get(0))?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn query(db: &Connection, sql: &str, params: &[Value]) -> rusqlite::Result<Vec<Row>> {
    let mut statement = db.prepare_cached(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map(params_from_iter(params), |row| {
        (0..columns)
            .map(|column| {
                Ok(match row.get_ref(column)? {
                    ValueRef::Integer(number) => Value::Int(number),
                    ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                    ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
                    ValueRef::Null | ValueRef::Real(_) => Value::Null,
                })
            })
            .collect::<rusqlite::Result<_>>()
            .map(Row)
    })?;
    rows.collect()
}

fn known(db: &Connection, step: &dyn Move, rows: &[Row]) -> rusqlite::Result<Known> {
    let sql = format!("{} = $1", step.lookup());
    let mut known = Known::new();
    for token in rows.iter().flat_map(|row| step.tokens(row)) {
        if known.contains_key(&token) {
            continue;
        }
        if let Some(found) = query(db, &sql, &[token.into()])?.first() {
            known.insert(found.key().to_owned(), found.text(1).to_owned());
        }
    }
    Ok(known)
}

pub(super) fn perform(db: &Connection, write: Write) -> Outcome<()> {
    match write {
        Write::Insert(table, rows) => Ok(insert(db, table, &rows)?),
        Write::Each(sql, lists) => {
            let mut statement = db.prepare_cached(sql)?;
            for list in lists {
                statement.execute(params_from_iter(&list))?;
            }
            Ok(())
        }
        Write::Guests(guests) => guests.iter().try_for_each(|guest| add_guest(db, guest)),
    }
}

fn insert(db: &Connection, table: &Table, rows: &[Vec<Value>]) -> rusqlite::Result<()> {
    let places: Vec<_> = (1..=table.columns.len())
        .map(|at| format!("?{at}"))
        .collect();
    let mut statement = db.prepare_cached(&format!(
        "INSERT INTO {} ({}) VALUES ({}) {}",
        table.name,
        table.names(),
        places.join(", "),
        table.on_conflict()
    ))?;
    for row in rows {
        statement.execute(params_from_iter(row))?;
    }
    Ok(())
}

fn add_guest(db: &Connection, new: &NewGuest) -> Outcome<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO guests (host_id, guest_id, agent_id, code) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
    )?;
    let mut there =
        db.prepare_cached("SELECT 1 FROM guests WHERE host_id = ?1 AND guest_id = ?2")?;
    for code in &new.codes {
        let added = insert.execute([&new.host, &new.guest, &new.agent, code])? > 0;
        if added || there.exists([&new.host, &new.guest])? {
            return Ok(());
        }
    }
    Err(MoveError::Codes(new.host.clone()).into())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
