//! `GET|POST /me/delete`: the reader leaves.

use askama::Template;
use spots_host::view::{FormErrors, Page, Reader, Sample, Samples, Section};

/// What leaving means, and the confirmation (`understood`).
#[derive(Debug, Clone, Template)]
#[template(path = "delete_account.html")]
pub struct DeleteAccountPage {
    /// The head of the page.
    pub page: Page,
    /// Bookings to come, which are given back.
    pub bookings: u32,
    /// Hosts that see something now and will not any more.
    pub hosts: u32,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

impl Samples for DeleteAccountPage {
    fn samples() -> Vec<Sample<Self>> {
        let empty = Self {
            page: Page::new("Delete your account", Reader::Person, Section::Account),
            bookings: 0,
            hosts: 0,
            errors: FormErrors::none(),
        };
        let full = Self {
            bookings: 3,
            hosts: 1,
            errors: FormErrors::none().with(
                "understood",
                "Tick this if you want to delete your account.",
            ),
            ..empty.clone()
        };
        vec![Sample::new("empty", empty), Sample::new("errors", full)]
    }
}
