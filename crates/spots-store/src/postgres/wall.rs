//! The wall inside PostgreSQL: who may read which column of which rows.
//!
//! The **platform** owns the tables; every table forces row security on its owner too, and has one
//! policy, the owner's. Whoever else is given a table by mistake sees no row of it. The **host**
//! and the **attendee** role are login roles, members of no other, with the columns that are listed
//! here and the rows of the host or agent that the transaction names; without a name a read is an
//! error. `spots migrate roles` makes them.
//!
//! A host's wrapped keys do not come through the host role. The list of guests does; then one
//! operation of the platform's own, whose text holds no word of a host, checks the grants, records
//! the opening and returns the keys. A function that runs with its owner's rights would have been
//! the other way; but injected SQL could call it for another host.

use std::fmt::{self, Write as _};

use spots_migrate::quoted;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::session::{Session, statements};
use super::transit::PostgresAddress;
use crate::error::StoreError;
use crate::schema;

/// One process at a time changes the wall.
const LOCK: i64 = 0x5350_4f54_5357;
/// Comes with every change of [`FUNCTIONS`].
const VERSION: &str = "1";
const FUNCTIONS: &str = "
CREATE SCHEMA IF NOT EXISTS spots_wall;
GRANT USAGE ON SCHEMA spots_wall TO PUBLIC;
CREATE OR REPLACE FUNCTION spots_wall.current_host() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE named text := current_setting('spots.host', true);
BEGIN
    IF named IS NULL OR named = '' THEN
        RAISE EXCEPTION 'no host is set' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN named;
END $$;
CREATE OR REPLACE FUNCTION spots_wall.current_agent() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE named text := current_setting('spots.agent', true);
BEGIN
    IF named IS NULL OR named = '' THEN
        RAISE EXCEPTION 'no agent is set' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN named;
END $$;
-- When a booking was cancelled is an exact time; a host learns only whether it was.
CREATE OR REPLACE FUNCTION spots_wall.is_cancelled(booking text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
    SELECT cancelled_at_ns IS NOT NULL FROM reservations
    WHERE host_id = spots_wall.current_host() AND booking_id = $1
$$;
COMMENT ON SCHEMA spots_wall IS '{version}';
";

/// What one role reads of one table.
struct Part {
    table: &'static str,
    columns: &'static str,
    /// Which rows, as a condition of row security.
    rows: &'static str,
}

const fn part(table: &'static str, columns: &'static str, rows: &'static str) -> Part {
    Part {
        table,
        columns,
        rows,
    }
}

const EVERY: &str = "true";
const OF_HOST: &str = "host_id = (SELECT spots_wall.current_host())";
const OF_AGENT: &str = "agent_id = (SELECT spots_wall.current_agent())";
/// Row security on the shares themselves leaves those of the agent.
const OF_SHARE: &str = "EXISTS (SELECT 1 FROM reservation_user_data d
     WHERE d.host_id = {table}.host_id AND d.share_id = {table}.share_id)";
/// Openings of the events that the agent booked. Whom an opening showed is not in the row.
const OF_EVENT: &str = "(host_id, event_id) IN (SELECT r.host_id, r.event_id FROM reservations r)";

/// What everybody may see of the offer.
const OFFER: [Part; 5] = [
    part("hosts", "host_id, kind, name", EVERY),
    part(
        "requirements",
        "host_id, event_type, version, hash, body",
        EVERY,
    ),
    part(
        "events",
        "host_id, event_id, event_type, title, description, place, time_zone, schedule, capacity,
         party_max, called_off, last_end",
        EVERY,
    ),
    part(
        "event_slots",
        "host_id, event_id, starts_at, ends_at",
        EVERY,
    ),
    part(
        "capacity_pools",
        "host_id, event_id, starts_at, pool, capacity, taken, next_position",
        EVERY,
    ),
];
/// What a host reads of its guests: no agent, no exact time.
const GUESTS: [Part; 2] = [
    part("guests", "host_id, guest_id, code", OF_HOST),
    part(
        "reservations",
        "host_id, booking_id, event_id, event_type, starts_at, ends_at, guest_id, party, position",
        OF_HOST,
    ),
];
/// What a person reads of their own.
const OWN: [Part; 9] = [
    part("agent_bookings", "*", OF_AGENT),
    part("reservations", "*", OF_AGENT),
    part("guests", "*", OF_AGENT),
    part("reservation_user_data", "*", OF_AGENT),
    part("reservation_user_data_fields", "*", OF_SHARE),
    part("share_keys", "*", OF_SHARE),
    part("destroyed_keys", "*", OF_SHARE),
    part("openings", "*", OF_EVENT),
    part("opened_shares", "*", OF_SHARE),
];

