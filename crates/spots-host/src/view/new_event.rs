//! `GET|POST /hosts/{hostId}/events/new`: a host adds an event.

use askama::Template;

use super::{
    Choice, EventType, FormErrors, HostHead, HostTab, Page, Reader, Sample, Samples, Section,
};

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

/// What a host typed about a new event. Each field is an input of the same name in camelCase.
///
/// One time is made for each of `times` on each day from `first_date` to `last_date` that is one of
/// `weekdays` (all days if none is ticked).
#[derive(Debug, Clone, Default)]
pub struct NewEventForm {
    /// `eventType`: the types that this host may offer.
    pub types: Vec<Choice>,
    /// `title`: the event's name.
    pub title: String,
    /// `description`: what it is; blank lines part paragraphs.
    pub description: String,
    /// `place`: name of the place.
    pub place: String,
    /// `address`: how to find it.
    pub address: String,
    /// `timeZone`: IANA name of the zone that the times are in.
    pub zones: Vec<Choice>,
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
    /// `capacity`: places at each time; empty for no limit.
    pub capacity: String,
    /// `partyMax`: places that one booking may take.
    pub party_max: String,
}

impl NewEventForm {
    /// The seven days for `weekdays`, those in `chosen` ticked.
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

    fn sample() -> Self {
        let types = [EventType::Reservation, EventType::BusinessEvent];
        Self {
            types: Choice::list(types.map(|t| (t.value(), t.label())), "reservation"),
            zones: Choice::list(
                [
                    ("Europe/Berlin", "Berlin"),
                    ("Europe/Lisbon", "Lisbon"),
                    ("UTC", "UTC"),
                ],
                "Europe/Berlin",
            ),
            weekdays: Self::weekdays(&[]),
            party_max: "1".to_owned(),
            ..Self::default()
        }
    }
}

impl Samples for NewEventPage {
    fn samples() -> Vec<Sample<Self>> {
        let empty = Self {
            page: Page::new("Add an event", Reader::Person, Section::Hosting),
            host: HostHead::sample(HostTab::Events),
            form: NewEventForm::sample(),
            errors: FormErrors::none(),
        };
        let mut wrong = empty.clone();
        wrong.form = NewEventForm {
            title: "Dinner at Café Mira".to_owned(),
            description: "Seasonal kitchen, six courses.".to_owned(),
            place: "Café Mira".to_owned(),
            address: "Torstraße 1, 10119 Berlin".to_owned(),
            first_date: "2026-12-31".to_owned(),
            last_date: "2026-12-01".to_owned(),
            times: "18:00, half nine".to_owned(),
            duration_minutes: "120".to_owned(),
            capacity: "40".to_owned(),
            party_max: "8".to_owned(),
            weekdays: NewEventForm::weekdays(&["thu", "fri", "sat"]),
            ..NewEventForm::sample()
        };
        wrong.errors = FormErrors::none()
            .with(
                "lastDate",
                "Choose a last day that is not before the first.",
            )
            .with(
                "times",
                "Write each time as hours and minutes, for example 18:00, 20:30.",
            );
        vec![Sample::new("empty", empty), Sample::new("errors", wrong)]
    }
}
