//! How a reader reads: in which zone, and after what.

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use jiff::tz::TimeZone;

use crate::view::Flash;

/// The cookie that keeps in which zone a reader wants to read times.
pub const ZONE_COOKIE: &str = "zone";

/// How a reader reads a page.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The reader's zone, where they chose one.
    pub zone: Option<TimeZone>,
    /// What the last form came to.
    pub flash: Option<Flash>,
}

impl Reading {
    /// What a request says of it.
    pub fn of(parts: &Parts) -> Self {
        let zone = cookie(&parts.headers, ZONE_COOKIE).and_then(|name| TimeZone::get(name).ok());
        let flash = parts.uri.query().and_then(|query| {
            query
                .split('&')
                .find_map(|pair| flash_of(pair.strip_prefix("done=")?))
        });
        Self { zone, flash }
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The fixed texts that a form may end with, by code; free text never comes from an address.
fn flash_of(code: &str) -> Option<Flash> {
    let text = match code {
        "booked" => "Booked. The host sees exactly what is shown here.",
        "cancelled" => "The booking is cancelled, and nothing of it is shared any more.",
        "agent" => "You have a new agent. The old one names nobody any more.",
        "called-off" => {
            "The event is called off. Its guests are told, and what they shared is gone."
        }
        "revoked" => "Stopped sharing. The key is destroyed; the booking stays.",
        "confirmed" => "Your e-mail address is confirmed.",
        "letter" => "The letter is on its way. Open its link and press the button there.",
        "members" => "Your list is saved, as hashes alone.",
        "members-removed" => "Your list is removed.",
        "saved" => "Saved.",
        "signed-in" => "You are signed in.",
        "signed-out" => "You are signed out.",
        "deleted" => "Your account is deleted, and the keys to your data are destroyed.",
        "host-added" => "The host is set up. Say what it asks of guests, then add its events.",
        "event-added" => "The event is added. People can book it now.",
        "imported" => "The calendar is imported. Events that were imported before are updated.",
        _ => return None,
    };
    Some(Flash::done(text))
}
