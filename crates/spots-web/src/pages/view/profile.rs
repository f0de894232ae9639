//! `GET|POST /me/profile`: the reader's own data.

use askama::Template;
use spots_host::view::{Choice, Flash, FormErrors, Page, Reader, Sample, Samples, Section};

use super::EmailStanding;

/// The reader's own data: inputs `name`, `phoneNumber`, `email`, `birthday`,
/// `currentPassword` (for another `email`), `companyAffiliation`, `timeZone`.
#[derive(Debug, Clone, Template)]
#[template(path = "profile.html")]
pub struct ProfilePage {
    /// The head of the page.
    pub page: Page,
    /// `name` as typed.
    pub name: String,
    /// `phoneNumber` as typed.
    pub phone_number: String,
    /// `email` as typed.
    pub email: String,
    /// What is known of the address as it is saved.
    pub standing: EmailStanding,
    /// `birthday` as typed, `YYYY-MM-DD`.
    pub birthday: String,
    /// `companyAffiliation` as typed.
    pub company_affiliation: String,
    /// `timeZone`: IANA names of zones, one chosen.
    pub zones: Vec<Choice>,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

impl Samples for ProfilePage {
    fn samples() -> Vec<Sample<Self>> {
        let page = Page::new("Your profile", Reader::Person, Section::Account);
        let zones = [
            ("Europe/Berlin", "Berlin"),
            ("Europe/Lisbon", "Lisbon"),
            ("UTC", "UTC"),
        ];
        let empty = Self {
            page: page.clone(),
            name: String::new(),
            phone_number: String::new(),
            email: String::new(),
            standing: EmailStanding::Missing,
            birthday: String::new(),
            company_affiliation: String::new(),
            zones: Choice::list(zones, "Europe/Berlin"),
            errors: FormErrors::none(),
        };
        let full = Self {
            page: page.with_flash(Some(Flash::done("Your profile is saved."))),
            name: "Amira Okonjo".to_owned(),
            phone_number: "+49 30 901820".to_owned(),
            email: "amira@example.org".to_owned(),
            standing: EmailStanding::Unconfirmed,
            birthday: "1994-02-28".to_owned(),
            company_affiliation: "Nordlicht Versicherungsgesellschaft".to_owned(),
            ..empty.clone()
        };
        let errors = Self {
            page: empty.page.clone(),
            email: "amira@".to_owned(),
            birthday: "2031-02-28".to_owned(),
            errors: FormErrors::none()
                .with(
                    "email",
                    "Complete the e-mail address, for example amira@example.org.",
                )
                .with("birthday", "Enter a birthday that is not in the future."),
            ..full.clone()
        };
        let confirmed = Self {
            standing: EmailStanding::Confirmed,
            email: "amira@nordlicht.example".to_owned(),
            errors: FormErrors::none().with(
                "currentPassword",
                "Give your password: you change the address that you sign in with.",
            ),
            page: empty.page.clone(),
            ..full.clone()
        };
        vec![
            Sample::new("confirmed", confirmed),
            Sample::new("empty", empty),
            Sample::new("full", full),
            Sample::new("errors", errors),
        ]
    }
}
