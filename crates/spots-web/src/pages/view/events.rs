//! `GET /`: events to book.

use askama::Template;
use spots_booking::EventType;
use spots_host::view::{
    DateBadge, EventTime, Moment, Page, Pager, Places, Reader, Sample, Samples, Section,
};

/// Events to book (`q`, `type`, `page`).
#[derive(Debug, Clone, Template)]
#[template(path = "events.html")]
pub struct EventsPage {
    /// The head of the page.
    pub page: Page,
    /// The words searched for, as typed.
    pub q: String,
    /// The types to narrow the list to.
    pub types: Vec<TypeFilter>,
    /// The events, soonest first.
    pub events: Vec<EventCard>,
    /// How many events match in all.
    pub total: u32,
    /// Steps through the list.
    pub pager: Pager,
}

/// An event type to narrow the list to.
#[derive(Debug, Clone)]
pub struct TypeFilter {
    /// The type.
    pub event_type: EventType,
    /// Whether the list is narrowed to it now.
    pub chosen: bool,
}

impl TypeFilter {
    /// All six types, at most one of them chosen.
    pub fn all(chosen: Option<EventType>) -> Vec<Self> {
        let filter = |&event_type| Self {
            event_type,
            chosen: Some(event_type) == chosen,
        };
        EventType::ALL.iter().map(filter).collect()
    }
}

/// One event in the list.
#[derive(Debug, Clone)]
pub struct EventCard {
    /// The event's id, for its address.
    pub id: String,
    /// The event's name.
    pub title: String,
    /// The event's type.
    pub event_type: EventType,
    /// Who offers it.
    pub host_name: String,
    /// The date of its next time.
    pub date: DateBadge,
    /// Its next time.
    pub when: EventTime,
    /// How many times follow after that one.
    pub more_times: u32,
    /// Where it takes place.
    pub place: String,
    /// Places left at its next time.
    pub places: Places,
}

impl EventsPage {
    /// Whether the list is narrowed by words or a type.
    pub fn is_narrowed(&self) -> bool {
        !self.q.is_empty() || self.types.iter().any(|filter| filter.chosen)
    }
}

/// Id, name, host, day in December, places left of how many (0: no limit).
type CardSample = (&'static str, &'static str, &'static str, u8, u32, u32);

const CARDS: [CardSample; 6] = [
    ("evt_a1", "Dinner at Café Mira", "Café Mira", 12, 14, 40),
    (
        "evt_c3",
        "Repair café: bring what is broken",
        "Neighbours of the Kiezgarten",
        13,
        0,
        0,
    ),
    (
        "evt_e5",
        "Club evening and captains’ handover",
        "Ruderclub am Nordufer",
        14,
        31,
        80,
    ),
    (
        "evt_d4",
        "Sourdough from the first day: flour, water, time",
        "Dr. Ines Albrecht",
        15,
        2,
        16,
    ),
    (
        "evt_b2",
        "Winter tasting: natural wines from small cellars",
        "Café Mira",
        18,
        0,
        24,
    ),
    (
        "evt_f6",
        "Datenschutzfolgenabschätzungsfachtagung der Hauptstadtregion",
        "Nordlicht Versicherungsgesellschaft",
        21,
        120,
        400,
    ),
];

impl EventCard {
    fn sample(event_type: EventType, card: CardSample) -> Self {
        let (id, title, host_name, day, left, total) = card;
        let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let weekday = weekdays
            .into_iter()
            .cycle()
            .nth(usize::from(day))
            .unwrap_or_default();
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            event_type,
            host_name: host_name.to_owned(),
            date: DateBadge {
                weekday: weekday.to_owned(),
                day,
                month: "Dec".to_owned(),
            },
            when: EventTime {
                start: Moment::new(
                    format!("2026-12-{day:02}T18:00:00+01:00"),
                    format!("{weekday} {day} December, 18:00"),
                ),
                zone: "Berlin time".to_owned(),
                there: None,
            },
            more_times: 0,
            place: "Torstraße 1, Berlin".to_owned(),
            places: Places {
                left,
                total: (total > 0).then_some(total),
            },
        }
    }

    fn samples() -> Vec<Self> {
        let mut cards: Vec<Self> = EventType::ALL
            .iter()
            .zip(CARDS)
            .map(|(&event_type, card)| Self::sample(event_type, card))
            .collect();
        if let [dinner, _, evening, ..] = cards.as_mut_slice() {
            dinner.more_times = 11;
            "Doca de Belém, Lisbon".clone_into(&mut evening.place);
            evening.when.there = Some("17:00 in Lisbon, where it takes place".to_owned());
        }
        cards
    }
}

impl Samples for EventsPage {
    fn samples() -> Vec<Sample<Self>> {
        let empty = Self {
            page: Page::new("Events", Reader::Visitor, Section::Events),
            q: String::new(),
            types: TypeFilter::all(None),
            events: Vec::new(),
            total: 0,
            pager: Pager::whole(),
        };
        let nothing_found = Self {
            q: "tango".to_owned(),
            types: TypeFilter::all(Some(EventType::ClubEvent)),
            ..empty.clone()
        };
        let typical = Self {
            events: EventCard::samples(),
            total: 6,
            ..empty.clone()
        };
        let full = Self {
            page: Page::new("Events", Reader::Person, Section::Events),
            events: EventCard::samples().into_iter().cycle().take(20).collect(),
            total: 134,
            pager: Pager {
                position: "21 to 40 of 134".to_owned(),
                previous: Some("/?page=1".to_owned()),
                next: Some("/?page=3".to_owned()),
            },
            ..empty.clone()
        };
        vec![
            Sample::new("empty", empty),
            Sample::new("nothing_found", nothing_found),
            Sample::new("typical", typical),
            Sample::new("full", full),
        ]
    }
}