statements! {
    SET_HOST(TEXT) = "SELECT set_config('spots.host', $1, true)";
    SET_AGENT(TEXT) = "SELECT set_config('spots.agent', $1, true)";
    LOCK_WALL(INT8) = "SELECT pg_advisory_xact_lock($1)";
    STANDS(TEXT) =
        "SELECT coalesce(obj_description(to_regnamespace('spots_wall'), 'pg_namespace') = $1, false)";
    /// Tables of the platform that this role may change and that are not guarded yet.
    UNGUARDED(TEXT_ARRAY) =
        "SELECT quote_ident(c.relname), quote_ident(pg_get_userbyid(c.relowner)) FROM pg_class c
         WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema()))
           AND c.relkind IN ('r', 'p') AND c.relname = ANY($1)
           AND pg_has_role(c.relowner, 'USAGE')
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
               SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'platform'))
         ORDER BY c.relname";
    SCHEMA() = "SELECT quote_ident(current_schema()), quote_ident(current_database())";
    /// Whether this role may do more than it should, and whether it may do what it must.
    STANDING(TEXT_ARRAY, TEXT, TEXT) =
        "SELECT r.rolname::text,
                r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication
                OR EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid)
                OR EXISTS (SELECT 1 FROM unnest($1) AS n (name)
                           WHERE has_any_column_privilege(to_regclass(n.name), 'SELECT')),
                has_column_privilege(to_regclass($2), $3, 'SELECT')
         FROM pg_roles r WHERE r.rolname = current_user";
}

/// Says which host reads, until the transaction ends.
pub(super) async fn name_host(session: &Session, host: &str) -> Result<(), tokio_postgres::Error> {
    session.run(&SET_HOST, [&host]).await
}

/// Says which agent reads, until the transaction ends.
pub(super) async fn name_agent(
    session: &Session,
    agent: &str,
) -> Result<(), tokio_postgres::Error> {
    session.run(&SET_AGENT, [&agent]).await
}

/// Raises what of the wall does not stand yet. A role that does not own the tables leaves them.
pub(super) async fn raise(client: &mut Client) -> Result<(), tokio_postgres::Error> {
    let tables: Vec<_> = schema::tables().into_iter().collect();
    let stands = client.query_typed(
        STANDS.text,
        &[(&VERSION, tokio_postgres::types::Type::TEXT)],
    );
    let stands: bool = stands.await?.first().is_some_and(|row| row.get(0));
    let names = [(&tables as _, tokio_postgres::types::Type::TEXT_ARRAY)];
    if stands && client.query_typed(UNGUARDED.text, &names).await?.is_empty() {
        return Ok(());
    }
    let change = client.transaction().await?;
    let lock = [(&LOCK as _, tokio_postgres::types::Type::INT8)];
    change.query_typed(LOCK_WALL.text, &lock).await?;
    let unguarded = change.query_typed(UNGUARDED.text, &names).await?;
    if unguarded.is_empty() && !stands {
        tracing::debug!("another process raised the wall, or another role owns the tables");
    }
    for row in &unguarded {
        let (table, owner): (&str, &str) = (row.get(0), row.get(1));
        change
            .batch_execute(&format!(
                "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
                 ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
                 DROP POLICY IF EXISTS platform ON {table};
                 CREATE POLICY platform ON {table} TO {owner} USING (true) WITH CHECK (true);"
            ))
            .await?;
    }
    if !stands {
        let row = change.query_typed(SCHEMA.text, &[]).await?;
        let schema: &str = row.first().map_or("public", |row| row.get(0));
        let functions = FUNCTIONS
            .replace("{schema}", schema)
            .replace("{version}", VERSION);
        change.batch_execute(&functions).await?;
    }
    change.commit().await
}

/// The login roles besides the one that owns the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles {
    /// What hosts' and visitors' reads log in as.
    pub host: String,
    /// What people's reads of their own log in as.
    pub attendee: String,
}

impl Default for Roles {
    fn default() -> Self {
        Self {
            host: "spots_host".to_owned(),
            attendee: "spots_attendee".to_owned(),
        }
    }
}

impl Roles {
    /// Makes the roles where they are missing and gives each exactly what is listed. They have no
    /// password yet. The schema must be up to date.
    pub async fn set_up(&self, address: &PostgresAddress) -> Result<(), StoreError> {
        let mut client = address.connect().await?;
        let failed = |cause| StoreError::failed("set up the database's roles", cause);
        raise(&mut client).await.map_err(failed)?;
        let names = client.query_typed(SCHEMA.text, &[]).await.map_err(failed)?;
        let (schema, database) = names
            .first()
            .map_or(("public", "spots"), |row| (row.get(0), row.get(1)));
        let script = self.script(schema, database);
        let change = client.transaction().await.map_err(failed)?;
        change.batch_execute(&script).await.map_err(failed)?;
        change.commit().await.map_err(failed)
    }

