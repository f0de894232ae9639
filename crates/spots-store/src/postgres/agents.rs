//! Replacing an agent.

use async_trait::async_trait;
use spots_booking::Refusal;
use spots_privacy::{AgentId, UserId};
use tokio::try_join;

use super::PostgresStore;
use super::session::{Fault, Session, Work, statements};
use crate::error::StoreError;
use crate::store::agents::{AgentStore, NewAgent};

statements! {
    LOCK(TEXT) = "SELECT 1 FROM agents WHERE agent_id = $1 FOR UPDATE";
    /// Every table that names agents; what a host or a booking leads is found by the agent's own.
    REPLACE(TEXT, TEXT) =
        "WITH own AS MATERIALIZED (
             SELECT host_id, booking_id FROM agent_bookings WHERE agent_id = $1),
         agents AS (UPDATE agents SET agent_id = $2 WHERE agent_id = $1),
         profiles AS (UPDATE agent_profiles SET agent_id = $2 WHERE agent_id = $1),
         anonymous AS (UPDATE anonymous_users SET agent_id = $2 WHERE agent_id = $1),
         features AS (UPDATE agent_features SET agent_id = $2 WHERE agent_id = $1),
         keys AS (UPDATE idempotency_keys SET actor = $2 WHERE actor = $1),
         guests AS (
             UPDATE guests g SET agent_id = $2
             WHERE g.agent_id = $1 AND g.host_id IN (SELECT host_id FROM own)),
         reservations AS (
             UPDATE reservations r SET agent_id = $2 FROM own o
             WHERE r.host_id = o.host_id AND r.booking_id = o.booking_id),
         shares AS (
             UPDATE reservation_user_data d SET agent_id = $2 FROM own o
             WHERE d.host_id = o.host_id AND d.booking_id = o.booking_id),
         entries AS (UPDATE journal_entries SET actor = $2 WHERE actor = $1),
         heads AS (UPDATE journal_heads SET actor = $2 WHERE actor = $1),
         messages AS (UPDATE outbox SET agent_id = $2 WHERE agent_id = $1)
         UPDATE agent_bookings SET agent_id = $2 WHERE agent_id = $1";
    MAP(TEXT, BYTEA, BYTEA) =
        "UPDATE user_agent_mappings SET sealed_agent_id = $2, agent_lookup = $3
         WHERE user_id = $1";
}

#[async_trait]
impl AgentStore for PostgresStore {
    async fn rotate_agent(
        &self,
        user: &UserId,
        old: &AgentId,
        new: NewAgent,
    ) -> Result<(), StoreError> {
        let work = Rotate {
            user: user.reveal(),
            old: old.reveal(),
            new,
        };
        self.transact(&work)
            .await
            .map_err(|fault| fault.into_error("replace an agent"))
    }
}

struct Rotate {
    user: String,
    old: String,
    new: NewAgent,
}

impl Work for Rotate {
    type Answer = ();

    async fn work(&self, session: &Session) -> Result<(), Fault> {
        let Self { user, old, new } = self;
        let agent = new.agent.reveal();
        let ((), known) = try_join!(
            biased;
            session.begin(),
            session.row(&LOCK, [old]),
        )?;
        if known.is_none() {
            return Err(Refusal::NotFound("agent").into());
        }
        let (mapping, lookup) = (new.mapping.as_bytes(), new.lookup.as_slice());
        try_join!(
            biased;
            session.run(&REPLACE, [old, &agent]),
            session.run(&MAP, [user, &mapping, &lookup]),
            session.commit(),
        )?;
        Ok(())
    }
}
