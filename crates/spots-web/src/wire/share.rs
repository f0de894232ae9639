//! What a person shares, and who looked.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use spots_host::wire::{EventTypeWord, HostBody, Instant};
use spots_store::model::Opening;
use utoipa::ToSchema;

use crate::front_door::host_card;
use crate::service::SharedValue;

/// One field that is or was shared.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SharedFieldBody {
    /// The share: all that one host got for one booking.
    pub share_id: String,
    /// The booking.
    pub booking_id: String,
    /// Who may read it.
    pub host: HostBody,
    /// What was booked.
    pub event_id: String,
    /// What that is called.
    pub title: String,
    /// Of what type.
    pub event_type: EventTypeWord,
    /// Which field.
    pub field: String,
    /// What the host may read now; `null` once it ended.
    #[schema(required)]
    pub value: Option<String>,
    /// When it was shared.
    pub shared_at: Instant,
    /// When it ends by itself.
    pub expires_at: Instant,
    /// When it was taken back; `null` if it was not.
    #[schema(required)]
    pub revoked_at: Option<Instant>,
    /// When the last copy of its key became unreadable, in the database's files, its logs and its
    /// backups; `null` while it still opens, or while old copies may still be readable.
    #[schema(required)]
    pub purged_at: Option<Instant>,
    /// The version of the requirements that the person saw.
    pub requirements_version: u32,
    /// When the host last opened it; `null` if never.
    #[schema(required)]
    pub last_opened_at: Option<Instant>,
    /// When the host last downloaded a copy, which taking back does not call back; `null` if never.
    #[schema(required)]
    pub last_downloaded_at: Option<Instant>,
    /// How often the host opened it.
    pub openings: u64,
}

/// Personal data does not print.
impl fmt::Debug for SharedFieldBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedFieldBody(…)")
    }
}

/// What a revocation did.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevokedBody {
    /// How many fields ended. Their keys are destroyed; what a host copied before is not undone.
    pub revoked_fields: u64,
}

/// One time that a host opened what a person shared.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpeningBody {
    /// The share.
    pub share_id: String,
    /// Who opened it.
    pub host_id: String,
    /// When.
    pub opened_at: Instant,
    /// Through what: `page`, `api`, or `download` for a copy that taking back does not call back.
    pub channel: String,
    /// Which fields.
    pub fields: Vec<String>,
}

/// The moment of a stored count of nanoseconds.
pub(crate) fn instant_of_ns(nanoseconds: i64) -> Instant {
    let at = Timestamp::from_nanosecond(i128::from(nanoseconds));
    Instant(at.expect("64 bits of nanoseconds lie within the calendar"))
}

impl From<SharedValue> for SharedFieldBody {
    fn from(shared: SharedValue) -> Self {
        let SharedValue { field, value, .. } = shared;
        Self {
            share_id: field.share.to_string(),
            booking_id: field.booking.to_string(),
            host: (&host_card(field.host)).into(),
            event_id: field.event.to_string(),
            title: field.title,
            event_type: field.event_type.into(),
            field: field.field.to_string(),
            value: value.map(|value| value.disclose().to_owned()),
            shared_at: Instant(field.shared.timestamp()),
            expires_at: instant_of_ns(field.expires_at_ns),
            revoked_at: field.revoked_at_ns.map(instant_of_ns),
            purged_at: field.purged_at_ns.map(instant_of_ns),
            requirements_version: field.requirements_version,
            last_opened_at: field.last_opened_ns.map(instant_of_ns),
            last_downloaded_at: field.last_downloaded_ns.map(instant_of_ns),
            openings: field.openings,
        }
    }
}

impl From<Opening> for OpeningBody {
    fn from(opening: Opening) -> Self {
        Self {
            share_id: opening.share.to_string(),
            host_id: opening.host.to_string(),
            opened_at: instant_of_ns(opening.opened_at_ns),
            channel: opening.channel,
            fields: opening.fields,
        }
    }
}
