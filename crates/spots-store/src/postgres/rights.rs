//! What a person may ask of the platform.

use async_trait::async_trait;
use spots_privacy::{AgentId, UserId};
use tokio_postgres::Row;

use super::PostgresStore;
use super::columns::Columns;
use super::ledger::ledger_row;
use super::session::{Fault, statements};
use super::vouchers;
use crate::error::StoreError;
use crate::rows::Inconsistent;
use crate::store::rights::{
    DayCount, HELD_ROWS_MAX, Held, HeldMessage, HeldNote, Identity, RightsStore,
};

statements! {
    ACCOUNT(TEXT) =
        "SELECT p.key, p.value FROM users u, jsonb_each_text(to_jsonb(u)) AS p
         WHERE u.id = $1 AND p.value IS NOT NULL ORDER BY p.key";
    SESSIONS(TEXT) = "SELECT expires_at FROM sessions WHERE user_id = $1 ORDER BY 1";
    CONFIRMATION(TEXT) =
        "SELECT sent_at_ns, confirmed_at_ns FROM email_confirmations WHERE user_id = $1";
    GUESTS(TEXT) =
        "SELECT host_id, guest_id, code FROM guests WHERE agent_id = $1 ORDER BY host_id";
    AGENT_PROFILE(TEXT) = "SELECT profile FROM agent_profiles WHERE agent_id = $1";
    TRAITS(TEXT) = "SELECT traits FROM anonymous_users WHERE agent_id = $1";
    FEATURES(TEXT) =
        "SELECT json_object_agg(feature, value ORDER BY feature)::text FROM agent_features
         WHERE agent_id = $1 HAVING count(*) > 0";
    OLD_EVENTS(TEXT) =
        "SELECT x.source, x.old_id, e.title FROM agent_bookings a
         JOIN reservations r ON r.host_id = a.host_id AND r.booking_id = a.booking_id
         JOIN legacy_events x ON x.host_id = r.host_id AND x.event_id = r.event_id
         JOIN events e ON e.host_id = r.host_id AND e.event_id = r.event_id
         WHERE a.agent_id = $1 ORDER BY x.source, x.old_id";
    MESSAGES(TEXT, INT8) =
        "SELECT kind, host_id, booking_id, due_at_ns, delivered_at_ns FROM outbox
         WHERE agent_id = $1 ORDER BY stamp LIMIT $2";
    NOTES(TEXT, INT8) =
        "SELECT stream, entry_key, kind, subject, body, at_ns FROM journal_entries
         WHERE actor = $1 ORDER BY stream, stamp LIMIT $2";
    REQUESTS(TEXT, INT8) =
        "SELECT idempotency_key FROM idempotency_keys WHERE actor = $1 ORDER BY 1 LIMIT $2";
    LEDGER(TEXT, INT8) =
        "SELECT l.host_id, l.share_id, l.field, l.kind, l.stamp, l.commitment, l.position
         FROM agent_bookings a
         JOIN reservation_user_data d ON d.host_id = a.host_id AND d.booking_id = a.booking_id
         JOIN ledger_entries l ON l.host_id = d.host_id AND l.share_id = d.share_id
         WHERE a.agent_id = $1 ORDER BY l.stamp, l.share_id, l.field LIMIT $2";
    COUNT(INT8, INT8) =
        "SELECT event_type, starts_at / 86400, count(*), count(DISTINCT agent_id)
         FROM reservations
         WHERE cancelled_at_ns IS NULL AND starts_at >= $1 * 86400
           AND starts_at < ($1 + $2) * 86400
         GROUP BY 1, 2 ORDER BY 2, 1";
    IDENTITIES(TEXT, INT8) =
        "SELECT user_id, agent_lookup FROM user_agent_mappings
         WHERE user_id > $1 ORDER BY user_id LIMIT $2";
    AGENTS(TEXT, INT8) =
        "SELECT agent_id FROM agents WHERE agent_id > $1 ORDER BY agent_id LIMIT $2";
}

#[async_trait]
impl RightsStore for PostgresStore {
    async fn list_held(&self, user: &UserId, agent: &AgentId) -> Result<Held, StoreError> {
        held(self, &user.reveal(), &agent.reveal())
            .await
            .map_err(|fault| fault.into_error("list what is held"))
    }

