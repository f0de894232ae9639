//! Rehearsal on a scratch PostgreSQL database.

use std::collections::BTreeSet;

use tokio_postgres::Client;

use super::{Backfills, apply, roll_back, status};
use crate::rehearse::{
    Rehearsal, RehearsedStep, Snapshot, changed, differences, has_way_back, problems_again,
    problems_down, problems_up,
};
use crate::{ApplyError, Dialect, Migration, MigrationSet, RollBack, Run, Silent};

/// Definitions of everything but the engine's own, from the catalogue.
const SCHEMA: &str = "
SELECT format('column %s.%s.%s %s %s %s', table_schema, table_name, column_name,
    format_type(a.atttypid, a.atttypmod), is_nullable, coalesce(column_default, ''))
  FROM information_schema.columns c
  JOIN pg_attribute a ON a.attrelid = format('%I.%I', table_schema, table_name)::regclass
    AND a.attname = column_name
  WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'spots_migrate')
UNION ALL SELECT 'index ' || indexdef FROM pg_indexes
  WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'spots_migrate')
UNION ALL SELECT format('constraint %s on %s: %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
  FROM pg_constraint WHERE connamespace::regnamespace::text
    NOT IN ('pg_catalog', 'information_schema', 'spots_migrate')
UNION ALL SELECT format('policy %s on %s.%s: %s %s %s', policyname, schemaname, tablename, cmd, qual, with_check)
  FROM pg_policies
UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function ' || pg_get_functiondef(oid) FROM pg_proc
  WHERE prokind IN ('f', 'p') AND pronamespace::regnamespace::text
    NOT IN ('pg_catalog', 'information_schema', 'spots_migrate')
UNION ALL SELECT format('view %s.%s: %s', schemaname, viewname, definition) FROM pg_views
  WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'spots_migrate')
UNION ALL SELECT format('enum %s: %s', enumtypid::regtype, string_agg(enumlabel, ',' ORDER BY enumsortorder))
  FROM pg_enum GROUP BY enumtypid
UNION ALL SELECT format('relation %s.%s %s security %s', n.nspname, relname, relkind, relrowsecurity)
  FROM pg_class r JOIN pg_namespace n ON n.oid = relnamespace
  WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'spots_migrate', 'pg_toast')";

/// Rehearses what is pending on the scratch database behind `scratch`: up, down and up again.
///
/// The caller makes the scratch database, as a copy (`CREATE DATABASE … TEMPLATE …`) or empty, and
/// drops it afterwards; nothing here knows of any other.
///
/// # Errors
/// Whatever keeps the scratch database from being read; a migration that fails is a problem in the
/// rehearsal, not an error.
pub async fn rehearse(
    scratch: &mut Client,
    set: &MigrationSet,
    backfills: &Backfills,
) -> Result<Rehearsal, ApplyError> {
    let mut rehearsal = Rehearsal::default();
    let done = status(scratch)
        .await?
        .into_iter()
        .filter(|record| record.state == crate::State::Applied)
        .map(|record| record.id)
        .collect::<BTreeSet<_>>();
    for migration in set
        .migrations()
        .iter()
        .filter(|one| !done.contains(&one.id))
    {
        match one(scratch, set, backfills, migration, &mut rehearsal).await {
            Ok(step) => rehearsal.steps.push(step),
            Err(error) => {
                rehearsal.problems.push(error.to_string());
                break;
            }
        }
    }
    Ok(rehearsal)
}

async fn one(
    scratch: &mut Client,
    set: &MigrationSet,
    backfills: &Backfills,
    migration: &Migration,
    rehearsal: &mut Rehearsal,
) -> Result<RehearsedStep, ApplyError> {
    let before = snapshot(scratch).await?;
    let started = clock(scratch).await?;
    to(scratch, set, backfills, migration).await?;
    let up_seconds = clock(scratch).await? - started;
    let up = snapshot(scratch).await?;
    let mut step = RehearsedStep {
        id: migration.id.clone(),
        up_seconds,
        down_seconds: None,
        changed: changed(&before, &up),
    };
    rehearsal
        .problems
        .extend(problems_up(migration, Dialect::Postgres, &before, &up));
    if has_way_back(migration, Dialect::Postgres) {
        let started = clock(scratch).await?;
        let mut silent = Silent;
        let mut run = Run::by("rehearsal", &mut silent).accept_data_loss([migration.id.clone()]);
        let target = RollBack::Id(migration.id.clone());
        roll_back(scratch, set, backfills, &target, &mut run).await?;
        step.down_seconds = Some(clock(scratch).await? - started);
        let down = snapshot(scratch).await?;
        // Said before the second way up, which may fail for the same reason.
        rehearsal
            .problems
            .extend(problems_down(migration, Dialect::Postgres, &before, &down));
        to(scratch, set, backfills, migration).await?;
        let again = snapshot(scratch).await?;
        rehearsal
            .problems
            .extend(problems_again(migration, &up, &again));
    }
    Ok(step)
}

async fn to(
    scratch: &mut Client,
    set: &MigrationSet,
    backfills: &Backfills,
    migration: &Migration,
) -> Result<(), ApplyError> {
    let mut silent = Silent;
    let mut run = Run::by("rehearsal", &mut silent).to(&migration.id);
    apply(scratch, set, backfills, &mut run).await.map(drop)
}

/// What the first database has and the second lacks, or the other way round.
pub(super) async fn compare(wanted: &Client, found: &Client) -> Result<Vec<String>, ApplyError> {
    let (wanted, found) = (snapshot(wanted).await?, snapshot(found).await?);
    Ok(differences(&wanted.schema, &found.schema).collect())
}

async fn clock(client: &Client) -> Result<f64, ApplyError> {
    client
        .query_one("SELECT extract(epoch FROM clock_timestamp())::float8", &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(ApplyError::database("read the database's clock"))
}

/// Schema and contents, without the engine's own.
async fn snapshot(client: &Client) -> Result<Snapshot, ApplyError> {
    let what = "read the schema of the scratch database";
    let rows = client
        .query(SCHEMA, &[])
        .await
        .map_err(ApplyError::database(what))?;
    let schema = rows
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<BTreeSet<String>, _>>()
        .map_err(ApplyError::database(what))?;
    let tables = client
        .query(
            "SELECT schemaname, tablename, format('%I.%I', schemaname, tablename) FROM pg_tables
             WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'spots_migrate')",
            &[],
        )
        .await
        .map_err(ApplyError::database(what))?;
    let mut out = Snapshot {
        schema,
        ..Snapshot::default()
    };
    for row in tables {
        let (schema, table, name) = (
            row.get::<_, String>(0),
            row.get::<_, String>(1),
            row.get::<_, String>(2),
        );
        // The sum of the rows' hashes does not depend on their order.
        let query = format!(
            "SELECT count(*), coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint), 0)::text FROM {name} t"
        );
        let row = client
            .query_one(&query, &[])
            .await
            .map_err(ApplyError::database(
                "read the rows of the scratch database",
            ))?;
        let shown = if schema == "public" {
            table
        } else {
            format!("{schema}.{table}")
        };
        let count = row.get::<_, i64>(0).unsigned_abs();
        out.tables.insert(shown, (count, row.get(1)));
    }
    Ok(out)
}
