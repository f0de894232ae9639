//! Events on the wire.

use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use spots_booking::{FieldProblem, NewEvent, Occurrence, Refusal, Schedule, TableHours};
use utoipa::ToSchema;

use super::host::HostBody;
use super::moment::Instant;
use super::words::{EventTypeWord, WeekdayWord};
use crate::desk::CalledOffCard;
use crate::desk::{EventCard, OpenTime};

/// The largest party of one booking when nothing else is said.
const PARTY_MAX: u32 = 10;

/// An event to add. Its times are one of: `startsAt` with `endsAt`, `occurrences`, `tables`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewEventBody {
    /// What kind.
    pub event_type: EventTypeWord,
    /// One line.
    #[schema(min_length = 1, max_length = 120)]
    pub title: String,
    /// A few paragraphs.
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub description: String,
    /// Where.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub place: String,
    /// IANA name of the zone in which the host thinks; `UTC` if left out.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
    /// The one time: from.
    pub starts_at: Option<Instant>,
    /// The one time: until.
    pub ends_at: Option<Instant>,
    /// Several times.
    pub occurrences: Option<Vec<OccurrenceBody>>,
    /// Any table time.
    pub tables: Option<TableHoursBody>,
    /// Places per time; no limit if left out.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub capacity: Option<u32>,
    /// The largest party of one booking; 10 if left out.
    #[schema(minimum = 1, maximum = 100)]
    pub party_max: Option<u32>,
}

/// One time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OccurrenceBody {
    /// From.
    pub starts_at: Instant,
    /// Until.
    pub ends_at: Instant,
}

/// The weekly hours in which tables can be booked, in the event's zone.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TableHoursBody {
    /// On these days.
    pub weekdays: Vec<WeekdayWord>,
    /// The first time of a day, as hour and minute.
    #[schema(example = "18:00")]
    pub opens: String,
    /// No table begins at or after this time.
    #[schema(example = "22:00")]
    pub closes: String,
    /// Minutes between two times.
    #[schema(minimum = 5, maximum = 720)]
    pub every_minutes: u16,
    /// Minutes that a party stays.
    #[schema(minimum = 5, maximum = 1440)]
    pub stay_minutes: u16,
    /// How many days ahead one may book.
    #[schema(minimum = 1, maximum = 366)]
    pub days_ahead: u16,
}

/// A time that can be booked.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SlotBody {
    /// From.
    pub starts_at: Instant,
    /// Until.
    pub ends_at: Instant,
    /// Places left; `null` where there is no limit.
    #[schema(required)]
    pub places_left: Option<u32>,
}

/// An event in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventListItem {
    /// Its id.
    pub event_id: String,
    /// Whose it is.
    pub host: HostBody,
    /// What kind.
    pub event_type: EventTypeWord,
    /// What it is called.
    pub title: String,
    /// Where.
    pub place: String,
    /// The zone in which the host thinks.
    pub time_zone: String,
    /// Whether the host called it off.
    pub called_off: bool,
    /// The next time; `null` when none is to come.
    #[schema(required)]
    pub next_slot: Option<SlotBody>,
}

/// An event.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventBody {
    /// Its id.
    pub event_id: String,
    /// Whose it is.
    pub host: HostBody,
    /// What kind.
    pub event_type: EventTypeWord,
    /// What it is called.
    pub title: String,
    /// A few paragraphs.
    pub description: String,
    /// Where.
    pub place: String,
    /// The zone in which the host thinks.
    pub time_zone: String,
    /// Places per time; `null` where there is no limit.
    #[schema(required)]
    pub capacity: Option<u32>,
    /// The largest party of one booking.
    pub party_max: u32,
    /// Whether the host called it off.
    pub called_off: bool,
    /// Times to come, in order.
    pub slots: Vec<SlotBody>,
    /// Whether more times follow: ask again with `from` after the last one.
    pub more_slots: bool,
}

impl NewEventBody {
    /// The offer, not yet checked against the limits.
    pub fn offer(self) -> Result<NewEvent, Refusal> {
        let schedule = schedule(self.starts_at, self.ends_at, self.occurrences, self.tables)?;
        Ok(NewEvent {
            event_type: self.event_type.into(),
            title: self.title,
            description: self.description,
            place: self.place,
            time_zone: self.time_zone.unwrap_or_else(|| "UTC".to_owned()),
            schedule,
            capacity: self.capacity,
            party_max: self.party_max.unwrap_or(PARTY_MAX),
        })
    }
}

