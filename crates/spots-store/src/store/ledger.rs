//! The consent ledger: giving entries their place, and reading them back.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use spots_booking::{EventType, ShareId};
use spots_privacy::AgentId;
use spots_privacy::ledger::{Entry, Hash, LedgerKey, Node};

use crate::error::StoreError;
use crate::model::{Host, Stamp};

/// Rows that one call reads or sequences at most.
pub const LEDGER_ROWS_MAX: u32 = 1_000;

/// A signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// How many entries it covers.
    pub size: u64,
    /// The signed note.
    pub note: String,
}

/// An entry with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// Its position; `None` while it waits for the sequencer.
    pub position: Option<u64>,
    /// The entry.
    pub entry: Entry,
}

/// What a receipt of a share is made of.
#[derive(Clone, Debug)]
pub struct ShareRecord {
    /// The host.
    pub host: Host,
    /// How the host reads the person aloud.
    pub code: String,
    /// What was booked.
    pub title: String,
    /// Of what type.
    pub event_type: EventType,
    /// The version of the requirements that the person saw.
    pub requirements_version: u32,
    /// Each field with the moment at which it ends, in nanoseconds, and the salt, if it has not.
    pub fields: Vec<(String, i64, Option<[u8; 32]>)>,
    /// All that was entered about it, in the order of the moments.
    pub rows: Vec<LedgerRow>,
}

/// Something in the data that the ledger does not know, or the other way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Which field of which share at which host.
    pub field: String,
    /// What is missing.
    pub what: String,
}

/// What the platform does with its ledger.
#[async_trait]
pub trait LedgerStore: Send + Sync {
    /// Gives waiting entries their positions, at most `most`, stores what they complete of the tree
    /// and signs a checkpoint, all in one transaction. Returns how many; 0 also where another
    /// server is at it.
    async fn sequence_ledger(&self, key: Arc<LedgerKey>, most: u32) -> Result<u64, StoreError>;

    /// Looks up the last signed checkpoint.
    async fn last_checkpoint(&self) -> Result<Option<SignedCheckpoint>, StoreError>;

    /// Lists checkpoints of more than `after` entries, by size.
    async fn list_checkpoints(
        &self,
        after: u64,
        most: u32,
    ) -> Result<Vec<SignedCheckpoint>, StoreError>;

    /// Lists entries from a position on, by position.
    async fn list_ledger(&self, from: u64, most: u32) -> Result<Vec<LedgerRow>, StoreError>;

    /// How many entries wait for the sequencer.
    async fn count_ledger_waiting(&self) -> Result<u64, StoreError>;

    /// Looks up stored hashes; those that are not stored are left out.
    async fn list_ledger_nodes(&self, nodes: Vec<Node>)
    -> Result<BTreeMap<Node, Hash>, StoreError>;

    /// Finds the position of an entry by its leaf.
    async fn find_ledger_leaf(&self, leaf: Hash) -> Result<Option<u64>, StoreError>;

    /// Compares the ledger with the data: fields without their entries, entries without their
    /// fields, commitments that are not to the facts. Lists at most `most` of each.
    async fn list_ledger_gaps(&self, most: u32) -> Result<Vec<Gap>, StoreError>;

    /// Looks up what a receipt of one of this person's shares is made of.
    async fn lookup_share(
        &self,
        agent: &AgentId,
        share: ShareId,
    ) -> Result<Option<ShareRecord>, StoreError>;

    /// Puts entries that this database lost back at their positions, which follow on the last one,
    /// and signs a checkpoint.
    async fn restore_ledger(
        &self,
        rows: Vec<(u64, Entry)>,
        key: Arc<LedgerKey>,
    ) -> Result<(), StoreError>;

    /// Ends again what was ended once and has its key in this database, entered as `replayed`.
    /// Returns how many fields ended.
    async fn replay_endings(&self, endings: Vec<Entry>, stamp: Stamp) -> Result<u64, StoreError>;
}
