//! What a batch writes: a list a column, one statement a table.

use spots_booking::Stream;
use spots_privacy::ledger::Granted;
use tokio::try_join;
use tokio_postgres::Error;

use super::fold::{Fold, outcome_to_column};
use super::{
    ADD_AGENT_BOOKINGS, ADD_BOOKED, ADD_FIELDS, ADD_GRANTED, ADD_GUESTS, ADD_KEYS,
    ADD_RESERVATIONS, ADD_SHARES, ADD_TICKETS, REMEMBER, UPDATE_POOL,
};
use crate::model::{Book, Booked, EventRecord, NewShare};
use crate::postgres::columns::integer;
use crate::postgres::journal::Lines;
use crate::postgres::lanes::Lane;
use crate::postgres::session::{Fault, Session};
use crate::rows::Inconsistent;

/// A guest that the host meets for the first time.
pub(super) struct NewGuest {
    pub(super) guest: String,
    pub(super) agent: String,
    pub(super) code: String,
}

/// The rows of the bookings that were taken.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) guests: Vec<NewGuest>,
    pub(super) bookings: Bookings,
    pub(super) journal: Lines,
    shares: Shares,
    fields: Fields,
    named: Named,
}

#[derive(Default)]
pub(super) struct Bookings {
    booking: Vec<String>,
    agent: Vec<String>,
    guest: Vec<String>,
    ends_at: Vec<i64>,
    party: Vec<i32>,
    position: Vec<Option<i64>>,
    at_ns: Vec<i64>,
    bound_ns: Vec<Option<i64>>,
    stamp: Vec<Vec<u8>>,
}

impl Bookings {
    pub(super) fn is_empty(&self) -> bool {
        self.booking.is_empty()
    }
}

