//! Taking the bookings of one pool: read once, decide as a fold, write once.

mod batch;
mod fold;

use spots_booking::{Refusal, Stream};
use tokio::try_join;

use self::batch::Rows;
use self::fold::Fold;
use super::columns::Columns;
use super::events::{self, event_columns};
use super::journal;
use super::lanes::Lane;
use super::order::{Opened, OrderedWork};
use super::session::{Fault, Session, statements};
use crate::model::{Book, Booked};
use crate::queue;

/// What became of one booking of a batch.
pub(super) type Outcome = Result<Booked, Refusal>;

statements! {
    LOCK_AGENTS(TEXT_ARRAY) =
        "SELECT agent_id FROM agents WHERE agent_id = ANY($1) ORDER BY agent_id FOR KEY SHARE";
    ADD_POOL(TEXT, TEXT, INT8) =
        "INSERT INTO capacity_pools (host_id, event_id, starts_at, pool, capacity, taken,
                                     next_position)
         SELECT host_id, event_id, $3, 'general', capacity, 0, 1
         FROM events WHERE host_id = $1 AND event_id = $2
         ON CONFLICT (host_id, event_id, starts_at, pool) DO NOTHING";
    LOCK_POOL(TEXT, TEXT, INT8) =
        "SELECT capacity, taken, next_position FROM capacity_pools
         WHERE host_id = $1 AND event_id = $2 AND starts_at = $3 AND pool = 'general'
         FOR UPDATE";
    /// Holds the event, so that it is not called off under the booking.
    EVENT(TEXT, TEXT) = concat!(
        "SELECT ", event_columns!(), ",
                COALESCE((SELECT max(r.version) FROM requirements r
                          WHERE r.host_id = e.host_id AND r.event_type = e.event_type), 0)
         FROM events e JOIN hosts h ON h.host_id = e.host_id
         WHERE e.host_id = $1 AND e.event_id = $2 FOR KEY SHARE OF e"
    );
    REPEATED(TEXT_ARRAY, TEXT_ARRAY) =
        "SELECT k.actor, k.idempotency_key, k.digest, k.outcome
         FROM unnest($1, $2) AS n (actor, idempotency_key)
         JOIN idempotency_keys k
           ON k.actor = n.actor AND k.idempotency_key = n.idempotency_key";
    GUESTS(TEXT, TEXT_ARRAY) =
        "SELECT agent_id, guest_id FROM guests WHERE host_id = $1 AND agent_id = ANY($2)";
    CODES(TEXT, TEXT_ARRAY) = "SELECT code FROM guests WHERE host_id = $1 AND code = ANY($2)";
    UPDATE_POOL(TEXT, TEXT, INT8, INT4, INT8) =
        "UPDATE capacity_pools SET taken = $4, next_position = $5
         WHERE host_id = $1 AND event_id = $2 AND starts_at = $3 AND pool = 'general'";
    ADD_GUESTS(TEXT, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY) =
        "INSERT INTO guests (host_id, guest_id, agent_id, code)
         SELECT $1, n.guest_id, n.agent_id, n.code
         FROM unnest($2, $3, $4) AS n (guest_id, agent_id, code)";
    ADD_RESERVATIONS(
        TEXT, TEXT, TEXT, INT8, INT8_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, INT4_ARRAY,
        INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, BYTEA_ARRAY
    ) = "INSERT INTO reservations (host_id, event_id, event_type, starts_at, ends_at, booking_id,
             agent_id, guest_id, party, position, booked_at_ns, booked_bound_ns, booked_stamp)
         SELECT $1, $2, $3, $4, n.*
         FROM unnest($5, $6, $7, $8, $9, $10, $11, $12, $13) AS n";
    ADD_TICKETS(TEXT, TEXT_ARRAY, INT4_ARRAY) =
        "INSERT INTO reservation_tickets (host_id, booking_id, line, pool, quantity)
         SELECT $1, n.booking_id, 1, 'general', n.quantity
         FROM unnest($2, $3) AS n (booking_id, quantity)";
    ADD_AGENT_BOOKINGS(TEXT, TEXT_ARRAY, TEXT_ARRAY, BYTEA_ARRAY) =
        "INSERT INTO agent_bookings (host_id, booking_id, agent_id, booked_stamp)
         SELECT $1, n.* FROM unnest($2, $3, $4) AS n";
    ADD_SHARES(
        TEXT, TEXT, INT4, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, BYTEA_ARRAY, INT8_ARRAY, INT8_ARRAY,
        BYTEA_ARRAY
    ) = "INSERT INTO reservation_user_data (host_id, event_type, requirements_version, share_id,
             booking_id, agent_id, requirements_hash, shared_at_ns, shared_bound_ns, shared_stamp)
         SELECT $1, $2, $3, n.* FROM unnest($4, $5, $6, $7, $8, $9, $10) AS n";
    ADD_FIELDS(TEXT, TEXT_ARRAY, TEXT_ARRAY, BYTEA_ARRAY, INT8_ARRAY) =
        "INSERT INTO reservation_user_data_fields (host_id, share_id, field, sealed, expires_at_ns)
         SELECT $1, n.* FROM unnest($2, $3, $4, $5) AS n";
    ADD_KEYS(TEXT, TEXT_ARRAY, TEXT_ARRAY, BYTEA_ARRAY, INT4_ARRAY, BYTEA_ARRAY) =
        "INSERT INTO share_keys (host_id, share_id, field, wrapped_key, master_version, salt)
         SELECT $1, n.* FROM unnest($2, $3, $4, $5, $6) AS n";
    ADD_GRANTED(TEXT, TEXT_ARRAY, TEXT_ARRAY, BYTEA_ARRAY, BYTEA_ARRAY) =
        "INSERT INTO ledger_entries (host_id, share_id, field, kind, stamp, commitment)
         SELECT $1, n.share_id, n.field, 'granted', n.stamp, n.commitment
         FROM unnest($2, $3, $4, $5) AS n (share_id, field, stamp, commitment)";
    ADD_BOOKED(TEXT, TEXT_ARRAY, TEXT_ARRAY, BYTEA_ARRAY, INT8_ARRAY) =
        "INSERT INTO outbox (host_id, stamp, recipient, kind, booking_id, agent_id, due_at_ns)
         SELECT $1, n.stamp, t.recipient, 'booked', n.booking_id,
                CASE t.recipient WHEN 'attendee' THEN n.agent_id END, n.at_ns
         FROM unnest($2, $3, $4, $5) AS n (booking_id, agent_id, stamp, at_ns),
              (VALUES ('attendee'), ('host')) AS t (recipient)";
    REMEMBER(TEXT_ARRAY, TEXT_ARRAY, BYTEA_ARRAY, TEXT_ARRAY) =
        "INSERT INTO idempotency_keys (actor, idempotency_key, digest, outcome)
         SELECT n.* FROM unnest($1, $2, $3, $4) AS n";
}

