//! What a person may ask of the platform.

use async_trait::async_trait;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use spots_privacy::{AgentId, UserId};

use super::{Fault, SqliteStore, ledger, shares, vouchers};
use crate::error::StoreError;
use crate::rows::{Inconsistent, array, parse};
use crate::store::rights::{
    DayCount, HELD_ROWS_MAX, Held, HeldMessage, HeldNote, Identity, RightsStore,
};

#[async_trait]
impl RightsStore for SqliteStore {
    async fn list_held(&self, user: &UserId, agent: &AgentId) -> Result<Held, StoreError> {
        let (user, agent) = (user.reveal(), agent.reveal());
        self.read("list what is held", move |db| held(db, &user, &agent))
            .await
    }

    async fn count_bookings(&self, from: i64, days: u32) -> Result<Vec<DayCount>, StoreError> {
        self.read("count bookings", move |db| {
            let mut statement = db.prepare_cached(
                "SELECT event_type, starts_at / 86400, count(*), count(DISTINCT agent_id)
                 FROM reservations
                 WHERE cancelled_at_ns IS NULL AND starts_at >= ?1 * 86400
                   AND starts_at < (?1 + ?2) * 86400
                 GROUP BY 1, 2 ORDER BY 2, 1",
            )?;
            let mut rows = statement.query(params![from, days])?;
            let mut counts = Vec::new();
            while let Some(row) = rows.next()? {
                counts.push(DayCount {
                    event_type: parse(&row.get::<_, String>(0)?, "reservations.event_type")?,
                    day: row.get(1)?,
                    bookings: row.get::<_, i64>(2)?.unsigned_abs(),
                    people: row.get::<_, i64>(3)?.unsigned_abs(),
                });
            }
            Ok(counts)
        })
        .await
    }

    async fn list_identities(&self, after: &str, most: u32) -> Result<Vec<Identity>, StoreError> {
        let after = after.to_owned();
        self.read("list accounts", move |db| {
            let mut statement = db.prepare_cached(
                "SELECT user_id, agent_lookup FROM user_agent_mappings
                 WHERE user_id > ?1 ORDER BY user_id LIMIT ?2",
            )?;
            let mut rows = statement.query(params![after, most])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let user: String = row.get(0)?;
                found.push(Identity {
                    user: UserId::parse(&user).ok_or(Inconsistent("user_id"))?,
                    agent_lookup: array(row.get(1)?, "user_agent_mappings.agent_lookup")?,
                });
            }
            Ok(found)
        })
        .await
    }

    async fn list_agents(&self, after: &str, most: u32) -> Result<Vec<AgentId>, StoreError> {
        let after = after.to_owned();
        self.read("list agents", move |db| {
            let sql = "SELECT agent_id FROM agents WHERE agent_id > ?1 ORDER BY agent_id LIMIT ?2";
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query(params![after, most])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(shares::agent_id(&row.get::<_, String>(0)?)?);
            }
            Ok(found)
        })
        .await
    }
}

