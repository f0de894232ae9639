//! Times and places left, written for the reader.

/// A moment as a machine and as a person read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// For `<time datetime>`: RFC 3339 with an offset, or a plain date.
    pub datetime: String,
    /// In the reader's zone and words, for example `Sat 12 December, 19:00`.
    pub text: String,
}

impl Moment {
    /// A moment from its two spellings.
    pub fn new(datetime: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            datetime: datetime.into(),
            text: text.into(),
        }
    }
}

/// When an event takes place, in the reader's zone, which is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTime {
    /// The start (and end, in the text), in the reader's zone.
    pub start: Moment,
    /// The reader's zone, for example `Berlin time`.
    pub zone: String,
    /// The same time where the event is, if that differs: `13:00 in New York, where it takes place`.
    pub there: Option<String>,
}

/// The date of an event as a small calendar leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateBadge {
    /// Short name of the weekday, for example `Sat`.
    pub weekday: String,
    /// Day of the month.
    pub day: u8,
    /// Short name of the month, for example `Dec`.
    pub month: String,
}

/// How many places an event has and how many are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// Places that can still be booked.
    pub left: u32,
    /// Places in all; `None` where there is no limit.
    pub total: Option<u32>,
}

impl Places {
    /// A limited number of places.
    pub fn limited(left: u32, total: u32) -> Self {
        Self {
            left,
            total: Some(total),
        }
    }

    /// Places that are taken.
    pub fn taken(&self) -> u32 {
        self.total
            .map_or(0, |total| total.saturating_sub(self.left))
    }

    /// Whether nothing is left.
    pub fn is_full(&self) -> bool {
        self.total.is_some() && self.left == 0
    }

    /// Whether so few places are left that it is worth a stress: a tenth, or three.
    pub fn is_scarce(&self) -> bool {
        self.total
            .is_some_and(|total| self.left > 0 && self.left <= (total / 10).max(3).min(total / 2))
    }

    /// The places left, as words.
    pub fn text(&self) -> String {
        match (self.total, self.left) {
            (None, _) => "Open to all".to_owned(),
            (Some(_), 0) => "Full".to_owned(),
            (Some(_), 1) => "1 place left".to_owned(),
            (Some(_), left) => format!("{left} places left"),
        }
    }
}
