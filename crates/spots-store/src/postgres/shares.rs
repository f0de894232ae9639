//! Shares: listing and ending. Whatever ends a field destroys its key in the same transaction.

use std::collections::BTreeSet;

use spots_booking::Refusal;
use spots_privacy::consent::commitment;
use spots_privacy::ledger::Entry;
use spots_privacy::ledger::entry::{ERASED, commitment_of_erasure, erased_name};
use spots_privacy::{AgentId, Grant, SealedField};
use tokio::try_join;
use tokio_postgres::Row;

use super::PostgresStore;
use super::cancel::announce;
use super::columns::Columns;
use super::session::{Fault, Session, Work, statements};
use crate::model::{Opening, Page, PageRequest, Selection, ShareFilter, SharedField, Stamp};
use crate::rows::names_from_column;

statements! {
    LOCK_AGENT(TEXT) = "SELECT 1 FROM agents WHERE agent_id = $1 FOR NO KEY UPDATE";
    KNOWN(TEXT, TEXT) =
        "SELECT 1 FROM agent_bookings a
         JOIN reservation_user_data d ON d.host_id = a.host_id AND d.booking_id = a.booking_id
         WHERE a.agent_id = $1 AND ($2 IS NULL OR d.share_id = $2) LIMIT 1";
    /// Live fields are those whose keys exist.
    END(TEXT, TEXT, TEXT, TEXT, TEXT, INT8, BYTEA) =
        "WITH live AS MATERIALIZED (
             SELECT k.host_id, k.share_id, k.field, k.salt, d.booking_id
             FROM agent_bookings a
             JOIN reservation_user_data d ON d.host_id = a.host_id AND d.booking_id = a.booking_id
             JOIN share_keys k ON k.host_id = d.host_id AND k.share_id = d.share_id
             WHERE a.agent_id = $1 AND ($2 IS NULL OR d.share_id = $2)
               AND ($3 IS NULL OR k.field = $3) AND ($4 IS NULL OR a.booking_id = $4)
               AND ($5 IS NULL OR a.host_id = $5)
             ORDER BY k.host_id, k.share_id, k.field FOR UPDATE OF k),
         marked AS (
             UPDATE reservation_user_data_fields f SET revoked_at_ns = $6, revoked_stamp = $7
             FROM live l
             WHERE f.host_id = l.host_id AND f.share_id = l.share_id AND f.field = l.field),
         gone AS (
             DELETE FROM share_keys k USING live l
             WHERE k.host_id = l.host_id AND k.share_id = l.share_id AND k.field = l.field)
         SELECT host_id, share_id, field, salt, booking_id FROM live";
    EXPIRE(INT8, INT8) =
        "WITH live AS MATERIALIZED (
             SELECT k.host_id, k.share_id, k.field, k.salt, d.booking_id
             FROM reservation_user_data_fields f
             JOIN share_keys k
               ON k.host_id = f.host_id AND k.share_id = f.share_id AND k.field = f.field
             JOIN reservation_user_data d ON d.host_id = k.host_id AND d.share_id = k.share_id
             WHERE f.expires_at_ns <= $1 AND f.revoked_at_ns IS NULL
             ORDER BY f.expires_at_ns LIMIT $2 FOR UPDATE OF k SKIP LOCKED),
         gone AS (
             DELETE FROM share_keys k USING live l
             WHERE k.host_id = l.host_id AND k.share_id = l.share_id AND k.field = l.field)
         SELECT host_id, share_id, field, salt, booking_id FROM live";
    END_AGAIN(TEXT, TEXT, TEXT, INT8, BYTEA) =
        "WITH live AS MATERIALIZED (
             SELECT k.host_id, k.share_id, k.field, k.salt, d.booking_id
             FROM share_keys k
             JOIN reservation_user_data d ON d.host_id = k.host_id AND d.share_id = k.share_id
             WHERE k.host_id = $1 AND k.share_id = $2 AND k.field = $3 FOR UPDATE OF k),
         marked AS (
             UPDATE reservation_user_data_fields f SET revoked_at_ns = $4, revoked_stamp = $5
             FROM live l
             WHERE f.host_id = l.host_id AND f.share_id = l.share_id AND f.field = l.field),
         gone AS (
             DELETE FROM share_keys k USING live l
             WHERE k.host_id = l.host_id AND k.share_id = l.share_id AND k.field = l.field)
         SELECT host_id, share_id, field, salt, booking_id FROM live";
    ENTER(TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, BYTEA_ARRAY, BYTEA, TEXT) =
        "INSERT INTO ledger_entries (host_id, share_id, field, commitment, stamp, kind)
         SELECT n.*, $5, $6 FROM unnest($1, $2, $3, $4) AS n";
    LIST(TEXT, TEXT, TEXT, BOOL, INT8, INT8, INT8) =
        "WITH page AS MATERIALIZED (
         SELECT h.host_id, h.kind, h.name, d.share_id, d.booking_id, r.event_id, e.title,
                d.event_type, f.field, d.shared_at_ns, d.shared_bound_ns, d.shared_stamp,
                f.expires_at_ns, f.revoked_at_ns, d.requirements_version, d.agent_id, f.sealed,
                k.wrapped_key, k.master_version,
                (SELECT g.purged_at_ns FROM destroyed_keys g
                 WHERE g.host_id = f.host_id AND g.share_id = f.share_id AND g.field = f.field)
         FROM agent_bookings a
         JOIN reservations r ON r.host_id = a.host_id AND r.booking_id = a.booking_id
         JOIN reservation_user_data d ON d.host_id = a.host_id AND d.booking_id = a.booking_id
         JOIN reservation_user_data_fields f
           ON f.host_id = d.host_id AND f.share_id = d.share_id
         JOIN hosts h ON h.host_id = d.host_id
         JOIN events e ON e.host_id = r.host_id AND e.event_id = r.event_id
         LEFT JOIN share_keys k
           ON k.host_id = f.host_id AND k.share_id = f.share_id AND k.field = f.field
         WHERE a.agent_id = $1 AND ($2 IS NULL OR a.booking_id = $2)
           AND ($3 IS NULL OR a.host_id = $3)
           AND ($4 OR (f.revoked_at_ns IS NULL AND f.expires_at_ns > $5))
         ORDER BY h.name COLLATE \"C\", h.host_id COLLATE \"C\", d.shared_stamp DESC,
                  f.field COLLATE \"C\"
         LIMIT $6 OFFSET $7)
         SELECT p.*, l.*
         FROM page p
         CROSS JOIN LATERAL (
             SELECT count(*), max(o.opened_at_ns),
                    max(o.opened_at_ns) FILTER (WHERE o.channel = 'download')
             FROM openings o
             JOIN opened_shares l ON l.host_id = o.host_id AND l.stamp = o.stamp
             WHERE o.host_id = p.host_id AND o.event_id = p.event_id AND l.share_id = p.share_id
               AND strpos(l.fields, '\"' || p.field || '\"') > 0) AS l
         ORDER BY p.name COLLATE \"C\", p.host_id COLLATE \"C\", p.shared_stamp DESC,
                  p.field COLLATE \"C\"";
    LIST_OPENINGS(TEXT, INT8, INT8) =
        "SELECT l.share_id, l.host_id, o.opened_at_ns, o.channel, l.fields
         FROM agent_bookings a
         JOIN reservations r ON r.host_id = a.host_id AND r.booking_id = a.booking_id
         JOIN reservation_user_data d ON d.host_id = a.host_id AND d.booking_id = a.booking_id
         JOIN openings o ON o.host_id = r.host_id AND o.event_id = r.event_id
         JOIN opened_shares l
           ON l.host_id = o.host_id AND l.stamp = o.stamp AND l.share_id = d.share_id
         WHERE a.agent_id = $1 ORDER BY l.stamp DESC, l.share_id COLLATE \"C\"
         LIMIT $2 OFFSET $3";
}

