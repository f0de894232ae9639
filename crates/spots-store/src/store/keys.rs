//! Wrapped keys as such: counting, wrapping again, retiring what wrapped them, purging.

use async_trait::async_trait;
use spots_privacy::consent::KeyOwner;
use spots_privacy::{WrappedKey, Wrapping};

use crate::error::StoreError;
use crate::model::Stamp;

/// Keys that one call lists or updates at most.
pub const KEYS_MAX: u32 = 1_000;

/// How many keys of a table are wrapped by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrappingCount {
    /// `user_keys` or `share_keys`.
    pub table: &'static str,
    /// By what.
    pub wrapping: Wrapping,
    /// How many.
    pub keys: u64,
}

/// A wrapped key with whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Whose.
    pub owner: KeyOwner,
    /// The key.
    pub key: WrappedKey,
}

/// A key that was wrapped again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrapped {
    /// As it was read.
    pub old: StoredKey,
    /// As it is to be stored.
    pub new: WrappedKey,
}

/// Below this nothing is wrapped, and nothing can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// What is not retired begins here.
    pub wrapping: Wrapping,
    /// Since when, in nanoseconds.
    pub proved_at_ns: i64,
}

/// Whether what is below a wrapping is retired now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// No key is wrapped below it any more, and none can be from now on.
    Proved(Floor),
    /// At least this many keys are.
    Left(u64),
}

/// What became unreadable with its last copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// What was wrapped by a version or an epoch before these; their keys are destroyed.
    Before(Wrapping),
    /// What the database file itself held, where no epoch wrapped it: the file and its log are
    /// overwritten first. Nothing where the database is not one file.
    Files,
}

/// The key of an account that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DestroyedKey {
    /// When its last copy became unreadable, in nanoseconds; `None` if one may still be read.
    pub purged_at_ns: Option<i64>,
}

/// What is done to wrapped keys without opening anything.
#[async_trait]
pub trait KeyStore {
    /// Counts keys by table and by what wraps them.
    async fn count_wrappings(&self) -> Result<Vec<WrappingCount>, StoreError>;

    /// Lists keys wrapped by an older version or an older epoch than these: first of users, then of
    /// shares, in order, after this one; at most `most`.
    async fn list_older_keys(
        &self,
        newest: Wrapping,
        after: Option<KeyOwner>,
        most: u32,
    ) -> Result<Vec<StoredKey>, StoreError>;

    /// Replaces keys that are still as they were read; one that is gone or changed stays so.
    /// Returns how many.
    async fn update_keys(&self, keys: Vec<Rewrapped>) -> Result<u64, StoreError>;

    /// Retires what is below a wrapping, if no key is wrapped by it: then none ever will be.
    async fn close_wrappings(&self, below: Wrapping, stamp: Stamp) -> Result<Closing, StoreError>;

    /// Looks up what is retired.
    async fn lookup_floor(&self) -> Result<Option<Floor>, StoreError>;

    /// Looks up the destroyed key of an account by the name that the ledger gives it
    /// ([`erased_name`](spots_privacy::ledger::entry::erased_name)).
    async fn lookup_destroyed(&self, erased: &str) -> Result<Option<DestroyedKey>, StoreError>;

    /// Marks destroyed keys of which no readable copy is left. Returns how many; 0 where a reader
    /// of the file is in the way, so that it is tried again.
    async fn purge(&self, what: Purge, stamp: Stamp) -> Result<u64, StoreError>;
}
