//! `GET|POST /hosts/{hostId}/members`: the host's own list of members.

use askama::Template;

use super::{FormErrors, HostHead, HostTab, Page, Reader, Sample, Samples, Section};

/// The host's own list of members: how long it is, and a form for another one (`entries`, one a
/// line; `action`: `save` or `remove`).
#[derive(Debug, Clone, Template)]
#[template(path = "host/members.html")]
pub struct MembersPage {
    /// The head of the page.
    pub page: Page,
    /// The host.
    pub host: HostHead,
    /// How many entries the list has now.
    pub count: u64,
    /// What was typed and not saved.
    pub entries: String,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

impl Samples for MembersPage {
    fn samples() -> Vec<Sample<Self>> {
        let empty = Self {
            page: Page::new("Your list of members", Reader::Person, Section::Hosting),
            host: HostHead::sample(HostTab::Members),
            count: 0,
            entries: String::new(),
            errors: FormErrors::none(),
        };
        let typical = Self {
            count: 214,
            ..empty.clone()
        };
        let errors = Self {
            entries: "amira@example.org\n17\nRC-2026-0042".to_owned(),
            errors: FormErrors::none().with(
                "entries",
                "Line 2: A member number has 6 to 64 characters; shorter ones are guessed.",
            ),
            ..typical.clone()
        };
        vec![
            Sample::new("empty", empty),
            Sample::new("typical", typical),
            Sample::new("errors", errors),
        ]
    }
}
