//! `GET /me/bookings`: the reader's bookings.

use askama::Template;
use spots_booking::EventType;
use spots_host::view::{
    DateBadge, EventTime, Moment, Page, Pager, Period, Reader, Sample, Samples, Section,
};

use super::BookingState;

/// The reader's bookings (`q`: words of the event, `period=upcoming|past`, `page`).
#[derive(Debug, Clone, Template)]
#[template(path = "my_bookings.html")]
pub struct MyBookingsPage {
    /// The head of the page.
    pub page: Page,
    /// The words searched for, as typed.
    pub q: String,
    /// Which bookings are listed.
    pub period: Period,
    /// The bookings, soonest first (past ones latest first).
    pub bookings: Vec<BookingRow>,
    /// Steps through the list.
    pub pager: Pager,
}

/// One booking in the list.
#[derive(Debug, Clone)]
pub struct BookingRow {
    /// The booking's id, for its address.
    pub id: String,
    /// The event's name.
    pub event_title: String,
    /// The event's type.
    pub event_type: EventType,
    /// Who offers it.
    pub host_name: String,
    /// The date of the booked time.
    pub date: DateBadge,
    /// The booked time.
    pub when: EventTime,
    /// How many people come.
    pub party: u32,
    /// Where it stands.
    pub state: BookingState,
    /// How many fields the host can see now.
    pub shared: u32,
}

impl BookingRow {
    /// Why the place is no longer the reader's, if so.
    pub fn lost(&self) -> Option<&'static str> {
        match self.state {
            BookingState::Cancelled => Some("Cancelled"),
            BookingState::CalledOff => Some("Called off"),
            BookingState::Confirmed | BookingState::Past => None,
        }
    }

    fn samples() -> Vec<Self> {
        let row = |id: &str, title: &str, event_type, host: &str, day| Self {
            id: id.to_owned(),
            event_title: title.to_owned(),
            event_type,
            host_name: host.to_owned(),
            date: DateBadge {
                weekday: "Sat".to_owned(),
                day,
                month: "Dec".to_owned(),
            },
            when: EventTime {
                start: Moment::new(
                    format!("2026-12-{day:02}T18:30:00+01:00"),
                    format!("Sat {day} December, 18:30"),
                ),
                zone: "Berlin time".to_owned(),
                there: None,
            },
            party: 1,
            state: BookingState::Confirmed,
            shared: 0,
        };
        vec![
            Self {
                party: 4,
                shared: 2,
                ..row(
                    "bkg_77",
                    "Dinner at Café Mira",
                    EventType::Reservation,
                    "Café Mira",
                    12,
                )
            },
            row(
                "bkg_78",
                "Repair café: bring what is broken",
                EventType::CommunityEvent,
                "Neighbours of the Kiezgarten",
                19,
            ),
            Self {
                state: BookingState::Cancelled,
                ..row(
                    "bkg_79",
                    "Club evening and captains’ handover",
                    EventType::ClubEvent,
                    "Ruderclub am Nordufer",
                    26,
                )
            },
        ]
    }
}

impl Samples for MyBookingsPage {
    fn samples() -> Vec<Sample<Self>> {
        let empty = Self {
            page: Page::new("Your bookings", Reader::Person, Section::Bookings),
            q: String::new(),
            period: Period::Upcoming,
            bookings: Vec::new(),
            pager: Pager::whole(),
        };
        let no_past = Self {
            period: Period::Past,
            ..empty.clone()
        };
        let typical = Self {
            bookings: BookingRow::samples(),
            ..empty.clone()
        };
        let full = Self {
            bookings: BookingRow::samples().into_iter().cycle().take(20).collect(),
            pager: Pager {
                position: "1 to 20 of 57".to_owned(),
                previous: None,
                next: Some("/me/bookings?page=2".to_owned()),
            },
            ..empty.clone()
        };
        vec![
            Sample::new("empty", empty.clone()),
            Sample::new("no_past", no_past),
            Sample::new(
                "nothing_found",
                Self {
                    q: "tango".to_owned(),
                    ..empty
                },
            ),
            Sample::new("typical", typical),
            Sample::new("full", full),
        ]
    }
}
