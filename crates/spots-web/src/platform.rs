//! What the service works with: everything impure, handed in.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use spots_clock::AtomicClock;
use spots_clock::sync::TimeScale;
use spots_host::ServiceError;
use spots_privacy::{MasterKeys, Randomness, SigningKey};
use spots_store::Store;

use crate::http::metrics::Requests;
use crate::service::{Operators, Passwords, RECEIPT_PURPOSE};

/// What an operator can set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether people reach the service over HTTPS: cookies are then bound to it.
    pub https: bool,
    /// How many passwords are hashed side by side; each takes 19 MiB and some 20 ms of one core.
    pub password_workers: usize,
    /// After how long a request is given up.
    pub request_timeout: Duration,
    /// How the system's clock counts leap seconds; told to every client that synchronises.
    pub scale: TimeScale,
    /// Who may read the journal.
    pub operators: Operators,
    /// Whether `/metrics` answers programs of this machine on the address that people use.
    pub metrics_at_home: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            https: false,
            password_workers: 2,
            request_timeout: Duration::from_secs(30),
            scale: TimeScale::Posix,
            operators: Operators::default(),
            metrics_at_home: true,
        }
    }
}

/// The platform: a store, a clock, keys and randomness. Clones share them.
#[derive(Clone)]
pub struct Platform(Arc<Parts>);

struct Parts {
    store: Arc<dyn Store>,
    clock: Arc<AtomicClock>,
    keys: Arc<MasterKeys>,
    random: Arc<dyn Randomness>,
    settings: Settings,
    passwords: Passwords,
    receipts: SigningKey,
    requests: Requests,
}

impl Platform {
    /// Puts the parts together.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<AtomicClock>,
        keys: Arc<MasterKeys>,
        random: Arc<dyn Randomness>,
        settings: Settings,
    ) -> Result<Self, ServiceError> {
        let passwords = Passwords::new(settings.password_workers, random.as_ref())?;
        let receipts = SigningKey::derive(&keys, RECEIPT_PURPOSE);
        Ok(Self(Arc::new(Parts {
            store,
            clock,
            keys,
            random,
            settings,
            passwords,
            receipts,
            requests: Requests::default(),
        })))
    }

    /// Where things are kept.
    pub fn store(&self) -> &dyn Store {
        self.0.store.as_ref()
    }

    /// The one source of time.
    pub fn clock(&self) -> &AtomicClock {
        &self.0.clock
    }

    /// What seals and finds personal data.
    pub fn keys(&self) -> &MasterKeys {
        &self.0.keys
    }

    /// The one source of randomness.
    pub fn random(&self) -> &dyn Randomness {
        self.0.random.as_ref()
    }

    /// What the operator set.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// What signs sync receipts.
    pub(crate) fn receipts(&self) -> &SigningKey {
        &self.0.receipts
    }

    /// How many requests were answered, and how fast.
    pub(crate) fn requests(&self) -> &Requests {
        &self.0.requests
    }

    /// The bounded pool that hashes passwords.
    pub(crate) fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
