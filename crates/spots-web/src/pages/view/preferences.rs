//! `GET|POST /me/preferences`: what is ticked beforehand in the data-sharing step.

use askama::Template;
use spots_booking::field::allowed;
use spots_booking::{EventType, HostKind, StandardField};
use spots_host::view::{Field, Flash, Page, Reader, Sample, Samples, Section};

/// Default sharing per event type, and per host where it differs.
///
/// The first form sends `scope=types` and `share.<eventType>.<field>` (`on` if ticked); the form of
/// a host sends `scope=host`, `hostId`, `share.<field>` and `action` (`save`, or `clear` to go back
/// to the defaults per event type).
#[derive(Debug, Clone, Template)]
#[template(path = "preferences.html")]
pub struct PreferencesPage {
    /// The head of the page.
    pub page: Page,
    /// The defaults of each event type.
    pub types: Vec<TypeDefaults>,
    /// The hosts that the reader booked with, those with defaults of their own first.
    pub hosts: Vec<HostDefaults>,
}

/// The defaults of one event type.
#[derive(Debug, Clone)]
pub struct TypeDefaults {
    /// The event type.
    pub event_type: EventType,
    /// The fields that this type may ask for.
    pub ticks: Vec<DefaultTick>,
}

/// The defaults for one host.
#[derive(Debug, Clone)]
pub struct HostDefaults {
    /// The host's id.
    pub host_id: String,
    /// The host's name.
    pub host_name: String,
    /// The host's kind.
    pub kind: HostKind,
    /// Whether they override the defaults per event type.
    pub overrides: bool,
    /// The fields that this host may ask for.
    pub ticks: Vec<DefaultTick>,
}

/// Whether a field is ticked beforehand.
#[derive(Debug, Clone)]
pub struct DefaultTick {
    /// The field.
    pub field: Field,
    /// Whether it is.
    pub shared: bool,
}

impl DefaultTick {
    fn list(shared: &[StandardField], fields: &[StandardField]) -> Vec<Self> {
        fields
            .iter()
            .map(|field| Self {
                field: Field::standard(*field),
                shared: shared.contains(field),
            })
            .collect()
    }
}

impl Samples for PreferencesPage {
    fn samples() -> Vec<Sample<Self>> {
        use StandardField::{Email, Name, PhoneNumber};
        let page = Page::new("Your preferences", Reader::Person, Section::Account);
        let types = |shared: &[StandardField]| {
            let defaults = |&event_type| TypeDefaults {
                event_type,
                ticks: DefaultTick::list(shared, allowed(event_type)),
            };
            EventType::ALL.iter().map(defaults).collect()
        };
        let empty = Self {
            page: page.clone(),
            types: types(&[]),
            hosts: Vec::new(),
        };
        let typical = Self {
            page: page.with_flash(Some(Flash::done("Your defaults are saved."))),
            types: types(&[Name]),
            hosts: vec![
                HostDefaults {
                    host_id: "host_9rT2".to_owned(),
                    host_name: "Café Mira".to_owned(),
                    kind: HostKind::Business,
                    overrides: true,
                    ticks: DefaultTick::list(&[Name, PhoneNumber], &[Name, PhoneNumber, Email]),
                },
                HostDefaults {
                    host_id: "host_c81K".to_owned(),
                    host_name: "Ruderclub am Nordufer".to_owned(),
                    kind: HostKind::Club,
                    overrides: false,
                    ticks: DefaultTick::list(&[Name], &[Name, Email]),
                },
            ],
        };
        vec![Sample::new("empty", empty), Sample::new("typical", typical)]
    }
}
