//! Rehearsal on a scratch PostgreSQL database.

use std::collections::BTreeSet;

use tokio_postgres::Client;

use super::target::Postgres;
use super::{Backfills, catalogue, script, snapshot};
use crate::rehearse::generate::{Kind, Table};
use crate::rehearse::{InOrder, Rehearsal, RehearseOptions, Scratch, Snapshot, differences, frame};
use crate::{ApplyError, MigrationSet, Source};

/// What all databases of a server share. Other scratch databases come and go meanwhile.
const SHARED: &str = "
SELECT format('role %s %s %s %s %s %s', rolname, rolsuper, rolcreaterole, rolcreatedb, rolcanlogin,
    rolbypassrls) FROM pg_roles
UNION ALL SELECT format('membership of %s in %s', member::regrole, roleid::regrole)
    FROM pg_auth_members
UNION ALL SELECT 'database ' || datname FROM pg_database WHERE datname NOT LIKE 'spots\\_scratch\\_%'
UNION ALL SELECT 'tablespace ' || spcname FROM pg_tablespace
UNION ALL SELECT format('setting %s %s %s', setdatabase, setrole, setconfig) FROM pg_db_role_setting";

/// Locks of this session on tables, as mode and table.
const LOCKS: &str = "
SELECT DISTINCT l.mode, CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = pg_backend_pid() AND l.granted AND c.relkind IN ('r', 'p', 'm')
    AND l.mode <> 'AccessShareLock'";

/// Rehearses what is pending on the scratch database behind `scratch`: up, down and up again.
///
/// The caller makes the scratch database, as a copy (`CREATE DATABASE … TEMPLATE …`) or empty, and
/// drops it afterwards; what the whole server shares is compared before and after.
///
/// # Errors
/// Whatever keeps the scratch database from being read; a migration that fails is a problem in the
/// rehearsal, not an error.
pub async fn rehearse(
    scratch: &mut Client,
    set: &MigrationSet,
    backfills: &Backfills,
) -> Result<Rehearsal, ApplyError> {
    rehearse_with(scratch, set, backfills, &RehearseOptions::default()).await
}

/// Like [`rehearse`], with made or sanitised rows.
///
/// # Errors
/// As [`rehearse`].
pub async fn rehearse_with(
    scratch: &mut Client,
    set: &MigrationSet,
    backfills: &Backfills,
    options: &RehearseOptions,
) -> Result<Rehearsal, ApplyError> {
    // Nothing here outlives the rehearsal: no commit waits for the disk.
    scratch
        .batch_execute("SET synchronous_commit = off")
        .await
        .map_err(ApplyError::database("use the scratch database"))?;
    frame::rehearse(&mut Postgres::new(scratch), set, backfills, options).await
}

/// One checksum over the schema and the rows of a database: whether anything reached it.
pub async fn fingerprint(client: &Client) -> Result<String, ApplyError> {
    let snapshot = snapshot::take(client).await?;
    let rows = snapshot.tables.iter();
    let rows =
        rows.flat_map(|(table, (count, hash))| [table.clone(), count.to_string(), hash.clone()]);
    let all = snapshot.schema.iter().cloned().chain(rows);
    Ok(crate::set::digest(
        all.collect::<Vec<_>>().iter().map(String::as_str),
    ))
}

/// What the first database has and the second lacks, or the other way round.
pub(super) async fn compare(wanted: &Client, found: &Client) -> Result<Vec<String>, ApplyError> {
    let (wanted, found) = (
        snapshot::schema(wanted).await?,
        snapshot::schema(found).await?,
    );
    Ok(differences(&wanted, &found).collect())
}

/// Adds the locks on tables that the session holds.
pub(super) async fn note_locks(
    client: &Client,
    held: &std::sync::Mutex<BTreeSet<(String, String)>>,
) -> Result<(), tokio_postgres::Error> {
    let rows = script::rows(client, LOCKS).await?.into_iter();
    let rows = rows.filter_map(|row| match <[Option<String>; 2]>::try_from(row) {
        Ok([Some(mode), Some(table)]) => Some((table, mode)),
        _ => None,
    });
    let mut held = held
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    held.extend(rows);
    Ok(())
}

impl Scratch for Postgres<'_> {
    async fn snapshot(&self) -> Result<Snapshot, ApplyError> {
        snapshot::take(self.client).await
    }

    async fn clock(&self) -> Result<f64, ApplyError> {
        self.client
            .query_one("SELECT extract(epoch FROM clock_timestamp())::float8", &[])
            .await
            .and_then(|row| row.try_get(0))
            .map_err(ApplyError::database("read the database's clock"))
    }

    async fn surroundings(&self) -> Result<BTreeSet<String>, ApplyError> {
        self.client
            .query(SHARED, &[])
            .await
            .and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect())
            .map_err(ApplyError::database("read what the server shares"))
    }

    async fn in_order(&mut self, scripts: &[&Source]) -> Result<InOrder, ApplyError> {
        let what = "try two migrations in both orders";
        let client = &*self.client;
        client
            .batch_execute("BEGIN")
            .await
            .map_err(ApplyError::database(what))?;
        let mut done = Ok(BTreeSet::new());
        for source in scripts {
            if let Err(error) = client.batch_execute(source.text()).await {
                done = Err(frame::failed(source, &script::reason(&error)));
                break;
            }
        }
        if done.is_ok() {
            done = Ok(snapshot::schema(client).await?);
        }
        client
            .batch_execute("ROLLBACK;RESET ALL;SET synchronous_commit = off")
            .await
            .map_err(ApplyError::database(what))?;
        Ok(done)
    }

    async fn tables(&self) -> Result<Vec<Table>, ApplyError> {
        catalogue::tables(self.client)
            .await
            .map_err(ApplyError::database(
                "read the tables of the scratch database",
            ))
    }

    async fn attempt(&mut self, statement: &str) -> Result<bool, ApplyError> {
        match self.client.batch_execute(statement).await {
            Ok(()) => Ok(true),
            Err(error) if error.as_db_error().is_some() => Ok(false),
            Err(error) => Err(ApplyError::database("fill the scratch database")(error)),
        }
    }

    fn watch(&mut self) {
        self.locks = Some(std::sync::Mutex::default());
    }

    fn watched(&mut self, before: &Snapshot) -> BTreeSet<String> {
        let held = self.locks.take().map(std::sync::Mutex::into_inner);
        let held = held.map(|held| held.unwrap_or_else(std::sync::PoisonError::into_inner));
        let held = held.into_iter().flatten();
        held.filter(|(table, _)| before.has(table))
            .map(|(table, mode)| format!("{mode} on {table}"))
            .collect()
    }

    fn as_literal(column: &str) -> String {
        format!("quote_nullable({column})")
    }

    fn bytes(hex: &str) -> String {
        format!("'\\x{hex}'")
    }

    fn replaced(column: &str, kind: &Kind, unique: bool) -> String {
        let hash = format!("md5(gen_random_uuid()::text || {column}::text)");
        match kind {
            Kind::Bytes => format!(
                "decode(left(repeat({hash}, octet_length({column}) / 16 + 1), 2 * octet_length({column})), 'hex')"
            ),
            Kind::Json => "'{}'".to_owned(),
            Kind::Day => format!("{column} + (random() * 2000)::int - 1000"),
            _ if unique => hash,
            _ => format!("left(repeat({hash}, length({column}) / 32 + 1), length({column}))"),
        }
    }
}
