//! What a host reads: the guests of an event, with proofs for what is shared now. And what waits
//! to be told.

use std::collections::BTreeMap;

use spots_booking::Refusal;
use spots_privacy::{Consented, Grant, SealedField};
use tokio::try_join;
use tokio_postgres::Row;

use super::columns::Columns;
use super::session::{Fault, Session, Work, statements};
use super::{PostgresStore, wall};
use crate::model::{GuestRecord, Message, OpenGuests, Page, PageRequest, Stamp};
use crate::rows::names_to_column;

statements! {
    EVENT(TEXT, TEXT) = "SELECT 1 FROM events WHERE host_id = $1 AND event_id = $2";
    GUESTS(TEXT, TEXT, INT8, INT8, INT8, TEXT) =
        "SELECT r.guest_id, r.booking_id, g.code, r.starts_at, r.ends_at, r.party, r.position,
                spots_wall.is_cancelled(r.booking_id)
         FROM reservations r
         JOIN guests g ON g.host_id = r.host_id AND g.guest_id = r.guest_id
         WHERE r.host_id = $1 AND r.event_id = $2 AND ($3 IS NULL OR r.starts_at = $3)
           AND ($6 IS NULL OR strpos(g.code, $6) > 0)
         ORDER BY r.starts_at, g.code COLLATE \"C\", r.booking_id COLLATE \"C\"
         LIMIT $4 OFFSET $5";
    /// Waits for revocations under way, and finds no key after them; those that come later wait
    /// until the opening is recorded.
    GRANTS(TEXT, TEXT_ARRAY) =
        "SELECT d.booking_id, d.share_id, d.agent_id, f.field, f.revoked_at_ns, f.expires_at_ns,
                f.sealed, k.wrapped_key, k.master_version
         FROM reservation_user_data d
         JOIN reservation_user_data_fields f
           ON f.host_id = d.host_id AND f.share_id = d.share_id
         JOIN share_keys k
           ON k.host_id = f.host_id AND k.share_id = f.share_id AND k.field = f.field
         WHERE d.host_id = $1 AND d.booking_id = ANY($2)
         ORDER BY k.host_id, k.share_id, k.field FOR KEY SHARE OF k";
    RECORD(TEXT, TEXT, BYTEA, INT8, INT8, TEXT, TEXT_ARRAY, TEXT_ARRAY) =
        "WITH opening AS (
             INSERT INTO openings (host_id, event_id, stamp, opened_at_ns, opened_bound_ns, channel)
             VALUES ($1, $2, $3, $4, $5, $6))
         INSERT INTO opened_shares (host_id, stamp, share_id, fields)
         SELECT $1, $3, n.* FROM unnest($7, $8) AS n";
    LIST_MESSAGES(INT8, INT8) =
        "SELECT recipient, kind, host_id, booking_id, due_at_ns FROM outbox
         WHERE delivered_at_ns IS NULL AND due_at_ns <= $1 ORDER BY due_at_ns LIMIT $2";
}

/// Lists guests without what they share, as their host.
struct List {
    open: OpenGuests,
    page: PageRequest,
}

/// Adds what the listed guests share now, with proofs, and records it; as the platform, for the
/// host's role reads no key.
struct Open {
    open: OpenGuests,
    listed: Vec<String>,
}

/// Opens the guests of an event for its host.
pub(super) async fn open(
    store: &PostgresStore,
    open: OpenGuests,
    page: PageRequest,
) -> Result<Page<GuestRecord>, Fault> {
    let session = store.host_session().await?;
    let mut page = session.transact(&List { open, page }).await?;
    drop(session);
    let listed: Vec<_> = page
        .items
        .iter()
        .map(|guest| guest.booking.to_string())
        .collect();
    if listed.is_empty() {
        return Ok(page);
    }
    let mut proofs = store.transact(&Open { open, listed }).await?;
    for guest in &mut page.items {
        let of_booking = proofs.remove(&guest.booking.to_string());
        guest.fields = of_booking.unwrap_or_default();
    }
    Ok(page)
}

impl Work for List {
    type Answer = Page<GuestRecord>;

