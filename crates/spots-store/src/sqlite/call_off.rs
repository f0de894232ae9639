//! Calling an event off.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use spots_booking::{EventId, HostId, Refusal};
use spots_clock::AtomicClock;

use super::{Fault, SqliteStore, bookings, journal, shares};
use crate::error::StoreError;
use crate::model::Stamp;
use crate::queue;
use crate::rows::parse;
use crate::store::call_off::{CallOffStore, CalledOff};

#[async_trait]
impl CallOffStore for SqliteStore {
    async fn call_off(
        &self,
        host: HostId,
        event: EventId,
        stamp: Stamp,
    ) -> Result<CalledOff, StoreError> {
        let clock = self.clock();
        self.write("call an event off", move |db| {
            call_off(db, &clock, (host, event), stamp)
        })
        .await
    }
}

fn call_off(
    db: &Connection,
    clock: &AtomicClock,
    (host, event): (HostId, EventId),
    stamp: Stamp,
) -> Result<CalledOff, Fault> {
    let (host_id, event_id) = (host.to_string(), event.to_string());
    let known = db
        .prepare_cached("UPDATE events SET called_off = 1 WHERE host_id = ?1 AND event_id = ?2")?
        .execute([&host_id, &event_id])?;
    if known == 0 {
        return Err(Refusal::NotFound("event").into());
    }
    let fields = shares::end_of_event(db, (&host_id, &event_id), "called_off", stamp)?;
    let mut statement = db.prepare_cached(
        "UPDATE reservations SET cancelled_at_ns = ?3
         WHERE host_id = ?1 AND event_id = ?2 AND cancelled_at_ns IS NULL AND ends_at > ?4
         RETURNING booking_id, agent_id",
    )?;
    let now = stamp.timestamp().as_second();
    let cancelled = statement
        .query_map(params![host_id, event_id, stamp.at_ns, now], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<Vec<(String, String)>, _>>()?;
    for (booking, agent) in &cancelled {
        let returned = vec![queue::returned(booking, stamp)];
        journal::append(db, clock, &queue::batch(agent, returned))?;
        let booking = parse(booking, "reservations.booking_id")?;
        bookings::announce(db, "called_off", host, booking, (agent, stamp))?;
    }
    Ok(CalledOff {
        bookings: cancelled.len() as u64,
        fields,
    })
}
