//! `GET /hosts/{hostId}/events`: what a host offers.

use askama::Template;
use spots_booking::EventType;

use super::{
    DateBadge, EventTime, HostHead, HostTab, Moment, Page, Pager, Places, Reader, Sample, Samples,
    Section,
};

/// The events of one host (`q`, `period=upcoming|past`, paging).
#[derive(Debug, Clone, Template)]
#[template(path = "host/events.html")]
pub struct HostEventsPage {
    /// The head of the page.
    pub page: Page,
    /// The host.
    pub host: HostHead,
    /// The words searched for, as typed.
    pub q: String,
    /// Which events are listed.
    pub period: Period,
    /// The events, soonest first (past ones latest first).
    pub events: Vec<HostEventRow>,
    /// Steps through the list.
    pub pager: Pager,
}

/// Which events or bookings a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Those still to come.
    Upcoming,
    /// Those that are over.
    Past,
}

impl Period {
    /// Whether the list shows what is still to come.
    pub fn is_upcoming(self) -> bool {
        self == Self::Upcoming
    }
}

/// One event of a host.
#[derive(Debug, Clone)]
pub struct HostEventRow {
    /// The event's id, for addresses.
    pub id: String,
    /// The event's name.
    pub title: String,
    /// The event's type.
    pub event_type: EventType,
    /// The date of its next time.
    pub date: DateBadge,
    /// When it takes place.
    pub when: EventTime,
    /// Places taken and left at its next time; `None` where none is to come.
    pub places: Option<Places>,
}

impl HostEventRow {
    pub(crate) fn samples() -> Vec<Self> {
        vec![
            Self {
                id: "evt_a1".to_owned(),
                title: "Dinner at Café Mira".to_owned(),
                event_type: EventType::Reservation,
                date: DateBadge {
                    weekday: "Sat".to_owned(),
                    day: 12,
                    month: "Dec".to_owned(),
                },
                when: EventTime {
                    start: Moment::new("2026-12-12T18:00:00+01:00", "Sat 12 December, 18:00"),
                    zone: "Berlin time".to_owned(),
                    there: None,
                },
                places: Some(Places::limited(14, 40)),
            },
            Self {
                id: "evt_b2".to_owned(),
                title: "Winter tasting: natural wines from small cellars".to_owned(),
                event_type: EventType::BusinessEvent,
                date: DateBadge {
                    weekday: "Fri".to_owned(),
                    day: 18,
                    month: "Dec".to_owned(),
                },
                when: EventTime {
                    start: Moment::new("2026-12-18T19:30:00+01:00", "Fri 18 December, 19:30"),
                    zone: "Berlin time".to_owned(),
                    there: None,
                },
                places: Some(Places::limited(0, 24)),
            },
        ]
    }
}

impl Samples for HostEventsPage {
    fn samples() -> Vec<Sample<Self>> {
        let empty = Self {
            page: Page::new("Events of Café Mira", Reader::Person, Section::Hosting),
            host: HostHead::sample(HostTab::Events),
            q: String::new(),
            period: Period::Upcoming,
            events: Vec::new(),
            pager: Pager::whole(),
        };
        let nothing_found = Self {
            q: "tango".to_owned(),
            ..empty.clone()
        };
        let typical = Self {
            events: HostEventRow::samples(),
            ..empty.clone()
        };
        let full = Self {
            period: Period::Past,
            events: HostEventRow::samples()
                .into_iter()
                .cycle()
                .take(20)
                .collect(),
            pager: Pager {
                position: "21 to 40 of 134".to_owned(),
                previous: Some("?period=past&page=1".to_owned()),
                next: Some("?period=past&page=3".to_owned()),
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
