//! Shares: storing, listing, ending. Whatever ends a field destroys its key in the same
//! transaction.

use rusqlite::{Connection, Row, ToSql, params};
use spots_booking::{BookingId, EventType, Refusal};
use spots_privacy::consent::commitment;
use spots_privacy::ledger::Granted;
use spots_privacy::ledger::entry::{ERASED, GRANTED, commitment_of_erasure, erased_name};
use spots_privacy::{AgentId, Grant, SealedField, WrappedKey};

use super::{Fault, bookings, hosts};
use crate::model::{
    Book, NewShare, Opening, Page, PageRequest, Selection, ShareFilter, SharedField, Stamp,
};
use crate::rows::{Inconsistent, array, count, names_from_column, parse};

pub(super) fn insert(
    db: &Connection,
    book: &Book,
    event_type: EventType,
    share: &NewShare,
) -> Result<(), Fault> {
    let (host, id) = (book.host.to_string(), share.id.to_string());
    db.prepare_cached(
        "INSERT INTO reservation_user_data (host_id, share_id, booking_id, agent_id, event_type,
             requirements_version, requirements_hash, shared_at_ns, shared_bound_ns, shared_stamp)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        host,
        id,
        book.booking.to_string(),
        book.agent.reveal(),
        event_type.as_str(),
        book.requirements_version,
        share.requirements_hash,
        book.stamp.at_ns,
        book.stamp.bound_ns,
        book.stamp.id,
    ])?;
    for (field, expires_at_ns) in &share.fields {
        db.prepare_cached(
            "INSERT INTO reservation_user_data_fields (host_id, share_id, field, sealed,
                                                       expires_at_ns)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            host,
            id,
            field.field,
            field.value.as_bytes(),
            expires_at_ns
        ])?;
        db.prepare_cached(
            "INSERT INTO share_keys (host_id, share_id, field, wrapped_key, master_version, salt)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            host,
            id,
            field.field,
            field.key.bytes,
            field.key.version,
            field.salt
        ])?;
        let granted = Granted {
            host: &host,
            share: &id,
            field: &field.field,
            at_ns: book.stamp.at_ns,
            requirements_hash: &share.requirements_hash,
            expires_at_ns: *expires_at_ns,
        };
        let of = (host.as_str(), id.as_str(), field.field.as_str());
        let facts = granted.commitment(&field.salt);
        enter(db, GRANTED, of, (book.stamp, facts))?;
    }
    Ok(())
}

/// Appends an entry about a field of a share at a host to the ledger.
fn enter(
    db: &Connection,
    kind: &str,
    (host, share, field): (&str, &str, &str),
    (stamp, facts): (Stamp, [u8; 32]),
) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO ledger_entries (host_id, stamp, share_id, field, kind, commitment)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![host, stamp.id, share, field, kind, facts])?;
    Ok(())
}

/// Enters that an account is gone.
pub(super) fn enter_erasure(db: &Connection, user: &str, stamp: Stamp) -> Result<(), Fault> {
    let (host, share, field) = ("-", erased_name(user), "account");
    let facts = commitment_of_erasure(user, stamp.at_ns);
    enter(db, ERASED, (host, &share, field), (stamp, facts))
}

/// Live fields: their keys exist.
const LIVE: &str = "SELECT k.host_id, k.share_id, k.field, k.salt, d.booking_id, d.agent_id
     FROM share_keys k
     JOIN reservation_user_data d ON d.host_id = k.host_id AND d.share_id = k.share_id";

struct LiveField {
    host: String,
    share: String,
    field: String,
    salt: [u8; 32],
    booking: String,
    agent: String,
}

fn list_live(
    db: &Connection,
    condition: &str,
    with: &[&dyn ToSql],
) -> Result<Vec<LiveField>, Fault> {
    let mut statement = db.prepare_cached(&format!("{LIVE} {condition}"))?;
    let mut rows = statement.query(with)?;
    let mut live = Vec::new();
    while let Some(row) = rows.next()? {
        live.push(LiveField {
            host: row.get(0)?,
            share: row.get(1)?,
            field: row.get(2)?,
            salt: array(row.get(3)?, "share_keys.salt")?,
            booking: row.get(4)?,
            agent: row.get(5)?,
        });
    }
    Ok(live)
}