/// Bookings of one pool, in the order in which they came.
pub(super) struct Batch<'a> {
    pub(super) lane: Lane,
    pub(super) books: &'a [Book],
}

impl OrderedWork for Batch<'_> {
    type Answer = Vec<Outcome>;

    async fn work(&self, session: &Session, opened: &Opened) -> Result<Vec<Outcome>, Fault> {
        let mut fold = self.read(session, opened).await?;
        let mut rows = Rows::default();
        let mut outcomes = Vec::with_capacity(self.books.len());
        for book in self.books {
            let outcome = fold.take(book, &mut rows)?;
            if let Ok(booked) = &outcome
                && !booked.repeated
            {
                let entry = queue::taken(book, &booked.placed);
                rows.journal
                    .push(&book.agent.reveal(), &entry, opened.issue()?);
            }
            outcomes.push(outcome);
        }
        if let Some(record) = &fold.record
            && !rows.bookings.is_empty()
        {
            Box::pin(rows.write(session, self.lane, record, &fold)).await?;
        }
        Ok(outcomes)
    }
}

impl Batch<'_> {
    /// Takes the locks, then reads what the decisions need, in one round trip. What is read after
    /// the pool is locked holds all that earlier bookings of it wrote.
    async fn read(&self, session: &Session, opened: &Opened) -> Result<Fold, Fault> {
        let (host, event) = (self.lane.0.to_string(), self.lane.1.to_string());
        let starts_at = self.lane.2;
        let agents: Vec<_> = self.books.iter().map(|book| book.agent.reveal()).collect();
        let (actors, keys): (Vec<_>, Vec<_>) = self.books.iter().filter_map(named).unzip();
        let codes: Vec<_> = self
            .books
            .iter()
            .flat_map(|book| book.codes)
            .map(|code| code.to_string())
            .collect();
        let ((), ours, known, (), pool, record, repeated, guests, codes, last) = try_join!(
            biased;
            session.begin(),
            opened.fence(session),
            session.rows(&LOCK_AGENTS, [&agents]),
            session.run(&ADD_POOL, [&host, &event, &starts_at]),
            session.row(&LOCK_POOL, [&host, &event, &starts_at]),
            session.row(&EVENT, [&host, &event]),
            session.rows(&REPEATED, [&actors, &keys]),
            session.rows(&GUESTS, [&host, &agents]),
            session.rows(&CODES, [&host, &codes]),
            journal::last(session, Stream::Reservations),
        )?;
        if !ours {
            return Err(Fault::Fenced);
        }
        // The places before these may have been taken by another process: these are stamped later.
        opened.follow(last)?;
        let pool = pool.map(|row| Columns::of(&row).pool()).transpose()?;
        let mut read = Fold {
            pool,
            ..Fold::default()
        };
        if let Some(row) = &record {
            let mut columns = Columns::of(row);
            read.record = Some(events::from_columns(&mut columns)?);
            read.requirements_version = columns.count("requirements.version")?;
        }
        for row in &known {
            read.agents.insert(Columns::of(row).take()?);
        }
        for row in &repeated {
            let mut columns = Columns::of(row);
            let name = (columns.take()?, columns.take()?);
            let digest = columns.array("idempotency_keys.digest")?;
            read.repeated
                .insert(name, (digest, fold::outcome_from_column(columns.take()?)?));
        }
        for row in &guests {
            let mut columns = Columns::of(row);
            read.guests.insert(columns.take()?, columns.take()?);
        }
        for row in &codes {
            read.codes.insert(Columns::of(row).take()?);
        }
        Ok(read)
    }
}

/// The actor and the key that the actor chose.
fn named(book: &Book) -> Option<(String, String)> {
    let key = book.idempotency.as_ref()?.key.clone();
    Some((book.agent.reveal(), key))
}
