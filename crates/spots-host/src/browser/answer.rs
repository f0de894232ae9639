//! Answers: pages, and ways on.

use askama::Template;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::{Query, Trouble};
use crate::error::ServiceError;
use crate::view::Pager;

/// The last page of a list that an address may ask for.
const PAGES_MAX: u32 = 1_000;

/// Renders a page.
pub fn show(page: &impl Template) -> Response {
    show_as(StatusCode::OK, page)
}

/// Renders a page under a status.
pub fn show_as(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response(),
        Err(cause) => Trouble::from(ServiceError::failed("render a page", cause)).into_response(),
    }
}

/// Sends the reader on after a form.
pub fn see_other(address: &str) -> Response {
    Redirect::to(address).into_response()
}

/// Sends the reader to sign in, and then back to an address of this site; empty for the start.
pub fn sign_in_first(back: &str) -> Response {
    see_other(&format!("/sign-in?next={}", encode(back)))
}

/// Whether `htmx` asks for a part of a page.
pub fn is_part(headers: &HeaderMap) -> bool {
    headers.contains_key("HX-Request")
}

/// Percent-encodes a text for a query.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
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

/// The page of a list that an address asks for, from 1.
pub fn page_number(query: &Query) -> u32 {
    query.get("page").parse().unwrap_or(1).clamp(1, PAGES_MAX)
}

/// Where the neighbours of a page of a list are.
pub fn pager(number: u32, more: bool, address: &str) -> Pager {
    let joint = if address.contains('?') { '&' } else { '?' };
    let at = |number: u32| format!("{address}{joint}page={number}");
    Pager {
        position: format!("Page {number}"),
        previous: (number > 1).then(|| at(number - 1)),
        next: (more && number < PAGES_MAX).then(|| at(number + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_encoded_for_a_query() {
        assert_eq!(encode("/a?b=c d"), "/a%3Fb%3Dc%20d");
    }
}
