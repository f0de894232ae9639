//! Events and their slots.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use spots_booking::event::OCCURRENCES_MAX;
use spots_booking::{Event, EventId, HostId, NewEvent, Occurrence, Pool, Refusal, Schedule};

use super::{Fault, hosts};
use crate::model::{EventFilter, EventRecord, EventToAdd, Page, PageRequest, SlotPool, Stamp};
use crate::rows::{count, parse, schedule_from_column, schedule_to_column, second};

/// Events of one host.
const EVENTS_MAX: u32 = 10_000;

const COLUMNS: &str = "e.host_id, h.kind, h.name, e.event_id, e.event_type, e.title, \
     e.description, e.place, e.time_zone, e.schedule, e.capacity, e.party_max, e.called_off";

pub(super) fn add(
    db: &Connection,
    host: HostId,
    events: &[EventToAdd],
) -> Result<Vec<(EventId, bool)>, Fault> {
    let host = host.to_string();
    let held: u32 = db
        .prepare_cached("SELECT count(*) FROM events WHERE host_id = ?1")?
        .query_row([&host], |row| row.get(0))?;
    if held as usize + events.len() > EVENTS_MAX as usize {
        return Err(Refusal::Limit {
            what: "events of one host",
            most: u64::from(EVENTS_MAX),
        }
        .into());
    }
    events
        .iter()
        .map(|event| add_one(db, &host, event))
        .collect()
}

fn add_one(db: &Connection, host: &str, event: &EventToAdd) -> Result<(EventId, bool), Fault> {
    let known: Option<String> = match &event.source_uid {
        None => None,
        Some(uid) => db
            .prepare_cached("SELECT event_id FROM events WHERE host_id = ?1 AND source_uid = ?2")?
            .query_row([host, uid], |row| row.get(0))
            .optional()?,
    };
    let id = match &known {
        Some(id) => parse(id, "events.event_id")?,
        None => event.id,
    };
    let offer = &event.offer;
    db.prepare_cached(
        "INSERT INTO events (host_id, event_id, event_type, title, description, place, time_zone,
                             schedule, capacity, party_max, called_off, last_end, source_uid)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11, ?12)
         ON CONFLICT (host_id, event_id) DO UPDATE SET
             title = excluded.title, description = excluded.description, place = excluded.place,
             time_zone = excluded.time_zone, schedule = excluded.schedule,
             last_end = excluded.last_end",
    )?
    .execute(params![
        host,
        id.to_string(),
        offer.event_type.as_str(),
        offer.title,
        offer.description,
        offer.place,
        offer.time_zone,
        schedule_to_column(&offer.schedule),
        offer.capacity,
        offer.party_max,
        offer.last_end().map(jiff::Timestamp::as_second),
        event.source_uid,
    ])?;
    replace_slots(db, host, &id.to_string(), &offer.schedule)?;
    Ok((id, known.is_none()))
}

fn replace_slots(
    db: &Connection,
    host: &str,
    event: &str,
    schedule: &Schedule,
) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM event_slots WHERE host_id = ?1 AND event_id = ?2")?
        .execute([host, event])?;
    let Schedule::Occurrences(occurrences) = schedule else {
        return Ok(());
    };
    let mut insert = db.prepare_cached(
        "INSERT INTO event_slots (host_id, event_id, starts_at, ends_at) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for slot in occurrences {
        insert.execute(params![
            host,
            event,
            slot.starts_at.as_second(),
            slot.ends_at.as_second()
        ])?;
    }
    Ok(())
}

pub(super) fn lookup(db: &Connection, event: EventId) -> Result<Option<EventRecord>, Fault> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM events e JOIN hosts h ON h.host_id = e.host_id
         WHERE e.event_id = ?1"
    ))?;
    let mut rows = statement.query([event.to_string()])?;
    match rows.next()? {
        Some(row) => Ok(Some(from_row(db, row)?)),
        None => Ok(None),
    }
}

