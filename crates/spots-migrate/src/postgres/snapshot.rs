//! What a PostgreSQL database looks like at one moment.

use std::collections::BTreeSet;

use tokio_postgres::Client;

use crate::ApplyError;
use crate::rehearse::Snapshot;

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
    AND tgrelid NOT IN (SELECT oid FROM pg_class WHERE relnamespace::regnamespace::text = 'spots_migrate')
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

/// Definitions of everything, one a line.
pub(super) async fn schema(client: &Client) -> Result<BTreeSet<String>, ApplyError> {
    client
        .query(SCHEMA, &[])
        .await
        .and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect())
        .map_err(ApplyError::database(
            "read the schema of the scratch database",
        ))
}

/// Schema and contents, without the engine's own.
pub(super) async fn take(client: &Client) -> Result<Snapshot, ApplyError> {
    let what = "read the schema of the scratch database";
    let schema = schema(client).await?;
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