    /// The statements, for whoever reads them first or runs them as somebody else. `schema` and
    /// `database` are quoted names.
    pub fn script(&self, schema: &str, database: &str) -> String {
        let mut script = String::new();
        let host = OFFER.iter().chain(&GUESTS);
        let attendee = OFFER.iter().chain(&OWN);
        push_role(&mut script, ("host", &self.host), schema, host);
        push_role(&mut script, ("attendee", &self.attendee), schema, attendee);
        push(
            &mut script,
            format_args!(
                "-- Whoever may make temporary objects can make functions.
DO $$ BEGIN
    REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM PUBLIC;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'not the owner of the database: anybody may still make temporary objects';
END $$;\n"
            ),
        );
        script
    }
}

fn push_role<'a>(
    script: &mut String,
    (path, role): (&str, &str),
    schema: &str,
    parts: impl Iterator<Item = &'a Part>,
) {
    let (name, text) = (quoted(role), role.replace('\'', "''"));
    push(
        script,
        format_args!(
            "DO $$ BEGIN
    CREATE ROLE {name} LOGIN NOINHERIT;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname = '{text}' AND (
                   r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb
                   OR r.rolreplication OR EXISTS (
                       SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid))) THEN
        RAISE EXCEPTION 'role {text} is a member of another or may do more than log in'
            USING HINT = 'name a role of its own';
    END IF;
END $$;
ALTER ROLE {name} SET default_transaction_read_only = on;
ALTER ROLE {name} SET statement_timeout = '30s';
REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {name};
GRANT USAGE ON SCHEMA {schema} TO {name};\n"
        ),
    );
    for part in parts {
        let table = part.table;
        let rows = part.rows.replace("{table}", table);
        let columns = match part.columns {
            "*" => String::new(),
            some => format!(" ({some})"),
        };
        push(
            script,
            format_args!(
                "GRANT SELECT{columns} ON {schema}.{table} TO {name};
DROP POLICY IF EXISTS {path} ON {schema}.{table};
CREATE POLICY {path} ON {schema}.{table} FOR SELECT TO {name} USING ({rows});\n"
            ),
        );
    }
}

fn push(script: &mut String, text: fmt::Arguments<'_>) {
    script.write_fmt(text).expect("a string takes all text");
}

/// Which of the roles a connection should be.
#[derive(Clone, Copy)]
pub(super) enum Path {
    Host,
    Attendee,
}

/// A role that does not stand where it should.
#[derive(Debug, thiserror::Error)]
enum Misplaced {
    #[error(
        "role {0} may do more than its path needs; name a role that `spots migrate roles` made"
    )]
    TooMuch(String),
    #[error("role {0} may not read what its path needs; run: spots migrate roles")]
    TooLittle(String),
    #[error("the database does not tell who this is")]
    Unknown,
}

/// Checks that this connection can do what its path needs and no more.
pub(super) async fn check(client: &Client, path: Path) -> Result<(), StoreError> {
    const DOING: &str = "check a role of the database";
    let all = [
        "user_agent_mappings",
        "user_keys",
        "user_credentials",
        "user_profiles",
        "sessions",
        "email_confirmations",
        "member_list_entries",
    ];
    let (hidden, (table, column)) = match path {
        Path::Host => (
            [all.as_slice(), &["share_keys", "agents", "agent_bookings"]].concat(),
            ("guests", "code"),
        ),
        Path::Attendee => (all.to_vec(), ("agent_bookings", "agent_id")),
    };
    let values: [&(dyn ToSql + Sync); 3] = [&hidden, &table, &column];
    let types = STANDING.types.iter().cloned();
    let params: Vec<_> = values.into_iter().zip(types).collect();
    let rows = client.query_typed(STANDING.text, &params).await;
    let rows = rows.map_err(|cause| StoreError::failed(DOING, cause))?;
    let row = rows
        .first()
        .ok_or_else(|| StoreError::failed(DOING, Misplaced::Unknown))?;
    let (role, more, enough): (String, Option<bool>, Option<bool>) =
        (row.get(0), row.get(1), row.get(2));
    match (more.unwrap_or(true), enough.unwrap_or(false)) {
        (true, _) => Err(StoreError::failed(DOING, Misplaced::TooMuch(role))),
        (false, false) => Err(StoreError::failed(DOING, Misplaced::TooLittle(role))),
        (false, true) => Ok(()),
    }
}
