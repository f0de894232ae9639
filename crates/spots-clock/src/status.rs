//! What an operator asks a clock.

use std::fmt;

use crate::id::NodeIdentity;
use crate::timestamp::Precision;

/// Something that shook the trust in time, never the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disruption {
    /// The system clock was set: it moved this many nanoseconds against the counter.
    WallStepped {
        /// Positive: forward.
        by: i64,
    },
    /// The machine slept or its clock was set, and the counter cannot tell which: the error is
    /// unknown until the next synchronisation.
    CounterUntrusted {
        /// How far the system clock moved against the counter.
        by: i64,
    },
    /// A synchronisation contradicted what was known: the error is unknown until another confirms.
    Contradicted {
        /// The distance between the two.
        gap: u64,
    },
}

impl fmt::Display for Disruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WallStepped { by } => write!(f, "the system clock was moved by {by} ns"),
            Self::CounterUntrusted { by } => write!(
                f,
                "the machine slept or its clock was set, by {by} ns; the error is unknown until \
                 the next synchronisation"
            ),
            Self::Contradicted { gap } => write!(
                f,
                "a synchronisation contradicted what was known by {gap} ns; the error is unknown \
                 until another confirms it"
            ),
        }
    }
}

/// A disruption and when it was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotedDisruption {
    /// Server time, in nanoseconds since the Unix epoch.
    pub at: u64,
    /// What happened.
    pub what: Disruption,
}

/// The forward window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowStatus {
    /// Timestamps up to here may be issued, in nanoseconds since the Unix epoch.
    pub mark: u64,
    /// How often the mark was moved since the start.
    pub extensions: u64,
    /// How often moving it failed since the start.
    pub failures: u64,
    /// Why moving it failed the last time, until it succeeds again.
    pub last_failure: Option<String>,
}

/// A clock's state at one moment. Times and durations are nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockStatus {
    /// Who issues.
    pub identity: NodeIdentity,
    /// The best estimate of true time, since the Unix epoch.
    pub server_time: u64,
    /// What the device's own clock shows, since the Unix epoch.
    pub device_time: u64,
    /// Server time minus device time.
    pub offset: i64,
    /// True time lies within this of [`Self::server_time`]; `None` is unknown.
    pub error_bound: Option<u64>,
    /// What the source resolves.
    pub resolution: u64,
    /// The word for it.
    pub precision: Precision,
    /// How far the order runs ahead of time.
    pub lead: u64,
    /// Whether the lead is above the alarm threshold.
    pub alarm: bool,
    /// The forward window.
    pub window: WindowStatus,
    /// How many timestamps of peers were refused since the start.
    pub merges_refused: u64,
    /// How many disruptions there were since the start.
    pub disruptions_total: u64,
    /// The last disruptions, oldest first.
    pub disruptions: Vec<NotedDisruption>,
}
