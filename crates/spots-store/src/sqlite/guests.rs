//! What a host reads: the guests of an event, with proofs for what is shared now.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};
use spots_booking::{BookingId, Refusal};
use spots_privacy::{Consented, Grant, SealedField};

use super::{Fault, bookings, events, shares};
use crate::model::{GuestRecord, Message, OpenGuests, Page, PageRequest, Stamp};
use crate::rows::{names_to_column, parse};

/// Lists guests without what they share, as their host.
pub(super) fn list(
    db: &Connection,
    open: OpenGuests,
    page: PageRequest,
) -> Result<Page<GuestRecord>, Fault> {
    if events::lookup(db, open.event)?.is_none_or(|record| record.host.id != open.host) {
        return Err(Refusal::NotFound("event").into());
    }
    let mut statement = db.prepare_cached(
        "SELECT r.guest_id, r.booking_id, g.code, r.starts_at, r.ends_at, r.party, r.position,
                r.cancelled
         FROM reservations r
         JOIN guests g ON g.host_id = r.host_id AND g.guest_id = r.guest_id
         WHERE r.host_id = ?1 AND r.event_id = ?2 AND (?3 IS NULL OR r.starts_at = ?3)
           AND (?6 IS NULL OR instr(g.code, ?6) > 0)
         ORDER BY r.starts_at, g.code, r.booking_id LIMIT ?4 OFFSET ?5",
    )?;
    let mut rows = statement.query(params![
        open.host.to_string(),
        open.event.to_string(),
        open.starts_at,
        page.limit + 1,
        page.offset,
        open.code.map(|code| code.to_string()),
    ])?;
    let mut guests = Vec::new();
    while let Some(row) = rows.next()? {
        guests.push(guest_from_row(row)?);
    }
    Ok(Page::cut(guests, page.limit))
}

/// Adds what each guest shares now, with proofs, and records it.
pub(super) fn open(
    db: &Connection,
    open: &OpenGuests,
    mut page: Page<GuestRecord>,
) -> Result<Page<GuestRecord>, Fault> {
    let mut shared = consented(db, open, &page.items)?;
    for guest in &mut page.items {
        guest.fields = shared.remove(&guest.booking).unwrap_or_default();
    }
    record(db, open, &page.items)?;
    Ok(page)
}

fn guest_from_row(row: &Row<'_>) -> Result<GuestRecord, Fault> {
    Ok(GuestRecord {
        guest: parse(&row.get::<_, String>(0)?, "reservations.guest_id")?,
        booking: parse(&row.get::<_, String>(1)?, "reservations.booking_id")?,
        code: row.get(2)?,
        placed: bookings::placed_from_row(row, 3)?,
        cancelled: row.get(7)?,
        fields: Vec::new(),
    })
}

/// What may be read of these bookings now, with proofs.
fn consented(
    db: &Connection,
    open: &OpenGuests,
    guests: &[GuestRecord],
) -> Result<BTreeMap<BookingId, Vec<Consented>>, Fault> {
    let host = open.host.to_string();
    let bookings: Vec<_> = guests
        .iter()
        .map(|guest| guest.booking.to_string())
        .collect();
    // CROSS JOIN keeps the order: SQLite would read the list once for each share of the host.
    let mut statement = db.prepare_cached(
        "SELECT d.share_id, d.agent_id, f.field, f.revoked_at_ns, f.expires_at_ns, f.sealed,
                k.wrapped_key, k.master_version, d.booking_id
         FROM json_each(?2) b
         CROSS JOIN reservation_user_data d ON d.host_id = ?1 AND d.booking_id = b.value
         CROSS JOIN reservation_user_data_fields f
           ON f.host_id = d.host_id AND f.share_id = d.share_id
         LEFT JOIN share_keys k
           ON k.host_id = f.host_id AND k.share_id = f.share_id AND k.field = f.field",
    )?;
    let mut rows = statement.query([&host, &names_to_column(&bookings)])?;
    let mut shared = BTreeMap::<_, Vec<_>>::new();
    while let Some(row) = rows.next()? {
        let grant = Grant {
            host: host.clone(),
            agent: shares::agent_id(&row.get::<_, String>(1)?)?,
            share: row.get(0)?,
            field: row.get(2)?,
            revoked_at: row.get(3)?,
            expires_at: Some(row.get(4)?),
            key: shares::key_from_row(row, 6)?,
            value: SealedField::from_stored(row.get(5)?),
        };
        let booking = parse(
            &row.get::<_, String>(8)?,
            "reservation_user_data.booking_id",
        )?;
        // A grant that ended is not an error: the field is simply not there.
        if let Ok(proof) = grant.consent(&host, open.stamp.at_ns) {
            shared.entry(booking).or_default().push(proof);
        }
    }
    for proofs in shared.values_mut() {
        proofs.sort_by(|one, other| one.field().cmp(other.field()));
    }
    Ok(shared)
}

/// Records one opening, and what of each share it shows.
fn record(db: &Connection, open: &OpenGuests, guests: &[GuestRecord]) -> Result<(), Fault> {
    let mut shown = guests
        .iter()
        .filter_map(|guest| Some((guest.fields.first()?.share(), &guest.fields)))
        .peekable();
    if shown.peek().is_none() {
        return Ok(());
    }
    let host = open.host.to_string();
    db.prepare_cached(
        "INSERT INTO openings (host_id, event_id, stamp, opened_at_ns, opened_bound_ns, channel)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        host,
        open.event.to_string(),
        open.stamp.id,
        open.stamp.at_ns,
        open.stamp.bound_ns,
        open.channel.as_str(),
    ])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO opened_shares (host_id, stamp, share_id, fields) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (share, proofs) in shown {
        let fields: Vec<_> = proofs.iter().map(Consented::field).collect();
        insert.execute(params![
            host,
            open.stamp.id,
            share,
            names_to_column(&fields)
        ])?;
    }
    Ok(())
}

pub(super) fn list_messages(db: &Connection, now: Stamp, most: u32) -> Result<Vec<Message>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT recipient, kind, host_id, booking_id, due_at_ns FROM outbox
         WHERE delivered_at_ns IS NULL AND due_at_ns <= ?1 ORDER BY due_at_ns LIMIT ?2",
    )?;
    let mut rows = statement.query(params![now.at_ns, most])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        messages.push(Message {
            recipient: row.get(0)?,
            kind: row.get(1)?,
            host: parse(&row.get::<_, String>(2)?, "outbox.host_id")?,
            booking: parse(&row.get::<_, String>(3)?, "outbox.booking_id")?,
            due_at_ns: row.get(4)?,
        });
    }
    Ok(messages)
}
