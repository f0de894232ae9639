//! The record of migrations in an SQLite database.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::engine::RECORD_FORMAT;
use crate::engine::target::{Change, Trouble};
use crate::{ApplyError, Dialect, Failure, Record, Refusal, State};

const CREATE: &str = "
CREATE TABLE IF NOT EXISTS spots_migrate_lock (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    format INTEGER NOT NULL,
    token INTEGER NOT NULL,
    owner TEXT,
    process TEXT,
    since TEXT,
    heartbeat REAL,
    environment TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS spots_migrate_migration (
    id TEXT PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE,
    title TEXT NOT NULL,
    phase TEXT,
    checksum TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'applied', 'failed', 'rolled_back')),
    failure TEXT,
    changed_at TEXT NOT NULL,
    token INTEGER NOT NULL,
    CHECK ((state = 'failed') = (failure IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS spots_migrate_one_unfinished
    ON spots_migrate_migration ((1)) WHERE state IN ('running', 'failed');
CREATE TABLE IF NOT EXISTS spots_migrate_step (
    migration TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('up', 'down')),
    number INTEGER NOT NULL,
    next TEXT,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    finished INTEGER NOT NULL CHECK (finished IN (0, 1)),
    PRIMARY KEY (migration, direction, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spots_migrate_testing (
    migration TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT NOT NULL,
    touched TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spots_migrate_rehearsal (
    certificate TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// What format 1 lacks, before the above.
const FROM_1: &str = "ALTER TABLE spots_migrate_lock ADD COLUMN environment TEXT;";

/// Creates the tables where they are missing, and brings an older format up.
pub(super) fn create(transaction: &Transaction<'_>) -> Result<(), ApplyError> {
    let what = "create the record of migrations";
    let before = match format(transaction)? {
        Some(RECORD_FORMAT) => return Ok(()),
        Some(_) => FROM_1,
        None => "",
    };
    transaction
        .execute_batch(before)
        .and_then(|()| transaction.execute_batch(CREATE))
        .and_then(|()| {
            transaction.execute(
                "INSERT INTO spots_migrate_lock (one, format, token) VALUES (1, ?1, 0)
                 ON CONFLICT DO UPDATE SET format = excluded.format",
                [RECORD_FORMAT],
            )
        })
        .map_err(ApplyError::database(what))?;
    Ok(())
}

/// The format of the record; `None` where there is none yet.
pub(super) fn format(connection: &Connection) -> Result<Option<i64>, ApplyError> {
    if !exists(connection)? {
        return Ok(None);
    }
    let found = connection
        .query_row("SELECT format FROM spots_migrate_lock", [], |row| {
            row.get::<_, i64>(0)
        })
        .optional()
        .map_err(ApplyError::database("read the record of migrations"))?;
    match found {
        Some(found) if found > RECORD_FORMAT => {
            Err(ApplyError::Refused(Refusal::NewerFormat { found }))
        }
        found => Ok(found),
    }
}

fn exists(connection: &Connection) -> Result<bool, ApplyError> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'spots_migrate_lock')",
        )
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(ApplyError::database("look for the record of migrations"))
}

/// All records in the order of applying; none when the database has no record yet.
pub(super) fn read(connection: &Connection) -> Result<Vec<Record>, ApplyError> {
    if format(connection)?.is_none() {
        return Ok(Vec::new());
    }
    let what = "read the record of migrations";
    connection
        .prepare_cached(
            "SELECT id, position, checksum, state, changed_at, failure
             FROM spots_migrate_migration ORDER BY position",
        )
        .and_then(|mut statement| {
            statement
                .query_map([], record)?
                .collect::<rusqlite::Result<Vec<_>>>()
        })
        .map_err(ApplyError::database(what))
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let state = row.get::<_, String>(3)?;
    let failure = row.get::<_, Option<String>>(5)?;
    Ok(Record {
        id: row.get(0)?,
        position: row.get(1)?,
        checksum: row.get(2)?,
        state: State::parse(&state).unwrap_or(State::Failed),
        changed_at: row.get(4)?,
        failure: failure.and_then(|text| serde_json::from_str::<Failure>(&text).ok()),
    })
}

/// Writes a migration's state inside the transaction of its change.
pub(super) fn write(
    transaction: &Transaction<'_>,
    change: &Change<'_>,
    token: i64,
) -> Result<(), Trouble> {
    let Change {
        migration, state, ..
    } = change;
    let failure = change
        .failure
        .map(serde_json::to_string)
        .transpose()
        .map_err(|error| Trouble::Apply(ApplyError::database("record a migration")(error)))?;
    transaction
        .prepare_cached(
            "INSERT INTO spots_migrate_migration
                 (id, position, title, phase, checksum, state, failure, changed_at, token)
             VALUES (?1, (SELECT coalesce(max(position), 0) + 1 FROM spots_migrate_migration),
                 ?2, ?3, ?4, ?5, ?6, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?7)
             ON CONFLICT (id) DO UPDATE SET
                 position = CASE WHEN excluded.state IN ('running', 'applied')
                     AND spots_migrate_migration.state <> 'running'
                     THEN excluded.position ELSE spots_migrate_migration.position END,
                 title = excluded.title, phase = excluded.phase, checksum = excluded.checksum,
                 state = excluded.state, failure = excluded.failure,
                 changed_at = excluded.changed_at, token = excluded.token",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                migration.id,
                migration.title,
                migration.phase,
                migration.checksum(Dialect::Sqlite),
                state.as_str(),
                failure,
                token
            ])
        })
        .map_err(Trouble::from)?;
    if matches!(state, State::Applied | State::RolledBack) {
        transaction
            .prepare_cached("DELETE FROM spots_migrate_step WHERE migration = ?1")
            .and_then(|mut statement| statement.execute([&migration.id]))
            .map_err(Trouble::from)?;
    }
    Ok(())
}