#[derive(Default)]
struct Shares {
    share: Vec<String>,
    booking: Vec<String>,
    agent: Vec<String>,
    hash: Vec<Vec<u8>>,
    at_ns: Vec<i64>,
    bound_ns: Vec<Option<i64>>,
    stamp: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Fields {
    share: Vec<String>,
    field: Vec<String>,
    sealed: Vec<Vec<u8>>,
    expires_at_ns: Vec<i64>,
    key: Vec<Vec<u8>>,
    version: Vec<i32>,
    salt: Vec<Vec<u8>>,
    stamp: Vec<Vec<u8>>,
    commitment: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Named {
    actor: Vec<String>,
    key: Vec<String>,
    digest: Vec<Vec<u8>>,
    outcome: Vec<String>,
}

impl Rows {
    /// Adds the rows of one booking, except that of its guest.
    pub(super) fn push(
        &mut self,
        book: &Book,
        agent: String,
        guest: String,
        booked: &Booked,
    ) -> Result<(), Fault> {
        if let Some(named) = &book.idempotency {
            self.named.actor.push(agent.clone());
            self.named.key.push(named.key.clone());
            self.named.digest.push(named.digest.to_vec());
            self.named.outcome.push(outcome_to_column(booked));
        }
        if let Some(share) = &book.share {
            self.push_share(book, &agent, share)?;
        }
        let bookings = &mut self.bookings;
        bookings.booking.push(book.booking.to_string());
        bookings.agent.push(agent);
        bookings.guest.push(guest);
        bookings
            .ends_at
            .push(booked.placed.slot.ends_at.as_second());
        bookings
            .party
            .push(integer(booked.placed.party, "reservations.party")?);
        bookings.position.push(booked.placed.position);
        bookings.at_ns.push(book.stamp.at_ns);
        bookings.bound_ns.push(book.stamp.bound_ns);
        bookings.stamp.push(book.stamp.id.to_vec());
        Ok(())
    }

    fn push_share(&mut self, book: &Book, agent: &str, share: &NewShare) -> Result<(), Fault> {
        let (host, id) = (book.host.to_string(), share.id.to_string());
        for (field, expires_at_ns) in &share.fields {
            let granted = Granted {
                host: &host,
                share: &id,
                field: &field.field,
                at_ns: book.stamp.at_ns,
                requirements_hash: &share.requirements_hash,
                expires_at_ns: *expires_at_ns,
            };
            let fields = &mut self.fields;
            fields.share.push(id.clone());
            fields.field.push(field.field.clone());
            fields.sealed.push(field.value.as_bytes().to_vec());
            fields.expires_at_ns.push(*expires_at_ns);
            fields.key.push(field.key.bytes.clone());
            fields
                .version
                .push(integer(field.key.version, "share_keys.master_version")?);
            fields.salt.push(field.salt.to_vec());
            fields.stamp.push(book.stamp.id.to_vec());
            fields
                .commitment
                .push(granted.commitment(&field.salt).to_vec());
        }
        let shares = &mut self.shares;
        shares.share.push(id);
        shares.booking.push(book.booking.to_string());
        shares.agent.push(agent.to_owned());
        shares.hash.push(share.requirements_hash.to_vec());
        shares.at_ns.push(book.stamp.at_ns);
        shares.bound_ns.push(book.stamp.bound_ns);
        shares.stamp.push(book.stamp.id.to_vec());
        Ok(())
    }

    /// Writes everything and commits, in one round trip.
    pub(super) async fn write(
        &self,
        session: &Session,
        lane: Lane,
        record: &EventRecord,
        fold: &Fold,
    ) -> Result<(), Fault> {
        let kind = record.event.offer.event_type.as_str();
        let version = integer(fold.requirements_version, "requirements.version")?;
        let pool = fold.pool.ok_or(Inconsistent("capacity_pools"))?;
        let to = Target {
            host: lane.0.to_string(),
            event: lane.1.to_string(),
            starts_at: lane.2,
            kind,
            version,
            taken: integer(pool.taken, "capacity_pools.taken")?,
            next_position: pool.next_position,
        };
        // Every future sends its statements when it is first polled, so the commit goes last.
        try_join!(
            biased;
            self.write_bookings(session, &to),
            self.write_shares(session, &to),
            self.write_messages(session, &to),
            self.journal.write(session, Stream::Reservations),
            session.commit(),
        )?;
        Ok(())
    }

    async fn write_bookings(&self, session: &Session, to: &Target) -> Result<(), Error> {
        let Target {
            host,
            event,
            starts_at,
            kind,
            taken,
            next_position,
            ..
        } = to;
        let Bookings {
            booking,
            agent,
            guest,
            party,
            position,
            at_ns,
            bound_ns,
            stamp,
            ..
        } = &self.bookings;
        let guests: Vec<_> = self.guests.iter().map(|new| new.guest.as_str()).collect();
        let agents: Vec<_> = self.guests.iter().map(|new| new.agent.as_str()).collect();
        let codes: Vec<_> = self.guests.iter().map(|new| new.code.as_str()).collect();
        try_join!(
            biased;
            session.run(&UPDATE_POOL, [host, event, starts_at, taken, next_position]),
            session.run_unless(guests.is_empty(), &ADD_GUESTS, [host, &guests, &agents, &codes]),
            session.run(&ADD_RESERVATIONS, [
                host, event, kind, starts_at, &self.bookings.ends_at, booking, agent, guest, party,
                position, at_ns, bound_ns, stamp,
            ]),
            session.run(&ADD_TICKETS, [host, booking, party]),
            session.run(&ADD_AGENT_BOOKINGS, [host, booking, agent, stamp]),
        )?;
        Ok(())
    }

    async fn write_shares(&self, session: &Session, to: &Target) -> Result<(), Error> {
        let Target {
            host,
            kind,
            version,
            ..
        } = to;
        let Shares {
            share,
            booking,
            agent,
            hash,
            at_ns,
            bound_ns,
            stamp,
        } = &self.shares;
        let fields = &self.fields;
        let (of, field) = (&fields.share, &fields.field);
        let none = share.is_empty();
        try_join!(
            biased;
            session.run_unless(none, &ADD_SHARES, [
                host, kind, version, share, booking, agent, hash, at_ns, bound_ns, stamp,
            ]),
            session.run_unless(none, &ADD_FIELDS, [
                host, of, field, &fields.sealed, &fields.expires_at_ns,
            ]),
            session.run_unless(none, &ADD_KEYS, [
                host, of, field, &fields.key, &fields.version, &fields.salt,
            ]),
            session.run_unless(none, &ADD_GRANTED, [
                host, of, field, &fields.stamp, &fields.commitment,
            ]),
        )?;
        Ok(())
    }

    async fn write_messages(&self, session: &Session, to: &Target) -> Result<(), Error> {
        let Bookings {
            booking,
            agent,
            at_ns,
            stamp,
            ..
        } = &self.bookings;
        let Named {
            actor,
            key,
            digest,
            outcome,
        } = &self.named;
        try_join!(
            biased;
            session.run(&ADD_BOOKED, [&to.host, booking, agent, stamp, at_ns]),
            session.run_unless(actor.is_empty(), &REMEMBER, [actor, key, digest, outcome]),
        )?;
        Ok(())
    }
}

/// What all bookings of a batch have in common, and the pool after them.
struct Target {
    host: String,
    event: String,
    starts_at: i64,
    kind: &'static str,
    version: i32,
    taken: i32,
    next_position: i64,
}