    async fn count_bookings(&self, from: i64, days: u32) -> Result<Vec<DayCount>, StoreError> {
        let rows = self.rows(&COUNT, [&from, &i64::from(days)]).await;
        rows.and_then(|rows| rows.iter().map(day_count).collect())
            .map_err(|fault| fault.into_error("count bookings"))
    }

    async fn list_identities(&self, after: &str, most: u32) -> Result<Vec<Identity>, StoreError> {
        let rows = self.rows(&IDENTITIES, [&after, &i64::from(most)]).await;
        let identity = |row: &Row| {
            let mut columns = Columns::of(row);
            Ok(Identity {
                user: columns.user()?,
                agent_lookup: columns.array("user_agent_mappings.agent_lookup")?,
            })
        };
        rows.and_then(|rows| rows.iter().map(identity).collect())
            .map_err(|fault| fault.into_error("list accounts"))
    }

    async fn list_agents(&self, after: &str, most: u32) -> Result<Vec<AgentId>, StoreError> {
        let rows = self.rows(&AGENTS, [&after, &i64::from(most)]).await;
        let agent = |row: &Row| {
            let text: &str = row.try_get(0)?;
            Ok(AgentId::parse(text).ok_or(Inconsistent("agent_id"))?)
        };
        rows.and_then(|rows| rows.iter().map(agent).collect())
            .map_err(|fault| fault.into_error("list agents"))
    }
}

fn day_count(row: &Row) -> Result<DayCount, Fault> {
    let mut columns = Columns::of(row);
    Ok(DayCount {
        event_type: columns.parse("reservations.event_type")?,
        day: columns.take()?,
        bookings: columns.take::<i64>()?.unsigned_abs(),
        people: columns.take::<i64>()?.unsigned_abs(),
    })
}

async fn held(store: &PostgresStore, user: &str, agent: &str) -> Result<Held, Fault> {
    let most = i64::from(HELD_ROWS_MAX);
    let mut held = Held::default();
    for row in store.rows(&ACCOUNT, [&user]).await? {
        held.account.push((row.try_get(0)?, row.try_get(1)?));
    }
    for row in store.rows(&SESSIONS, [&user]).await? {
        held.sessions.push(row.try_get(0)?);
    }
    let confirmation = store.row(&CONFIRMATION, [&user]).await?;
    held.confirmation = confirmation
        .map(|row| vouchers::confirmation(&row))
        .transpose()?;
    for row in store.rows(&GUESTS, [&agent]).await? {
        let guest = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        held.guests.push(guest);
    }
    for (place, sql) in [
        ("agent_profiles", &AGENT_PROFILE),
        ("anonymous_users", &TRAITS),
        ("agent_features", &FEATURES),
    ] {
        for row in store.rows(sql, [&agent]).await? {
            held.profiles.push((place, row.try_get(0)?));
        }
    }
    for row in store.rows(&OLD_EVENTS, [&agent]).await? {
        let event = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        held.old_events.push(event);
    }
    for row in store.rows(&MESSAGES, [&agent, &most]).await? {
        let mut columns = Columns::of(&row);
        held.messages.push(HeldMessage {
            kind: columns.take()?,
            host: columns.take()?,
            booking: columns.take()?,
            due_at_ns: columns.take()?,
            delivered_at_ns: columns.take()?,
        });
    }
    for row in store.rows(&NOTES, [&agent, &most]).await? {
        let mut columns = Columns::of(&row);
        held.journal.push(HeldNote {
            stream: columns.take()?,
            key: columns.take()?,
            kind: columns.take()?,
            subject: columns.take()?,
            body: columns.take()?,
            at_ns: columns.take()?,
        });
    }
    for row in store.rows(&REQUESTS, [&agent, &most]).await? {
        held.requests.push(row.try_get(0)?);
    }
    let rows = store.rows(&LEDGER, [&agent, &most]).await?;
    held.ledger = rows.iter().map(ledger_row).collect::<Result<_, _>>()?;
    Ok(held)
}
