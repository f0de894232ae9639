//! What is known about the offset, over time.

use super::exchange::parts_per_billion;
use super::interval::Interval;

/// A rate is not measured over less than this many nanoseconds: 1,000 seconds.
const RATE_SPAN_MIN: u64 = 1_000_000_000_000;

/// How fast a device's counter may run off, in parts in 10⁹.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Bound of the counter's rate error as long as nobody has measured it.
    pub drift_ppb: u64,
    /// Bound of the difference between the mean rates over any two stretches of time: what
    /// temperature and age can do. A measured rate is trusted up to this.
    pub wander_ppb: u64,
}

impl Rates {
    /// A server's oscillator: 200 ppm until measured.
    pub const SERVER: Self = Self {
        drift_ppb: 200_000,
        wander_ppb: 20_000,
    };
    /// A phone's or a browser's: 500 ppm until measured.
    pub const DEVICE: Self = Self {
        drift_ppb: 500_000,
        wander_ppb: 50_000,
    };
}

/// What a measurement did to the estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// The first that is known.
    First,
    /// It agrees with what was known, and narrows it where it can.
    Agreed,
    /// The server does not know its own error, and something better is known.
    Ignored,
    /// It contradicts what was known by this many nanoseconds. Nothing is known until the next
    /// measurement agrees with this one: an average of contradictions would be wrong for sure.
    Contradicted {
        /// The gap between the two intervals.
        gap: u64,
    },
}

/// The offset at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Projection {
    /// Holds the true offset, if `traceable`; otherwise the offset to the server.
    pub interval: Interval,
    /// Whether the servers behind it know their own error.
    pub traceable: bool,
}

/// The running intersection of all measurements, widened by drift.
///
/// Widening an intersection gives the same as intersecting widened intervals, so this one interval
/// is as tight as keeping every measurement.
#[derive(Clone, Debug)]
pub struct Estimate {
    rates: Rates,
    newest: Option<Measurement>,
    /// Whether the newest may be believed: it did not contradict the one before it.
    believed: bool,
    /// Where the measuring of the rate began.
    reference: Option<Measurement>,
    /// Bounds of the offset's rate, in parts in 10⁹.
    rate: (i64, i64),
}

#[derive(Clone, Copy, Debug)]
struct Measurement {
    /// Device time.
    at: u64,
    interval: Interval,
    traceable: bool,
}

impl Estimate {
    /// Nothing is known yet.
    pub fn new(rates: Rates) -> Self {
        Self {
            rates,
            newest: None,
            believed: false,
            reference: None,
            rate: full_range(rates),
        }
    }

    /// Takes in a measurement made at device time `at`.
    pub fn observe(&mut self, at: u64, interval: Interval, traceable: bool) -> Learned {
        let new = Measurement {
            at,
            interval,
            traceable,
        };
        let Some(before) = self.newest else {
            self.adopt(new);
            return Learned::First;
        };
        if before.traceable != traceable {
            // What does not reach back to the truth says nothing about it, neither yes nor no.
            if before.traceable {
                return Learned::Ignored;
            }
            self.reset();
            self.adopt(new);
            return Learned::First;
        }
        let expected = self.project(&before, at);
        let Some(common) = expected.intersect(interval) else {
            let gap = expected.gap(interval);
            self.reset();
            self.newest = Some(new);
            return Learned::Contradicted { gap };
        };
        self.adopt(Measurement {
            interval: common,
            ..new
        });
        Learned::Agreed
    }

    /// The counter cannot be trusted to have counted: nothing is known any more.
    pub fn reset(&mut self) {
        *self = Self::new(self.rates);
    }

    /// The offset at device time `at`, if it is known.
    pub fn at(&self, at: u64) -> Option<Projection> {
        let known = self.newest.filter(|_| self.believed)?;
        Some(Projection {
            interval: self.project(&known, at),
            traceable: known.traceable,
        })
    }

    /// Bounds of the rate at which the offset changes, in parts in 10⁹.
    pub fn rate_ppb(&self) -> (i64, i64) {
        self.rate
    }

    fn adopt(&mut self, measurement: Measurement) {
        self.newest = Some(measurement);
        self.believed = true;
        match self.reference {
            None => self.reference = Some(measurement),
            Some(reference) => self.measure_rate(&reference, &measurement),
        }
    }

    /// Two intervals some time apart bound the mean rate between them.
    fn measure_rate(&mut self, from: &Measurement, to: &Measurement) {
        let span = to.at.saturating_sub(from.at);
        if span < RATE_SPAN_MIN {
            return;
        }
        let lowest = i128::from(to.interval.low()) - i128::from(from.interval.high());
        let highest = i128::from(to.interval.high()) - i128::from(from.interval.low());
        let per_billion = |offset: i128| offset * 1_000_000_000 / i128::from(span);
        let narrow = |offset: i128| i64::try_from(offset).unwrap_or(i64::MAX);
        let wander = i128::from(self.rates.wander_ppb);
        let (cap_low, cap_high) = full_range(self.rates);
        let low = narrow(per_billion(lowest) - wander - 1).max(cap_low);
        let high = narrow(per_billion(highest) + wander + 1).min(cap_high);
        if low <= high {
            self.rate = (low, high);
        }
    }

    fn project(&self, from: &Measurement, at: u64) -> Interval {
        let untraced = if from.traceable {
            0
        } else {
            // The server's own clock runs off, too.
            Rates::SERVER.drift_ppb
        };
        let (low, high) = self.rate;
        let age = at.abs_diff(from.at);
        let moved = |ppb: i64| {
            let nanos = i64::try_from(parts_per_billion(age, ppb.unsigned_abs()));
            nanos.unwrap_or(i64::MAX).saturating_mul(ppb.signum())
        };
        let extra = parts_per_billion(age, untraced);
        // Rates were rounded in either direction.
        let rounding = i64::from(age > 0);
        let (down, up) = if at >= from.at {
            (moved(low), moved(high))
        } else {
            (moved(high).saturating_neg(), moved(low).saturating_neg())
        };
        let (down, up) = (down.saturating_sub(rounding), up.saturating_add(rounding));
        from.interval.shift(down, up).stretch(extra, extra)
    }
}

fn full_range(rates: Rates) -> (i64, i64) {
    let cap = i64::try_from(rates.drift_ppb).unwrap_or(i64::MAX);
    (-cap, cap)
}