/// Ends fields: destroys their keys, marks them, enters it, and tells hosts and attendee once a
/// booking.
fn end(db: &Connection, fields: &[LiveField], kind: &str, stamp: Stamp) -> Result<u64, Fault> {
    for field in fields {
        db.prepare_cached(
            "DELETE FROM share_keys WHERE host_id = ?1 AND share_id = ?2 AND field = ?3",
        )?
        .execute([&field.host, &field.share, &field.field])?;
        // What expires is not taken back: its end stood there from the beginning.
        if kind != "expired" {
            db.prepare_cached(
                "UPDATE reservation_user_data_fields SET revoked_at_ns = ?4, revoked_stamp = ?5
                 WHERE host_id = ?1 AND share_id = ?2 AND field = ?3",
            )?
            .execute(params![
                field.host,
                field.share,
                field.field,
                stamp.at_ns,
                stamp.id
            ])?;
        }
        let of = (
            field.host.as_str(),
            field.share.as_str(),
            field.field.as_str(),
        );
        let moment = stamp.at_ns.to_string();
        let facts = commitment(&field.salt, &[kind, of.0, of.1, of.2, &moment]);
        enter(db, kind, of, (stamp, facts))?;
        if kind == "revoked" {
            let host = parse(&field.host, "share_keys.host_id")?;
            let booking = parse(&field.booking, "reservation_user_data.booking_id")?;
            bookings::announce(db, kind, host, booking, (&field.agent, stamp))?;
        }
    }
    Ok(fields.len() as u64)
}

pub(super) fn revoke(
    db: &Connection,
    agent: &str,
    selection: &Selection,
    stamp: Stamp,
) -> Result<u64, Fault> {
    let named = match selection {
        Selection::Field(share, _) | Selection::Share(share) => Some(*share),
        Selection::Booking(_) | Selection::Host(_) | Selection::All => None,
    };
    if let Some(share) = named {
        let known = db
            .prepare_cached(
                "SELECT 1 FROM agent_bookings a
                 JOIN reservation_user_data d
                   ON d.host_id = a.host_id AND d.booking_id = a.booking_id
                 WHERE a.agent_id = ?1 AND d.share_id = ?2",
            )?
            .exists([agent, &share.to_string()])?;
        if !known {
            return Err(Refusal::NotFound("share").into());
        }
    }
    let (condition, value, field) = match selection {
        Selection::Field(share, field) => (
            "AND k.share_id = ?2 AND k.field = ?3",
            share.to_string(),
            field.to_string(),
        ),
        Selection::Share(share) => ("AND k.share_id = ?2", share.to_string(), String::new()),
        Selection::Booking(booking) => {
            return end_of_booking(db, agent, *booking, "revoked", stamp);
        }
        Selection::Host(host) => ("AND k.host_id = ?2", host.to_string(), String::new()),
        Selection::All => return end_all(db, agent, "revoked", stamp),
    };
    let condition = format!("{OF_AGENT} {condition}");
    let with: &[&dyn ToSql] = if field.is_empty() {
        &[&agent, &value]
    } else {
        &[&agent, &value, &field]
    };
    let live = list_live(db, &condition, with)?;
    end(db, &live, "revoked", stamp)
}

/// Restricts live fields to one agent's, found through the agent's own bookings.
const OF_AGENT: &str = "JOIN agent_bookings a
     ON a.host_id = d.host_id AND a.booking_id = d.booking_id WHERE a.agent_id = ?1";

pub(super) fn end_of_booking(
    db: &Connection,
    agent: &str,
    booking: BookingId,
    kind: &str,
    stamp: Stamp,
) -> Result<u64, Fault> {
    let condition = format!("{OF_AGENT} AND a.booking_id = ?2");
    let live = list_live(db, &condition, &[&agent, &booking.to_string()])?;
    end(db, &live, kind, stamp)
}