/// Which live fields of an agent; `None` is any.
pub(super) struct Which<'a> {
    pub(super) agent: &'a str,
    pub(super) share: Option<String>,
    pub(super) field: Option<String>,
    pub(super) booking: Option<String>,
    pub(super) host: Option<String>,
}

impl<'a> Which<'a> {
    /// All fields of an agent.
    pub(super) fn all(agent: &'a str) -> Self {
        Self {
            agent,
            share: None,
            field: None,
            booking: None,
            host: None,
        }
    }

    fn selected(agent: &'a str, selection: &Selection) -> Self {
        let all = Self::all(agent);
        match selection {
            Selection::Field(share, field) => Self {
                share: Some(share.to_string()),
                field: Some(field.to_string()),
                ..all
            },
            Selection::Share(share) => Self {
                share: Some(share.to_string()),
                ..all
            },
            Selection::Booking(booking) => Self {
                booking: Some(booking.to_string()),
                ..all
            },
            Selection::Host(host) => Self {
                host: Some(host.to_string()),
                ..all
            },
            Selection::All => all,
        }
    }
}

/// How fields end, and when.
#[derive(Clone, Copy)]
pub(super) struct Ending {
    pub(super) kind: &'static str,
    pub(super) stamp: Stamp,
}

pub(super) struct Ended {
    host: String,
    share: String,
    field: String,
    salt: [u8; 32],
    booking: String,
}

