//! The ledger, as anybody may read it.

use serde::Serialize;
use spots_host::wire::Instant;
use utoipa::ToSchema;

/// The last signed checkpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointBody {
    /// How many entries it covers.
    pub size: u64,
    /// The signed note (C2SP tlog-checkpoint).
    pub checkpoint: String,
    /// The verifier key of the note.
    pub key: String,
}

/// A proof that an entry is in the ledger (RFC 9162, section 2.1.3).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InclusionBody {
    /// The entry's position.
    pub leaf_index: u64,
    /// The hashes from the leaf to the root, in base64.
    pub hashes: Vec<String>,
    /// The signed checkpoint that they lead to.
    pub checkpoint: String,
}

/// A proof that a ledger only grew (RFC 9162, section 2.1.4).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsistencyBody {
    /// The size of the earlier ledger.
    pub from: u64,
    /// The size of the later one.
    pub to: u64,
    /// The hashes, in base64.
    pub hashes: Vec<String>,
}

/// What became of the key of an account that was deleted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErasedKeyBody {
    /// How the ledger names the account.
    pub erased: String,
    /// When its last copy, in logs and backups, became unreadable; `null` if one may still be read.
    #[schema(required)]
    pub purged_at: Option<Instant>,
}
