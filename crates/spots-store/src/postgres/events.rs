//! Events and their slots.

use std::collections::BTreeMap;

use spots_booking::event::OCCURRENCES_MAX;
use spots_booking::{Event, EventId, HostId, NewEvent, Occurrence, Refusal, Schedule};
use tokio::try_join;

use super::PostgresStore;
use super::columns::{Columns, integer};
use super::session::{Fault, Session, Work, statements};
use crate::model::{EventFilter, EventRecord, EventToAdd, Page, PageRequest, SlotPool, Stamp};
use crate::rows::{schedule_from_column, schedule_to_column, second};

/// Events of one host.
const EVENTS_MAX: usize = 10_000;

/// What [`from_columns`] reads of `events e` and `hosts h`.
macro_rules! event_columns {
    () => {
        "h.host_id, h.kind, h.name, e.event_id, e.event_type, e.title, e.description, e.place,
         e.time_zone, e.capacity, e.party_max, e.called_off, e.schedule,
         ARRAY(SELECT s.starts_at FROM event_slots s
               WHERE s.host_id = e.host_id AND s.event_id = e.event_id ORDER BY s.starts_at),
         ARRAY(SELECT s.ends_at FROM event_slots s
               WHERE s.host_id = e.host_id AND s.event_id = e.event_id ORDER BY s.starts_at)"
    };
}
pub(super) use event_columns;

statements! {
    COUNT(TEXT) = "SELECT count(*) FROM events WHERE host_id = $1";
    FIND_BY_SOURCE(TEXT, TEXT_ARRAY) =
        "SELECT source_uid, event_id FROM events WHERE host_id = $1 AND source_uid = ANY($2)";
    ADD(
        TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, INT4, INT4, INT8, TEXT
    ) = "INSERT INTO events (host_id, event_id, event_type, title, description, place, time_zone,
                             schedule, capacity, party_max, called_off, last_end, source_uid)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12)
         ON CONFLICT (host_id, event_id) DO UPDATE SET
             title = excluded.title, description = excluded.description, place = excluded.place,
             time_zone = excluded.time_zone, schedule = excluded.schedule,
             last_end = excluded.last_end";
    REMOVE_SLOTS(TEXT, TEXT) = "DELETE FROM event_slots WHERE host_id = $1 AND event_id = $2";
    ADD_SLOTS(TEXT, TEXT, INT8_ARRAY, INT8_ARRAY) =
        "INSERT INTO event_slots (host_id, event_id, starts_at, ends_at)
         SELECT $1, $2, n.starts_at, n.ends_at FROM unnest($3, $4) AS n (starts_at, ends_at)";
    LOOKUP(TEXT) = concat!(
        "SELECT ", event_columns!(),
        " FROM events e JOIN hosts h ON h.host_id = e.host_id WHERE e.event_id = $1"
    );
    LIST(INT8, TEXT, TEXT, TEXT, INT8, INT8, INT8) = concat!(
        "SELECT ", event_columns!(), ",
                CASE WHEN $7 = 1 THEN -COALESCE(e.last_end, $1)
                     ELSE COALESCE((SELECT min(s.starts_at) FROM event_slots s
                                    WHERE s.host_id = e.host_id AND s.event_id = e.event_id
                                      AND s.starts_at > $1), $1) END AS next
         FROM events e JOIN hosts h ON h.host_id = e.host_id
         WHERE ($2 IS NULL OR e.event_type = $2)
           AND CASE WHEN $3 IS NULL
                    THEN e.called_off = 0 AND (e.last_end IS NULL OR e.last_end > $1)
                    ELSE e.host_id = $3 END
           AND ($4 IS NULL
                OR strpos(lower(e.title || ' ' || e.place || ' ' || h.name), $4) > 0)
           AND ($7 IS NULL
                OR ($7 = 1) = (e.called_off = 1 OR (e.last_end IS NOT NULL AND e.last_end <= $1)))
         ORDER BY next, e.event_id COLLATE \"C\" LIMIT $5 OFFSET $6"
    );
    LIST_POOLS(TEXT, TEXT) =
        "SELECT starts_at, capacity, taken, next_position FROM capacity_pools
         WHERE host_id = $1 AND event_id = $2 ORDER BY starts_at";
}

/// Adds events of a host, or updates those that have the same source.
pub(super) struct Add {
    pub(super) host: HostId,
    pub(super) events: Vec<EventToAdd>,
}

impl Work for Add {
    type Answer = Vec<(EventId, bool)>;

