//! `GET|POST /host`: the reader's hosts, and a form for another one.

use askama::Template;
use spots_booking::{EventType, HostKind};

use super::{Choice, FormErrors, NavEntry, Page, Reader, Sample, Samples, Section};

/// The reader's hosts, with a form to add one (`POST /host`: `name`, `kind`).
#[derive(Debug, Clone, Template)]
#[template(path = "host/hosts.html")]
pub struct HostsPage {
    /// The head of the page.
    pub page: Page,
    /// The hosts that the reader runs.
    pub hosts: Vec<HostRow>,
    /// What was typed into the form.
    pub form: NewHostForm,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// One of the reader's hosts.
#[derive(Debug, Clone)]
pub struct HostRow {
    /// The host's id, for its address.
    pub id: String,
    /// The host's name.
    pub name: String,
    /// The host's kind.
    pub kind: HostKind,
}

/// The form for a new host.
#[derive(Debug, Clone)]
pub struct NewHostForm {
    /// The name as typed.
    pub name: String,
    /// The five kinds, one chosen.
    pub kinds: Vec<Choice>,
}

impl NewHostForm {
    /// The form with a name and a chosen kind (`""` for none).
    pub fn new(name: impl Into<String>, kind: &str) -> Self {
        let kinds = HostKind::ALL
            .iter()
            .map(|kind| (kind.as_str(), kind.label()));
        Self {
            name: name.into(),
            kinds: Choice::list(kinds, kind),
        }
    }
}

/// What stands on top of every page of one host.
#[derive(Debug, Clone)]
pub struct HostHead {
    /// The host's id, for addresses.
    pub id: String,
    /// The host's name.
    pub name: String,
    /// The host's kind.
    pub kind: HostKind,
    /// The part of the host's pages that is shown.
    pub tab: HostTab,
    /// An event type whose requirements the host can set, where the tab leads first.
    pub first_type: EventType,
}

impl HostHead {
    /// The parts of this host's pages.
    pub fn tabs(&self) -> Vec<NavEntry> {
        let home = format!("/hosts/{}", self.id);
        let requirements = format!("{home}/requirements/{}", self.first_type.as_str());
        let all = [
            (HostTab::Events, format!("{home}/events"), "Events"),
            (HostTab::Requirements, requirements, "What you ask"),
            (HostTab::Members, format!("{home}/members"), "Members"),
            (HostTab::Import, format!("{home}/import"), "Import"),
            (HostTab::Home, home, "Overview"),
        ];
        let entry = |(tab, address, label)| NavEntry {
            address,
            label,
            current: tab == self.tab,
        };
        let mut tabs: Vec<NavEntry> = all.into_iter().map(entry).collect();
        tabs.rotate_right(1);
        tabs
    }

    pub(crate) fn sample(tab: HostTab) -> Self {
        Self {
            id: "host_9rT2".to_owned(),
            name: "Café Mira".to_owned(),
            kind: HostKind::Business,
            tab,
            first_type: EventType::Reservation,
        }
    }
}

/// The parts of a host's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostTab {
    /// The overview.
    Home,
    /// The events and their guests.
    Events,
    /// What the host asks of its guests.
    Requirements,
    /// The host's own list of members.
    Members,
    /// The import of a calendar.
    Import,
}

impl Samples for HostsPage {
    fn samples() -> Vec<Sample<Self>> {
        let page = Page::new("Hosting", Reader::Person, Section::Hosting);
        let none = Self {
            page,
            hosts: Vec::new(),
            form: NewHostForm::new("", ""),
            errors: FormErrors::none(),
        };
        let row = |id: &str, name: &str, kind| HostRow {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
        };
        let some = Self {
            hosts: vec![
                row("host_9rT2", "Café Mira", HostKind::Business),
                row("host_c81K", "Ruderclub am Nordufer", HostKind::Club),
                row(
                    "host_Zq07",
                    "Dr. Ines Albrecht, bread and fermentation",
                    HostKind::Expert,
                ),
            ],
            ..none.clone()
        };
        let errors = Self {
            form: NewHostForm::new("", "club"),
            errors: FormErrors::none().with("name", "Enter the name that guests will see."),
            ..some.clone()
        };
        vec![
            Sample::new("empty", none),
            Sample::new("typical", some),
            Sample::new("errors", errors),
        ]
    }
}
