//! The two identities of one person.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::random::{self, Randomness};

/// What every agent id starts with.
pub const AGENT_PREFIX: &str = "agent_";
/// What every user id starts with.
pub const USER_PREFIX: &str = "user_";
/// Random bytes in an agent id.
const AGENT_BYTES: usize = 32;
/// Random bytes in a user id.
const USER_BYTES: usize = 16;

/// A person as SPOTS tracks them: `agent_` and 43 base64url characters of 256 random bits.
///
/// It cannot be printed or serialised; the store and the person's own pages ask for its text by
/// name, with [`AgentId::reveal`]. Nothing that a host can reach may name this type.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgentId([u8; AGENT_BYTES]);

impl AgentId {
    /// A new agent.
    pub fn generate(random: &dyn Randomness) -> Self {
        Self(random::bytes(random))
    }

    /// The agent of these bytes, which nobody can predict: for one who moves from an old database,
    /// a keyed hash.
    pub fn from_random(bytes: [u8; AGENT_BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads the text form; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        decode(text, AGENT_PREFIX).map(Self)
    }

    /// The text form, for the platform's own tables and the person themself.
    pub fn reveal(&self) -> String {
        format!("{AGENT_PREFIX}{}", URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgentId(…)")
    }
}

/// A person with an account: `user_` and 22 base64url characters of 128 random bits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserId([u8; USER_BYTES]);

impl UserId {
    /// A new user.
    pub fn generate(random: &dyn Randomness) -> Self {
        Self(random::bytes(random))
    }

    /// The user of these bytes, which nobody can predict.
    pub fn from_random(bytes: [u8; USER_BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads the text form; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        decode(text, USER_PREFIX).map(Self)
    }

    /// The text form, for the platform's own tables and the person themself.
    pub fn reveal(&self) -> String {
        format!("{USER_PREFIX}{}", URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserId(…)")
    }
}

fn decode<const N: usize>(text: &str, prefix: &str) -> Option<[u8; N]> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(prefix)?).ok()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandomness;

    #[test]
    fn an_agent_id_reads_back_and_keeps_its_form() {
        let agent = AgentId::generate(&SystemRandomness);
        let text = agent.reveal();
        assert_eq!(text.len(), "agent_".len() + 43);
        assert_eq!(AgentId::parse(&text), Some(agent));
    }

    #[test]
    fn an_agent_id_does_not_print() {
        let agent = AgentId::generate(&SystemRandomness);
        assert_eq!(format!("{agent:?}"), "AgentId(…)");
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in ["", "agent_", "agent_AAAA", "user_AAAA", "agent_!!!!"] {
            assert_eq!(AgentId::parse(text), None, "{text}");
            assert_eq!(UserId::parse(text), None, "{text}");
        }
    }
}
