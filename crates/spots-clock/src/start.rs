//! Where a clock begins, given what its last life left behind.

use std::fmt;

use crate::id::{NodeIdentity, TimestampId};
use crate::rfc3339::rfc3339;
use crate::settings::ClockSettings;
use crate::source::{ClockSource, KernelClock};
use crate::window::WindowRecord;

/// A clock does not start after this: ten years before the last timestamp, so that it never gets
/// there.
const LATEST: u64 = TimestampId::NANOSECONDS_MAX - 315_576_000_000_000_000;

/// All that a machine's clocks say at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observation {
    pub(crate) counter: u64,
    pub(crate) wall: u64,
    pub(crate) boot: Option<u64>,
    pub(crate) kernel: KernelClock,
}

impl Observation {
    pub(crate) fn of(source: &dyn ClockSource) -> Self {
        Self {
            counter: source.counter(),
            wall: source.wall(),
            boot: source.boot().filter(|_| source.counts_suspend()),
            kernel: source.kernel(),
        }
    }
}

/// Where the clock begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) identity: NodeIdentity,
    /// Server time now.
    pub(crate) time: u64,
    /// Everything up to here counts as handed out.
    pub(crate) last: u64,
    /// By how much the system clock differs from what the last life expects of it.
    pub(crate) wall_gap: i64,
}

/// Why a clock does not start on a state that it could read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartRefusal {
    /// The durable mark lies too far ahead of the system clock: one of them is wrong.
    Poisoned {
        /// The durable mark, in nanoseconds since the Unix epoch.
        mark: u64,
        /// What time it seems to be.
        time: u64,
    },
    /// The system clock lies too far above the durable mark, and nothing confirms it.
    ForwardJump {
        /// The durable mark, in nanoseconds since the Unix epoch.
        mark: u64,
        /// What time it seems to be.
        time: u64,
    },
    /// It seems to be later than any timestamp can say.
    BeyondRange {
        /// What time it seems to be.
        time: u64,
    },
    /// The node has been started 4,194,303 times and needs a new number.
    IncarnationsUsedUp,
}

impl StartRefusal {
    /// The audit's word for it.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Poisoned { .. } => "poisoned",
            Self::ForwardJump { .. } => "forward-jump",
            Self::BeyondRange { .. } => "beyond-range",
            Self::IncarnationsUsedUp => "incarnations-used-up",
        }
    }
}

impl fmt::Display for StartRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poisoned { mark, time } => write!(
                f,
                "timestamps up to {} may have been issued, but the system clock shows {}: set it \
                 right and start again, or accept it with `spots clock repair \
                 --trust-system-clock`",
                rfc3339(*mark),
                rfc3339(*time)
            ),
            Self::ForwardJump { mark, time } => write!(
                f,
                "the system clock shows {}, far beyond the last use at {}, and the kernel is not \
                 synchronised: synchronise it and start again, or accept it with `spots clock \
                 repair --trust-system-clock`",
                rfc3339(*time),
                rfc3339(*mark)
            ),
            Self::BeyondRange { time } => write!(
                f,
                "the system clock shows {}, and timestamps end in the year 2262: set it right and \
                 start again",
                rfc3339(*time)
            ),
            Self::IncarnationsUsedUp => f.write_str(
                "this node's incarnations are used up; give it a new number with `spots clock \
                 repair`",
            ),
        }
    }
}

impl std::error::Error for StartRefusal {}

/// Decides where to begin. `fresh` is the identity of a clock that never ran.
pub(crate) fn decide(
    record: Option<&WindowRecord>,
    seen: &Observation,
    settings: &ClockSettings,
    fresh: NodeIdentity,
) -> Result<Start, StartRefusal> {
    let in_range = |time: u64| {
        if time < LATEST {
            Ok(time)
        } else {
            Err(StartRefusal::BeyondRange { time })
        }
    };
    let Some(record) = record else {
        in_range(seen.wall)?;
        return Ok(Start {
            identity: settings.identity.unwrap_or(fresh),
            time: seen.wall,
            last: seen.wall.saturating_sub(1),
            wall_gap: 0,
        });
    };
    let confirmed = matches!(seen.kernel, KernelClock::Synchronized { .. });
    let expected = expected_time(record, seen);
    // Within one boot the counter knows better than a clock that nobody disciplines.
    let time = in_range(if confirmed {
        seen.wall
    } else {
        expected.unwrap_or(seen.wall)
    })?;
    let mark = record.mark;
    if mark > time.saturating_add(settings.mark_lead_max()) {
        return Err(StartRefusal::Poisoned { mark, time });
    }
    if !confirmed && time > mark.saturating_add(settings.forward_jump_max) {
        return Err(StartRefusal::ForwardJump { mark, time });
    }
    let next_life = || {
        record
            .identity
            .next()
            .ok_or(StartRefusal::IncarnationsUsedUp)
    };
    Ok(Start {
        identity: settings.identity.map_or_else(next_life, Ok)?,
        time,
        last: mark.max(time.saturating_sub(1)),
        wall_gap: expected.map_or(0, |expected| seen.wall.wrapping_sub(expected).cast_signed()),
    })
}

/// What the time must be if the machine has not been started again since the record.
fn expected_time(record: &WindowRecord, seen: &Observation) -> Option<u64> {
    let anchor = record.anchor?;
    let same_boot = seen.boot == Some(anchor.boot);
    let elapsed = seen.counter.checked_sub(anchor.counter)?;
    same_boot.then(|| anchor.time.saturating_add(elapsed))
}
