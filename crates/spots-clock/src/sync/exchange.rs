//! One exchange of four timestamps and what it proves.

use std::fmt;

use super::interval::Interval;

/// How a server counts leap seconds. Offsets of different scales are never mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeScale {
    /// POSIX: a leap second is a second that happens twice.
    Posix,
    /// Smeared: a leap second is spread over the hours around it.
    Smeared,
}

/// What a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncRequest {
    /// Chosen at random by the client and repeated in the answer; ties the receipt to it.
    pub nonce: [u8; 16],
}

/// What a server answers. Times are nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncResponse {
    /// The request's nonce.
    pub nonce: [u8; 16],
    /// Server time when the request had arrived (T2).
    pub received: u64,
    /// Server time when the answer was written (T3).
    pub sent: u64,
    /// Bound of the server's own error over both; `None` if the server does not know it.
    pub error_bound: Option<u64>,
    /// How the server counts leap seconds.
    pub scale: TimeScale,
}

/// An answer with the device's readings around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Device time when the request was sent (T1).
    pub sent: u64,
    /// What the server answered.
    pub response: SyncResponse,
    /// Device time when the answer had arrived (T4).
    pub returned: u64,
}

/// Why an exchange proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The answer is not to a request that is open.
    UnknownNonce,
    /// One of the two clocks ran backwards in between.
    Backwards,
    /// The server says that it took longer to answer than the whole exchange took.
    Impossible,
    /// The server counts leap seconds differently from those before it.
    MixedScale,
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownNonce => "the answer is not to an open request",
            Self::Backwards => "a clock ran backwards during the exchange",
            Self::Impossible => "the server took longer to answer than the exchange lasted",
            Self::MixedScale => "the server counts leap seconds differently from the others",
        })
    }
}

impl std::error::Error for ExchangeError {}

impl Exchange {
    /// The offset between server and device that this exchange proves, when it returned.
    ///
    /// The request cannot have arrived before it was sent, nor the answer before it was written:
    /// `T3 − T4 ≤ offset ≤ T2 − T1`. The width is the round trip without the server's part; where
    /// inside the offset lies cannot be known, because the two ways may differ (RFC 5905 takes
    /// the middle). The counter's drift during the exchange, `drift_ppb`, and `resolution` of the
    /// device's clock widen it; the server's own error is added if known.
    pub fn offset(&self, drift_ppb: u64, resolution: u64) -> Result<Interval, ExchangeError> {
        let answer = &self.response;
        if self.returned < self.sent || answer.sent < answer.received {
            return Err(ExchangeError::Backwards);
        }
        let lasted = self.returned - self.sent;
        let slack = parts_per_billion(lasted, drift_ppb)
            .saturating_add(resolution.saturating_mul(2))
            .saturating_add(answer.error_bound.unwrap_or(0));
        let low = answer.sent.wrapping_sub(self.returned).cast_signed();
        let high = answer.received.wrapping_sub(self.sent).cast_signed();
        Interval::new(
            low.saturating_sub_unsigned(slack),
            high.saturating_add_unsigned(slack),
        )
        .ok_or(ExchangeError::Impossible)
    }
}

/// `nanos × ppb / 10⁹`, rounded up.
pub(crate) fn parts_per_billion(nanos: u64, ppb: u64) -> u64 {
    let product = u128::from(nanos) * u128::from(ppb);
    u64::try_from(product.div_ceil(1_000_000_000)).unwrap_or(u64::MAX)
}