pub(super) fn list(
    db: &Connection,
    filter: &EventFilter,
    now: Stamp,
    page: PageRequest,
) -> Result<Page<EventRecord>, Fault> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS},
                CASE WHEN ?7 = 1 THEN -COALESCE(e.last_end, ?1)
                     ELSE COALESCE((SELECT min(s.starts_at) FROM event_slots s
                                    WHERE s.host_id = e.host_id AND s.event_id = e.event_id
                                      AND s.starts_at > ?1), ?1) END AS next
         FROM events e JOIN hosts h ON h.host_id = e.host_id
         WHERE (?2 IS NULL OR e.event_type = ?2)
           AND CASE WHEN ?3 IS NULL
                    THEN e.called_off = 0 AND (e.last_end IS NULL OR e.last_end > ?1)
                    ELSE e.host_id = ?3 END
           AND (?4 IS NULL OR instr(lower(e.title || ' ' || e.place || ' ' || h.name), ?4) > 0)
           AND (?7 IS NULL
                OR ?7 = (e.called_off = 1 OR (e.last_end IS NOT NULL AND e.last_end <= ?1)))
         ORDER BY next, e.event_id LIMIT ?5 OFFSET ?6"
    ))?;
    let mut rows = statement.query(params![
        now.timestamp().as_second(),
        filter.event_type.map(spots_booking::EventType::as_str),
        filter.host.map(|host| host.to_string()),
        filter.text.as_ref().map(|text| text.to_lowercase()),
        page.limit + 1,
        page.offset,
        filter.over,
    ])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(from_row(db, row)?);
    }
    Ok(Page::cut(events, page.limit))
}

fn from_row(db: &Connection, row: &Row<'_>) -> Result<EventRecord, Fault> {
    let host = hosts::from_row(row, 0)?;
    let id: EventId = parse(&row.get::<_, String>(3)?, "events.event_id")?;
    let slots = list_slots(db, host.id, id)?;
    let capacity: Option<i64> = row.get(10)?;
    let offer = NewEvent {
        event_type: parse(&row.get::<_, String>(4)?, "events.event_type")?,
        title: row.get(5)?,
        description: row.get(6)?,
        place: row.get(7)?,
        time_zone: row.get(8)?,
        schedule: schedule_from_column(&row.get::<_, String>(9)?, slots)?,
        capacity: capacity
            .map(|places| count(places, "events.capacity"))
            .transpose()?,
        party_max: count(row.get(11)?, "events.party_max")?,
    };
    let called_off = row.get::<_, i64>(12)? != 0;
    Ok(EventRecord {
        event: Event {
            id,
            host: host.id,
            offer,
            called_off,
        },
        host,
    })
}

fn list_slots(db: &Connection, host: HostId, event: EventId) -> Result<Vec<Occurrence>, Fault> {
    let most = i64::try_from(OCCURRENCES_MAX).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(
        "SELECT starts_at, ends_at FROM event_slots WHERE host_id = ?1 AND event_id = ?2
         ORDER BY starts_at LIMIT ?3",
    )?;
    let mut rows = statement.query(params![host.to_string(), event.to_string(), most])?;
    let mut slots = Vec::new();
    while let Some(row) = rows.next()? {
        slots.push(Occurrence {
            starts_at: second(row.get(0)?, "event_slots.starts_at")?,
            ends_at: second(row.get(1)?, "event_slots.ends_at")?,
        });
    }
    Ok(slots)
}

pub(super) fn list_pools(
    db: &Connection,
    host: HostId,
    event: EventId,
) -> Result<Vec<SlotPool>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT starts_at, capacity, taken, next_position FROM capacity_pools
         WHERE host_id = ?1 AND event_id = ?2 ORDER BY starts_at",
    )?;
    let mut rows = statement.query([host.to_string(), event.to_string()])?;
    let mut pools = Vec::new();
    while let Some(row) = rows.next()? {
        pools.push(SlotPool {
            starts_at: row.get(0)?,
            pool: pool_from_row(row, 1)?,
        });
    }
    Ok(pools)
}

/// Reads `capacity, taken, next_position` from this column on.
pub(super) fn pool_from_row(row: &Row<'_>, first: usize) -> Result<Pool, Fault> {
    let capacity: Option<i64> = row.get(first)?;
    Ok(Pool {
        capacity: capacity
            .map(|places| count(places, "capacity_pools.capacity"))
            .transpose()?,
        taken: count(row.get(first + 1)?, "capacity_pools.taken")?,
        next_position: row.get(first + 2)?,
    })
}
