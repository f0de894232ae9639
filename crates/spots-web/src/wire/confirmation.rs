//! Whether an e-mail address is confirmed.

use std::fmt;

use serde::{Deserialize, Serialize};
use spots_host::wire::Instant;
use utoipa::ToSchema;

use crate::service::ConfirmedAddress;

/// What is known of the address that a person signs in with.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmationBody {
    /// Whether it is confirmed.
    pub confirmed: bool,
    /// When the last letter to it went out; `null` if none did.
    #[schema(required)]
    pub sent_at: Option<Instant>,
    /// When the person proved that they read it; `null` if they have not.
    #[schema(required)]
    pub confirmed_at: Option<Instant>,
}

/// The token of a letter's link.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenBody {
    /// What follows `token=` in the link.
    #[schema(max_length = 43)]
    pub token: String,
}

/// A secret does not print.
impl fmt::Debug for TokenBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenBody(…)")
    }
}

impl From<&ConfirmedAddress> for ConfirmationBody {
    fn from(known: &ConfirmedAddress) -> Self {
        Self {
            confirmed: known.confirmed_at.is_some(),
            sent_at: known.sent_at.map(Instant),
            confirmed_at: known.confirmed_at.map(Instant),
        }
    }
}
