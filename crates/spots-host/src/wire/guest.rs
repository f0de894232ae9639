//! A guest on the wire.

use serde::Serialize;
use spots_booking::EventType;
use utoipa::ToSchema;

use super::moment::Minute;
use super::user_data::EventUserData;
use crate::desk::GuestCard;

/// A guest of an event: what they share now, and nothing else.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GuestBody {
    /// The guest's handle: the same at every booking here, another at every other host.
    pub guest_id: String,
    /// The code to read aloud at the door.
    #[schema(example = "K7Q-2M4")]
    pub guest_code: String,
    /// The booking.
    pub booking_id: String,
    /// From when.
    pub starts_at: Minute,
    /// Until when.
    pub ends_at: Minute,
    /// How many people come.
    pub party_size: u32,
    /// Whether the guest cancelled.
    pub cancelled: bool,
    /// What the guest shares now; `null` for a guest without a name.
    #[schema(required)]
    pub user_data: Option<EventUserData>,
}

impl GuestBody {
    /// The answer's form.
    pub fn new(guest: GuestCard, event_type: EventType) -> Self {
        let mut data = EventUserData {
            shared_with_host: true,
            event_type: Some(event_type.into()),
            ..EventUserData::default()
        };
        let shares = !guest.fields.is_empty();
        for (field, text) in guest.fields {
            data.set(&field, text);
        }
        Self {
            guest_id: guest.guest.to_string(),
            guest_code: guest.code,
            booking_id: guest.booking.to_string(),
            starts_at: guest.placed.slot.starts_at.into(),
            ends_at: guest.placed.slot.ends_at.into(),
            party_size: guest.placed.party,
            cancelled: guest.cancelled,
            user_data: shares.then_some(data),
        }
    }
}