impl Ended {
    pub(super) fn from_row(row: &Row) -> Result<Self, Fault> {
        let mut columns = Columns::of(row);
        Ok(Self {
            host: columns.take()?,
            share: columns.take()?,
            field: columns.take()?,
            salt: columns.array("share_keys.salt")?,
            booking: columns.take()?,
        })
    }
}

/// Ends fields: destroys their keys, marks them, enters it. Returns how many.
pub(super) async fn end(
    session: &Session,
    which: &Which<'_>,
    ending: Ending,
) -> Result<u64, Fault> {
    let ended = destroy(session, which, ending).await?;
    enter(session, &ended, ending).await?;
    Ok(ended.len() as u64)
}

async fn destroy(
    session: &Session,
    which: &Which<'_>,
    Ending { stamp, .. }: Ending,
) -> Result<Vec<Ended>, Fault> {
    let Which {
        agent,
        share,
        field,
        booking,
        host,
    } = which;
    let id = stamp.id.as_slice();
    let rows = session
        .rows(
            &END,
            [agent, share, field, booking, host, &stamp.at_ns, &id],
        )
        .await?;
    rows.iter().map(Ended::from_row).collect()
}

/// Enters that an account is gone.
pub(super) async fn enter_erasure(
    session: &Session,
    user: &str,
    stamp: Stamp,
) -> Result<(), tokio_postgres::Error> {
    let (hosts, shares, fields) = (["-"], [erased_name(user)], ["account"]);
    let facts = commitment_of_erasure(user, stamp.at_ns);
    let (facts, id) = ([facts.as_slice()], stamp.id.as_slice());
    session
        .run(
            &ENTER,
            [
                &hosts.as_slice(),
                &shares.as_slice(),
                &fields.as_slice(),
                &facts.as_slice(),
                &id,
                &ERASED,
            ],
        )
        .await
}

/// Ends again what has its key although this entry ended it; returns how many.
pub(super) async fn end_again(
    session: &Session,
    entry: &Entry,
    stamp: Stamp,
) -> Result<u64, Fault> {
    let id = stamp.id.as_slice();
    let rows = session
        .rows(
            &END_AGAIN,
            [&entry.host, &entry.share, &entry.field, &stamp.at_ns, &id],
        )
        .await?;
    let ended = rows
        .iter()
        .map(Ended::from_row)
        .collect::<Result<Vec<_>, _>>()?;
    let ending = Ending {
        kind: "replayed",
        stamp,
    };
    enter(session, &ended, ending).await?;
    Ok(ended.len() as u64)
}

/// Appends to the ledger.
pub(super) async fn enter(
    session: &Session,
    ended: &[Ended],
    Ending { kind, stamp }: Ending,
) -> Result<(), tokio_postgres::Error> {
    let moment = stamp.at_ns.to_string();
    let hosts: Vec<_> = ended.iter().map(|one| one.host.as_str()).collect();
    let shares: Vec<_> = ended.iter().map(|one| one.share.as_str()).collect();
    let fields: Vec<_> = ended.iter().map(|one| one.field.as_str()).collect();
    let facts: Vec<_> = ended
        .iter()
        .map(|one| {
            commitment(
                &one.salt,
                &[kind, &one.host, &one.share, &one.field, &moment],
            )
        })
        .collect();
    let facts: Vec<_> = facts.iter().map(<[u8; 32]>::as_slice).collect();
    let id = stamp.id.as_slice();
    session
        .run_unless(
            ended.is_empty(),
            &ENTER,
            [&hosts, &shares, &fields, &facts, &id, &kind],
        )
        .await
}

/// Takes back what an agent selects.
pub(super) struct Revoke {
    pub(super) agent: String,
    pub(super) selection: Selection,
    pub(super) stamp: Stamp,
}

impl Work for Revoke {
    type Answer = u64;

    async fn work(&self, session: &Session) -> Result<u64, Fault> {
        let ending = Ending {
            kind: "revoked",
            stamp: self.stamp,
        };
        let which = Which::selected(&self.agent, &self.selection);
        let ((), (), known, ended) = try_join!(
            biased;
            async { Ok::<_, Fault>(session.begin().await?) },
            async { Ok(session.run(&LOCK_AGENT, [&self.agent]).await?) },
            async { Ok(session.row(&KNOWN, [&self.agent, &which.share]).await?) },
            destroy(session, &which, ending),
        )?;
        if which.share.is_some() && known.is_none() {
            return Err(Refusal::NotFound("share").into());
        }
        let bookings: BTreeSet<_> = ended
            .iter()
            .map(|one| (one.host.as_str(), one.booking.as_str()))
            .collect();
        let (hosts, bookings): (Vec<_>, Vec<_>) = bookings.into_iter().unzip();
        try_join!(
            biased;
            enter(session, &ended, ending),
            announce(session, "revoked", (&self.agent, self.stamp), (&hosts, &bookings)),
            session.commit(),
        )?;
        Ok(ended.len() as u64)
    }
}

