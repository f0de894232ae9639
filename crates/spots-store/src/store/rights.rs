//! What a person may ask of the platform: all that it holds, correction, erasure; and what an
//! operator may ask without asking about a person.

use async_trait::async_trait;
use spots_booking::EventType;
use spots_privacy::{AgentId, UserId};

use super::ledger::LedgerRow;
use super::vouchers::Confirmation;
use crate::error::StoreError;

/// Rows of one kind that one export holds at most.
pub const HELD_ROWS_MAX: u32 = 100_000;
/// Days that one count spans at most.
pub const COUNT_DAYS_MAX: u32 = 400;

/// What the platform holds of a person beyond profile, bookings, shares, openings and hosts.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// The row of the account: names of columns and their texts. Only one that comes from an old
    /// database holds more than the id.
    pub account: Vec<(String, String)>,
    /// When each session ends, in nanoseconds.
    pub sessions: Vec<i64>,
    /// What became of the address that the person asked to confirm.
    pub confirmation: Option<Confirmation>,
    /// How hosts name the person: host, handle, code.
    pub guests: Vec<(String, String, String)>,
    /// Texts about the person's character: where each is kept, and the text.
    pub profiles: Vec<(&'static str, String)>,
    /// Events of an old database that the person hosts or attends: table, id, title.
    pub old_events: Vec<(String, String, String)>,
    /// Messages to the person, and when they were due and went out.
    pub messages: Vec<HeldMessage>,
    /// What the person's programs noted in the journal.
    pub journal: Vec<HeldNote>,
    /// Names that the person's programs gave to requests.
    pub requests: Vec<String>,
    /// What the ledger says of the person's shares.
    pub ledger: Vec<LedgerRow>,
}

/// A note in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldNote {
    /// In which stream.
    pub stream: String,
    /// Under which key.
    pub key: String,
    /// What it is.
    pub kind: String,
    /// What it is about.
    pub subject: Option<String>,
    /// What it says.
    pub body: String,
    /// When, in nanoseconds.
    pub at_ns: i64,
}

/// A message to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldMessage {
    /// What happened.
    pub kind: String,
    /// At which host.
    pub host: String,
    /// With which booking.
    pub booking: String,
    /// From when on it may go out, in nanoseconds.
    pub due_at_ns: i64,
    /// When it went out, in nanoseconds.
    pub delivered_at_ns: Option<i64>,
}

/// Bookings of one event type on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayCount {
    /// The type.
    pub event_type: EventType,
    /// The day in UTC, counted from 1 January 1970.
    pub day: i64,
    /// Bookings that stand.
    pub bookings: u64,
    /// Different people who made them.
    pub people: u64,
}

/// An account as a replay finds it: without opening anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub user: UserId,
    /// Keyed hash of its agent.
    pub agent_lookup: [u8; 32],
}

/// What the platform does for people's rights.
#[async_trait]
pub trait RightsStore: Send + Sync {
    /// Lists what is held of a person beyond what other operations list.
    async fn list_held(&self, user: &UserId, agent: &AgentId) -> Result<Held, StoreError>;

    /// Counts bookings by event type and day, from a day on, for a number of days.
    async fn count_bookings(&self, from: i64, days: u32) -> Result<Vec<DayCount>, StoreError>;

    /// Lists accounts by id, after one.
    async fn list_identities(&self, after: &str, most: u32) -> Result<Vec<Identity>, StoreError>;

    /// Lists agents by id, after one.
    async fn list_agents(&self, after: &str, most: u32) -> Result<Vec<AgentId>, StoreError>;
}
