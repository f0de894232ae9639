//! Replacing an agent.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use spots_booking::Refusal;
use spots_privacy::{AgentId, UserId};

use super::{Fault, SqliteStore};
use crate::error::StoreError;
use crate::store::agents::{AgentStore, NewAgent};

#[async_trait]
impl AgentStore for SqliteStore {
    async fn rotate_agent(
        &self,
        user: &UserId,
        old: &AgentId,
        new: NewAgent,
    ) -> Result<(), StoreError> {
        let (user, old) = (user.reveal(), old.reveal());
        self.write("replace an agent", move |db| rotate(db, &user, &old, &new))
            .await
    }
}

fn rotate(db: &Connection, user: &str, old: &str, new: &NewAgent) -> Result<(), Fault> {
    let agent = new.agent.reveal();
    // Every table that names agents; what a host or a booking leads is found by the agent's own.
    for statement in [
        "UPDATE agents SET agent_id = ?2 WHERE agent_id = ?1",
        "UPDATE agent_profiles SET agent_id = ?2 WHERE agent_id = ?1",
        "UPDATE anonymous_users SET agent_id = ?2 WHERE agent_id = ?1",
        "UPDATE agent_features SET agent_id = ?2 WHERE agent_id = ?1",
        "UPDATE idempotency_keys SET actor = ?2 WHERE actor = ?1",
        "UPDATE guests SET agent_id = ?2 WHERE agent_id = ?1 AND host_id IN
             (SELECT host_id FROM agent_bookings WHERE agent_id = ?1)",
        "UPDATE reservations SET agent_id = ?2 WHERE agent_id = ?1 AND (host_id, booking_id) IN
             (SELECT host_id, booking_id FROM agent_bookings WHERE agent_id = ?1)",
        "UPDATE reservation_user_data SET agent_id = ?2
         WHERE agent_id = ?1 AND (host_id, booking_id) IN
             (SELECT host_id, booking_id FROM agent_bookings WHERE agent_id = ?1)",
        "UPDATE journal_entries SET actor = ?2 WHERE actor = ?1",
        "UPDATE journal_heads SET actor = ?2 WHERE actor = ?1",
        "UPDATE outbox SET agent_id = ?2 WHERE agent_id = ?1",
        "UPDATE agent_bookings SET agent_id = ?2 WHERE agent_id = ?1",
    ] {
        let changed = db.prepare_cached(statement)?.execute([old, &agent])?;
        if changed == 0 && statement.starts_with("UPDATE agents ") {
            return Err(Refusal::NotFound("agent").into());
        }
    }
    db.prepare_cached(
        "UPDATE user_agent_mappings SET sealed_agent_id = ?2, agent_lookup = ?3
         WHERE user_id = ?1",
    )?
    .execute(params![user, new.mapping.as_bytes(), new.lookup])?;
    Ok(())
}