/// Destroys the keys of fields whose time is over. They are not marked as taken back: their end
/// stood there from the beginning.
pub(super) struct Expire {
    pub(super) stamp: Stamp,
    pub(super) most: u32,
}

impl Work for Expire {
    type Answer = u64;

    async fn work(&self, session: &Session) -> Result<u64, Fault> {
        let most = i64::from(self.most);
        let ((), rows) = try_join!(
            biased;
            session.begin(),
            session.rows(&EXPIRE, [&self.stamp.at_ns, &most]),
        )?;
        let ended = rows
            .iter()
            .map(Ended::from_row)
            .collect::<Result<Vec<_>, _>>()?;
        let ending = Ending {
            kind: "expired",
            stamp: self.stamp,
        };
        try_join!(biased; enter(session, &ended, ending), session.commit())?;
        Ok(ended.len() as u64)
    }
}

pub(super) async fn list(
    store: &PostgresStore,
    agent: &AgentId,
    filter: ShareFilter,
    now: Stamp,
    page: PageRequest,
) -> Result<Page<SharedField>, Fault> {
    let booking = filter.booking.map(|booking| booking.to_string());
    let host = filter.host.map(|host| host.to_string());
    let (limit, offset) = (i64::from(page.limit) + 1, i64::from(page.offset));
    let agent = agent.reveal();
    let rows = store
        .own_rows(
            &agent,
            &LIST,
            [
                &agent,
                &booking,
                &host,
                &filter.ended,
                &now.at_ns,
                &limit,
                &offset,
            ],
        )
        .await?;
    let fields = rows.iter().map(|row| shared(&mut Columns::of(row)));
    Ok(Page::cut(fields.collect::<Result<_, _>>()?, page.limit))
}

fn shared(columns: &mut Columns<'_>) -> Result<SharedField, Fault> {
    let host = columns.host()?;
    let share = columns.parse("reservation_user_data.share_id")?;
    let booking = columns.parse("reservation_user_data.booking_id")?;
    let event = columns.parse("reservations.event_id")?;
    let title = columns.take()?;
    let event_type = columns.parse("reservation_user_data.event_type")?;
    let field = columns.parse("reservation_user_data_fields.field")?;
    let shared = columns.stamp()?;
    let (expires_at_ns, revoked_at_ns) = (columns.take()?, columns.take()?);
    let requirements_version = columns.count("requirements_version")?;
    let agent = columns.agent()?;
    let value = SealedField::from_stored(columns.take()?);
    let grant = Grant {
        host: host.id.to_string(),
        agent,
        share: ToString::to_string(&share),
        field: ToString::to_string(&field),
        revoked_at: revoked_at_ns,
        expires_at: Some(expires_at_ns),
        key: columns.key()?,
        value,
    };
    Ok(SharedField {
        share,
        booking,
        host,
        event,
        title,
        event_type,
        field,
        shared,
        expires_at_ns,
        revoked_at_ns,
        requirements_version,
        purged_at_ns: columns.take()?,
        openings: columns.take::<i64>()?.unsigned_abs(),
        last_opened_ns: columns.take()?,
        last_downloaded_ns: columns.take()?,
        grant,
    })
}

pub(super) async fn list_openings(
    store: &PostgresStore,
    agent: &AgentId,
    page: PageRequest,
) -> Result<Page<Opening>, Fault> {
    let (limit, offset) = (i64::from(page.limit) + 1, i64::from(page.offset));
    let agent = agent.reveal();
    let rows = store
        .own_rows(&agent, &LIST_OPENINGS, [&agent, &limit, &offset])
        .await?;
    let opening = |row| {
        let mut columns = Columns::of(row);
        Ok::<_, Fault>(Opening {
            share: columns.parse("opened_shares.share_id")?,
            host: columns.parse("opened_shares.host_id")?,
            opened_at_ns: columns.take()?,
            channel: columns.take()?,
            fields: names_from_column(columns.take()?, "opened_shares.fields")?,
        })
    };
    Ok(Page::cut(
        rows.iter().map(opening).collect::<Result<_, _>>()?,
        page.limit,
    ))
}
