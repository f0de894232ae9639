//! `GET|POST /me/profile`: the reader's own data.

use askama::Template;
use spots_host::view::{Choice, Flash, FormErrors, Page, Reader, Sample, Samples, Section};

/// The reader's own data: inputs `name`, `phoneNumber`, `email`, `birthday`,
/// `companyAffiliation`, `timeZone`.
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
        vec![
            Sample::new("empty", empty),
            Sample::new("full", full),
            Sample::new("errors", errors),
        ]
    }
}
