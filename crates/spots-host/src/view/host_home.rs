//! `GET /hosts/{hostId}`: a host at a glance.

use askama::Template;
use spots_booking::EventType;

use super::{Flash, HostEventRow, HostHead, HostTab, Page, Reader, Sample, Samples, Section};

/// A host at a glance: what comes next and what it asks of its guests.
#[derive(Debug, Clone, Template)]
#[template(path = "host/home.html")]
pub struct HostHomePage {
    /// The head of the page.
    pub page: Page,
    /// The host.
    pub host: HostHead,
    /// The next few events.
    pub next: Vec<HostEventRow>,
    /// What the host asks, for each type of event it may offer.
    pub asks: Vec<AskSummary>,
}

/// What a host asks for one event type, in short.
#[derive(Debug, Clone)]
pub struct AskSummary {
    /// The event type.
    pub event_type: EventType,
    /// Labels of the fields without which a booking is refused.
    pub required: Vec<String>,
    /// Labels of the fields that a guest may leave out.
    pub optional: Vec<String>,
}

impl Samples for HostHomePage {
    fn samples() -> Vec<Sample<Self>> {
        let asks = |event_type, required: &[&str], optional: &[&str]| AskSummary {
            event_type,
            required: required.iter().map(|&label| label.to_owned()).collect(),
            optional: optional.iter().map(|&label| label.to_owned()).collect(),
        };
        let page = Page::new("Café Mira", Reader::Person, Section::Hosting);
        let empty = Self {
            page: page.with_flash(Some(Flash::done("Café Mira is set up."))),
            host: HostHead::sample(HostTab::Home),
            next: Vec::new(),
            asks: vec![
                asks(EventType::Reservation, &[], &[]),
                asks(EventType::BusinessEvent, &[], &[]),
            ],
        };
        let typical = Self {
            page: Page::new("Café Mira", Reader::Person, Section::Hosting),
            next: HostEventRow::samples(),
            asks: vec![
                asks(
                    EventType::Reservation,
                    &["Name"],
                    &["Phone number", "Allergies"],
                ),
                asks(EventType::BusinessEvent, &[], &["E-mail address"]),
            ],
            ..empty.clone()
        };
        vec![Sample::new("empty", empty), Sample::new("typical", typical)]
    }
}