/// Ends all that was shared for a host's event.
pub(super) fn end_of_event(
    db: &Connection,
    (host, event): (&str, &str),
    kind: &str,
    stamp: Stamp,
) -> Result<u64, Fault> {
    let condition = "JOIN reservations r ON r.host_id = d.host_id AND r.booking_id = d.booking_id
         WHERE r.host_id = ?1 AND r.event_id = ?2";
    let live = list_live(db, condition, &[&host, &event])?;
    end(db, &live, kind, stamp)
}

pub(super) fn end_all(
    db: &Connection,
    agent: &str,
    kind: &str,
    stamp: Stamp,
) -> Result<u64, Fault> {
    let live = list_live(db, OF_AGENT, &[&agent])?;
    end(db, &live, kind, stamp)
}

/// Ends again what has its key although it ended once; returns how many.
pub(super) fn end_again(
    db: &Connection,
    (host, share, field): (&str, &str, &str),
    stamp: Stamp,
) -> Result<u64, Fault> {
    let condition = "WHERE k.host_id = ?1 AND k.share_id = ?2 AND k.field = ?3";
    let live = list_live(db, condition, &[&host, &share, &field])?;
    end(db, &live, "replayed", stamp)
}

pub(super) fn expire(db: &Connection, stamp: Stamp, most: u32) -> Result<u64, Fault> {
    let condition = "JOIN reservation_user_data_fields f
             ON f.host_id = k.host_id AND f.share_id = k.share_id AND f.field = k.field
         WHERE f.expires_at_ns <= ?1 AND f.revoked_at_ns IS NULL LIMIT ?2";
    let live = list_live(db, condition, &[&stamp.at_ns, &most])?;
    end(db, &live, "expired", stamp)
}

pub(super) fn list(
    db: &Connection,
    agent: &str,
    filter: ShareFilter,
    now: Stamp,
    page: PageRequest,
) -> Result<Page<SharedField>, Fault> {
    let mut statement = db.prepare_cached(
        "WITH page AS MATERIALIZED (
         SELECT h.host_id, h.kind, h.name, d.share_id, d.booking_id, r.event_id, e.title,
                d.event_type, f.field, d.shared_at_ns, d.shared_bound_ns, d.shared_stamp,
                f.expires_at_ns, f.revoked_at_ns, d.requirements_version, d.agent_id, f.sealed,
                k.wrapped_key, k.master_version,
                (SELECT g.purged_at_ns FROM destroyed_keys g
                 WHERE g.host_id = f.host_id AND g.share_id = f.share_id AND g.field = f.field)
         FROM agent_bookings a
         JOIN reservations r ON r.host_id = a.host_id AND r.booking_id = a.booking_id
         JOIN reservation_user_data d ON d.host_id = a.host_id AND d.booking_id = a.booking_id
         JOIN reservation_user_data_fields f
           ON f.host_id = d.host_id AND f.share_id = d.share_id
         JOIN hosts h ON h.host_id = d.host_id
         JOIN events e ON e.host_id = r.host_id AND e.event_id = r.event_id
         LEFT JOIN share_keys k
           ON k.host_id = f.host_id AND k.share_id = f.share_id AND k.field = f.field
         WHERE a.agent_id = ?1 AND (?2 IS NULL OR a.booking_id = ?2)
           AND (?3 IS NULL OR a.host_id = ?3)
           AND (?4 OR (f.revoked_at_ns IS NULL AND f.expires_at_ns > ?5))
         ORDER BY h.name, h.host_id, d.shared_stamp DESC, f.field LIMIT ?6 OFFSET ?7)
         SELECT p.*, count(l.share_id), max(o.opened_at_ns) FILTER (WHERE l.share_id IS NOT NULL),
                max(o.opened_at_ns) FILTER (WHERE l.share_id IS NOT NULL AND o.channel = 'download')
         FROM page p
         LEFT JOIN openings o ON o.host_id = p.host_id AND o.event_id = p.event_id
         LEFT JOIN opened_shares l
           ON l.host_id = o.host_id AND l.stamp = o.stamp AND l.share_id = p.share_id
             AND instr(l.fields, '\"' || p.field || '\"') > 0
         GROUP BY p.share_id, p.field
         ORDER BY p.name, p.host_id, p.shared_stamp DESC, p.field",
    )?;
    let mut rows = statement.query(params![
        agent,
        filter.booking.map(|booking| booking.to_string()),
        filter.host.map(|host| host.to_string()),
        filter.ended,
        now.at_ns,
        page.limit + 1,
        page.offset,
    ])?;
    let mut fields = Vec::new();
    while let Some(row) = rows.next()? {
        fields.push(shared_from_row(row)?);
    }
    Ok(Page::cut(fields, page.limit))
}

