//! `GET /events/{eventId}`: what, when, where, who, and which time to choose.

use askama::Template;
use spots_booking::{EventType, HostKind};
use spots_host::view::{Choice, Moment, Page, Places, Reader, Sample, Samples, Section};

/// One event, with the times to choose from and what the host asks at a glance.
#[derive(Debug, Clone, Template)]
#[template(path = "event.html")]
pub struct EventPage {
    /// The head of the page.
    pub page: Page,
    /// The event's id, for addresses.
    pub id: String,
    /// The event's name.
    pub title: String,
    /// The event's type.
    pub event_type: EventType,
    /// Who offers it.
    pub host: HostRef,
    /// What it is, paragraph by paragraph.
    pub description: Vec<String>,
    /// When it takes place, in short, for example `Every evening until 31 January`.
    pub when: String,
    /// The zone of all times on the page: `Times are Berlin time.`
    pub zone: String,
    /// Where it takes place; may be empty.
    pub place: String,
    /// What the host asks.
    pub asks: Vec<AskLine>,
    /// The times to choose from.
    pub choice: BookingChoice,
}

/// A host, named to a visitor.
#[derive(Debug, Clone)]
pub struct HostRef {
    /// The host's id.
    pub id: String,
    /// The host's name.
    pub name: String,
    /// The host's kind.
    pub kind: HostKind,
}

impl HostRef {
    pub(crate) fn sample() -> Self {
        Self {
            id: "host_9rT2".to_owned(),
            name: "Café Mira".to_owned(),
            kind: HostKind::Business,
        }
    }
}

/// One field that the host asks for, in short.
#[derive(Debug, Clone)]
pub struct AskLine {
    /// The field in words.
    pub label: String,
    /// Whether a booking is refused without it.
    pub required: bool,
    /// Why the host asks.
    pub purpose: String,
}

/// What there is to choose before booking.
#[derive(Debug, Clone)]
pub enum BookingChoice {
    /// One time only: there is nothing to choose.
    Single(Slot),
    /// A list of times.
    Times(Vec<SlotDay>),
    /// A date, a party, then a time.
    Table(TableForm),
    /// Nothing can be booked; the sentence says why and what to do.
    Closed(String),
}

/// The times of one day.
#[derive(Debug, Clone)]
pub struct SlotDay {
    /// The day.
    pub day: Moment,
    /// Its times.
    pub slots: Vec<Slot>,
}

/// One time that can be booked.
#[derive(Debug, Clone)]
pub struct Slot {
    /// The slot, named by its beginning in seconds since the Unix epoch; the form sends it as
    /// `slot`.
    pub id: String,
    /// The time of day.
    pub time: Moment,
    /// Places left.
    pub places: Places,
    /// Whether it can be chosen.
    pub state: SlotState,
}

impl Slot {
    /// Whether it can be chosen.
    pub fn is_open(&self) -> bool {
        self.state != SlotState::Closed
    }

    /// Whether it is chosen now.
    pub fn is_chosen(&self) -> bool {
        self.state == SlotState::Chosen
    }
}

/// Whether a time can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotState {
    /// It can.
    Open,
    /// It can, and is chosen now.
    Chosen,
    /// It is full, or over.
    Closed,
}

/// The choice of a table: a date and a party lead to times (`date`, `party`, `slot`).
#[derive(Debug, Clone)]
pub struct TableForm {
    /// The chosen date, `YYYY-MM-DD`.
    pub date: String,
    /// The first date that can be chosen.
    pub date_min: String,
    /// The last date that can be chosen.
    pub date_max: String,
    /// The party sizes, one chosen.
    pub parties: Vec<Choice>,
    /// The chosen date in words.
    pub day: String,
    /// Times of that date with room for the party.
    pub times: Vec<Slot>,
    /// The next date with room, where the chosen one has none: its address and words.
    pub next_free: Option<(String, String)>,
}

impl Slot {
    fn sample(id: &str, hour: &str, places: Places, state: SlotState) -> Self {
        Self {
            id: id.to_owned(),
            time: Moment::new(format!("2026-12-12T{hour}:00+01:00"), hour),
            places,
            state,
        }
    }
}

