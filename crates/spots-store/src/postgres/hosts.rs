//! Hosts and what they ask.

use spots_booking::{EventType, HostId, Refusal, Requirements};
use spots_privacy::UserId;
use spots_privacy::consent::sha256;
use tokio::try_join;
use tokio_postgres::Row;

use super::PostgresStore;
use super::columns::{Columns, integer};
use super::session::{Fault, Session, Work, statements};
use crate::model::{HOSTS_MAX, Host, RequirementsRecord};
use crate::rows::{rules_from_column, rules_to_column};

statements! {
    COUNT(TEXT) = "SELECT count(*) FROM host_members WHERE user_id = $1";
    ADD(TEXT, TEXT, TEXT) = "INSERT INTO hosts (host_id, kind, name) VALUES ($1, $2, $3)";
    ADD_MEMBER(TEXT, TEXT) = "INSERT INTO host_members (host_id, user_id) VALUES ($1, $2)";
    LOOKUP(TEXT) = "SELECT host_id, kind, name FROM hosts WHERE host_id = $1";
    LIST_OF(TEXT) =
        "SELECT h.host_id, h.kind, h.name FROM host_members m
         JOIN hosts h ON h.host_id = m.host_id
         WHERE m.user_id = $1 ORDER BY h.name COLLATE \"C\", h.host_id COLLATE \"C\"";
    LOOKUP_REQUIREMENTS(TEXT, TEXT, INT4) =
        "SELECT version, hash, body FROM requirements
         WHERE host_id = $1 AND event_type = $2 AND ($3 IS NULL OR version = $3)
         ORDER BY version DESC LIMIT 1";
    ADD_REQUIREMENTS(TEXT, TEXT, INT4, BYTEA, TEXT) =
        "INSERT INTO requirements (host_id, event_type, version, hash, body)
         VALUES ($1, $2, $3, $4, $5)";
}

/// Adds a host with its first member.
pub(super) struct Add {
    pub(super) host: Host,
    pub(super) member: String,
}

impl Work for Add {
    type Answer = ();

    async fn work(&self, session: &Session) -> Result<(), Fault> {
        let ((), held) = try_join!(
            biased;
            session.begin(),
            session.row(&COUNT, [&self.member]),
        )?;
        let held: i64 = held.map_or(Ok(0), |row| row.try_get(0))?;
        if held >= i64::from(HOSTS_MAX) {
            let most = u64::from(HOSTS_MAX);
            return Err(Refusal::Limit {
                what: "hosts of one person",
                most,
            }
            .into());
        }
        let (id, kind) = (self.host.id.to_string(), self.host.kind.as_str());
        try_join!(
            biased;
            session.run(&ADD, [&id, &kind, &self.host.name]),
            session.run(&ADD_MEMBER, [&id, &self.member]),
            session.commit(),
        )?;
        Ok(())
    }
}

pub(super) async fn lookup(store: &PostgresStore, host: HostId) -> Result<Option<Host>, Fault> {
    let row = store.public_row(&LOOKUP, [&host.to_string()]).await?;
    row.map(|row| Columns::of(&row).host()).transpose()
}

pub(super) async fn list_of(store: &PostgresStore, user: &UserId) -> Result<Vec<Host>, Fault> {
    let rows = store.rows(&LIST_OF, [&user.reveal()]).await?;
    rows.iter().map(|row| Columns::of(row).host()).collect()
}

pub(super) async fn lookup_requirements(
    store: &PostgresStore,
    host: HostId,
    event_type: EventType,
    version: Option<u32>,
) -> Result<Option<RequirementsRecord>, Fault> {
    let Ok(version) = version.map(i32::try_from).transpose() else {
        return Ok(None);
    };
    let key: (String, &str) = (host.to_string(), event_type.as_str());
    let row = store
        .public_row(&LOOKUP_REQUIREMENTS, [&key.0, &key.1, &version])
        .await?;
    row.map(|row| from_row(event_type, &row)).transpose()
}

pub(super) async fn current_requirements(
    store: &PostgresStore,
    host: HostId,
    event_type: EventType,
) -> Result<RequirementsRecord, Fault> {
    let current = lookup_requirements(store, host, event_type, None).await?;
    Ok(current.unwrap_or_else(|| hashed(Requirements::none(event_type))))
}

/// Stores the next version of what a host asks.
pub(super) struct UpdateRequirements {
    pub(super) host: HostId,
    pub(super) wanted: Requirements,
}

impl Work for UpdateRequirements {
    type Answer = RequirementsRecord;

    async fn work(&self, session: &Session) -> Result<RequirementsRecord, Fault> {
        let event_type = self.wanted.event_type();
        let (host, kind) = (self.host.to_string(), event_type.as_str());
        let current: Option<i32> = None;
        let ((), row) = try_join!(
            biased;
            session.begin(),
            session.row(&LOOKUP_REQUIREMENTS, [&host, &kind, &current]),
        )?;
        let current = match row {
            Some(row) => from_row(event_type, &row)?,
            None => hashed(Requirements::none(event_type)),
        };
        if current.requirements.asks_the_same_as(&self.wanted) {
            return Ok(current);
        }
        let version = current.requirements.version() + 1;
        let rules = self.wanted.rules().to_vec();
        let next = hashed(Requirements::declare(event_type, version, rules)?);
        let version = integer(version, "requirements.version")?;
        let (hash, body) = (next.hash.as_slice(), rules_to_column(&next.requirements));
        try_join!(
            biased;
            session.run(
                &ADD_REQUIREMENTS,
                [&host, &kind, &version, &hash, &body],
            ),
            session.commit(),
        )?;
        Ok(next)
    }
}

fn from_row(event_type: EventType, row: &Row) -> Result<RequirementsRecord, Fault> {
    let mut columns = Columns::of(row);
    let version = columns.count("requirements.version")?;
    let hash = columns.array("requirements.hash")?;
    let requirements = rules_from_column(event_type, version, columns.take()?)?;
    Ok(RequirementsRecord { requirements, hash })
}

fn hashed(requirements: Requirements) -> RequirementsRecord {
    RequirementsRecord {
        hash: sha256(requirements.canonical().as_bytes()),
        requirements,
    }
}
