//! `GET /bookings/{bookingId}`: one booking, as the person and as the host see it.

use askama::Template;
use spots_booking::{EventType, StandardField};
use spots_host::view::{EventTime, Field, Flash, Moment, Page, Reader, Sample, Samples, Section};

use super::HostRef;

/// One booking of the reader: its confirmation, its evidence, what is shared, the way out.
#[derive(Debug, Clone, Template)]
#[template(path = "booking.html")]
pub struct BookingPage {
    /// The head of the page.
    pub page: Page,
    /// The booking's id.
    pub id: String,
    /// Where it stands.
    pub state: BookingState,
    /// The event's id, for its address.
    pub event_id: String,
    /// The event's name.
    pub event_title: String,
    /// The event's type.
    pub event_type: EventType,
    /// Who offers it.
    pub host: HostRef,
    /// The booked time.
    pub when: EventTime,
    /// Where it takes place; may be empty.
    pub place: String,
    /// How many people come.
    pub party: u32,
    /// The guest handle that the host knows the reader by.
    pub handle: String,
    /// For limited events: the place in the order of bookings, and the proof of its time.
    pub evidence: Option<QueueEvidence>,
    /// What the host can see now.
    pub shared: Vec<BookedField>,
    /// Labels of fields that were shared and are no longer.
    pub ended: Vec<String>,
    /// The share that has a receipt.
    pub receipt: Option<String>,
}

/// Where a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookingState {
    /// The place is the reader's.
    Confirmed,
    /// The event is over.
    Past,
    /// The reader gave it back.
    Cancelled,
    /// The host called the event off.
    CalledOff,
}

/// The place of a booking in the order of bookings, with its atomic timestamp.
#[derive(Debug, Clone)]
pub struct QueueEvidence {
    /// The place, from 1.
    pub position: u32,
    /// Places in all.
    pub total: u32,
    /// The moment to the nanosecond, in words.
    pub time: Moment,
    /// How far the true time can be from it, for example `± 1.8 ms`; `None` if it is not known.
    pub error_bound: Option<String>,
    /// The timestamp's id.
    pub timestamp_id: String,
}

/// One field that the host of a booking can see.
#[derive(Debug, Clone)]
pub struct BookedField {
    /// The share's id, for revocation.
    pub share_id: String,
    /// The field.
    pub field: Field,
    /// The value that is shared.
    pub value: String,
    /// When the host's right to see it ends by itself.
    pub until: Moment,
}

impl BookingPage {
    /// Whether the booking can be given back.
    pub fn is_confirmed(&self) -> bool {
        self.state == BookingState::Confirmed
    }

    fn sample() -> Self {
        let until = Moment::new("2026-12-13", "13 December 2026");
        Self {
            page: Page::new("Dinner at Café Mira", Reader::Person, Section::Bookings),
            id: "bkg_77".to_owned(),
            state: BookingState::Confirmed,
            event_id: "evt_a1".to_owned(),
            event_title: "Dinner at Café Mira".to_owned(),
            event_type: EventType::Reservation,
            host: HostRef::sample(),
            when: EventTime {
                start: Moment::new("2026-12-12T18:30:00+01:00", "Sat 12 December, 18:30"),
                zone: "Berlin time".to_owned(),
                there: None,
            },
            place: "Café Mira, Torstraße 1, 10119 Berlin".to_owned(),
            party: 4,
            handle: "Guest K7Q-2M4".to_owned(),
            evidence: Some(QueueEvidence {
                position: 27,
                total: 40,
                time: Moment::new(
                    "2026-11-22T17:31:02.481920551+01:00",
                    "22 November 2026, 17:31:02.481 920 551",
                ),
                error_bound: Some("± 1.8 ms".to_owned()),
                timestamp_id: "019ab3c5-2d6f-7c41-9b1e-52f1b06a2e90".to_owned(),
            }),
            shared: vec![
                BookedField {
                    share_id: "shr_1".to_owned(),
                    field: Field::standard(StandardField::Name),
                    value: "Amira Okonjo".to_owned(),
                    until: until.clone(),
                },
                BookedField {
                    share_id: "shr_1".to_owned(),
                    field: Field::additional("allergies", "Allergies"),
                    value: "Hazelnuts, sesame".to_owned(),
                    until,
                },
            ],
            ended: Vec::new(),
            receipt: Some("share_AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
        }
    }
}

impl Samples for BookingPage {
    fn samples() -> Vec<Sample<Self>> {
        let fresh = Self {
            page: Page::new(
                "Booked: dinner at Café Mira",
                Reader::Person,
                Section::Bookings,
            )
            .with_flash(Some(Flash::done("Your table is booked."))),
            ..Self::sample()
        };
        let mut unsynchronized = Self::sample();
        if let Some(evidence) = &mut unsynchronized.evidence {
            evidence.error_bound = None;
        }
        unsynchronized.ended = vec!["Phone number".to_owned()];
        let anonymous = Self {
            event_type: EventType::CommunityEvent,
            evidence: None,
            shared: Vec::new(),
            party: 1,
            ..Self::sample()
        };
        let cancelled = Self {
            state: BookingState::Cancelled,
            evidence: None,
            shared: Vec::new(),
            ended: vec!["Name".to_owned(), "Allergies".to_owned()],
            ..Self::sample()
        };
        let called_off = Self {
            state: BookingState::CalledOff,
            ..Self::sample()
        };
        let past = Self {
            state: BookingState::Past,
            ..Self::sample()
        };
        vec![
            Sample::new("fresh", fresh),
            Sample::new("unsynchronized", unsynchronized),
            Sample::new("anonymous", anonymous),
            Sample::new("past", past),
            Sample::new("cancelled", cancelled),
            Sample::new("called_off", called_off),
        ]
    }
}
