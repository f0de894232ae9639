//! What the clock hands out.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use crate::id::{NodeIdentity, TimestampId};
use crate::rfc3339::rfc3339;

const NANOS_PER_MILLI: u64 = 1_000_000;

/// What the source of time really resolves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Two readings a microsecond apart differ.
    Nanosecond,
    /// The source is coarser than a microsecond; a browser's clock, say.
    Millisecond,
}

impl Precision {
    /// The precision of a source that resolves `resolution` nanoseconds.
    pub fn of_resolution(resolution: u64) -> Self {
        if resolution <= 1_000 {
            Self::Nanosecond
        } else {
            Self::Millisecond
        }
    }

    /// The word on the wire: `nanosecond` or `millisecond`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nanosecond => "nanosecond",
            Self::Millisecond => "millisecond",
        }
    }
}

/// One instant that nobody else has, with what is known about its error.
///
/// Two timestamps are equal if their ids are, and sort as their ids do: by time, node and
/// incarnation. The error bound travels beside the order and is never part of it.
#[derive(Clone, Copy, Debug)]
pub struct AtomicTimestamp {
    pub(crate) nanoseconds: u64,
    pub(crate) server_time: u64,
    pub(crate) offset: i64,
    /// `u64::MAX` if unknown.
    pub(crate) error: u64,
    pub(crate) identity: NodeIdentity,
    pub(crate) precision: Precision,
}

impl AtomicTimestamp {
    /// The instant in the order, in nanoseconds since the Unix epoch.
    pub fn nanoseconds(&self) -> u64 {
        self.nanoseconds
    }

    /// [`Self::nanoseconds`] in whole milliseconds, rounded down.
    pub fn milliseconds(&self) -> u64 {
        self.nanoseconds / NANOS_PER_MILLI
    }

    /// The best estimate of true time, in nanoseconds since the Unix epoch. Use it for holds and
    /// expiries: it has no [`Self::lead`].
    pub fn server_time_nanos(&self) -> u64 {
        self.server_time
    }

    /// What the device's own clock showed, in nanoseconds since the Unix epoch.
    pub fn device_time_nanos(&self) -> u64 {
        self.server_time.wrapping_sub_signed(self.offset)
    }

    /// Server time minus device time, in nanoseconds.
    pub fn offset_nanos(&self) -> i64 {
        self.offset
    }

    /// By how many nanoseconds the order runs ahead of [`Self::server_time_nanos`].
    pub fn lead(&self) -> u64 {
        self.nanoseconds.saturating_sub(self.server_time)
    }

    /// The unique name of this timestamp.
    pub fn id(&self) -> TimestampId {
        TimestampId::encode(self.nanoseconds, self.identity)
    }

    /// Who issued it.
    pub fn identity(&self) -> NodeIdentity {
        self.identity
    }

    /// Whether an error bound is known.
    pub fn is_synchronized(&self) -> bool {
        self.error_bound().is_some()
    }

    /// What the source of time resolves.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// True time lies within this many nanoseconds of [`Self::nanoseconds`]; `None` is "unknown",
    /// never zero.
    pub fn error_bound(&self) -> Option<u64> {
        (self.error != u64::MAX).then_some(self.error)
    }

    /// True time lies within this many nanoseconds of [`Self::server_time_nanos`]: the error bound
    /// without the order's lead.
    pub fn time_error(&self) -> Option<u64> {
        Some(self.error_bound()?.saturating_sub(self.lead()))
    }

    /// The interval that holds true time, as (earliest, latest) in nanoseconds since the epoch.
    pub fn interval(&self) -> Option<(u64, u64)> {
        let error = self.error_bound()?;
        Some((
            self.nanoseconds.saturating_sub(error),
            self.nanoseconds.saturating_add(error),
        ))
    }

    /// One JSON object on one line, as the HTTP API and `spots clock now` write it.
    ///
    /// Integers of 64 bits are decimal strings, because a JavaScript number would round them.
    pub fn to_json(&self) -> String {
        let error = self
            .error_bound()
            .map_or_else(|| String::from("null"), |bound| format!("\"{bound}\""));
        format!(
            concat!(
                "{{\"timestampId\":\"{}\",\"serverTime\":\"{}\",\"deviceTime\":\"{}\",",
                "\"offset\":\"{}\",\"nanoseconds\":\"{}\",\"milliseconds\":{},",
                "\"precision\":\"{}\",\"isSynchronized\":{},\"errorBound\":{}}}"
            ),
            self.id(),
            rfc3339(self.server_time),
            rfc3339(self.device_time_nanos()),
            self.offset,
            self.nanoseconds,
            self.milliseconds(),
            self.precision.as_str(),
            self.is_synchronized(),
            error,
        )
    }
}

impl PartialEq for AtomicTimestamp {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for AtomicTimestamp {}

impl PartialOrd for AtomicTimestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for AtomicTimestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.nanoseconds, self.identity).cmp(&(other.nanoseconds, other.identity))
    }
}

impl Hash for AtomicTimestamp {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.nanoseconds, self.identity).hash(state);
    }
}
