//! `GET|POST /sign-in` and `GET|POST /sign-up`.

use askama::Template;
use spots_host::view::{FormErrors, Page, Reader, Sample, Samples, Section};

/// Signing in (`email`, `password`, hidden `next`).
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// The head of the page.
    pub page: Page,
    /// `email` as typed.
    pub email: String,
    /// Where to go afterwards: a path on this site, checked by the handler.
    pub next: String,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// Signing up (`email`, `password`, hidden `next`).
#[derive(Debug, Clone, Template)]
#[template(path = "sign_up.html")]
pub struct SignUpPage {
    /// The head of the page.
    pub page: Page,
    /// `email` as typed.
    pub email: String,
    /// Where to go afterwards: a path on this site, checked by the handler.
    pub next: String,
    /// The fewest characters that a password has.
    pub password_min: u32,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

impl SignUpPage {
    /// What a password must be like, as a sentence.
    pub fn password_hint(&self) -> String {
        format!(
            "At least {} characters; a few words are easy to remember.",
            self.password_min
        )
    }
}

impl Samples for SignInPage {
    fn samples() -> Vec<Sample<Self>> {
        let empty = Self {
            page: Page::new("Sign in", Reader::Visitor, Section::Account),
            email: String::new(),
            next: "/events/evt_a1/book?slot=slt_2&party=4".to_owned(),
            errors: FormErrors::none(),
        };
        let errors = Self {
            email: "amira@example.org".to_owned(),
            errors: FormErrors::none().with(
                "email",
                "No account has this e-mail address with this password. Try again, or sign up.",
            ),
            ..empty.clone()
        };
        vec![Sample::new("empty", empty), Sample::new("errors", errors)]
    }
}

impl Samples for SignUpPage {
    fn samples() -> Vec<Sample<Self>> {
        let empty = Self {
            page: Page::new("Sign up", Reader::Visitor, Section::Account),
            email: String::new(),
            next: String::new(),
            password_min: 10,
            errors: FormErrors::none(),
        };
        let errors = Self {
            email: "amira".to_owned(),
            errors: FormErrors::none()
                .with(
                    "email",
                    "Complete the e-mail address, for example amira@example.org.",
                )
                .with("password", "Choose a password of at least 10 characters."),
            ..empty.clone()
        };
        vec![Sample::new("empty", empty), Sample::new("errors", errors)]
    }
}
