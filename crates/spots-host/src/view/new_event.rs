//! `GET|POST /hosts/{hostId}/events/new`: a host adds an event.

use askama::Template;
use spots_booking::EventType;

use super::{Choice, FormErrors, HostHead, HostTab, Page, Reader, Sample, Samples, Section};

/// The form for a new event.
#[derive(Debug, Clone, Template)]
#[template(path = "host/new_event.html")]
pub struct NewEventPage {
    /// The head of the page.
    pub page: Page,
    /// The host.
    pub host: HostHead,
    /// What was typed.
    pub form: NewEventForm,
    /// What is wrong with it.
    pub errors: FormErrors,
}

/// What a host typed about a new event. Each field names its input.
#[derive(Debug, Clone, Default)]
pub struct NewEventForm {
    /// `eventType`: the types that this host may offer.
    pub types: Vec<Choice>,
    /// `title`: the event's name.
    pub title: String,
    /// `description`: what it is; blank lines part paragraphs.
    pub description: String,
    /// `place`: where it takes place.
    pub place: String,
    /// `timeZone`: IANA name of the zone that the times are in.
    pub zones: Vec<Choice>,
    /// `schedule`: `occurrences` or `tables`, which of the two parts below holds.
    pub schedules: Vec<Choice>,
    /// The part for set times.
    pub times: SetTimesForm,
    /// The part for tables.
    pub tables: TableHoursForm,
    /// `capacity`: places at each time; empty for no limit.
    pub capacity: String,
    /// `partyMax`: places that one booking may take.
    pub party_max: String,
}

/// Set times: one for each of `times` on each day from `firstDate` to `lastDate` that is one of
/// `weekdays` (all days if none is ticked).
#[derive(Debug, Clone, Default)]
pub struct SetTimesForm {
    /// `firstDate`: first day, `YYYY-MM-DD`.
    pub first_date: String,
    /// `lastDate`: last day, `YYYY-MM-DD`; empty for a single day.
    pub last_date: String,
    /// `weekdays`: `mon` to `sun`, several may be chosen.
    pub weekdays: Vec<Choice>,
    /// `times`: times of day, `18:00, 20:30`.
    pub times: String,
    /// `durationMinutes`: how long each lasts.
    pub duration_minutes: String,
}

/// The weekly hours in which tables may be booked.
#[derive(Debug, Clone, Default)]
pub struct TableHoursForm {
    /// `tables.weekdays`: `mon` to `sun`, several may be chosen.
    pub weekdays: Vec<Choice>,
    /// `tables.opens`: the first time of a day, `HH:MM`.
    pub opens: String,
    /// `tables.closes`: no table begins at or after this time, `HH:MM`.
    pub closes: String,
    /// `tables.everyMinutes`: minutes between two times.
    pub every_minutes: String,
    /// `tables.stayMinutes`: minutes that a party stays.
    pub stay_minutes: String,
    /// `tables.daysAhead`: how many days ahead one may book.
    pub days_ahead: String,
}

impl NewEventForm {
    /// The two schedules, one chosen.
    pub fn schedules(chosen: &str) -> Vec<Choice> {
        let both = [
            ("occurrences", "At set times"),
            (
                "tables",
                "At any table time: guests choose a date, a time and a party",
            ),
        ];
        Choice::list(both, chosen)
    }

    /// The seven days of the week, those in `chosen` ticked.
    pub fn weekdays(chosen: &[&str]) -> Vec<Choice> {
        let days = [
            ("mon", "Monday"),
            ("tue", "Tuesday"),
            ("wed", "Wednesday"),
            ("thu", "Thursday"),
            ("fri", "Friday"),
            ("sat", "Saturday"),
            ("sun", "Sunday"),
        ];
        let mut choices = Choice::list(days, "");
        for choice in &mut choices {
            choice.chosen = chosen.contains(&choice.value.as_str());
        }
        choices
    }

    fn sample(schedule: &str) -> Self {
        let types = [EventType::Reservation, EventType::BusinessEvent];
        Self {
            types: Choice::list(types.map(|t| (t.as_str(), t.label())), "reservation"),
            zones: Choice::list(
                [
                    ("Europe/Berlin", "Berlin"),
                    ("Europe/Lisbon", "Lisbon"),
                    ("UTC", "UTC"),
                ],
                "Europe/Berlin",
            ),
            schedules: Self::schedules(schedule),
            times: SetTimesForm {
                weekdays: Self::weekdays(&[]),
                ..SetTimesForm::default()
            },
            tables: TableHoursForm {
                weekdays: Self::weekdays(&["thu", "fri", "sat"]),
                opens: "18:00".to_owned(),
                closes: "21:30".to_owned(),
                every_minutes: "30".to_owned(),
                stay_minutes: "120".to_owned(),
                days_ahead: "60".to_owned(),
            },
            party_max: "1".to_owned(),
            ..Self::default()
        }
    }
}

impl NewEventPage {
    fn sample(form: NewEventForm, errors: FormErrors) -> Self {
        Self {
            page: Page::new("Add an event", Reader::Person, Section::Hosting),
            host: HostHead::sample(HostTab::Events),
            form,
            errors,
        }
    }
}

impl Samples for NewEventPage {
    fn samples() -> Vec<Sample<Self>> {
        let filled = |schedule| NewEventForm {
            title: "Dinner at Café Mira".to_owned(),
            description: "Seasonal kitchen, six courses.".to_owned(),
            place: "Café Mira, Torstraße 1, 10119 Berlin".to_owned(),
            capacity: "40".to_owned(),
            party_max: "8".to_owned(),
            ..NewEventForm::sample(schedule)
        };
        let mut wrong = filled("occurrences");
        wrong.times = SetTimesForm {
            first_date: "2026-12-31".to_owned(),
            last_date: "2026-12-01".to_owned(),
            weekdays: NewEventForm::weekdays(&["thu", "fri", "sat"]),
            times: "18:00, half nine".to_owned(),
            duration_minutes: "120".to_owned(),
        };
        let errors = FormErrors::none()
            .with(
                "lastDate",
                "Choose a last day that is not before the first.",
            )
            .with(
                "times",
                "Write each time as hours and minutes, for example 18:00, 20:30.",
            );
        vec![
            Sample::new(
                "empty",
                Self::sample(NewEventForm::sample("occurrences"), FormErrors::none()),
            ),
            Sample::new("tables", Self::sample(filled("tables"), FormErrors::none())),
            Sample::new("errors", Self::sample(wrong, errors)),
        ]
    }
}
