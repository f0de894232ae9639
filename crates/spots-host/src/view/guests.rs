//! `GET /hosts/{hostId}/events/{eventId}/guests`: who comes, and what they share now.

use askama::Template;
use spots_booking::StandardField;

use super::{
    Choice, EventTime, Field, HostHead, HostTab, Moment, Page, Pager, Places, Reader, Sample,
    Samples, Section,
};

/// The guests of one event with the fields that are shared at this moment, and nothing else
/// (`q`: part of a guest handle, `slot`, `page`). What guests share is sealed and not searched.
#[derive(Debug, Clone, Template)]
#[template(path = "host/guests.html")]
pub struct GuestsPage {
    /// The head of the page.
    pub page: Page,
    /// The host.
    pub host: HostHead,
    /// The event's id, for addresses.
    pub event_id: String,
    /// The event's name.
    pub event_title: String,
    /// The event's next time; its last one where none is to come.
    pub when: EventTime,
    /// Places taken and left at that time; `None` where none is to come.
    pub places: Option<Places>,
    /// Whether the host called the event off.
    pub called_off: bool,
    /// The part of a guest handle searched for, as typed.
    pub q: String,
    /// The event's times, the first for all of them (value `""`), one chosen.
    pub slots: Vec<Choice>,
    /// The fields asked for: the columns of the table.
    pub columns: Vec<Field>,
    /// The guests of this page of the list.
    pub guests: Vec<GuestRow>,
    /// Steps through the list.
    pub pager: Pager,
}

/// One guest as the host sees them.
#[derive(Debug, Clone)]
pub struct GuestRow {
    /// The guest handle, for example `Guest K7Q-2M4`; it means nothing to any other host.
    pub handle: String,
    /// The time they booked, in whole minutes.
    pub time: Moment,
    /// How many people come.
    pub party: u32,
    /// Whether they cancelled.
    pub cancelled: bool,
    /// One entry per column: the value that is shared now, or `None`.
    pub values: Vec<Option<String>>,
}

impl GuestsPage {
    /// The address of this page, without a query.
    pub fn address(&self) -> String {
        format!("/hosts/{}/events/{}/guests", self.host.id, self.event_id)
    }

    /// Whether the list is narrowed by a handle or a time.
    pub fn is_narrowed(&self) -> bool {
        !self.q.is_empty()
            || self
                .slots
                .iter()
                .any(|slot| slot.chosen && !slot.value.is_empty())
    }
}

impl Samples for GuestsPage {
    fn samples() -> Vec<Sample<Self>> {
        let empty = Self::sample();
        let typical = Self {
            places: Some(Places::limited(33, 40)),
            guests: GuestRow::samples(),
            ..empty.clone()
        };
        let no_columns = Self {
            slots: Vec::new(),
            columns: Vec::new(),
            guests: GuestRow::samples()
                .into_iter()
                .map(|guest| GuestRow {
                    values: Vec::new(),
                    ..guest
                })
                .collect(),
            ..typical.clone()
        };
        let called_off = Self {
            called_off: true,
            ..typical.clone()
        };
        let full = Self {
            places: Some(Places::limited(0, 40)),
            guests: GuestRow::samples().into_iter().cycle().take(20).collect(),
            pager: Pager {
                position: "1 to 20 of 38".to_owned(),
                previous: None,
                next: Some("?page=2".to_owned()),
            },
            ..empty.clone()
        };
        vec![
            Sample::new("empty", empty.clone()),
            Sample::new(
                "nothing_found",
                Self {
                    q: "ZZZ".to_owned(),
                    ..empty
                },
            ),
            Sample::new("typical", typical),
            Sample::new("asks_nothing", no_columns),
            Sample::new("full", full),
            Sample::new("called_off", called_off),
        ]
    }
}

impl GuestsPage {
    fn sample() -> Self {
        Self {
            page: Page::new(
                "Guests of Dinner at Café Mira",
                Reader::Person,
                Section::Hosting,
            ),
            host: HostHead::sample(HostTab::Events),
            event_id: "evt_a1".to_owned(),
            event_title: "Dinner at Café Mira".to_owned(),
            when: EventTime {
                start: Moment::new("2026-12-12T18:00:00+01:00", "Sat 12 December, 18:00"),
                zone: "Berlin time".to_owned(),
                there: None,
            },
            places: Some(Places::limited(40, 40)),
            called_off: false,
            q: String::new(),
            slots: Choice::list(
                [
                    ("", "All times"),
                    ("slt_1", "Sat 12 December, 18:00"),
                    ("slt_2", "Sat 12 December, 20:30"),
                ],
                "",
            ),
            columns: vec![
                Field::standard(StandardField::Name),
                Field::standard(StandardField::PhoneNumber),
                Field::additional("allergies", "Allergies"),
            ],
            guests: Vec::new(),
            pager: Pager::whole(),
        }
    }
}

impl GuestRow {
    fn samples() -> Vec<Self> {
        let row = |handle: &str, hour: &str, party, values: [Option<&str>; 3]| Self {
            handle: handle.to_owned(),
            time: Moment::new(
                format!("2026-12-12T{hour}:00+01:00"),
                format!("Sat 12 Dec, {hour}"),
            ),
            party,
            cancelled: handle.ends_with('W'),
            values: values
                .into_iter()
                .map(|value| value.map(str::to_owned))
                .collect(),
        };
        vec![
            row(
                "Guest K7Q-2M4",
                "18:00",
                4,
                [
                    Some("Amira Okonjo"),
                    Some("+49 30 901820"),
                    Some("Hazelnuts, sesame"),
                ],
            ),
            row(
                "Guest 3XD-P9W",
                "18:00",
                2,
                [Some("Wolfeschlegelsteinhausen"), None, None],
            ),
            row("Guest H2V-8RC", "20:30", 1, [None, None, None]),
        ]
    }
}
