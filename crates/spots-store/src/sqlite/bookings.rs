//! Taking, listing and cancelling bookings.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use spots_booking::decision::{cancel, check, decide};
use spots_booking::{BookingId, EventId, HostId, Occurrence, Placed, Pool, Refusal};
use spots_clock::AtomicClock;

use super::{Fault, events, hosts, journal, shares};
use crate::model::{Book, Booked, BookingRecord, EventRecord, Page, PageRequest, Stamp};
use crate::queue;
use crate::rows::{BookedRow, Inconsistent, POOL, array, count, due_at, parse, second};

pub(super) fn book(db: &Connection, clock: &AtomicClock, book: &Book) -> Result<Booked, Fault> {
    let actor = book.agent.reveal();
    if let Some(first) = repeated(db, book, &actor)? {
        return Ok(first);
    }
    let known = db
        .prepare_cached("SELECT 1 FROM agents WHERE agent_id = ?1")?
        .exists([&actor])?;
    if !known {
        return Err(Refusal::NotFound("account").into());
    }
    let record = events::lookup(db, book.event)?
        .filter(|record| record.host.id == book.host)
        .ok_or(Refusal::NotFound("event"))?;
    let slot = check(&record.event, book.request, book.stamp.timestamp())?;
    let asked = hosts::current_requirements(db, book.host, record.event.offer.event_type)?;
    if asked.requirements.version() != book.requirements_version {
        return Err(Refusal::RequirementsChanged.into());
    }
    let pool = lookup_pool(db, book.host, book.event, slot)?
        .unwrap_or_else(|| Pool::untouched(record.event.offer.capacity));
    let (pool, placed) = decide(pool, slot, book.request.party)?;
    store_pool(db, book.host, book.event, slot, pool)?;
    let guest = guest_of(db, book, &actor)?;
    insert(db, book, &record, &placed, &guest)?;
    if let Some(share) = &book.share {
        shares::insert(db, book, record.event.offer.event_type, share)?;
    }
    announce(db, "booked", book.host, book.booking, (&actor, book.stamp))?;
    let taken = vec![queue::taken(book, &placed)];
    journal::append(db, clock, &queue::batch(&actor, taken))?;
    remember(db, book, &actor, &placed)?;
    Ok(Booked {
        booking: book.booking,
        repeated: false,
        placed,
    })
}

/// The column that keeps what a named request came to.
const COLUMN: &str = "idempotency_keys.outcome";

/// The outcome of the first request of this name, if there was one.
fn repeated(db: &Connection, book: &Book, actor: &str) -> Result<Option<Booked>, Fault> {
    let Some(named) = &book.idempotency else {
        return Ok(None);
    };
    let known = db
        .prepare_cached(
            "SELECT digest, outcome FROM idempotency_keys
             WHERE actor = ?1 AND idempotency_key = ?2",
        )?
        .query_row([actor, &named.key], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(1)?))
        })
        .optional()?;
    let Some((digest, outcome)) = known else {
        return Ok(None);
    };
    if digest != named.digest {
        return Err(Refusal::KeyReused.into());
    }
    let row: BookedRow = serde_json::from_str(&outcome).or(Err(Inconsistent(COLUMN)))?;
    Ok(Some(Booked {
        booking: parse(&row.booking, COLUMN)?,
        repeated: true,
        placed: Placed {
            slot: Occurrence {
                starts_at: second(row.starts_at, COLUMN)?,
                ends_at: second(row.ends_at, COLUMN)?,
            },
            party: row.party,
            position: row.position,
        },
    }))
}

fn remember(db: &Connection, book: &Book, actor: &str, placed: &Placed) -> Result<(), Fault> {
    let Some(named) = &book.idempotency else {
        return Ok(());
    };
    let row = BookedRow {
        booking: book.booking.to_string(),
        starts_at: placed.slot.starts_at.as_second(),
        ends_at: placed.slot.ends_at.as_second(),
        party: placed.party,
        position: placed.position,
    };
    let outcome = serde_json::to_string(&row).expect("plain numbers and texts have a JSON form");
    db.prepare_cached(
        "INSERT INTO idempotency_keys (actor, idempotency_key, digest, outcome)
         VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![actor, named.key, named.digest, outcome])?;
    Ok(())
}

fn lookup_pool(
    db: &Connection,
    host: HostId,
    event: EventId,
    slot: Occurrence,
) -> Result<Option<Pool>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT capacity, taken, next_position FROM capacity_pools
         WHERE host_id = ?1 AND event_id = ?2 AND starts_at = ?3 AND pool = ?4",
    )?;
    let key = params![
        host.to_string(),
        event.to_string(),
        slot.starts_at.as_second(),
        POOL
    ];
    let mut rows = statement.query(key)?;
    match rows.next()? {
        Some(row) => Ok(Some(events::pool_from_row(row, 0)?)),
        None => Ok(None),
    }
}

