//! Cancelling: places go back, shares end.

use std::collections::BTreeMap;

use spots_booking::{BookingId, Occurrence, Pool, Refusal, Stream, cancel};
use tokio::try_join;

use super::columns::{Columns, integer};
use super::journal::Lines;
use super::order::{Opened, OrderedWork};
use super::session::{Fault, Session, statements};
use super::shares::{self, Ending, Which};
use crate::model::Stamp;
use crate::queue;
use crate::rows::due_at;

statements! {
    LOCK_AGENT(TEXT) = "SELECT 1 FROM agents WHERE agent_id = $1 FOR NO KEY UPDATE";
    /// One booking of an agent, or all that begin after a time; locks pools in the order of their
    /// keys.
    LOCK(TEXT, TEXT, INT8) =
        "SELECT r.host_id, r.booking_id, r.event_id, r.starts_at, r.ends_at, r.party,
                r.cancelled_at_ns, p.capacity, p.taken, p.next_position
         FROM agent_bookings a
         JOIN reservations r ON r.host_id = a.host_id AND r.booking_id = a.booking_id
         JOIN capacity_pools p ON p.host_id = r.host_id AND p.event_id = r.event_id
                              AND p.starts_at = r.starts_at AND p.pool = 'general'
         WHERE a.agent_id = $1 AND ($2 IS NULL OR a.booking_id = $2)
           AND ($3 IS NULL OR (r.starts_at > $3 AND r.cancelled_at_ns IS NULL))
         ORDER BY p.host_id, p.event_id, p.starts_at, r.booking_id
         FOR UPDATE OF p, r";
    UPDATE_POOLS(TEXT_ARRAY, TEXT_ARRAY, INT8_ARRAY, INT4_ARRAY) =
        "UPDATE capacity_pools p SET taken = n.taken
         FROM unnest($1, $2, $3, $4) AS n (host_id, event_id, starts_at, taken)
         WHERE p.host_id = n.host_id AND p.event_id = n.event_id
           AND p.starts_at = n.starts_at AND p.pool = 'general'";
    UPDATE_BOOKINGS(TEXT_ARRAY, TEXT_ARRAY, INT8) =
        "UPDATE reservations r SET cancelled_at_ns = $3
         FROM unnest($1, $2) AS n (host_id, booking_id)
         WHERE r.host_id = n.host_id AND r.booking_id = n.booking_id";
    ANNOUNCE(TEXT_ARRAY, TEXT_ARRAY, TEXT, TEXT, BYTEA, INT8, INT8_ARRAY) =
        "INSERT INTO outbox (host_id, stamp, recipient, kind, booking_id, agent_id, due_at_ns)
         SELECT n.host_id, $5, t.recipient, $4, n.booking_id,
                CASE t.recipient WHEN 'attendee' THEN $3 END,
                CASE t.recipient WHEN 'attendee' THEN $6 ELSE n.due_at_ns END
         FROM unnest($1, $2, $7) AS n (host_id, booking_id, due_at_ns),
              (VALUES ('attendee'), ('host')) AS t (recipient)
         ON CONFLICT (host_id, stamp, booking_id, recipient) DO NOTHING";
}

/// Cancels one booking of an agent.
pub(super) struct Cancel {
    pub(super) agent: String,
    pub(super) booking: BookingId,
    pub(super) stamp: Stamp,
}

impl OrderedWork for Cancel {
    type Answer = ();

    async fn work(&self, session: &Session, opened: &Opened) -> Result<(), Fault> {
        let booking = self.booking.to_string();
        let from: Option<i64> = None;
        let ((), ours, (), rows) = try_join!(
            biased;
            session.begin(),
            opened.fence(session),
            session.run(&LOCK_AGENT, [&self.agent]),
            session.rows(&LOCK, [&self.agent, &booking, &from]),
        )?;
        if !ours {
            return Err(Fault::Fenced);
        }
        let held = rows
            .iter()
            .map(Held::from_row)
            .collect::<Result<Vec<_>, _>>()?;
        let Some(one) = held.first() else {
            return Err(Refusal::NotFound("booking").into());
        };
        if one.cancelled {
            return Err(Refusal::NotCancellable.into());
        }
        let which = Which {
            booking: Some(booking),
            ..Which::all(&self.agent)
        };
        give_back(session, opened, (&self.agent, self.stamp), &held).await?;
        shares::end(
            session,
            &which,
            Ending {
                kind: "cancelled",
                stamp: self.stamp,
            },
        )
        .await?;
        session.commit().await?;
        Ok(())
    }
}

