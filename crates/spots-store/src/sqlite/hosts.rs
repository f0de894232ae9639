//! Hosts and what they ask.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use spots_booking::{EventType, HostId, Refusal, Requirements};
use spots_privacy::consent::sha256;

use super::Fault;
use crate::model::{HOSTS_MAX, Host, RequirementsRecord};
use crate::rows::{Inconsistent, array, count, parse, rules_from_column, rules_to_column};

pub(super) fn add(db: &Connection, host: &Host, member: &str) -> Result<(), Fault> {
    let held: u32 = db
        .prepare_cached("SELECT count(*) FROM host_members WHERE user_id = ?1")?
        .query_row([member], |row| row.get(0))?;
    if held >= HOSTS_MAX {
        return Err(Refusal::Limit {
            what: "hosts of one person",
            most: u64::from(HOSTS_MAX),
        }
        .into());
    }
    let id = host.id.to_string();
    db.prepare_cached("INSERT INTO hosts (host_id, kind, name) VALUES (?1, ?2, ?3)")?
        .execute([&id, host.kind.as_str(), &host.name])?;
    db.prepare_cached("INSERT INTO host_members (host_id, user_id) VALUES (?1, ?2)")?
        .execute([&id, member])?;
    Ok(())
}

pub(super) fn lookup(db: &Connection, host: HostId) -> Result<Option<Host>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT host_id, kind, name FROM hosts WHERE host_id = ?1")?;
    let mut rows = statement.query([host.to_string()])?;
    match rows.next()? {
        Some(row) => Ok(Some(from_row(row, 0)?)),
        None => Ok(None),
    }
}

pub(super) fn list_of(db: &Connection, user: &str) -> Result<Vec<Host>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT h.host_id, h.kind, h.name FROM host_members m
         JOIN hosts h ON h.host_id = m.host_id
         WHERE m.user_id = ?1 ORDER BY h.name, h.host_id",
    )?;
    let mut rows = statement.query([user])?;
    let mut hosts = Vec::new();
    while let Some(row) = rows.next()? {
        hosts.push(from_row(row, 0)?);
    }
    Ok(hosts)
}

/// Reads `host_id, kind, name` from this column on.
pub(super) fn from_row(row: &Row<'_>, first: usize) -> Result<Host, Fault> {
    Ok(Host {
        id: parse(&row.get::<_, String>(first)?, "hosts.host_id")?,
        kind: parse(&row.get::<_, String>(first + 1)?, "hosts.kind")?,
        name: row.get(first + 2)?,
    })
}

pub(super) fn lookup_requirements(
    db: &Connection,
    host: HostId,
    event_type: EventType,
    version: Option<u32>,
) -> Result<Option<RequirementsRecord>, Fault> {
    let row = db
        .prepare_cached(
            "SELECT version, hash, body FROM requirements
             WHERE host_id = ?1 AND event_type = ?2 AND (?3 IS NULL OR version = ?3)
             ORDER BY version DESC LIMIT 1",
        )?
        .query_row(
            params![host.to_string(), event_type.as_str(), version],
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, Vec<u8>>(1)?,
                    row.get::<_, String>(2)?,
                ))
            },
        )
        .optional()?;
    row.map(|(version, hash, body)| {
        let version = count(version, "requirements.version")?;
        Ok(RequirementsRecord {
            requirements: rules_from_column(event_type, version, &body)?,
            hash: array(hash, "requirements.hash")?,
        })
    })
    .transpose()
    .map_err(|cause: Inconsistent| cause.into())
}

/// What a host asks now, also if it never asked for anything.
pub(super) fn current_requirements(
    db: &Connection,
    host: HostId,
    event_type: EventType,
) -> Result<RequirementsRecord, Fault> {
    Ok(lookup_requirements(db, host, event_type, None)?
        .unwrap_or_else(|| hashed(Requirements::none(event_type))))
}

pub(super) fn update_requirements(
    db: &Connection,
    host: HostId,
    wanted: &Requirements,
) -> Result<RequirementsRecord, Fault> {
    let event_type = wanted.event_type();
    let current = current_requirements(db, host, event_type)?;
    if current.requirements.asks_the_same_as(wanted) {
        return Ok(current);
    }
    let version = current.requirements.version() + 1;
    let next = hashed(Requirements::declare(
        event_type,
        version,
        wanted.rules().to_vec(),
    )?);
    db.prepare_cached(
        "INSERT INTO requirements (host_id, event_type, version, hash, body)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        host.to_string(),
        event_type.as_str(),
        version,
        next.hash,
        rules_to_column(&next.requirements),
    ])?;
    Ok(next)
}

fn hashed(requirements: Requirements) -> RequirementsRecord {
    RequirementsRecord {
        hash: sha256(requirements.canonical().as_bytes()),
        requirements,
    }
}
