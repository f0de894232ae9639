//! Closed intervals of offsets.

/// Every offset from `low` to `high`, in nanoseconds; `low ≤ high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    low: i64,
    high: i64,
}

impl Interval {
    /// The interval between two ends, both included; `None` if they are the wrong way round.
    pub fn new(low: i64, high: i64) -> Option<Self> {
        (low <= high).then_some(Self { low, high })
    }

    /// Everything within `radius` of `centre`.
    pub fn around(centre: i64, radius: u64) -> Self {
        Self {
            low: centre.saturating_sub_unsigned(radius),
            high: centre.saturating_add_unsigned(radius),
        }
    }

    /// The lower end.
    pub fn low(self) -> i64 {
        self.low
    }

    /// The upper end.
    pub fn high(self) -> i64 {
        self.high
    }

    /// The distance between the ends.
    pub fn width(self) -> u64 {
        self.high.abs_diff(self.low)
    }

    /// The middle, rounded down.
    pub fn centre(self) -> i64 {
        self.low.midpoint(self.high)
    }

    /// How far the centre may be off: half the width, rounded up.
    pub fn radius(self) -> u64 {
        self.width().div_ceil(2)
    }

    /// Whether an offset lies inside.
    pub fn contains(self, offset: i64) -> bool {
        (self.low..=self.high).contains(&offset)
    }

    /// What both hold; `None` if that is nothing.
    pub fn intersect(self, other: Self) -> Option<Self> {
        Self::new(self.low.max(other.low), self.high.min(other.high))
    }

    /// Moves the ends outward by different amounts.
    #[must_use]
    pub fn stretch(self, down: u64, up: u64) -> Self {
        Self {
            low: self.low.saturating_sub_unsigned(down),
            high: self.high.saturating_add_unsigned(up),
        }
    }

    /// Moves both ends; each stops at the end of the scale.
    #[must_use]
    pub fn shift(self, low: i64, high: i64) -> Self {
        let (a, b) = (self.low.saturating_add(low), self.high.saturating_add(high));
        Self {
            low: a.min(b),
            high: a.max(b),
        }
    }

    /// The gap between two intervals that hold nothing in common; zero otherwise.
    pub fn gap(self, other: Self) -> u64 {
        let low = self.low.max(other.low);
        let high = self.high.min(other.high);
        if low > high { low.abs_diff(high) } else { 0 }
    }
}