fn store_pool(
    db: &Connection,
    host: HostId,
    event: EventId,
    slot: Occurrence,
    pool: Pool,
) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO capacity_pools (host_id, event_id, starts_at, pool, capacity, taken,
                                     next_position)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (host_id, event_id, starts_at, pool) DO UPDATE SET
             taken = excluded.taken, next_position = excluded.next_position",
    )?
    .execute(params![
        host.to_string(),
        event.to_string(),
        slot.starts_at.as_second(),
        POOL,
        pool.capacity,
        pool.taken,
        pool.next_position,
    ])?;
    Ok(())
}

/// The guest's handle at this host, made at the first booking there.
fn guest_of(db: &Connection, book: &Book, agent: &str) -> Result<String, Fault> {
    let host = book.host.to_string();
    let known = db
        .prepare_cached("SELECT guest_id FROM guests WHERE host_id = ?1 AND agent_id = ?2")?
        .query_row([&host, agent], |row| row.get(0))
        .optional()?;
    if let Some(guest) = known {
        return Ok(guest);
    }
    let guest = book.guest.to_string();
    let mut taken = db.prepare_cached("SELECT 1 FROM guests WHERE host_id = ?1 AND code = ?2")?;
    for code in &book.codes {
        let code = code.to_string();
        if !taken.exists([&host, &code])? {
            db.prepare_cached(
                "INSERT INTO guests (host_id, guest_id, agent_id, code) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute([&host, &guest, agent, &code])?;
            return Ok(guest);
        }
    }
    Err(Refusal::Taken("no guest code was free; try again").into())
}

fn insert(
    db: &Connection,
    book: &Book,
    record: &EventRecord,
    placed: &Placed,
    guest: &str,
) -> Result<(), Fault> {
    let (host, booking) = (book.host.to_string(), book.booking.to_string());
    let agent = book.agent.reveal();
    db.prepare_cached(
        "INSERT INTO reservations (host_id, booking_id, event_id, event_type, starts_at, ends_at,
             agent_id, guest_id, party, position, booked_at_ns, booked_bound_ns, booked_stamp)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        host,
        booking,
        book.event.to_string(),
        record.event.offer.event_type.as_str(),
        placed.slot.starts_at.as_second(),
        placed.slot.ends_at.as_second(),
        agent,
        guest,
        placed.party,
        placed.position,
        book.stamp.at_ns,
        book.stamp.bound_ns,
        book.stamp.id,
    ])?;
    db.prepare_cached(
        "INSERT INTO reservation_tickets (host_id, booking_id, line, pool, quantity)
         VALUES (?1, ?2, 1, ?3, ?4)",
    )?
    .execute(params![host, booking, POOL, placed.party])?;
    db.prepare_cached(
        "INSERT INTO agent_bookings (agent_id, booked_stamp, host_id, booking_id)
         VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![agent, book.stamp.id, host, booking])?;
    Ok(())
}

/// Puts a message for the attendee and one for the host into the outbox.
pub(super) fn announce(
    db: &Connection,
    kind: &str,
    host: HostId,
    booking: BookingId,
    (agent, stamp): (&str, Stamp),
) -> Result<(), Fault> {
    let host = host.to_string();
    let mut insert = db.prepare_cached(
        "INSERT INTO outbox (host_id, stamp, recipient, kind, booking_id, agent_id, due_at_ns)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (host_id, stamp, booking_id, recipient) DO NOTHING",
    )?;
    let none: Option<&str> = None;
    for (recipient, agent, due) in [
        ("attendee", Some(agent), stamp.at_ns),
        ("host", none, due_at(kind, &stamp, &host)),
    ] {
        insert.execute(params![
            host,
            stamp.id,
            recipient,
            kind,
            booking.to_string(),
            agent,
            due
        ])?;
    }
    Ok(())
}

pub(super) fn cancel_one(
    db: &Connection,
    clock: &AtomicClock,
    (agent, booking): (&str, BookingId),
    stamp: Stamp,
) -> Result<(), Fault> {
    let record = lookup(db, agent, booking)?.ok_or(Refusal::NotFound("booking"))?;
    if record.cancelled_at_ns.is_some() {
        return Err(Refusal::NotCancellable.into());
    }
    let slot = record.placed.slot;
    let pool = lookup_pool(db, record.host.id, record.event, slot)?
        .ok_or(Inconsistent("capacity_pools"))?;
    let pool = cancel(pool, slot, record.placed.party, stamp.timestamp())?;
    store_pool(db, record.host.id, record.event, slot, pool)?;
    db.prepare_cached(
        "UPDATE reservations SET cancelled_at_ns = ?3 WHERE host_id = ?1 AND booking_id = ?2",
    )?
    .execute(params![
        record.host.id.to_string(),
        booking.to_string(),
        stamp.at_ns
    ])?;
    shares::end_of_booking(db, agent, booking, "cancelled", stamp)?;
    let returned = vec![queue::returned(&booking.to_string(), stamp)];
    journal::append(db, clock, &queue::batch(agent, returned))?;
    announce(db, "cancelled", record.host.id, booking, (agent, stamp))
}

