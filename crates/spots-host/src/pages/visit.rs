//! Who comes to a host's pages: someone who was admitted to its desk.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use spots_booking::{EventType, HostKind};

use crate::browser::words::ZONES;
use crate::browser::{Reading, Trouble, sign_in_first};
use crate::desk::{FrontDoor, HostDesk, desk_in_path};
use crate::error::ServiceError;
use crate::view::{Choice, HostHead, HostTab, Page, Reader, Section};

/// The zone where neither the reader nor the form chose one.
const ZONE_DEFAULT: &str = "UTC";

/// A member at the desk of their host. Anyone else is sent to sign in, or told why not.
pub(super) struct Visit {
    pub(super) desk: Box<dyn HostDesk>,
    pub(super) reading: Reading,
}

impl FromRequestParts<Arc<dyn FrontDoor>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        door: &Arc<dyn FrontDoor>,
    ) -> Result<Self, Response> {
        match desk_in_path(parts, door).await {
            Ok(desk) => Ok(Self {
                desk,
                reading: Reading::of(parts),
            }),
            Err(error) => Err(turned_away(error, parts)),
        }
    }
}

/// The answer to someone who may not, or cannot, be let in.
fn turned_away(error: ServiceError, parts: &Parts) -> Response {
    match (&error, parts.uri.path_and_query()) {
        // Every form of these pages goes to the address of its page.
        (ServiceError::NotSignedIn, Some(path)) => sign_in_first(path.as_str()),
        _ => trouble(error).into_response(),
    }
}

/// An error on its way to someone who signed in.
pub(super) fn trouble(error: ServiceError) -> Trouble {
    Trouble {
        error,
        reader: Reader::Person,
    }
}

impl Visit {
    pub(super) fn now(&self) -> Timestamp {
        self.desk.now()
    }

    /// The address of the host's pages.
    pub(super) fn address(&self) -> String {
        format!("/hosts/{}", self.desk.host().id)
    }

    pub(super) fn page(&self, title: impl Into<String>) -> Page {
        let page = Page::new(title, Reader::Person, Section::Hosting);
        page.with_flash(self.reading.flash.clone())
    }

    pub(super) fn head(&self, tab: HostTab) -> HostHead {
        let host = self.desk.host();
        HostHead {
            id: host.id.to_string(),
            name: host.name.clone(),
            kind: host.kind,
            tab,
            first_type: own_type(host.kind),
        }
    }

    /// All types of event, the one that suits the host first.
    pub(super) fn types(&self) -> Vec<EventType> {
        let own = own_type(self.desk.host().kind);
        let others = EventType::ALL.iter().copied();
        std::iter::once(own)
            .chain(others.filter(|event_type| *event_type != own))
            .collect()
    }

    /// The types as choices; the host's own where none is chosen.
    pub(super) fn type_choices(&self, chosen: &str) -> Vec<Choice> {
        let types = self.types();
        let own = types.first().map_or("", |event_type| event_type.as_str());
        let chosen = if chosen.is_empty() { own } else { chosen };
        let pairs = types.iter().map(|kind| (kind.as_str(), kind.label()));
        Choice::list(pairs, chosen)
    }

    /// Zones as choices; the reader's where none is chosen.
    pub(super) fn zone_choices(&self, chosen: &str) -> Vec<Choice> {
        let own = self.reading.zone.as_ref().and_then(|zone| zone.iana_name());
        let own = own.unwrap_or(ZONE_DEFAULT);
        let chosen = if chosen.is_empty() { own } else { chosen };
        let extra = (!ZONES.contains(&own)).then_some(own);
        let zones = ZONES.iter().copied().chain(extra);
        Choice::list(zones.map(|zone| (zone, zone)), chosen)
    }
}

/// The type of event that a kind of host is there for.
fn own_type(kind: HostKind) -> EventType {
    match kind {
        HostKind::Business => EventType::Reservation,
        HostKind::Community => EventType::CommunityEvent,
        HostKind::Club => EventType::ClubEvent,
        HostKind::Expert => EventType::ExpertEvent,
        HostKind::Company => EventType::CompanyEvent,
    }
}
