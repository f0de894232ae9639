//! What the service works with: everything impure, handed in.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use spots_clock::AtomicClock;
use spots_clock::sync::TimeScale;
use spots_host::ServiceError;
use spots_privacy::ledger::LedgerKey;
use spots_privacy::{MasterKeys, Randomness, SigningKey};
use spots_store::Store;

use crate::http::metrics::Requests;
use crate::mail::Mail;
use crate::service::{Operators, Passwords, RECEIPT_PURPOSE, WrongNumbers};

/// What an operator can set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether people reach the service over HTTPS: cookies are then bound to it.
    pub https: bool,
    /// How many passwords are hashed side by side; each takes 19 MiB and some 20 ms of one core.
    pub password_workers: usize,
    /// After how long a request is given up.
    pub request_timeout: Duration,
    /// Where a copy of the ledger is kept outside the database.
    pub ledger_dir: Option<PathBuf>,
    /// How the system's clock counts leap seconds; told to every client that synchronises.
    pub scale: TimeScale,
    /// Who may read the journal.
    pub operators: Operators,
    /// How letters go out; without it no address can be confirmed.
    pub mail: Option<Mail>,
    /// Whether `/metrics` answers programs of this machine on the address that people use.
    pub metrics_at_home: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            https: false,
            password_workers: 2,
            request_timeout: Duration::from_secs(30),
            ledger_dir: None,
            scale: TimeScale::Posix,
            operators: Operators::default(),
            mail: None,
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
    ledger_key: Arc<LedgerKey>,
    receipts: SigningKey,
    requests: Requests,
    mappings: AtomicU64,
    wrong_numbers: Mutex<WrongNumbers>,
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
        let ledger_key = Arc::new(LedgerKey::derive(keys.lookup()));
        let receipts = SigningKey::derive(&keys, RECEIPT_PURPOSE);
        Ok(Self(Arc::new(Parts {
            store,
            clock,
            keys,
            random,
            settings,
            passwords,
            ledger_key,
            receipts,
            requests: Requests::default(),
            mappings: AtomicU64::new(0),
            wrong_numbers: Mutex::default(),
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

    /// What signs for the ledger.
    pub fn ledger_key(&self) -> &Arc<LedgerKey> {
        &self.0.ledger_key
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

    /// Counts and logs that a mapping from a user to their agent was opened. Whose it was is not
    /// said: a list of that would itself join the two.
    pub(crate) fn note_mapping(&self) {
        self.0.mappings.fetch_add(1, Ordering::Relaxed);
        tracing::debug!("a mapping from a user to their agent was opened");
    }

    /// How many mappings were opened since the start.
    pub(crate) fn mappings(&self) -> u64 {
        self.0.mappings.load(Ordering::Relaxed)
    }

    /// Wrong member numbers that were tried this hour.
    pub(crate) fn wrong_numbers(&self) -> MutexGuard<'_, WrongNumbers> {
        let counted = self.0.wrong_numbers.lock();
        counted.unwrap_or_else(PoisonError::into_inner)
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
