//! Refusals and errors, as pages with a next step.

use askama::Template;

use super::{Page, Reader, Sample, Samples, Section};
use crate::problem::Problem;

/// A refusal or an error: what happened, and what to do now.
#[derive(Debug, Clone, Template)]
#[template(path = "problem.html")]
pub struct ProblemPage {
    /// The head of the page; its title is the heading.
    pub page: Page,
    /// The HTTP status.
    pub status: u16,
    /// What happened, in one or two sentences.
    pub text: String,
    /// What to do now; the first is the main one.
    pub next: Vec<NextStep>,
    /// For errors of ours: the id under which the operator finds the log.
    pub reference: Option<String>,
}

/// A way on from a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    /// Where it leads.
    pub address: String,
    /// What it says.
    pub label: String,
}

impl NextStep {
    /// A way on, by its address and words.
    pub fn new(address: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            label: label.into(),
        }
    }
}

impl ProblemPage {
    /// The page for a status, with the words that fit it and a way on; the caller may say more.
    pub fn for_status(status: u16, reader: Reader) -> Self {
        let (title, text, step) = match status {
            400 => (
                "This request does not add up",
                "Something in the address or the form cannot be read. Nothing was changed.",
                NextStep::new("/", "See all events"),
            ),
            401 => (
                "Sign in first",
                "This page is for people who are signed in. Nothing was changed.",
                NextStep::new("/sign-in", "Sign in"),
            ),
            403 => (
                "This is not yours",
                "You are signed in, but this belongs to somebody else. Nothing was changed.",
                NextStep::new("/me/bookings", "See your bookings"),
            ),
            404 => (
                "There is nothing here",
                "The address may be mistyped, or what was here is gone.",
                NextStep::new("/", "See all events"),
            ),
            409 => (
                "Something changed in the meantime",
                "What you saw was no longer so when your request arrived. Nothing was changed.",
                NextStep::new("/me/bookings", "See your bookings"),
            ),
            410 => (
                "This is gone",
                "It was here, and it was taken away for good.",
                NextStep::new("/", "See all events"),
            ),
            413 => (
                "This is too large",
                "What you sent is larger than we read. Nothing was changed.",
                NextStep::new("/", "See all events"),
            ),
            422 => (
                "This cannot be accepted",
                "What you sent can be read but not accepted. Nothing was changed.",
                NextStep::new("/", "See all events"),
            ),
            429 => (
                "Too many attempts",
                "Wait a minute, then try again. Nothing was changed.",
                NextStep::new("/", "See all events"),
            ),
            _ => (
                "This is our fault",
                "Something failed on our side. Go back and try again: a booking is never made twice.",
                NextStep::new("/", "See all events"),
            ),
        };
        Self {
            page: Page::new(title, reader, Section::Elsewhere),
            status,
            text: text.to_owned(),
            next: vec![step],
            reference: None,
        }
    }

    /// The page for a problem: the words of its document, and a way on.
    pub fn of(problem: &Problem, reader: Reader) -> Self {
        let mut page = Self::for_status(problem.status, reader);
        if problem.status < 500 {
            page.text.clone_from(&problem.detail);
        }
        if matches!(problem.status, 405 | 415 | 503 | 504) {
            problem.title.clone_into(&mut page.page.title);
            page.text.clone_from(&problem.detail);
        }
        page
    }
}

impl Samples for ProblemPage {
    fn samples() -> Vec<Sample<Self>> {
        let page = |status| Self::for_status(status, Reader::Person);
        let failed = Self {
            reference: Some("req_4Zc8w1".to_owned()),
            ..page(500)
        };
        vec![
            Sample::new("400", page(400)),
            Sample::new("401", Self::for_status(401, Reader::Visitor)),
            Sample::new("403", page(403)),
            Sample::new("404", page(404)),
            Sample::new("409", page(409)),
            Sample::new("410", page(410)),
            Sample::new("413", page(413)),
            Sample::new("422", page(422)),
            Sample::new("429", page(429)),
            Sample::new("500", failed),
        ]
    }
}
