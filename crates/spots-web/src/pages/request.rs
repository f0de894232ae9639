//! What a page handler takes in and gives out.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use jiff::tz::TimeZone;
use spots_host::ServiceError;
use spots_host::view::{Flash, Page, Reader, Section};

use super::problems::Trouble;
use crate::http::MaybeMe;
use crate::platform::Platform;
use crate::service::{Ctx, Person};

/// The cookie that keeps in which zone a reader wants to read times.
pub(super) const ZONE_COOKIE: &str = "zone";

/// Whoever asks for a page, signed in or not.
pub(super) struct Visitor {
    pub(super) ctx: Ctx,
    pub(super) person: Option<Person>,
    /// The reader's zone, where they chose one.
    pub(super) zone: Option<TimeZone>,
    flash: Option<Flash>,
}

impl Visitor {
    fn reader(&self) -> Reader {
        if self.person.is_some() {
            Reader::Person
        } else {
            Reader::Visitor
        }
    }

    /// The head of a page, with what the last form came to.
    pub(super) fn page(&self, title: impl Into<String>, section: Section) -> Page {
        Page::new(title, self.reader(), section).with_flash(self.flash.clone())
    }

    /// A page that says what went wrong.
    pub(super) fn trouble(&self, error: ServiceError) -> Trouble {
        Trouble {
            error,
            reader: self.reader(),
        }
    }
}

impl FromRequestParts<Platform> for Visitor {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self, Trouble> {
        let ctx = Ctx::from_request_parts(parts, platform).await;
        let ctx = ctx.map_err(Trouble::from_problem)?;
        let MaybeMe(person) = MaybeMe::from_request_parts(parts, platform)
            .await
            .map_err(Trouble::from_problem)?;
        let zone = cookie(&parts.headers, ZONE_COOKIE).and_then(|name| TimeZone::get(name).ok());
        let flash = parts.uri.query().and_then(|query| {
            query
                .split('&')
                .find_map(|pair| flash_of(pair.strip_prefix("done=")?))
        });
        Ok(Self {
            ctx,
            person,
            zone,
            flash,
        })
    }
}

/// A person who signed in. Anyone else is sent to sign in, and back afterwards.
pub(super) struct SignedIn {
    pub(super) visitor: Visitor,
}

impl SignedIn {
    pub(super) fn ctx(&self) -> &Ctx {
        &self.visitor.ctx
    }

    pub(super) fn person(&self) -> &Person {
        self.visitor
            .person
            .as_ref()
            .expect("the extractor lets nobody else in")
    }

    pub(super) fn page(&self, title: impl Into<String>, section: Section) -> Page {
        self.visitor.page(title, section)
    }
}

impl FromRequestParts<Platform> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, platform)
            .await
            .map_err(IntoResponse::into_response)?;
        if visitor.person.is_none() {
            let back = match (parts.method.as_str(), parts.uri.path_and_query()) {
                ("GET", Some(path)) => encode(path.as_str()),
                _ => String::new(),
            };
            return Err(see_other(&format!("/sign-in?next={back}")));
        }
        Ok(Self { visitor })
    }
}

/// A form as it was sent: the last value of each name.
#[derive(Debug, Default)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|text| !text.trim().is_empty())
    }

    pub(super) fn ticked(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn collect(pairs: Vec<(String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl FromRequest<Platform> for Form {
    type Rejection = Trouble;

    async fn from_request(request: Request, state: &Platform) -> Result<Self, Trouble> {
        match axum::Form::<Vec<(String, String)>>::from_request(request, state).await {
            Ok(axum::Form(pairs)) => Ok(Self::collect(pairs)),
            Err(_) => Err(unreadable("form")),
        }
    }
}

/// The query of an address.
#[derive(Debug, Default)]
pub(super) struct Query(Form);

impl std::ops::Deref for Query {
    type Target = Form;

    fn deref(&self) -> &Form {
        &self.0
    }
}

impl FromRequestParts<Platform> for Query {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &Platform) -> Result<Self, Trouble> {
        let query = axum::extract::Query::<Vec<(String, String)>>::from_request_parts(parts, state);
        match query.await {
            Ok(axum::extract::Query(pairs)) => Ok(Self(Form::collect(pairs))),
            Err(_) => Err(unreadable("address")),
        }
    }
}

fn unreadable(what: &'static str) -> Trouble {
    ServiceError::field(
        what,
        "malformed",
        "It cannot be read; go back and try again.",
    )
    .into()
}

/// Renders a page.
pub(super) fn show(page: &impl Template) -> Response {
    show_as(StatusCode::OK, page)
}

/// Renders a page under a status.
pub(super) fn show_as(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response(),
        Err(cause) => Trouble::from(ServiceError::failed("render a page", cause)).into_response(),
    }
}

/// Sends the reader on after a form.
pub(super) fn see_other(address: &str) -> Response {
    Redirect::to(address).into_response()
}

/// Adds a cookie to an answer.
pub(super) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Whether `htmx` asks for a part of a page.
pub(super) fn is_part(headers: &HeaderMap) -> bool {
    headers.contains_key("HX-Request")
}

/// Percent-encodes a path for a query.
pub(super) fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).expect("four bits are a digit");
                out.push(digit.to_ascii_uppercase());
            }
        }
    }
    out
}

/// A path of this site, and nothing else: no other host, no scheme.
pub(super) fn own_path(next: &str) -> &str {
    let own = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.chars().any(char::is_control);
    if own { next } else { "/" }
}

/// The fixed texts that a form may end with, by code; free text never comes from an address.
fn flash_of(code: &str) -> Option<Flash> {
    let text = match code {
        "booked" => "Booked. The host sees exactly what is shown here.",
        "cancelled" => "The booking is cancelled, and nothing of it is shared any more.",
        "revoked" => "Stopped sharing. The key is destroyed; the booking stays.",
        "saved" => "Saved.",
        "signed-in" => "You are signed in.",
        "signed-out" => "You are signed out.",
        "deleted" => "Your account is deleted, and the keys to your data are destroyed.",
        _ => return None,
    };
    Some(Flash::done(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_are_followed() {
        assert_eq!(own_path("/me/bookings?page=2"), "/me/bookings?page=2");
        for foreign in [
            "https://example.org",
            "//example.org",
            "/\\example.org",
            "",
            "me",
        ] {
            assert_eq!(own_path(foreign), "/", "{foreign}");
        }
    }

    #[test]
    fn a_path_is_encoded_for_a_query() {
        assert_eq!(encode("/a?b=c d"), "/a%3Fb%3Dc%20d");
    }
}