/// Cancels all bookings of an agent that lie ahead; returns how many.
pub(super) fn cancel_to_come(
    db: &Connection,
    clock: &AtomicClock,
    agent: &str,
    stamp: Stamp,
) -> Result<u64, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT r.booking_id FROM agent_bookings a
         JOIN reservations r ON r.host_id = a.host_id AND r.booking_id = a.booking_id
         WHERE a.agent_id = ?1 AND r.cancelled_at_ns IS NULL AND r.starts_at > ?2",
    )?;
    let now = stamp.timestamp().as_second();
    let bookings = statement
        .query_map(params![agent, now], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    for booking in &bookings {
        let booking = parse(booking, "reservations.booking_id")?;
        cancel_one(db, clock, (agent, booking), stamp)?;
    }
    Ok(bookings.len() as u64)
}

const COLUMNS: &str = "r.host_id, h.kind, h.name, r.booking_id, r.event_id, r.event_type, \
     e.title, e.place, e.time_zone, r.starts_at, r.ends_at, r.party, r.position, g.code, \
     r.booked_at_ns, r.booked_bound_ns, r.booked_stamp, r.cancelled_at_ns";

const JOINS: &str = "FROM agent_bookings a
     JOIN reservations r ON r.host_id = a.host_id AND r.booking_id = a.booking_id
     JOIN hosts h ON h.host_id = r.host_id
     JOIN events e ON e.host_id = r.host_id AND e.event_id = r.event_id
     JOIN guests g ON g.host_id = r.host_id AND g.guest_id = r.guest_id";

pub(super) fn list(
    db: &Connection,
    agent: &str,
    page: PageRequest,
) -> Result<Page<BookingRecord>, Fault> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} {JOINS} WHERE a.agent_id = ?1
         ORDER BY a.booked_stamp DESC LIMIT ?2 OFFSET ?3"
    ))?;
    let mut rows = statement.query(params![agent, page.limit + 1, page.offset])?;
    let mut bookings = Vec::new();
    while let Some(row) = rows.next()? {
        bookings.push(from_row(row)?);
    }
    Ok(Page::cut(bookings, page.limit))
}

pub(super) fn lookup(
    db: &Connection,
    agent: &str,
    booking: BookingId,
) -> Result<Option<BookingRecord>, Fault> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} {JOINS} WHERE a.agent_id = ?1 AND a.booking_id = ?2"
    ))?;
    let mut rows = statement.query([agent, &booking.to_string()])?;
    match rows.next()? {
        Some(row) => Ok(Some(from_row(row)?)),
        None => Ok(None),
    }
}

fn from_row(row: &Row<'_>) -> Result<BookingRecord, Fault> {
    Ok(BookingRecord {
        host: hosts::from_row(row, 0)?,
        id: parse(&row.get::<_, String>(3)?, "reservations.booking_id")?,
        event: parse(&row.get::<_, String>(4)?, "reservations.event_id")?,
        event_type: parse(&row.get::<_, String>(5)?, "reservations.event_type")?,
        title: row.get(6)?,
        place: row.get(7)?,
        time_zone: row.get(8)?,
        placed: placed_from_row(row, 9)?,
        code: row.get(13)?,
        booked: stamp_from_row(row, 14)?,
        cancelled_at_ns: row.get(17)?,
    })
}

/// Reads `starts_at, ends_at, party, position` from this column on.
pub(super) fn placed_from_row(row: &Row<'_>, first: usize) -> Result<Placed, Fault> {
    Ok(Placed {
        slot: Occurrence {
            starts_at: second(row.get(first)?, "reservations.starts_at")?,
            ends_at: second(row.get(first + 1)?, "reservations.ends_at")?,
        },
        party: count(row.get(first + 2)?, "reservations.party")?,
        position: row.get(first + 3)?,
    })
}

/// Reads a moment, its bound and its stamp from this column on.
pub(super) fn stamp_from_row(row: &Row<'_>, first: usize) -> Result<Stamp, Fault> {
    Ok(Stamp {
        at_ns: row.get(first)?,
        bound_ns: row.get(first + 1)?,
        id: array(row.get(first + 2)?, "a stamp")?,
    })
}