/// Cancels all bookings of an agent that lie ahead, inside a transaction that locked the agent.
/// Ends no shares; returns how many bookings.
pub(super) async fn cancel_to_come(
    session: &Session,
    opened: &Opened,
    agent: &str,
    stamp: Stamp,
) -> Result<u64, Fault> {
    let (booking, now) = (None::<&str>, Some(stamp.timestamp().as_second()));
    let rows = session.rows(&LOCK, [&agent, &booking, &now]).await?;
    let held = rows
        .iter()
        .map(Held::from_row)
        .collect::<Result<Vec<_>, _>>()?;
    give_back(session, opened, (agent, stamp), &held).await?;
    Ok(held.len() as u64)
}

/// A booking with its pool, both locked.
struct Held {
    host: String,
    booking: String,
    event: String,
    slot: Occurrence,
    party: u32,
    cancelled: bool,
    pool: Pool,
}

impl Held {
    fn from_row(row: &tokio_postgres::Row) -> Result<Self, Fault> {
        let mut columns = Columns::of(row);
        Ok(Self {
            host: columns.take()?,
            booking: columns.take()?,
            event: columns.take()?,
            slot: columns.slot()?,
            party: columns.count("reservations.party")?,
            cancelled: columns.take::<Option<i64>>()?.is_some(),
            pool: columns.pool()?,
        })
    }
}

/// Gives places back, marks the bookings and tells both sides.
async fn give_back(
    session: &Session,
    opened: &Opened,
    (agent, stamp): (&str, Stamp),
    held: &[Held],
) -> Result<(), Fault> {
    let mut journal = Lines::default();
    let mut pools = BTreeMap::new();
    for one in held {
        journal.push(
            agent,
            &queue::returned(&one.booking, stamp),
            opened.issue()?,
        );
        let key = (
            one.host.as_str(),
            one.event.as_str(),
            one.slot.starts_at.as_second(),
        );
        let pool = pools.entry(key).or_insert(one.pool);
        *pool = cancel(*pool, one.slot, one.party, stamp.timestamp())?;
    }
    let (mut hosts, mut events, mut starts, mut taken) = (vec![], vec![], vec![], vec![]);
    for ((host, event, starts_at), pool) in pools {
        hosts.push(host);
        events.push(event);
        starts.push(starts_at);
        taken.push(integer(pool.taken, "capacity_pools.taken")?);
    }
    let of: Vec<_> = held.iter().map(|one| one.host.as_str()).collect();
    let bookings: Vec<_> = held.iter().map(|one| one.booking.as_str()).collect();
    try_join!(
        biased;
        session.run(&UPDATE_POOLS, [&hosts, &events, &starts, &taken]),
        session.run(&UPDATE_BOOKINGS, [&of, &bookings, &stamp.at_ns]),
        announce(session, "cancelled", (agent, stamp), (&of, &bookings)),
        journal.write(session, Stream::Reservations),
    )?;
    Ok(())
}

/// Puts a message for the attendee and one for the host of each booking into the outbox.
pub(super) async fn announce(
    session: &Session,
    kind: &str,
    (agent, stamp): (&str, Stamp),
    (hosts, bookings): (&[&str], &[&str]),
) -> Result<(), tokio_postgres::Error> {
    let due: Vec<_> = hosts
        .iter()
        .map(|host| due_at(kind, &stamp, host))
        .collect();
    let id = stamp.id.as_slice();
    session
        .run(
            &ANNOUNCE,
            [&hosts, &bookings, &agent, &kind, &id, &stamp.at_ns, &due],
        )
        .await
}
