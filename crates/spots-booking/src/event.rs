//! An event, its schedule and its slots.

use jiff::civil::{Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, Timestamp, ToSpan as _};

use crate::event_type::EventType;
use crate::ids::{EventId, HostId};
use crate::refusal::{FieldProblem, Refusal};
use crate::value;

/// The longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 120;
/// The longest description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 4000;
/// The most occurrences of one event.
pub const OCCURRENCES_MAX: usize = 1000;
/// The largest capacity of one slot.
pub const CAPACITY_MAX: u32 = 1_000_000;
/// The largest party of one booking.
pub const PARTY_MAX: u32 = 100;
/// How far ahead tables may be booked, in days.
pub const DAYS_AHEAD_MAX: u16 = 366;
/// The longest single occurrence, in days.
pub const OCCURRENCE_DAYS_MAX: i64 = 31;

/// One time at which an event takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// From.
    pub starts_at: Timestamp,
    /// Until.
    pub ends_at: Timestamp,
}

/// The weekly hours in which tables may be booked, in the event's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableHours {
    /// On these days.
    pub weekdays: Vec<Weekday>,
    /// The first time of a day.
    pub opens: Time,
    /// No table begins at or after this time.
    pub closes: Time,
    /// Minutes between two times.
    pub every_minutes: u16,
    /// Minutes that a party stays.
    pub stay_minutes: u16,
    /// How many days ahead one may book.
    pub days_ahead: u16,
}

/// When an event takes place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At these times, in order.
    Occurrences(Vec<Occurrence>),
    /// At any table time.
    Tables(TableHours),
}

/// A time of an event that can be booked. Named by its beginning.
pub type Slot = Occurrence;

/// What a host offers, before it has an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// What kind.
    pub event_type: EventType,
    /// One line.
    pub title: String,
    /// A few paragraphs; may be empty.
    pub description: String,
    /// Where; may be empty.
    pub place: String,
    /// IANA name of the zone in which the host thinks, for example `Europe/Berlin`.
    pub time_zone: String,
    /// When.
    pub schedule: Schedule,
    /// Places per slot; `None` is unlimited.
    pub capacity: Option<u32>,
    /// The largest party of one booking.
    pub party_max: u32,
}

/// Something people book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Whose it is.
    pub host: HostId,
    /// What it is.
    pub offer: NewEvent,
    /// Whether the host called it off.
    pub called_off: bool,
}

impl NewEvent {
    /// Checks every field against its limit and puts occurrences in order.
    pub fn check(mut self) -> Result<Self, Refusal> {
        let mut problems = Vec::new();
        self.check_texts(&mut problems);
        if TimeZone::get(&self.time_zone).is_err() {
            problems.push(FieldProblem::new(
                "timeZone",
                "invalid",
                "Give an IANA time zone, for example Europe/Berlin.",
            ));
        }
        if self
            .capacity
            .is_some_and(|places| !(1..=CAPACITY_MAX).contains(&places))
        {
            let message = format!("Give 1 to {CAPACITY_MAX} places, or none for no limit.");
            problems.push(FieldProblem::new("capacity", "invalid", message));
        }
        if !(1..=PARTY_MAX).contains(&self.party_max) {
            let message = format!("Give 1 to {PARTY_MAX} people.");
            problems.push(FieldProblem::new("partyMax", "invalid", message));
        }
        match &mut self.schedule {
            Schedule::Occurrences(occurrences) => check_occurrences(occurrences, &mut problems),
            Schedule::Tables(hours) => check_hours(hours, &mut problems),
        }
        if problems.is_empty() {
            Ok(self)
        } else {
            Err(Refusal::Fields(problems))
        }
    }

    fn check_texts(&mut self, problems: &mut Vec<FieldProblem>) {
        match value::line(&self.title) {
            Ok(title) if title.chars().count() <= TITLE_CHARS_MAX => self.title = title,
            Ok(_) => {
                let message = format!("Enter at most {TITLE_CHARS_MAX} characters.");
                problems.push(FieldProblem::new("title", "too-long", message));
            }
            Err(message) => problems.push(FieldProblem::new("title", "invalid", message)),
        }
        for (field, text, most) in [
            ("description", &self.description, DESCRIPTION_CHARS_MAX),
            ("place", &self.place, value::LINE_CHARS_MAX),
        ] {
            if text.chars().count() > most {
                let message = format!("Enter at most {most} characters.");
                problems.push(FieldProblem::new(field, "too-long", message));
            } else if text.chars().any(value::is_deceptive_in_lines) {
                problems.push(FieldProblem::new(field, "invalid", value::HIDDEN));
            } else if value::has_piles(text) {
                problems.push(FieldProblem::new(field, "invalid", value::PILES));
            }
        }
    }