    async fn work(&self, session: &Session) -> Result<Vec<(EventId, bool)>, Fault> {
        let host = self.host.to_string();
        let uids: Vec<_> = self
            .events
            .iter()
            .filter_map(|event| event.source_uid.as_deref())
            .collect();
        let ((), held, sources) = try_join!(
            biased;
            session.begin(),
            session.row(&COUNT, [&host]),
            session.rows(&FIND_BY_SOURCE, [&host, &uids]),
        )?;
        let held: i64 = held.map_or(Ok(0), |row| row.try_get(0))?;
        let most = EVENTS_MAX.saturating_sub(self.events.len());
        if usize::try_from(held).is_ok_and(|held| held > most) {
            let most = EVENTS_MAX as u64;
            return Err(Refusal::Limit {
                what: "events of one host",
                most,
            }
            .into());
        }
        let mut known = BTreeMap::new();
        for row in &sources {
            let mut columns = Columns::of(row);
            known.insert(columns.take::<String>()?, columns.parse("events.event_id")?);
        }
        let mut added = Vec::with_capacity(self.events.len());
        for event in &self.events {
            let uid = event.source_uid.as_ref();
            let same = uid.and_then(|uid| known.get(uid).copied());
            let id: EventId = same.unwrap_or(event.id);
            known.extend(uid.map(|uid| (uid.clone(), id)));
            add_one(session, &host, id, event).await?;
            added.push((id, same.is_none()));
        }
        session.commit().await?;
        Ok(added)
    }
}

async fn add_one(
    session: &Session,
    host: &str,
    id: EventId,
    event: &EventToAdd,
) -> Result<(), Fault> {
    let id = id.to_string();
    let offer = &event.offer;
    let kind = offer.event_type.as_str();
    let schedule = schedule_to_column(&offer.schedule);
    let capacity = offer
        .capacity
        .map(|places| integer(places, "events.capacity"))
        .transpose()?;
    let party_max = integer(offer.party_max, "events.party_max")?;
    let last_end = offer.last_end().map(jiff::Timestamp::as_second);
    let slots: &[Occurrence] = match &offer.schedule {
        Schedule::Occurrences(occurrences) => occurrences,
        Schedule::Tables(_) => &[],
    };
    let starts: Vec<_> = slots
        .iter()
        .map(|slot| slot.starts_at.as_second())
        .collect();
    let ends: Vec<_> = slots.iter().map(|slot| slot.ends_at.as_second()).collect();
    try_join!(
        biased;
        session.run(&ADD, [
            &host, &id, &kind, &offer.title, &offer.description, &offer.place, &offer.time_zone,
            &schedule, &capacity, &party_max, &last_end, &event.source_uid,
        ]),
        session.run(&REMOVE_SLOTS, [&host, &id]),
        session.run(&ADD_SLOTS, [&host, &id, &starts, &ends]),
    )?;
    Ok(())
}

pub(super) async fn lookup(
    store: &PostgresStore,
    event: EventId,
) -> Result<Option<EventRecord>, Fault> {
    let row = store.public_row(&LOOKUP, [&event.to_string()]).await?;
    row.map(|row| from_columns(&mut Columns::of(&row)))
        .transpose()
}

pub(super) async fn list(
    store: &PostgresStore,
    filter: &EventFilter,
    now: Stamp,
    page: PageRequest,
) -> Result<Page<EventRecord>, Fault> {
    let now = now.timestamp().as_second();
    let kind = filter.event_type.map(spots_booking::EventType::as_str);
    let host = filter.host.map(|host| host.to_string());
    let text = filter.text.as_ref().map(|text| text.to_lowercase());
    let (limit, offset) = (i64::from(page.limit) + 1, i64::from(page.offset));
    let over = filter.over.map(i64::from);
    let rows = store
        .public_rows(&LIST, [&now, &kind, &host, &text, &limit, &offset, &over])
        .await?;
    let events = rows.iter().map(|row| from_columns(&mut Columns::of(row)));
    Ok(Page::cut(events.collect::<Result<_, _>>()?, page.limit))
}

/// Reads [`event_columns`].
pub(super) fn from_columns(columns: &mut Columns<'_>) -> Result<EventRecord, Fault> {
    let host = columns.host()?;
    let id = columns.parse("events.event_id")?;
    let event_type = columns.parse("events.event_type")?;
    let (title, description) = (columns.take()?, columns.take()?);
    let (place, time_zone) = (columns.take()?, columns.take()?);
    let capacity = columns.optional_count("events.capacity")?;
    let party_max = columns.count("events.party_max")?;
    let called_off = columns.take::<i32>()? != 0;
    let schedule = columns.take::<&str>()?;
    let starts: Vec<i64> = columns.take()?;
    let ends: Vec<i64> = columns.take()?;
    let slots = starts
        .into_iter()
        .zip(ends)
        .take(OCCURRENCES_MAX)
        .map(|(start, end)| {
            let starts_at = second(start, "event_slots.starts_at")?;
            Ok(Occurrence {
                starts_at,
                ends_at: second(end, "event_slots.ends_at")?,
            })
        });
    let schedule = schedule_from_column(schedule, slots.collect::<Result<_, Fault>>()?)?;
    let offer = NewEvent {
        event_type,
        title,
        description,
        place,
        time_zone,
        schedule,
        capacity,
        party_max,
    };
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

pub(super) async fn list_pools(
    store: &PostgresStore,
    host: HostId,
    event: EventId,
) -> Result<Vec<SlotPool>, Fault> {
    let rows = store
        .public_rows(&LIST_POOLS, [&host.to_string(), &event.to_string()])
        .await?;
    let pool = |row| {
        let mut columns = Columns::of(row);
        Ok(SlotPool {
            starts_at: columns.take()?,
            pool: columns.pool()?,
        })
    };
    rows.iter().map(pool).collect()
}
