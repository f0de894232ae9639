//! Refusals and errors, as pages with a next step.

use askama::Template;
use spots_booking::EventType;
use spots_host::view::{Page, Reader, Sample, Samples, Section};

/// A refusal or an error: what happened, and what to do now.
#[derive(Debug, Clone, Template)]
#[template(path = "problem.html")]
pub struct ProblemPage {
    /// The head of the page; its title is the heading.
    pub page: Page,
    /// The HTTP status.
    pub status: u16,
    /// What happened, in one or two sentences.
    pub text: String,
    /// What to do now; the first is the main one.
    pub next: Vec<NextStep>,
    /// For errors of ours: the id under which the operator finds the log.
    pub reference: Option<String>,
}

/// A way on from a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    /// Where it leads.
    pub address: String,
    /// What it says.
    pub label: String,
}

impl NextStep {
    /// A way on, by its address and words.
    pub fn new(address: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            label: label.into(),
        }
    }
}

impl ProblemPage {
    /// The page for a status, with the words that fit it and a way on; the caller may say more.
    pub fn for_status(status: u16, reader: Reader) -> Self {
        let (title, text, step) = match status {
            400 => (
                "This request does not add up",
                "Something in the address or the form cannot be read. Nothing was changed.",
                NextStep::new("/", "See all events"),
            ),
            401 => (
                "Sign in first",
                "This page is for people who are signed in. Nothing was changed.",
                NextStep::new("/sign-in", "Sign in"),
            ),
            403 => (
                "This is not yours",
                "You are signed in, but this belongs to somebody else. Nothing was changed.",
                NextStep::new("/me/bookings", "See your bookings"),
            ),
            404 => (
                "There is nothing here",
                "The address may be mistyped, or what was here is gone.",
                NextStep::new("/", "See all events"),
            ),
            409 => (
                "Something changed in the meantime",
                "What you saw was no longer so when your request arrived. Nothing was changed.",
                NextStep::new("/me/bookings", "See your bookings"),
            ),
            410 => (
                "This is gone",
                "It was here, and it was taken away for good.",
                NextStep::new("/", "See all events"),
            ),
            413 => (
                "This is too large",
                "What you sent is larger than we read. Nothing was changed.",
                NextStep::new("/", "See all events"),
            ),
            422 => (
                "This cannot be accepted",
                "What you sent can be read but not accepted. Nothing was changed.",
                NextStep::new("/", "See all events"),
            ),
            429 => (
                "Too many attempts",
                "Wait a minute, then try again. Nothing was changed.",
                NextStep::new("/", "See all events"),
            ),
            _ => (
                "This is our fault",
                "Something failed on our side. Go back and try again: a booking is never made twice.",
                NextStep::new("/", "See all events"),
            ),
        };
        Self {
            page: Page::new(title, reader, Section::Elsewhere),
            status,
            text: text.to_owned(),
            next: vec![step],
            reference: None,
        }
    }
}

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

impl Samples for ProblemPage {
    fn samples() -> Vec<Sample<Self>> {
        let page = |status| Self::for_status(status, Reader::Person);
        let failed = Self {
            reference: Some("req_4Zc8w1".to_owned()),
            ..page(500)
        };
        vec![
            Sample::new("400", page(400)),
            Sample::new("401", Self::for_status(401, Reader::Visitor)),
            Sample::new("403", page(403)),
            Sample::new("404", page(404)),
            Sample::new("409", page(409)),
            Sample::new("410", page(410)),
            Sample::new("413", page(413)),
            Sample::new("422", page(422)),
            Sample::new("429", page(429)),
            Sample::new("500", failed),
        ]
    }
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
