//! The journal: what happened, in one order, by stream; and how each stream settles what comes late
//! or contradicts.
//!
//! The order of every stream is that of **arrival**: the stamp that the server issues when it takes
//! an entry, because nothing that a client sends proves "before". What the client says about its own
//! time stands beside it as an interval, and what that decides is the stream's rule.

use crate::event_type::words;

words! {
    /// What an entry is about.
    Stream: "reservations, payments, ai2ai, live-tracker, admin, analytics";
    /// Places taken and given back, and what was wanted offline.
    Reservations = "reservations", "Reservations";
    /// Steps of payments.
    Payments = "payments", "Payments";
    /// Connections between agents.
    Ai2ai = "ai2ai", "AI2AI connections";
    /// Where something is now.
    LiveTracker = "live-tracker", "Live tracker";
    /// What operators did.
    Admin = "admin", "Admin operations";
    /// What was used, and how often.
    Analytics = "analytics", "Analytics";
}

/// What decides when two entries contradict each other, or one comes late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The first to arrive: a place that was confirmed never moves, and a late entry is evidence.
    Arrival,
    /// The idempotency key: the first entry of a key stands, another content under it is a conflict.
    Key,
    /// Causes come first: the peer's stamp is merged into the clock, within its accept window, so the
    /// entry sorts after what it answers to; a stamp from further ahead is refused.
    Cause,
    /// The latest upper end of the interval: claiming more uncertainty than one has gains at most
    /// that the claim ends at the arrival, where everybody's ends.
    UpperBound,
    /// Nobody: both stamps are kept, and whoever reads decides.
    BothKept,
}

impl Stream {
    /// How it settles.
    pub fn settlement(self) -> Settlement {
        match self {
            Self::Reservations => Settlement::Arrival,
            Self::Payments => Settlement::Key,
            Self::Ai2ai => Settlement::Cause,
            Self::LiveTracker => Settlement::UpperBound,
            Self::Admin | Self::Analytics => Settlement::BothKept,
        }
    }

    /// How old an entry may be when it arrives, in days: the lower end of its interval, where it has
    /// one. Older ones are refused.
    pub fn late_days_max(self) -> u16 {
        match self {
            Self::Reservations | Self::Ai2ai | Self::Analytics => 30,
            Self::LiveTracker => 1,
            Self::Payments | Self::Admin => 366,
        }
    }

    /// How many days after its arrival an entry is removed; `None`: it stays, as the books do. Always
    /// longer than [`Self::late_days_max`], so that nothing comes back under its key.
    pub fn kept_days(self) -> Option<u16> {
        match self {
            Self::LiveTracker => Some(30),
            Self::Ai2ai => Some(366),
            Self::Analytics => Some(396),
            Self::Reservations | Self::Payments | Self::Admin => None,
        }
    }

    /// Whether it tells what a person does, beyond what they booked and paid; such entries go when
    /// the person's account goes.
    pub fn goes_with_the_person(self) -> bool {
        matches!(self, Self::Ai2ai | Self::LiveTracker | Self::Analytics)
    }
}