impl EventPage {
    fn sample(choice: BookingChoice) -> Self {
        Self {
            page: Page::new("Dinner at Café Mira", Reader::Person, Section::Events),
            id: "evt_a1".to_owned(),
            title: "Dinner at Café Mira".to_owned(),
            event_type: EventType::Reservation,
            host: HostRef::sample(),
            description: vec![
                "Six courses from what the market had this morning. Tell us what you cannot eat \
                 and the kitchen cooks around it."
                    .to_owned(),
                "The last order is at 21:30.".to_owned(),
            ],
            when: "Every evening until 31 January, 18:00 to 23:00".to_owned(),
            zone: "Times are Berlin time.".to_owned(),
            place: "Café Mira, Torstraße 1, 10119 Berlin".to_owned(),
            asks: vec![
                AskLine {
                    label: "Name".to_owned(),
                    required: true,
                    purpose: "Greeting you and finding your table".to_owned(),
                },
                AskLine {
                    label: "Phone number".to_owned(),
                    required: false,
                    purpose: "Calling you if the kitchen runs late".to_owned(),
                },
                AskLine {
                    label: "Allergies".to_owned(),
                    required: false,
                    purpose: "Cooking for you safely".to_owned(),
                },
            ],
            choice,
        }
    }

    fn sample_times() -> Self {
        let day = |datetime: &str, text: &str, slots| SlotDay {
            day: Moment::new(datetime, text),
            slots,
        };
        let days = vec![
            day(
                "2026-12-12",
                "Saturday 12 December",
                vec![
                    Slot::sample("s1", "10:00", Places::limited(0, 16), SlotState::Closed),
                    Slot::sample("s2", "14:00", Places::limited(2, 16), SlotState::Chosen),
                ],
            ),
            day(
                "2026-12-13",
                "Sunday 13 December",
                vec![Slot::sample(
                    "s3",
                    "10:00",
                    Places::limited(12, 16),
                    SlotState::Open,
                )],
            ),
        ];
        Self {
            title: "Sourdough from the first day: a workshop on flour, water, time".to_owned(),
            event_type: EventType::ExpertEvent,
            zone: "Times are Berlin time. In Lisbon, where it takes place, it is one hour earlier."
                .to_owned(),
            asks: Vec::new(),
            ..Self::sample(BookingChoice::Times(days))
        }
    }
}

impl Samples for EventPage {
    fn samples() -> Vec<Sample<Self>> {
        let parties: Vec<(String, String)> = (1..=8)
            .map(|n| {
                (
                    n.to_string(),
                    if n == 1 {
                        "1 person".to_owned()
                    } else {
                        format!("{n} people")
                    },
                )
            })
            .collect();
        let parties = parties
            .iter()
            .map(|(value, label)| (value.as_str(), label.as_str()));
        let table = TableForm {
            date: "2026-12-12".to_owned(),
            date_min: "2026-11-22".to_owned(),
            date_max: "2027-01-31".to_owned(),
            parties: Choice::list(parties, "4"),
            day: "Saturday 12 December".to_owned(),
            times: vec![
                Slot::sample("s1", "18:00", Places::limited(14, 40), SlotState::Open),
                Slot::sample("s2", "18:30", Places::limited(4, 40), SlotState::Chosen),
                Slot::sample("s3", "19:00", Places::limited(0, 40), SlotState::Closed),
                Slot::sample("s4", "20:30", Places::limited(22, 40), SlotState::Open),
            ],
            next_free: None,
        };
        let none_free = TableForm {
            times: Vec::new(),
            next_free: Some((
                "/events/evt_a1?date=2026-12-14&party=4".to_owned(),
                "Monday 14 December".to_owned(),
            )),
            ..table.clone()
        };
        let single = Slot::sample("s1", "19:30", Places::limited(24, 24), SlotState::Chosen);
        let closed = "All 24 places are taken. Places that are given back appear here at once; \
                      look again later, or see what else Café Mira offers.";
        vec![
            Sample::new("table", Self::sample(BookingChoice::Table(table))),
            Sample::new(
                "table_none_free",
                Self::sample(BookingChoice::Table(none_free)),
            ),
            Sample::new("times", Self::sample_times()),
            Sample::new("single", Self::sample(BookingChoice::Single(single))),
            Sample::new(
                "closed",
                Self::sample(BookingChoice::Closed(closed.to_owned())),
            ),
        ]
    }
}