fn shared_from_row(row: &Row<'_>) -> Result<SharedField, Fault> {
    let host = hosts::from_row(row, 0)?;
    let (share, field): (String, String) = (row.get(3)?, row.get(8)?);
    let grant = Grant {
        host: host.id.to_string(),
        agent: agent_id(&row.get::<_, String>(15)?)?,
        share: share.clone(),
        field: field.clone(),
        revoked_at: row.get(13)?,
        expires_at: Some(row.get(12)?),
        key: key_from_row(row, 17)?,
        value: SealedField::from_stored(row.get(16)?),
    };
    Ok(SharedField {
        host,
        share: parse(&share, "reservation_user_data.share_id")?,
        booking: parse(
            &row.get::<_, String>(4)?,
            "reservation_user_data.booking_id",
        )?,
        event: parse(&row.get::<_, String>(5)?, "reservations.event_id")?,
        title: row.get(6)?,
        event_type: parse(
            &row.get::<_, String>(7)?,
            "reservation_user_data.event_type",
        )?,
        field: parse(&field, "reservation_user_data_fields.field")?,
        shared: bookings::stamp_from_row(row, 9)?,
        expires_at_ns: row.get(12)?,
        revoked_at_ns: row.get(13)?,
        requirements_version: count(row.get(14)?, "requirements_version")?,
        purged_at_ns: row.get(19)?,
        openings: row.get::<_, i64>(20)?.unsigned_abs(),
        last_opened_ns: row.get(21)?,
        last_downloaded_ns: row.get(22)?,
        grant,
    })
}

/// Reads `wrapped_key, master_version` from this column on; both are null once it is destroyed.
pub(super) fn key_from_row(row: &Row<'_>, first: usize) -> Result<Option<WrappedKey>, Fault> {
    let bytes: Option<Vec<u8>> = row.get(first)?;
    bytes
        .map(|bytes| {
            let version = count(row.get(first + 1)?, "share_keys.master_version")?;
            Ok(WrappedKey { version, bytes })
        })
        .transpose()
}

pub(super) fn agent_id(text: &str) -> Result<AgentId, Inconsistent> {
    AgentId::parse(text).ok_or(Inconsistent("agent_id"))
}

pub(super) fn list_openings(
    db: &Connection,
    agent: &str,
    page: PageRequest,
) -> Result<Page<Opening>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT l.share_id, l.host_id, o.opened_at_ns, o.channel, l.fields
         FROM agent_bookings a
         JOIN reservations r ON r.host_id = a.host_id AND r.booking_id = a.booking_id
         JOIN reservation_user_data d ON d.host_id = a.host_id AND d.booking_id = a.booking_id
         JOIN openings o ON o.host_id = r.host_id AND o.event_id = r.event_id
         JOIN opened_shares l
           ON l.host_id = o.host_id AND l.stamp = o.stamp AND l.share_id = d.share_id
         WHERE a.agent_id = ?1 ORDER BY l.stamp DESC, l.share_id LIMIT ?2 OFFSET ?3",
    )?;
    let mut rows = statement.query(params![agent, page.limit + 1, page.offset])?;
    let mut openings = Vec::new();
    while let Some(row) = rows.next()? {
        openings.push(Opening {
            share: parse(&row.get::<_, String>(0)?, "opened_shares.share_id")?,
            host: parse(&row.get::<_, String>(1)?, "opened_shares.host_id")?,
            opened_at_ns: row.get(2)?,
            channel: row.get(3)?,
            fields: names_from_column(&row.get::<_, String>(4)?, "opened_shares.fields")?,
        });
    }
    Ok(Page::cut(openings, page.limit))
}
