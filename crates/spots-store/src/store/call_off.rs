//! A host calls an event off.

use async_trait::async_trait;
use spots_booking::{EventId, HostId};

use crate::error::StoreError;
use crate::model::Stamp;

/// What calling an event off did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CalledOff {
    /// Bookings that were cancelled.
    pub bookings: u64,
    /// Shared fields whose keys were destroyed.
    pub fields: u64,
}

/// Ending an event before its time.
#[async_trait]
pub trait CallOffStore {
    /// Calls an event off: takes no more bookings, cancels those that are not over, destroys the
    /// keys of all that was shared for it, and tells everyone who booked. One that is off already
    /// gives zeros; one that is not this host's is refused.
    async fn call_off(
        &self,
        host: HostId,
        event: EventId,
        stamp: Stamp,
    ) -> Result<CalledOff, StoreError>;
}