fn held(db: &Connection, user: &str, agent: &str) -> Result<Held, Fault> {
    let mut held = Held {
        account: account(db, user)?,
        ..Held::default()
    };
    let mut statement =
        db.prepare_cached("SELECT expires_at FROM sessions WHERE user_id = ?1 ORDER BY 1")?;
    held.sessions = statement
        .query_map([user], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    held.confirmation = vouchers::confirmation(db, user)?;
    let mut statement = db.prepare_cached(
        "SELECT host_id, guest_id, code FROM guests WHERE agent_id = ?1 ORDER BY host_id",
    )?;
    held.guests = statement
        .query_map([agent], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (place, sql) in [
        (
            "agent_profiles",
            "SELECT profile FROM agent_profiles WHERE agent_id = ?1",
        ),
        (
            "anonymous_users",
            "SELECT traits FROM anonymous_users WHERE agent_id = ?1",
        ),
        (
            "agent_features",
            "SELECT json_group_object(feature, value) FROM agent_features
             WHERE agent_id = ?1 HAVING count(*) > 0",
        ),
    ] {
        let mut statement = db.prepare_cached(sql)?;
        let rows = statement.query_map([agent], |row| Ok((place, row.get(0)?)))?;
        held.profiles.extend(rows.collect::<Result<Vec<_>, _>>()?);
    }
    old_events(db, agent, &mut held)?;
    messages(db, agent, &mut held)?;
    notes(db, agent, &mut held)?;
    let mut statement = db.prepare_cached(
        "SELECT idempotency_key FROM idempotency_keys WHERE actor = ?1 ORDER BY 1 LIMIT ?2",
    )?;
    held.requests = statement
        .query_map(params![agent, HELD_ROWS_MAX], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    held.ledger = ledger::list(
        db,
        "JOIN reservation_user_data d ON d.host_id = l.host_id AND d.share_id = l.share_id
         JOIN agent_bookings a ON a.host_id = d.host_id AND a.booking_id = d.booking_id
         WHERE a.agent_id = ?1 ORDER BY l.stamp, l.share_id, l.field LIMIT ?2",
        params![agent, HELD_ROWS_MAX],
    )?;
    Ok(held)
}

/// The account's row, whatever columns it has.
fn account(db: &Connection, user: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut statement = db.prepare("SELECT * FROM users WHERE id = ?1")?;
    let names: Vec<_> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([user])?;
    let mut account = Vec::new();
    if let Some(row) = rows.next()? {
        for (index, name) in names.into_iter().enumerate() {
            match row.get_ref(index)? {
                ValueRef::Text(text) => {
                    account.push((name, String::from_utf8_lossy(text).into_owned()));
                }
                ValueRef::Integer(number) => account.push((name, number.to_string())),
                _ => {}
            }
        }
    }
    Ok(account)
}

fn old_events(db: &Connection, agent: &str, held: &mut Held) -> Result<(), Fault> {
    let mut statement = db.prepare_cached(
        "SELECT x.source, x.old_id, e.title FROM agent_bookings a
         JOIN reservations r ON r.host_id = a.host_id AND r.booking_id = a.booking_id
         JOIN legacy_events x ON x.host_id = r.host_id AND x.event_id = r.event_id
         JOIN events e ON e.host_id = r.host_id AND e.event_id = r.event_id
         WHERE a.agent_id = ?1 ORDER BY x.source, x.old_id",
    )?;
    held.old_events = statement
        .query_map([agent], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    Ok(())
}

fn messages(db: &Connection, agent: &str, held: &mut Held) -> Result<(), Fault> {
    let mut statement = db.prepare_cached(
        "SELECT kind, host_id, booking_id, due_at_ns, delivered_at_ns FROM outbox
         WHERE agent_id = ?1 ORDER BY stamp LIMIT ?2",
    )?;
    let rows = statement.query_map(params![agent, HELD_ROWS_MAX], |row| {
        Ok(HeldMessage {
            kind: row.get(0)?,
            host: row.get(1)?,
            booking: row.get(2)?,
            due_at_ns: row.get(3)?,
            delivered_at_ns: row.get(4)?,
        })
    })?;
    held.messages = rows.collect::<Result<_, _>>()?;
    Ok(())
}

fn notes(db: &Connection, agent: &str, held: &mut Held) -> Result<(), Fault> {
    let mut statement = db.prepare_cached(
        "SELECT stream, entry_key, kind, subject, body, at_ns FROM journal_entries
         WHERE actor = ?1 ORDER BY stream, stamp LIMIT ?2",
    )?;
    let rows = statement.query_map(params![agent, HELD_ROWS_MAX], |row| {
        Ok(HeldNote {
            stream: row.get(0)?,
            key: row.get(1)?,
            kind: row.get(2)?,
            subject: row.get(3)?,
            body: row.get(4)?,
            at_ns: row.get(5)?,
        })
    })?;
    held.journal = rows.collect::<Result<_, _>>()?;
    Ok(())
}
