//! `GET|POST /me/email`: confirming that the e-mail address is the reader's.

use askama::Template;
use spots_host::view::{FormErrors, Page, Reader, Sample, Samples, Section};

use crate::service::ConfirmedAddress;

/// Confirms the address by the link of a letter, or sends one. The form sends `token`, or nothing.
#[derive(Debug, Clone, Template)]
#[template(path = "confirm_email.html")]
pub struct ConfirmEmailPage {
    /// The head of the page.
    pub page: Page,
    /// The address; empty where there is none.
    pub address: String,
    /// What is known of it.
    pub standing: EmailStanding,
    /// How long a link serves, in hours.
    pub hours: u32,
    /// The token of the link that led here; empty where none did.
    pub token: String,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// What is known of an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailStanding {
    /// There is none.
    Missing,
    /// It is not confirmed.
    Unconfirmed,
    /// A letter went out.
    Sent,
    /// It is confirmed.
    Confirmed,
}

impl EmailStanding {
    /// What is known of this one.
    pub fn of(known: &ConfirmedAddress) -> Self {
        match (&known.address, known.sent_at, known.confirmed_at) {
            (None, ..) => Self::Missing,
            (_, _, Some(_)) => Self::Confirmed,
            (_, Some(_), None) => Self::Sent,
            (_, None, None) => Self::Unconfirmed,
        }
    }
}

impl Samples for ConfirmEmailPage {
    fn samples() -> Vec<Sample<Self>> {
        let unconfirmed = Self {
            page: Page::new(
                "Confirm your e-mail address",
                Reader::Person,
                Section::Account,
            ),
            address: "amira@nordlicht.example".to_owned(),
            standing: EmailStanding::Unconfirmed,
            hours: 24,
            token: String::new(),
            errors: FormErrors::none(),
        };
        let with = |standing, token: &str| Self {
            standing,
            token: token.to_owned(),
            ..unconfirmed.clone()
        };
        let used = Self {
            standing: EmailStanding::Sent,
            errors: FormErrors::none().with(
                "",
                "This link is not the latest one, or was used. Ask for a new letter under Profile.",
            ),
            ..unconfirmed.clone()
        };
        let missing = Self {
            address: String::new(),
            standing: EmailStanding::Missing,
            ..unconfirmed.clone()
        };
        vec![
            Sample::new("link", with(EmailStanding::Sent, "q8Zr")),
            Sample::new("sent", with(EmailStanding::Sent, "")),
            Sample::new("confirmed", with(EmailStanding::Confirmed, "")),
            Sample::new("missing", missing),
            Sample::new("used", used),
            Sample::new("unconfirmed", unconfirmed),
        ]
    }
}
