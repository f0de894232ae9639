//! A person's agent is replaced by another.

use async_trait::async_trait;
use spots_privacy::{AgentId, SealedField, UserId};

use crate::error::StoreError;

/// The agent that takes another's place.
#[derive(Debug)]
pub struct NewAgent {
    /// The new agent.
    pub agent: AgentId,
    /// Keyed hash of its id.
    pub lookup: [u8; 32],
    /// The mapping to it, sealed.
    pub mapping: SealedField,
}

/// Agents as such.
#[async_trait]
pub trait AgentStore {
    /// Replaces a person's agent by a new one in all that the old one has. Hosts notice nothing:
    /// their handles of the guest stay. One that was replaced already is refused, so that of two
    /// requests at once one wins.
    async fn rotate_agent(
        &self,
        user: &UserId,
        old: &AgentId,
        new: NewAgent,
    ) -> Result<(), StoreError>;
}
