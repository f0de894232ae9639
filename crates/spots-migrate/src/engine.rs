//! What both databases' runners share: their words, and what may run next.

mod backfills;
#[expect(
    clippy::future_not_send,
    reason = "whether a future is Send is the target's to say"
)]
mod beside;
mod error;
#[expect(
    clippy::future_not_send,
    reason = "whether a future is Send is the target's to say: PostgreSQL's are, SQLite's need not be"
)]
pub(crate) mod frame;
#[expect(
    clippy::future_not_send,
    reason = "whether a future is Send is the target's to say"
)]
pub(crate) mod gate;
mod pending;
pub(crate) mod target;
#[expect(
    clippy::future_not_send,
    reason = "whether a future is Send is the target's to say"
)]
pub(crate) mod unlock;

use std::collections::BTreeSet;
use std::time::Duration;

pub use self::backfills::Backfills;
pub use self::error::{ApplyError, Failure, Refusal};
pub use self::gate::{Certificate, Environment, Standing, TESTING_MAX, Testing};
pub(crate) use self::pending::{losses, pending, way_back};

/// The format of the record; a database written with a newer one is refused.
pub(crate) const RECORD_FORMAT: i64 = 2;

/// How a run is done; built with [`Run::by`].
pub struct Run<'a> {
    pub(crate) owner: String,
    pub(crate) progress: &'a mut (dyn Progress + Send),
    pub(crate) wait_max: Duration,
    pub(crate) lock_timeout: Duration,
    pub(crate) lock_tries: u32,
    pub(crate) stale_after: Duration,
    pub(crate) batch_rows: u32,
    pub(crate) to: Option<String>,
    pub(crate) accepted_loss: BTreeSet<String>,
    pub(crate) certificate: Option<Certificate>,
}

/// What one run hands on to those that work for it.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    owner: String,
    lock_timeout: Duration,
    lock_tries: u32,
    batch_rows: u32,
}

impl<'a> Run<'a> {
    /// A run in the name of `owner` (for example `spots serve on db1`), with its progress.
    pub fn by(owner: impl Into<String>, progress: &'a mut (dyn Progress + Send)) -> Self {
        Self {
            owner: owner.into(),
            progress,
            wait_max: Duration::from_hours(1),
            lock_timeout: Duration::from_secs(2),
            lock_tries: 30,
            stale_after: Duration::from_secs(30),
            batch_rows: 1_000,
            to: None,
            accepted_loss: BTreeSet::new(),
            certificate: None,
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            owner: self.owner.clone(),
            lock_timeout: self.lock_timeout,
            lock_tries: self.lock_tries,
            batch_rows: self.batch_rows,
        }
    }

    pub(crate) fn within(limits: &Limits, progress: &'a mut (dyn Progress + Send)) -> Self {
        Self::by(limits.owner.clone(), progress)
            .lock_timeout(limits.lock_timeout, limits.lock_tries)
            .batch_rows(limits.batch_rows)
    }

    /// Brings the proof of a rehearsal that was made elsewhere, on a restored backup for example.
    #[must_use]
    pub fn rehearsed(mut self, certificate: Certificate) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// Waits at most this long for another runner; one hour unless told.
    #[must_use]
    pub fn wait_at_most(mut self, wait: Duration) -> Self {
        self.wait_max = wait;
        self
    }

    /// Waits at most this long for a lock on a table before letting others through, and tries so
    /// often; 2 s and 30 times unless told.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration, tries: u32) -> Self {
        self.lock_timeout = timeout;
        self.lock_tries = tries.max(1);
        self
    }

    /// Takes an SQLite lock over when its owner on another machine gave no sign for this long.
    #[must_use]
    pub fn stale_after(mut self, stale: Duration) -> Self {
        self.stale_after = stale;
        self
    }

    /// How many rows a batch of a backfill has; 1,000 unless told.
    #[must_use]
    pub fn batch_rows(mut self, rows: u32) -> Self {
        self.batch_rows = rows.max(1);
        self
    }

    /// Stops after the migration with this id.
    #[must_use]
    pub fn to(mut self, id: impl Into<String>) -> Self {
        self.to = Some(id.into());
        self
    }

    /// Consents to the declared loss of data when these migrations are rolled back.
    #[must_use]
    pub fn accept_data_loss(mut self, ids: impl IntoIterator<Item = String>) -> Self {
        self.accepted_loss.extend(ids);
        self
    }
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

/// What is happening, told while it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Another runner holds the lock; told at every try.
    Waiting {
        /// Who holds it and what it does, for people.
        holder: String,
        /// How long this runner has waited, by its own count.
        waited: Duration,
    },
    /// The lock of a runner that is dead was taken over.
    TookOver {
        /// Who held it.
        holder: String,
    },
    /// A migration begins.
    Started {
        /// Its id.
        id: String,
        /// Its place in this run, from 1.
        number: usize,
        /// How many this run has.
        total: usize,
    },
    /// A lock on a table was not had in time; others go first, then it is tried again.
    Retrying {
        /// The migration.
        id: String,
        /// Which try failed, from 1.
        attempt: u32,
    },
    /// A journalled step is done, or was found done after a crash.
    Step {
        /// The migration.
        id: String,
        /// Its place in the script, from 1.
        number: usize,
        /// How many the script has.
        total: usize,
    },
    /// A batch of a backfill is committed.
    Batch {
        /// The migration.
        id: String,
        /// Rows done so far.
        done: u64,
        /// Rows in all, as counted at the start.
        total: u64,
    },
    /// A migration is done and recorded.
    Finished {
        /// Its id.
        id: String,
    },
}

/// Is told what happens.
pub trait Progress {
    /// Takes one event; must return soon.
    fn tell(&mut self, event: Event);
}

impl<F: FnMut(Event)> Progress for F {
    fn tell(&mut self, event: Event) {
        self(event);
    }
}

/// Progress that nobody hears.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn tell(&mut self, _event: Event) {}
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Ids applied or rolled back by this run, in order.
    pub ids: Vec<String>,
}

/// What to roll back; whatever depends on it goes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RollBack {
    /// One migration.
    Id(String),
    /// Every migration of a phase.
    Phase(String),
    /// Everything applied after this one.
    To(String),
    /// Everything.
    All,
}

/// Where a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Some of its journalled steps are done.
    Running,
    /// Done.
    Applied,
    /// A statement failed; nothing further runs until it is mended.
    Failed,
    /// Taken back; it may be tried again.
    RolledBack,
}

impl State {
    /// The word in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Running, Self::Applied, Self::Failed, Self::RolledBack]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// What the database remembers of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The migration.
    pub id: String,
    /// The order in which it was applied.
    pub position: i64,
    /// [`crate::Migration::checksum`] when it was applied.
    pub checksum: String,
    /// Where it stands.
    pub state: State,
    /// When it came to that state, by the database's clock: RFC 3339, UTC.
    pub changed_at: String,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// What one batch of a backfill did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Rows done by this batch.
    pub rows: u64,
    /// Where the next batch goes on; `None` when nothing is left.
    pub next: Option<String>,
}
