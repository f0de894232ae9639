//! One request: the platform and the moment.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use spots_clock::AtomicTimestamp;
use spots_host::ServiceError;
use spots_privacy::{MasterKeys, Randomness};
use spots_store::{Stamp, Store};

use crate::platform::Platform;

/// The platform at one moment: what every operation takes.
#[derive(Clone, Debug)]
pub struct Ctx {
    platform: Platform,
    at: AtomicTimestamp,
}

impl Ctx {
    /// Takes a timestamp for one request.
    pub fn begin(platform: &Platform) -> Result<Self, ServiceError> {
        let at = platform
            .clock()
            .now()
            .map_err(|cause| ServiceError::failed("take a timestamp", cause))?;
        Ok(Self {
            platform: platform.clone(),
            at,
        })
    }

    /// The request's timestamp.
    pub fn at(&self) -> AtomicTimestamp {
        self.at
    }

    /// The request's timestamp as the store keeps it.
    pub fn stamp(&self) -> Stamp {
        self.at.into()
    }

    /// The request's moment for calendars.
    pub fn now(&self) -> Timestamp {
        self.stamp().timestamp()
    }

    /// The day in UTC.
    pub fn today(&self) -> Date {
        self.now().to_zoned(TimeZone::UTC).date()
    }

    /// The platform.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.platform.store()
    }

    pub(crate) fn keys(&self) -> &MasterKeys {
        self.platform.keys()
    }

    pub(crate) fn random(&self) -> &dyn Randomness {
        self.platform.random()
    }
}
