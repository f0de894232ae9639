//! The record of migrations in a PostgreSQL database: the schema `spots_migrate`.

use tokio_postgres::{Client, Row};

use crate::engine::RECORD_FORMAT;
use crate::engine::target::Change;
use crate::{ApplyError, Dialect, Failure, Record, Refusal, State};

const CREATE: &str = "
CREATE TABLE IF NOT EXISTS spots_migrate.lock (
    one integer PRIMARY KEY CHECK (one = 1),
    format bigint NOT NULL,
    token bigint NOT NULL,
    owner text,
    since timestamptz,
    environment text
);
CREATE TABLE IF NOT EXISTS spots_migrate.migration (
    id text PRIMARY KEY,
    position bigint NOT NULL UNIQUE,
    title text NOT NULL,
    phase text,
    checksum text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'applied', 'failed', 'rolled_back')),
    failure text,
    changed_at timestamptz NOT NULL,
    token bigint NOT NULL,
    CHECK ((state = 'failed') = (failure IS NOT NULL))
);
CREATE SEQUENCE IF NOT EXISTS spots_migrate.position;
SELECT setval('spots_migrate.position', coalesce(max(position), 0) + 1, false)
    FROM spots_migrate.migration;
-- What is half done belongs to one run: another takes all of it over, or nothing.
CREATE OR REPLACE FUNCTION spots_migrate.one_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM spots_migrate.migration
               WHERE state = 'running' AND token <> NEW.token) THEN
        RAISE EXCEPTION 'a migration of another run is not finished';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER one_run AFTER INSERT OR UPDATE ON spots_migrate.migration
    FOR EACH ROW WHEN (NEW.state = 'running') EXECUTE FUNCTION spots_migrate.one_run();
CREATE TABLE IF NOT EXISTS spots_migrate.step (
    migration text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('up', 'down')),
    number bigint NOT NULL,
    next text,
    done bigint NOT NULL,
    total bigint NOT NULL,
    finished boolean NOT NULL,
    PRIMARY KEY (migration, direction, number)
);
CREATE TABLE IF NOT EXISTS spots_migrate.testing (
    migration text PRIMARY KEY,
    owner text NOT NULL,
    since text NOT NULL,
    until text NOT NULL,
    touched text NOT NULL
);
CREATE TABLE IF NOT EXISTS spots_migrate.rehearsal (
    certificate text PRIMARY KEY,
    owner text NOT NULL,
    at text NOT NULL
);
";

/// What format 1 lacks or has too much, before the above.
const FROM_1: &str = "
ALTER TABLE spots_migrate.lock ADD COLUMN environment text;
DROP INDEX spots_migrate.one_unfinished;
";

/// Creates the tables where they are missing, and brings an older format up.
pub(super) async fn create(client: &Client) -> Result<(), ApplyError> {
    let before = match format(client).await? {
        Some(RECORD_FORMAT) => return Ok(()),
        Some(_) => FROM_1,
        None => "",
    };
    let script = format!(
        "BEGIN;CREATE SCHEMA IF NOT EXISTS spots_migrate;{before}{CREATE}
         INSERT INTO spots_migrate.lock (one, format, token)
         VALUES (1, {RECORD_FORMAT}, 0) ON CONFLICT (one) DO UPDATE SET format = excluded.format;
         COMMIT"
    );
    client
        .batch_execute(&script)
        .await
        .map_err(ApplyError::database("create the record of migrations"))
}

/// The format of the record; `None` where there is none yet.
pub(super) async fn format(client: &Client) -> Result<Option<i64>, ApplyError> {
    if !exists(client).await? {
        return Ok(None);
    }
    let found = client
        .query_one("SELECT format FROM spots_migrate.lock", &[])
        .await
        .and_then(|row| row.try_get::<_, i64>(0))
        .map_err(ApplyError::database("read the record of migrations"))?;
    if found > RECORD_FORMAT {
        return Err(ApplyError::Refused(Refusal::NewerFormat { found }));
    }
    Ok(Some(found))
}

async fn exists(client: &Client) -> Result<bool, ApplyError> {
    client
        .query_one("SELECT to_regclass('spots_migrate.lock') IS NOT NULL", &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(ApplyError::database("look for the record of migrations"))
}

/// All records in the order of applying; none when the database has no record yet.
pub(super) async fn read(client: &Client) -> Result<Vec<Record>, ApplyError> {
    if format(client).await?.is_none() {
        return Ok(Vec::new());
    }
    let what = "read the record of migrations";
    client
        .query(
            "SELECT id, position, checksum, state, failure,
                 to_char(changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')
             FROM spots_migrate.migration ORDER BY position",
            &[],
        )
        .await
        .and_then(|rows| rows.iter().map(record).collect())
        .map_err(ApplyError::database(what))
}

fn record(row: &Row) -> Result<Record, tokio_postgres::Error> {
    let state = row.try_get::<_, String>(3)?;
    let failure = row.try_get::<_, Option<String>>(4)?;
    Ok(Record {
        id: row.try_get(0)?,
        position: row.try_get(1)?,
        checksum: row.try_get(2)?,
        state: State::parse(&state).unwrap_or(State::Failed),
        failure: failure.and_then(|text| serde_json::from_str::<Failure>(&text).ok()),
        changed_at: row.try_get(5)?,
    })
}

/// The statements that write a migration's state; they fail where `token` is not the lock's.
pub(super) fn write(change: &Change<'_>, token: i64) -> String {
    let Change {
        migration, state, ..
    } = change;
    let failure = change.failure;
    let failure = failure.and_then(|failure| serde_json::to_string(failure).ok());
    let id = literal(&migration.id);
    let mut out = format!(
        "INSERT INTO spots_migrate.migration AS old
             (id, position, title, phase, checksum, state, failure, changed_at, token)
         VALUES ({id}, nextval('spots_migrate.position'),
             {}, {}, {}, {}, {}, clock_timestamp(), {})
         ON CONFLICT (id) DO UPDATE SET
             position = CASE WHEN excluded.state IN ('running', 'applied')
                 AND old.state <> 'running' THEN excluded.position ELSE old.position END,
             title = excluded.title, phase = excluded.phase, checksum = excluded.checksum,
             state = excluded.state, failure = excluded.failure,
             changed_at = excluded.changed_at, token = excluded.token;\n",
        literal(&migration.title),
        nullable(migration.phase.as_deref()),
        literal(&migration.checksum(Dialect::Postgres)),
        literal(state.as_str()),
        nullable(failure.as_deref()),
        fence(token),
    );
    if matches!(state, State::Applied | State::RolledBack) {
        out.push_str("DELETE FROM spots_migrate.step WHERE migration = ");
        out.push_str(&id);
        out.push_str(";\n");
    }
    out
}

/// An expression that is NULL, where a column takes none, unless `token` is the lock's.
///
/// The row's share lock makes a run that takes over wait until this one's commit is through.
pub(super) fn fence(token: i64) -> String {
    format!("(SELECT token FROM spots_migrate.lock WHERE token = {token} FOR SHARE)")
}

fn nullable(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), literal)
}

/// A string literal whose meaning no setting changes.
pub(super) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
