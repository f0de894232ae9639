//! The refusal when the last place went to somebody else.

use askama::Template;
use spots_booking::EventType;
use spots_host::view::{NextStep, Page, Reader, Sample, Samples, Section};

/// The refusal when the last place went to somebody else.
#[derive(Debug, Clone, Template)]
#[template(path = "full.html")]
pub struct FullPage {
    /// The head of the page.
    pub page: Page,
    /// The event's id, for its address.
    pub event_id: String,
    /// The event's name.
    pub event_title: String,
    /// The event's type.
    pub event_type: EventType,
    /// The time that is full, in words.
    pub when: String,
    /// Places that were asked for.
    pub party: u32,
    /// Places that are left.
    pub left: u32,
    /// Other times with room, soonest first.
    pub others: Vec<NextStep>,
}

impl Samples for FullPage {
    fn samples() -> Vec<Sample<Self>> {
        let alone = Self {
            page: Page::new("No places left", Reader::Person, Section::Events),
            event_id: "evt_b2".to_owned(),
            event_title: "Winter tasting: natural wines from small cellars".to_owned(),
            event_type: EventType::BusinessEvent,
            when: "Fri 18 December, 19:30".to_owned(),
            party: 1,
            left: 0,
            others: Vec::new(),
        };
        let others = Self {
            party: 4,
            left: 2,
            others: vec![
                NextStep::new(
                    "/events/evt_a1/book?slot=s1&party=4",
                    "Sat 12 December, 20:30",
                ),
                NextStep::new(
                    "/events/evt_a1/book?slot=s2&party=4",
                    "Sun 13 December, 18:00",
                ),
            ],
            ..alone.clone()
        };
        vec![Sample::new("alone", alone), Sample::new("others", others)]
    }
}
