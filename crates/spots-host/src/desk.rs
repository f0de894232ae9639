//! What those who act for a host may do, as a trait: this crate asks, the platform does.

use async_trait::async_trait;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use std::fmt;
use std::sync::Arc;

use spots_booking::{
    BookingId, CodePart, Event, EventId, EventType, FieldName, FieldRule, GuestId, HostId,
    HostKind, NewEvent, Placed, Requirements, Slot,
};

use jiff::Timestamp;

use crate::error::ServiceError;
use crate::problem::Problem;

/// Where people who act for hosts come in.
#[async_trait]
pub trait FrontDoor: Send + Sync {
    /// Looks up a host, for anyone.
    async fn host(&self, host: HostId) -> Result<HostCard, ServiceError>;

    /// Looks up what a host asks for at an event type, for anyone.
    async fn asked(&self, host: HostId, event_type: EventType) -> Result<Asked, ServiceError>;

    /// Lists the hosts that whoever sent the request acts for.
    async fn own_hosts(&self, headers: &HeaderMap) -> Result<Vec<HostCard>, ServiceError>;

    /// Adds a host; whoever sent the request acts for it from now on.
    async fn add_host(
        &self,
        headers: &HeaderMap,
        name: String,
        kind: HostKind,
    ) -> Result<HostCard, ServiceError>;

    /// Lets someone to a host's desk, if the request proves that they act for the host.
    async fn admit(
        &self,
        headers: &HeaderMap,
        host: HostId,
    ) -> Result<Box<dyn HostDesk>, ServiceError>;
}

/// What someone who acts for one host may do. Whoever holds one was admitted.
#[async_trait]
pub trait HostDesk: Send + Sync {
    /// The host.
    fn host(&self) -> &HostCard;

    /// The moment of the request.
    fn now(&self) -> Timestamp;

    /// Sets what the host asks for at an event type, as its next version.
    async fn ask(
        &self,
        event_type: EventType,
        rules: Vec<FieldRule>,
    ) -> Result<Asked, ServiceError>;

    /// How many entries the host's own list of members has.
    async fn members(&self) -> Result<u64, ServiceError>;

    /// Replaces the host's own list of members, by e-mail address or member number. Kept are hashes
    /// alone. Returns how many there are.
    async fn set_members(&self, entries: Vec<String>) -> Result<u64, ServiceError>;

    /// Adds events, all or none; one with a known source updates that event. Returns the ids and
    /// whether each is new.
    async fn add_events(
        &self,
        events: Vec<(NewEvent, Option<String>)>,
    ) -> Result<Vec<(EventId, bool)>, ServiceError>;

    /// Lists the host's events.
    async fn events(
        &self,
        wanted: EventsWanted,
        part: PartRequest,
    ) -> Result<Part<EventCard>, ServiceError>;

    /// Looks up one of the host's events with its times.
    async fn event(&self, event: EventId) -> Result<EventCard, ServiceError>;

    /// Calls one of the host's events off: its bookings are cancelled, what was shared for it ends.
    async fn call_off(&self, event: EventId) -> Result<CalledOffCard, ServiceError>;

    /// Lists the guests of one of the host's events with what they share now. Whoever shares sees
    /// that it was opened.
    async fn guests(
        &self,
        event: EventId,
        wanted: GuestsWanted,
        part: PartRequest,
    ) -> Result<Part<GuestCard>, ServiceError>;
}

/// Through what a host reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    /// A page.
    Page,
    /// The API.
    Api,
    /// A copy to keep.
    Download,
}

/// What calling an event off did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalledOffCard {
    /// Bookings that were cancelled.
    pub bookings: u64,
    /// Shared fields that ended.
    pub fields: u64,
}

/// Which events of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventsWanted {
    /// Those whose title or place contains this.
    pub text: Option<String>,
    /// Only those over or called off, the latest first; or only the others.
    pub over: Option<bool>,
}

/// Which guests of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestsWanted {
    /// Through what they are read; guests see it.
    pub through: Through,
    /// Those of the time that begins then.
    pub starts_at: Option<Timestamp>,
    /// Those whose code contains this.
    pub code: Option<CodePart>,
}

impl GuestsWanted {
    /// All of them.
    pub fn all(through: Through) -> Self {
        Self {
            through,
            starts_at: None,
            code: None,
        }
    }
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartRequest {
    /// Rows to skip.
    pub offset: u32,
    /// Rows wanted.
    pub limit: u32,
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether more follow.
    pub more: bool,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCard {
    /// Its id.
    pub id: HostId,
    /// What it is.
    pub kind: HostKind,
    /// What it is called.
    pub name: String,
}

/// What a host asks for, with the hash that consents carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What is asked.
    pub requirements: Requirements,
    /// SHA-256 of its canonical text.
    pub hash: [u8; 32],
}

/// A time that can be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenTime {
    /// When.
    pub slot: Slot,
    /// Places left; `None` is unlimited.
    pub left: Option<u32>,
}

/// An event with times to come: in a list, just the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCard {
    /// The event.
    pub event: Event,
    /// Whose it is.
    pub host: HostCard,
    /// Times to come, in order.
    pub times: Vec<OpenTime>,
    /// Whether more times follow.
    pub more: bool,
}

/// A guest as the host sees them.
#[derive(Clone, PartialEq, Eq)]
pub struct GuestCard {
    /// The guest's handle at this host.
    pub guest: GuestId,
    /// The booking.
    pub booking: BookingId,
    /// The code for the door.
    pub code: String,
    /// When and how many.
    pub placed: Placed,
    /// Whether the booking was cancelled.
    pub cancelled: bool,
    /// The grant under which it is read: the share.
    pub grant: Option<String>,
    /// What is shared now.
    pub fields: Vec<(FieldName, String)>,
}

/// Personal data does not print.
impl fmt::Debug for GuestCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestCard")
            .field("guest", &self.guest)
            .field("booking", &self.booking)
            .finish_non_exhaustive()
    }
}

/// The desk of the host whose id stands in the path as `hostId`.
pub struct AtDesk(pub Box<dyn HostDesk>);

impl fmt::Debug for AtDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AtDesk").field(self.0.host()).finish()
    }
}

impl FromRequestParts<Arc<dyn FrontDoor>> for AtDesk {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        door: &Arc<dyn FrontDoor>,
    ) -> Result<Self, Problem> {
        Ok(Self(desk_in_path(parts, door).await?))
    }
}

/// Lets whoever sent a request to the desk of the host whose id stands in the path as `hostId`.
pub(crate) async fn desk_in_path(
    parts: &mut Parts,
    door: &Arc<dyn FrontDoor>,
) -> Result<Box<dyn HostDesk>, ServiceError> {
    let params = RawPathParams::from_request_parts(parts, door).await;
    let host = params
        .ok()
        .and_then(|params| {
            let (_, host) = params.iter().find(|(name, _)| *name == "hostId")?;
            host.parse().ok()
        })
        .ok_or(ServiceError::not_found("host"))?;
    door.admit(&parts.headers, host).await
}