    /// The zone in which the host thinks.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// The slot that begins at this time, if there is one.
    pub fn slot(&self, starts_at: Timestamp, now: Timestamp) -> Option<Slot> {
        match &self.schedule {
            Schedule::Occurrences(occurrences) => occurrences
                .iter()
                .copied()
                .find(|slot| slot.starts_at == starts_at),
            Schedule::Tables(hours) => hours.slot(starts_at, now, &self.zone()),
        }
    }

    /// Slots that begin at or after `from`, at most `most` of them, in order.
    pub fn slots_from(&self, from: Timestamp, now: Timestamp, most: usize) -> Vec<Slot> {
        match &self.schedule {
            Schedule::Occurrences(occurrences) => occurrences
                .iter()
                .copied()
                .filter(|slot| slot.starts_at >= from)
                .take(most)
                .collect(),
            Schedule::Tables(hours) => hours.slots_from(from, now, &self.zone(), most),
        }
    }

    /// When the last slot that exists today ends, if the schedule has an end.
    pub fn last_end(&self) -> Option<Timestamp> {
        match &self.schedule {
            Schedule::Occurrences(occurrences) => occurrences.iter().map(|slot| slot.ends_at).max(),
            Schedule::Tables(_) => None,
        }
    }
}

impl TableHours {
    fn slot(&self, starts_at: Timestamp, now: Timestamp, zone: &TimeZone) -> Option<Slot> {
        let local = starts_at.to_zoned(zone.clone());
        let day_start = local.start_of_day().ok()?.timestamp();
        self.slots_from(day_start, now, zone, usize::from(u16::MAX))
            .into_iter()
            .take_while(|slot| slot.starts_at <= starts_at)
            .find(|slot| slot.starts_at == starts_at)
    }

    fn slots_from(
        &self,
        from: Timestamp,
        now: Timestamp,
        zone: &TimeZone,
        most: usize,
    ) -> Vec<Slot> {
        let today = now.to_zoned(zone.clone()).date();
        let Ok(last_day) = today.checked_add(i32::from(self.days_ahead).days()) else {
            return Vec::new();
        };
        let first_day = from.to_zoned(zone.clone()).date().max(today);
        first_day
            .series(1.day())
            .take_while(|day| *day <= last_day)
            .filter(|day| self.weekdays.contains(&day.weekday()))
            .flat_map(|day| self.times().map(move |time| day.to_datetime(time)))
            // A time that a change of the clocks skips does not exist; one that it repeats is
            // booked once, the first time.
            .filter_map(|civil| {
                let ambiguous = zone.to_ambiguous_zoned(civil);
                if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
                    None
                } else {
                    ambiguous.earlier().ok()
                }
            })
            .map(|zoned| zoned.timestamp())
            .filter(|starts_at| *starts_at >= from)
            .take(most)
            .filter_map(|starts_at| {
                let ends_at = starts_at.checked_add(minutes(self.stay_minutes)).ok()?;
                Some(Slot { starts_at, ends_at })
            })
            .collect()
    }

    fn times(&self) -> impl Iterator<Item = Time> + use<'_> {
        let open = minute_of_day(self.opens);
        let close = minute_of_day(self.closes);
        (open..close)
            .step_by(usize::from(self.every_minutes.max(1)))
            .filter_map(|minute| {
                Time::new(
                    i8::try_from(minute / 60).ok()?,
                    i8::try_from(minute % 60).ok()?,
                    0,
                    0,
                )
                .ok()
            })
    }
}

fn minutes(count: u16) -> Span {
    i64::from(count).minutes()
}

