//! Calling an event off.

use async_trait::async_trait;
use spots_booking::{EventId, HostId, Refusal, Stream};
use tokio::try_join;

use super::PostgresStore;
use super::columns::Columns;
use super::journal::Lines;
use super::order::{Opened, OrderedWork};
use super::session::{Fault, Session, statements};
use super::shares::{self, Ended, Ending};
use crate::error::StoreError;
use crate::model::Stamp;
use crate::queue;
use crate::rows::due_at;
use crate::store::call_off::{CallOffStore, CalledOff};

statements! {
    LOCK_POOLS(TEXT, TEXT) =
        "SELECT 1 FROM capacity_pools WHERE host_id = $1 AND event_id = $2
         ORDER BY starts_at, pool FOR UPDATE";
    /// Bookings under way hold the event; they are seen by what follows.
    LOCK_EVENT(TEXT, TEXT) =
        "SELECT 1 FROM events WHERE host_id = $1 AND event_id = $2 FOR UPDATE";
    CALL_OFF(TEXT, TEXT) =
        "UPDATE events SET called_off = 1 WHERE host_id = $1 AND event_id = $2";
    CANCEL(TEXT, TEXT, INT8, INT8) =
        "UPDATE reservations SET cancelled_at_ns = $3
         WHERE host_id = $1 AND event_id = $2 AND cancelled_at_ns IS NULL AND ends_at > $4
         RETURNING booking_id, agent_id";
    END(TEXT, TEXT, INT8, BYTEA) =
        "WITH live AS MATERIALIZED (
             SELECT k.host_id, k.share_id, k.field, k.salt, d.booking_id
             FROM reservations r
             JOIN reservation_user_data d ON d.host_id = r.host_id AND d.booking_id = r.booking_id
             JOIN share_keys k ON k.host_id = d.host_id AND k.share_id = d.share_id
             WHERE r.host_id = $1 AND r.event_id = $2
             ORDER BY k.host_id, k.share_id, k.field FOR UPDATE OF k),
         marked AS (
             UPDATE reservation_user_data_fields f SET revoked_at_ns = $3, revoked_stamp = $4
             FROM live l
             WHERE f.host_id = l.host_id AND f.share_id = l.share_id AND f.field = l.field),
         gone AS (
             DELETE FROM share_keys k USING live l
             WHERE k.host_id = l.host_id AND k.share_id = l.share_id AND k.field = l.field)
         SELECT host_id, share_id, field, salt, booking_id FROM live";
    ANNOUNCE(TEXT, TEXT_ARRAY, TEXT_ARRAY, BYTEA, INT8, INT8) =
        "INSERT INTO outbox (host_id, stamp, recipient, kind, booking_id, agent_id, due_at_ns)
         SELECT $1, $4, t.recipient, 'called_off', n.booking_id,
                CASE t.recipient WHEN 'attendee' THEN n.agent_id END,
                CASE t.recipient WHEN 'attendee' THEN $5 ELSE $6 END
         FROM unnest($2, $3) AS n (booking_id, agent_id),
              (VALUES ('attendee'), ('host')) AS t (recipient)
         ON CONFLICT (host_id, stamp, booking_id, recipient) DO NOTHING";
}

#[async_trait]
impl CallOffStore for PostgresStore {
    async fn call_off(
        &self,
        host: HostId,
        event: EventId,
        stamp: Stamp,
    ) -> Result<CalledOff, StoreError> {
        let work = CallOff {
            host: host.to_string(),
            event: event.to_string(),
            stamp,
        };
        self.transact_in_order(work)
            .await
            .map_err(|fault| fault.into_error("call an event off"))
    }
}

struct CallOff {
    host: String,
    event: String,
    stamp: Stamp,
}

impl OrderedWork for CallOff {
    type Answer = CalledOff;

    async fn work(&self, session: &Session, opened: &Opened) -> Result<CalledOff, Fault> {
        let Self { host, event, stamp } = self;
        let (now, id) = (stamp.timestamp().as_second(), stamp.id.as_slice());
        let ((), ours, (), known, (), cancelled, ended) = try_join!(
            biased;
            session.begin(),
            opened.fence(session),
            session.run(&LOCK_POOLS, [host, event]),
            session.row(&LOCK_EVENT, [host, event]),
            session.run(&CALL_OFF, [host, event]),
            session.rows(&CANCEL, [host, event, &stamp.at_ns, &now]),
            session.rows(&END, [host, event, &stamp.at_ns, &id]),
        )?;
        if !ours {
            return Err(Fault::Fenced);
        }
        if known.is_none() {
            return Err(Refusal::NotFound("event").into());
        }
        let ended = ended
            .iter()
            .map(Ended::from_row)
            .collect::<Result<Vec<_>, _>>()?;
        let (mut bookings, mut agents) = (Vec::<String>::new(), Vec::<String>::new());
        let mut journal = Lines::default();
        for row in &cancelled {
            let mut columns = Columns::of(row);
            let (booking, agent): (String, String) = (columns.take()?, columns.take()?);
            let entry = queue::returned(&booking, *stamp);
            journal.push(&agent, &entry, opened.issue()?);
            bookings.push(booking);
            agents.push(agent);
        }
        let ending = Ending {
            kind: "called_off",
            stamp: *stamp,
        };
        let due = due_at("called_off", stamp, host);
        try_join!(
            biased;
            shares::enter(session, &ended, ending),
            session.run_unless(bookings.is_empty(), &ANNOUNCE, [
                host, &bookings, &agents, &id, &stamp.at_ns, &due,
            ]),
            journal.write(session, Stream::Reservations),
            session.commit(),
        )?;
        Ok(CalledOff {
            bookings: bookings.len() as u64,
            fields: ended.len() as u64,
        })
    }
}
