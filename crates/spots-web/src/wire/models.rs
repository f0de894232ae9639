//! The six event types as a person's own record of them.
//!
//! Each carries the person's agent id, which is theirs to see and nobody else's: hosts read
//! [`GuestBody`](spots_host::wire::GuestBody). The models with lists of attendees hold just the
//! person who asks.

use std::collections::BTreeMap;

use serde::Serialize;
use spots_booking::EventType;
use spots_clock::TimestampId;
use spots_host::wire::{EventUserData, HostBody, Instant};
use spots_privacy::AgentId;
use spots_store::Stamp;
use spots_store::model::BookingRecord;
use utoipa::ToSchema;

use super::share::instant_of_ns;
use crate::front_door::host_card;
use crate::service::{BookingDetails, SharedValue};

/// One person's place in an event, in the model of the event's type.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "eventType", rename_all = "snake_case")]
pub enum Booking {
    /// A table at a time.
    Reservation(Reservation),
    /// A community's gathering.
    CommunityEvent(CommunityEvent),
    /// A night at a club.
    ClubEvent(ClubEvent),
    /// An expert's workshop.
    ExpertEvent(ExpertiseEvent),
    /// A business's event.
    BusinessEvent(BusinessEvent),
    /// A company's event.
    CompanyEvent(CompanyEvent),
}

macro_rules! registrations {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Serialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// The person inside SPOTS. Hosts never see it.
            pub agent_id: String,
            /// What the person gave the host; `null` if nothing.
            #[schema(required)]
            pub user_data: Option<EventUserData>,
            /// What was booked.
            #[serde(flatten)]
            pub facts: BookingFacts,
        }
    )*};
}

registrations! {
    /// One table reservation.
    Reservation
    /// One registration at a club's night.
    ClubEvent
    /// One registration at a business's event.
    BusinessEvent
    /// One registration at a company's event.
    CompanyEvent
}

/// One registration at an expert's workshop.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExpertiseEvent {
    /// The person inside SPOTS. Hosts never see it.
    pub attendee_agent_ids: Vec<String>,
    /// What the person gave the host, by agent id; `null` if nothing.
    #[schema(required)]
    pub attendee_user_data: Option<BTreeMap<String, EventUserData>>,
    /// What was booked.
    #[serde(flatten)]
    pub facts: BookingFacts,
}

/// One registration at a community's gathering: an [`ExpertiseEvent`] in all but name.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommunityEvent(pub ExpertiseEvent);

/// What every booking has.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BookingFacts {
    /// The booking.
    pub booking_id: String,
    /// What is booked.
    pub event_id: String,
    /// Who offers it.
    pub host: HostBody,
    /// What it is called.
    pub title: String,
    /// Where.
    pub place: String,
    /// The zone in which the host thinks.
    pub time_zone: String,
    /// From when.
    pub starts_at: Instant,
    /// Until when.
    pub ends_at: Instant,
    /// How many people come.
    pub party_size: u32,
    /// The place in the order of bookings of this time, from 1; `null` where places are unlimited.
    #[schema(required)]
    pub position: Option<i64>,
    /// How the host reads this guest aloud at the door.
    #[schema(example = "K7Q-2M4")]
    pub guest_code: String,
    /// When it was cancelled; `null` while it stands.
    #[schema(required)]
    pub cancelled_at: Option<Instant>,
    /// When it was taken, with the evidence.
    pub atomic_timestamp: BookedTimestamp,
}

/// When a booking was taken: unique, strictly increasing, with how far the truth may be off.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BookedTimestamp {
    /// Sorts as the moments do.
    #[schema(example = "0198f0a1-7f3c-7000-8000-000000000001")]
    pub timestamp_id: String,
    /// The moment for people.
    pub time: Instant,
    /// Nanoseconds since the Unix epoch, as text: a JavaScript number would round them.
    #[schema(example = "1795366800000000000")]
    pub nanoseconds: String,
    /// The same in whole milliseconds.
    pub milliseconds: i64,
    /// Whether the error is known.
    pub is_synchronized: bool,
    /// The truth lies within this many nanoseconds, as text; `null` is unknown.
    #[schema(required)]
    pub error_bound_nanoseconds: Option<String>,
}

impl From<Stamp> for BookedTimestamp {
    fn from(stamp: Stamp) -> Self {
        let id = TimestampId::from_bytes(stamp.id);
        Self {
            timestamp_id: id.map(|id| id.to_string()).unwrap_or_default(),
            time: Instant(stamp.timestamp()),
            nanoseconds: stamp.at_ns.to_string(),
            milliseconds: stamp.at_ns.div_euclid(1_000_000),
            is_synchronized: stamp.bound_ns.is_some(),
            error_bound_nanoseconds: stamp.bound_ns.map(|bound| bound.to_string()),
        }
    }
}

impl From<BookingRecord> for BookingFacts {
    fn from(record: BookingRecord) -> Self {
        Self {
            booking_id: record.id.to_string(),
            event_id: record.event.to_string(),
            host: (&host_card(record.host)).into(),
            title: record.title,
            place: record.place,
            time_zone: record.time_zone,
            starts_at: Instant(record.placed.slot.starts_at),
            ends_at: Instant(record.placed.slot.ends_at),
            party_size: record.placed.party,
            position: record.placed.position,
            guest_code: record.code,
            cancelled_at: record.cancelled_at_ns.map(instant_of_ns),
            atomic_timestamp: record.booked.into(),
        }
    }
}

impl Booking {
    /// A booking of this agent, in the model of its type.
    pub fn new(agent: &AgentId, details: BookingDetails) -> Self {
        let event_type = details.record.event_type;
        let agent_id = agent.reveal();
        let user_data = user_data(&details.shared, event_type);
        let facts = BookingFacts::from(details.record);
        macro_rules! one {
            ($name:ident) => {
                Self::$name($name {
                    agent_id,
                    user_data,
                    facts,
                })
            };
        }
        match event_type {
            EventType::Reservation => one!(Reservation),
            EventType::ClubEvent => one!(ClubEvent),
            EventType::BusinessEvent => one!(BusinessEvent),
            EventType::CompanyEvent => one!(CompanyEvent),
            EventType::ExpertEvent => Self::ExpertEvent(attended(agent_id, user_data, facts)),
            EventType::CommunityEvent => {
                Self::CommunityEvent(CommunityEvent(attended(agent_id, user_data, facts)))
            }
        }
    }
}

fn attended(
    agent_id: String,
    user_data: Option<EventUserData>,
    facts: BookingFacts,
) -> ExpertiseEvent {
    ExpertiseEvent {
        attendee_user_data: user_data.map(|data| BTreeMap::from([(agent_id.clone(), data)])),
        attendee_agent_ids: vec![agent_id],
        facts,
    }
}

/// What the host may read now of one share. Once nothing is left, when it was taken back.
fn user_data(shared: &[SharedValue], event_type: EventType) -> Option<EventUserData> {
    let first = shared.first()?;
    let mut data = EventUserData {
        shared_at: Some(Instant(first.field.shared.timestamp())),
        event_type: Some(event_type.into()),
        ..EventUserData::default()
    };
    for field in shared {
        if let Some(value) = &field.value {
            data.shared_with_host = true;
            data.set(&field.field.field, value.disclose().to_owned());
        }
    }
    if !data.shared_with_host {
        let taken_back = shared.iter().filter_map(|field| field.field.revoked_at_ns);
        data.revoked_at = taken_back.max().map(instant_of_ns);
    }
    Some(data)
}