fn minute_of_day(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

fn check_occurrences(occurrences: &mut Vec<Occurrence>, problems: &mut Vec<FieldProblem>) {
    occurrences.sort();
    occurrences.dedup_by_key(|slot| slot.starts_at);
    let longest = i64::from(24_u8) * 3600 * OCCURRENCE_DAYS_MAX;
    let fits = |slot: &Occurrence| {
        let seconds = slot.ends_at.as_second() - slot.starts_at.as_second();
        (1..=longest).contains(&seconds)
    };
    if occurrences.is_empty() || occurrences.len() > OCCURRENCES_MAX {
        let message = format!("Give 1 to {OCCURRENCES_MAX} times.");
        problems.push(FieldProblem::new("occurrences", "count", message));
    } else if !occurrences.iter().all(fits) {
        let message = format!("Each time ends after it starts, within {OCCURRENCE_DAYS_MAX} days.");
        problems.push(FieldProblem::new("occurrences", "invalid", message));
    }
}

fn check_hours(hours: &TableHours, problems: &mut Vec<FieldProblem>) {
    let mut problem = |field: &str, message: &str| {
        problems.push(FieldProblem::new(field, "invalid", message));
    };
    if hours.weekdays.is_empty() {
        problem("tables.weekdays", "Choose at least one day of the week.");
    }
    if hours.opens >= hours.closes {
        problem("tables.closes", "Closing comes after opening.");
    }
    if !(5..=720).contains(&hours.every_minutes) {
        problem(
            "tables.everyMinutes",
            "Give 5 to 720 minutes between two times.",
        );
    }
    if !(5..=1440).contains(&hours.stay_minutes) {
        problem("tables.stayMinutes", "A party stays 5 to 1440 minutes.");
    }
    if !(1..=DAYS_AHEAD_MAX).contains(&hours.days_ahead) {
        problem("tables.daysAhead", "Take bookings 1 to 366 days ahead.");
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn tables() -> NewEvent {
        NewEvent {
            event_type: EventType::Reservation,
            title: "Dinner".to_owned(),
            description: String::new(),
            place: String::new(),
            time_zone: "Europe/Berlin".to_owned(),
            schedule: Schedule::Tables(TableHours {
                weekdays: vec![Weekday::Saturday, Weekday::Sunday],
                opens: time(1, 0, 0, 0),
                closes: time(4, 0, 0, 0),
                every_minutes: 30,
                stay_minutes: 90,
                days_ahead: 30,
            }),
            capacity: Some(4),
            party_max: 6,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn table_times_follow_the_hosts_zone() {
        let slots = tables().slots_from(at("2026-03-27T00:00Z"), at("2026-03-27T00:00Z"), 4);
        let times: Vec<_> = slots
            .iter()
            .map(|slot| slot.starts_at.to_string())
            .collect();
        let expected = [
            "2026-03-28T00:00:00Z",
            "2026-03-28T00:30:00Z",
            "2026-03-28T01:00:00Z",
        ];
        assert_eq!(times[..3], expected);
    }

    #[test]
    fn a_time_that_summer_time_skips_is_not_offered() {
        // On 29 March 2026 Berlin has no 02:00 to 03:00.
        let night = at("2026-03-28T23:00Z");
        let slots = tables().slots_from(night, night, 100);
        let sunday: Vec<_> = slots
            .iter()
            .map(|slot| slot.starts_at)
            .take_while(|starts_at| *starts_at < at("2026-03-29T23:00Z"))
            .map(|starts_at| starts_at.to_string())
            .collect();
        let expected = [
            "2026-03-29T00:00:00Z",
            "2026-03-29T00:30:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-29T01:30:00Z",
        ];
        assert_eq!(sunday, expected);
    }

    #[test]
    fn only_offered_times_are_slots() {
        let now = at("2026-03-27T00:00Z");
        assert!(tables().slot(at("2026-03-28T00:30Z"), now).is_some());
        assert!(tables().slot(at("2026-03-28T00:31Z"), now).is_none());
        assert!(
            tables().slot(at("2026-05-30T00:30Z"), now).is_none(),
            "too far ahead"
        );
        assert!(
            tables().slot(at("2026-03-30T00:30Z"), now).is_none(),
            "a Monday"
        );
    }

    #[test]
    fn bad_offers_are_refused_by_field() {
        let bad = NewEvent {
            title: String::new(),
            time_zone: "Mars/Olympus".to_owned(),
            capacity: Some(0),
            party_max: 0,
            schedule: Schedule::Occurrences(Vec::new()),
            ..tables()
        };
        let Err(Refusal::Fields(problems)) = bad.check() else {
            panic!("accepted")
        };
        let fields: Vec<_> = problems
            .iter()
            .map(|problem| problem.field.as_str())
            .collect();
        assert_eq!(
            fields,
            ["title", "timeZone", "capacity", "partyMax", "occurrences"]
        );
    }
}