fn schedule(
    starts_at: Option<Instant>,
    ends_at: Option<Instant>,
    occurrences: Option<Vec<OccurrenceBody>>,
    tables: Option<TableHoursBody>,
) -> Result<Schedule, Refusal> {
    let refused = |field: &str, code, message: &str| {
        Err(Refusal::Fields(vec![FieldProblem::new(
            field, code, message,
        )]))
    };
    let all = match (starts_at, ends_at, occurrences, tables) {
        (Some(starts_at), Some(ends_at), None, None) => vec![OccurrenceBody { starts_at, ends_at }],
        (None, None, Some(all), None) => all,
        (None, None, None, Some(tables)) => return Ok(Schedule::Tables(tables.hours()?)),
        (Some(_), None, None, None) => {
            return refused("endsAt", "required", "Say when it ends.");
        }
        _ => {
            let message = "Give the times in one way: startsAt and endsAt, occurrences or tables.";
            return refused("startsAt", "schedule", message);
        }
    };
    let whole = |at: Instant| at.0.subsec_nanosecond() == 0;
    if !all
        .iter()
        .all(|time| whole(time.starts_at) && whole(time.ends_at))
    {
        return refused("startsAt", "invalid", "Give times in whole seconds.");
    }
    let all = all.into_iter().map(|time| Occurrence {
        starts_at: time.starts_at.0,
        ends_at: time.ends_at.0,
    });
    Ok(Schedule::Occurrences(all.collect()))
}

impl TableHoursBody {
    fn hours(self) -> Result<TableHours, Refusal> {
        let time = |field: &str, text: &str| {
            text.parse::<Time>().map_err(|_cause| {
                let message = "Give a time of day, for example 18:30.";
                Refusal::Fields(vec![FieldProblem::new(field, "invalid", message)])
            })
        };
        Ok(TableHours {
            opens: time("tables.opens", &self.opens)?,
            closes: time("tables.closes", &self.closes)?,
            weekdays: self.weekdays.into_iter().map(Into::into).collect(),
            every_minutes: self.every_minutes,
            stay_minutes: self.stay_minutes,
            days_ahead: self.days_ahead,
        })
    }
}

impl From<&OpenTime> for SlotBody {
    fn from(time: &OpenTime) -> Self {
        Self {
            starts_at: Instant(time.slot.starts_at),
            ends_at: Instant(time.slot.ends_at),
            places_left: time.left,
        }
    }
}

impl From<&EventCard> for EventListItem {
    fn from(card: &EventCard) -> Self {
        let offer = &card.event.offer;
        Self {
            event_id: card.event.id.to_string(),
            host: (&card.host).into(),
            event_type: offer.event_type.into(),
            title: offer.title.clone(),
            place: offer.place.clone(),
            time_zone: offer.time_zone.clone(),
            called_off: card.event.called_off,
            next_slot: card.times.first().map(Into::into),
        }
    }
}

impl From<&EventCard> for EventBody {
    fn from(card: &EventCard) -> Self {
        let offer = &card.event.offer;
        Self {
            event_id: card.event.id.to_string(),
            host: (&card.host).into(),
            event_type: offer.event_type.into(),
            title: offer.title.clone(),
            description: offer.description.clone(),
            place: offer.place.clone(),
            time_zone: offer.time_zone.clone(),
            capacity: offer.capacity,
            party_max: offer.party_max,
            called_off: card.event.called_off,
            slots: card.times.iter().map(Into::into).collect(),
            more_slots: card.more,
        }
    }
}

/// What calling an event off did.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CalledOffBody {
    /// Bookings that were cancelled.
    pub cancelled_bookings: u64,
    /// Shared fields whose keys were destroyed.
    pub ended_fields: u64,
}

impl From<CalledOffCard> for CalledOffBody {
    fn from(card: CalledOffCard) -> Self {
        Self {
            cancelled_bookings: card.bookings,
            ended_fields: card.fields,
        }
    }
}