    async fn work(&self, session: &Session) -> Result<Page<GuestRecord>, Fault> {
        let (host, event) = (self.open.host.to_string(), self.open.event.to_string());
        let (limit, offset) = (i64::from(self.page.limit) + 1, i64::from(self.page.offset));
        let starts_at = self.open.starts_at;
        let code = self.open.code.map(|code| code.to_string());
        let ((), (), known, rows, ()) = try_join!(
            biased;
            session.begin(),
            wall::name_host(session, &host),
            session.row(&EVENT, [&host, &event]),
            session.rows(&GUESTS, [&host, &event, &starts_at, &limit, &offset, &code]),
            session.commit(),
        )?;
        if known.is_none() {
            return Err(Refusal::NotFound("event").into());
        }
        let guests = rows.iter().map(guest).collect::<Result<_, _>>()?;
        Ok(Page::cut(guests, self.page.limit))
    }
}

impl Work for Open {
    type Answer = BTreeMap<String, Vec<Consented>>;

    async fn work(&self, session: &Session) -> Result<Self::Answer, Fault> {
        let host = self.open.host.to_string();
        let ((), grants) = try_join!(
            biased;
            session.begin(),
            session.rows(&GRANTS, [&host, &self.listed]),
        )?;
        let proofs = self.prove(&host, &grants)?;
        self.record(session, &host, &proofs).await?;
        Ok(proofs)
    }
}

impl Open {
    /// Checks the grants; proofs by booking.
    fn prove(&self, host: &str, grants: &[Row]) -> Result<BTreeMap<String, Vec<Consented>>, Fault> {
        let mut proofs: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for row in grants {
            let mut columns = Columns::of(row);
            let booking: String = columns.take()?;
            let share = columns.take()?;
            let agent = columns.agent()?;
            let field = columns.take()?;
            let (revoked_at, expires_at) = (columns.take()?, columns.take()?);
            let value = SealedField::from_stored(columns.take()?);
            let host_of = host.to_owned();
            let key = columns.key()?;
            let grant = Grant {
                host: host_of,
                agent,
                share,
                field,
                revoked_at,
                expires_at,
                key,
                value,
            };
            // A grant that ended is not an error: the field is simply not there.
            if let Ok(proof) = grant.consent(host, self.open.stamp.at_ns) {
                proofs.entry(booking).or_default().push(proof);
            }
        }
        Ok(proofs)
    }

    /// Records what is opened, and commits.
    async fn record(
        &self,
        session: &Session,
        host: &str,
        proofs: &BTreeMap<String, Vec<Consented>>,
    ) -> Result<(), Fault> {
        let (mut shares, mut fields) = (Vec::new(), Vec::new());
        for of_booking in proofs.values() {
            if let Some(first) = of_booking.first() {
                shares.push(first.share());
                let names: Vec<_> = of_booking.iter().map(Consented::field).collect();
                fields.push(names_to_column(&names));
            }
        }
        let OpenGuests { channel, stamp, .. } = self.open;
        let event = self.open.event.to_string();
        let (id, channel) = (stamp.id.as_slice(), channel.as_str());
        try_join!(
            biased;
            session.run_unless(shares.is_empty(), &RECORD, [
                &host, &event, &id, &stamp.at_ns, &stamp.bound_ns, &channel, &shares, &fields,
            ]),
            session.commit(),
        )?;
        Ok(())
    }
}

fn guest(row: &Row) -> Result<GuestRecord, Fault> {
    let mut columns = Columns::of(row);
    Ok(GuestRecord {
        guest: columns.parse("reservations.guest_id")?,
        booking: columns.parse("reservations.booking_id")?,
        code: columns.take()?,
        placed: columns.placed()?,
        cancelled: columns.take()?,
        fields: Vec::new(),
    })
}

pub(super) async fn list_messages(
    store: &PostgresStore,
    now: Stamp,
    most: u32,
) -> Result<Vec<Message>, Fault> {
    let rows = store
        .rows(&LIST_MESSAGES, [&now.at_ns, &i64::from(most)])
        .await?;
    let message = |row| {
        let mut columns = Columns::of(row);
        Ok(Message {
            recipient: columns.take()?,
            kind: columns.take()?,
            host: columns.parse("outbox.host_id")?,
            booking: columns.parse("outbox.booking_id")?,
            due_at_ns: columns.take()?,
        })
    };
    rows.iter().map(message).collect()
}
