//! What a page handler takes in and gives out.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use spots_host::ServiceError;
use spots_host::browser::words::moment;
use spots_host::browser::{Reading, Trouble, sign_in_first};
use spots_host::view::{Flash, Moment, Page, Reader, Section};

use crate::http::MaybeMe;
use crate::platform::Platform;
use crate::service::{Ctx, Person};

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
        let Reading { zone, flash } = Reading::of(parts);
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

    /// A moment in the reader's zone, or in UTC and said so.
    pub(super) fn moment(&self, at: Timestamp) -> Moment {
        let now = self.ctx().now();
        if let Some(zone) = &self.visitor.zone {
            return moment(at, zone, now);
        }
        let utc = moment(at, &TimeZone::UTC, now);
        Moment::new(utc.datetime, format!("{} UTC", utc.text))
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
                ("GET", Some(path)) => path.as_str(),
                _ => "",
            };
            return Err(sign_in_first(back));
        }
        Ok(Self { visitor })
    }
}

/// Adds a cookie to an answer.
pub(super) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// A path of this site, and nothing else: no other host, no scheme.
pub(super) fn own_path(next: &str) -> &str {
    let own = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.chars().any(char::is_control);
    if own { next } else { "/" }
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
}
