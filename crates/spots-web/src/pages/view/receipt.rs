//! `GET /me/shares/{shareId}`: the receipt of a consent, for people.

use askama::Template;
use spots_booking::StandardField;
use spots_host::view::{Field, Moment, Page, Reader, Sample, Samples, Section};

/// What the reader agreed to share for one booking, what became of it, and how to prove it.
///
/// It says which fields, never what they hold: so does the file.
#[derive(Debug, Clone, Template)]
#[template(path = "receipt.html")]
pub struct ReceiptPage {
    /// The head of the page.
    pub page: Page,
    /// The share's id: the number of the receipt.
    pub share_id: String,
    /// The guest handle that the host knows the reader by.
    pub handle: String,
    /// Who may see the data.
    pub host_name: String,
    /// What that is, in a word.
    pub host_kind: String,
    /// What was booked.
    pub event_title: String,
    /// The fields.
    pub fields: Vec<ReceiptField>,
    /// How many entries the ledger has that the proofs lead to; `None` before its first checkpoint.
    pub ledger_size: Option<u64>,
    /// When what is not in the ledger yet will be, at the latest.
    pub included_by: Moment,
    /// The ledger's public key.
    pub key: String,
}

/// One field of a consent.
#[derive(Debug, Clone)]
pub struct ReceiptField {
    /// The field.
    pub field: Field,
    /// Whether it could be left out.
    pub optional: bool,
    /// Why the host asked.
    pub purpose: String,
    /// For how many days after the event the host may see it.
    pub retention_days: String,
    /// When the consent ends, or would have ended, by itself.
    pub until: Option<Moment>,
    /// What happened, in order.
    pub events: Vec<ReceiptEvent>,
}

/// One thing that happened to a consent.
#[derive(Debug, Clone)]
pub struct ReceiptEvent {
    /// What, in words.
    pub what: &'static str,
    /// Whether the consent is over since.
    pub ends: bool,
    /// When.
    pub at: Moment,
    /// Its position in the ledger; `None` where it is only promised.
    pub position: Option<u64>,
}

impl ReceiptField {
    /// Whether the host may still see it.
    pub fn is_live(&self) -> bool {
        !self.events.iter().any(|event| event.ends)
    }

    fn sample(field: Field, purpose: &str) -> Self {
        Self {
            field,
            optional: true,
            purpose: purpose.to_owned(),
            retention_days: "2".to_owned(),
            until: Some(Moment::new(
                "2026-12-14T18:30+01:00",
                "14 December 2026, 18:30",
            )),
            events: vec![ReceiptEvent {
                what: "You agreed",
                ends: false,
                at: Moment::new("2026-11-22T17:31+01:00", "22 November 2026, 17:31"),
                position: Some(4_711),
            }],
        }
    }
}

impl Samples for ReceiptPage {
    fn samples() -> Vec<Sample<Self>> {
        let mut name = ReceiptField::sample(
            Field::standard(StandardField::Name),
            "So that we find your table when you come in.",
        );
        name.optional = false;
        let phone = ReceiptField::sample(
            Field::standard(StandardField::PhoneNumber),
            "To call you if a table is free earlier.",
        );
        let live = Self {
            page: Page::new("Your receipt", Reader::Person, Section::Sharing),
            share_id: "share_AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            handle: "Guest K7Q-2M4".to_owned(),
            host_name: "Café Mira".to_owned(),
            host_kind: "Business".to_owned(),
            event_title: "Dinner at Café Mira".to_owned(),
            fields: vec![name, phone],
            ledger_size: Some(4_902),
            included_by: Moment::new("2026-11-23T17:31+01:00", "23 November 2026, 17:31"),
            key: "spots/ledger/a734a24f70aac361+845714a4+AQBnnwn9agf3WX69rlc70RM/rxr+1UDPuG8w41/lG2MN"
                .to_owned(),
        };
        let mut ended = live.clone();
        ended.included_by = Moment::new("2026-11-25T09:00+01:00", "25 November 2026, 09:00");
        for field in &mut ended.fields {
            field.events.push(ReceiptEvent {
                what: "You took it back",
                ends: true,
                at: Moment::new("2026-11-24T09:00+01:00", "24 November 2026, 09:00"),
                position: None,
            });
        }
        let mut first = live.clone();
        first.ledger_size = None;
        for field in &mut first.fields {
            for event in &mut field.events {
                event.position = None;
            }
        }
        vec![
            Sample::new("live", live),
            Sample::new("ended", ended),
            Sample::new("first", first),
        ]
    }
}
