//! The receipt: what a person keeps of a consent, and how anybody checks it without asking us.
//!
//! The fields outside `ledger` are those of ISO/IEC TS 27560:2023 by its names. The whole is signed
//! when it is issued; with that, an entry that is not in the tree yet is promised to be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::checkpoint::Checkpoint;
use super::entry::{Entry, GRANTED, Granted};
use super::merkle::{Hash, PROOF_HASHES_MAX, includes};
use super::note::{LedgerKey, NoteError, PublicKey};
use crate::consent::{commitment, sha256};

/// The longest receipt, in bytes.
pub const RECEIPT_BYTES_MAX: usize = 512 * 1024;
/// The most entries of one receipt.
pub const RECEIPT_ENTRIES_MAX: usize = 500;
/// The document that the fields' names come from.
pub const SCHEMA: &str = "ISO/IEC TS 27560:2023";
/// What the signed text of a receipt starts with.
const LABEL: &str = "spots.receipt.1";

/// Why a receipt is not believed.
#[derive(Debug, Error)]
pub enum ReceiptError {
    /// Longer than [`RECEIPT_BYTES_MAX`], or with more entries than [`RECEIPT_ENTRIES_MAX`].
    #[error("the receipt is larger than any that SPOTS writes")]
    TooLong,
    /// Not the JSON of a receipt.
    #[error("not a receipt: {0}")]
    Form(#[from] serde_json::Error),
    /// A value that is not what its name says.
    #[error("not a receipt: {0} has no known form")]
    Value(&'static str),
    /// A signature in it does not hold.
    #[error("the {0} is {1}")]
    Note(&'static str, NoteError),
    /// The signature holds for another receipt.
    #[error("the signature is that of another receipt: this one was altered")]
    Altered,
    /// An entry names another share.
    #[error("entry {0} belongs to another share")]
    OtherShare(usize),
    /// Moment, end or requirements are not those that were entered.
    #[error("entry {0} was entered with other facts")]
    Facts(usize),
    /// The proof does not lead to the checkpoint.
    #[error("entry {0} is not in the ledger of the checkpoint")]
    NotIncluded(usize),
}

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// [`SCHEMA`].
    pub schema_version: String,
    /// Names this issue of the receipt.
    pub receipt_id: String,
    /// Names the record: the share.
    pub record_id: String,
    /// Who gave the consent, as the host knows them.
    pub pii_principal_id: String,
    /// What is done with the data.
    pub pii_processing: Vec<Processing>,
    /// Who takes part.
    pub party_identification: Vec<Party>,
    /// What happened to the consent, in order.
    pub events: Vec<Event>,
    /// What it rests on.
    pub ledger: Evidence,
    /// A note over the SHA-256 of this document with an empty signature.
    pub signature: String,
}

/// One field that is shared, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Processing {
    /// Where the words stand that the person was shown.
    pub privacy_notice: String,
    /// The language of the notice.
    pub language: String,
    /// Why the host asks.
    pub purpose: String,
    /// Always `consent`.
    pub lawful_basis: String,
    /// Which data.
    pub pii_information: Vec<Information>,
    /// Who decides what is done with it: the host.
    pub pii_controllers: Vec<String>,
    /// How it was collected.
    pub collection_method: String,
    /// How it is kept.
    pub storage_conditions: String,
    /// For how long after the event, as an ISO 8601 duration.
    pub retention_period: String,
    /// For what it is used.
    pub service: String,
    /// To whom else it goes: nobody.
    pub recipient_third_parties: Vec<String>,
    /// Where it is taken back.
    pub withdrawal_method: String,
    /// Where the person's other rights are.
    pub privacy_rights: Vec<String>,
}

/// One kind of data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Information {
    /// Its name.
    pub pii_type: String,
    /// Whether the person could leave it out.
    pub pii_optional: bool,
}

/// One who takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its id.
    pub party_id: String,
    /// What it is called.
    pub party_name: String,
    /// What it does.
    pub party_role: String,
    /// What it is.
    pub party_type: String,
}

/// One thing that happened to the consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When, RFC 3339.
    pub event_time: String,
    /// Until when it holds at most, RFC 3339; for a consent that was given.
    pub valid_until: Option<String>,
    /// Who did it.
    pub entity_id: String,
    /// What.
    pub event_type: String,
    /// How the consent stands since.
    pub event_state: String,
}

/// What a receipt rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The ledger's public key. Compare it with what is published; a receipt proves nothing under
    /// a key that it brings along itself.
    pub key: String,
    /// When the receipt was issued, RFC 3339.
    pub issued_at: String,
    /// Until when every entry without a proof will be in the ledger, RFC 3339.
    pub included_by: String,
    /// The requirements that the person saw, as their hash covers them.
    pub requirements: String,
    /// The signed checkpoint that the proofs lead to.
    pub checkpoint: Option<String>,
    /// The entries, in the order of `events`.
    pub entries: Vec<Proof>,
}

/// One entry with what it takes to check it. Bytes are base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The host.
    pub host: String,
    /// The share.
    pub share: String,
    /// The field.
    pub field: String,
    /// What happened.
    pub kind: String,
    /// The moment's timestamp id.
    pub stamp: String,
    /// The commitment.
    pub commitment: String,
    /// The moment in nanoseconds since the Unix epoch.
    pub moment: String,
    /// When the consent ends by itself, likewise; for `granted`.
    pub expires_at: Option<String>,
    /// What the commitment was salted with; `null` once it is destroyed with the key.
    pub salt: Option<String>,
    /// The proof; `null` while it is only promised.
    pub inclusion: Option<Inclusion>,
}

/// That an entry is in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inclusion {
    /// Its position.
    pub leaf_index: u64,
    /// The hashes from the leaf to the root.
    pub hashes: Vec<String>,
}

/// What a receipt proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The ledger that the proofs lead to.
    pub checkpoint: Option<Checkpoint>,
    /// The entries.
    pub entries: Vec<Proved>,
}

/// What a receipt proves of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// The entry.
    pub entry: Entry,
    /// Its position; `None` where it is only promised.
    pub position: Option<u64>,
    /// Whether moment, end and requirements are bound by it. Without the salt only the entry is.
    pub facts: bool,
}

impl Receipt {
    /// Signs it.
    #[must_use]
    pub fn sign(mut self, key: &LedgerKey) -> Self {
        self.signature = key.sign(&self.signed_text(key.public()));
        self
    }

    /// The text under the signature: label, origin, SHA-256 of the compact JSON with an empty
    /// signature.
    fn signed_text(&self, key: &PublicKey) -> String {
        let unsigned = Self {
            signature: String::new(),
            ..self.clone()
        };
        let json = serde_json::to_string(&unsigned).expect("a receipt has a JSON form");
        let hash = STANDARD.encode(sha256(json.as_bytes()));
        format!("{LABEL}\n{}\n{hash}\n", key.name())
    }

    /// Reads a receipt; nothing in it is believed yet.
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        if text.len() > RECEIPT_BYTES_MAX {
            return Err(ReceiptError::TooLong);
        }
        let receipt: Self = serde_json::from_str(text)?;
        if receipt.ledger.entries.len() > RECEIPT_ENTRIES_MAX {
            return Err(ReceiptError::TooLong);
        }
        Ok(receipt)
    }

    /// Checks everything in it against the ledger's key.
    pub fn verify(&self, key: &PublicKey) -> Result<Verdict, ReceiptError> {
        let signed = key
            .open(&self.signature)
            .map_err(|error| ReceiptError::Note("receipt", error))?;
        if signed != self.signed_text(key) {
            return Err(ReceiptError::Altered);
        }
        let note = self.ledger.checkpoint.as_deref();
        let checkpoint = note
            .map(|note| Checkpoint::open(note, key))
            .transpose()
            .map_err(|error| ReceiptError::Note("checkpoint", error))?;
        let requirements = sha256(self.ledger.requirements.as_bytes());
        let mut entries = Vec::new();
        for (number, proof) in self.ledger.entries.iter().enumerate() {
            if proof.share != self.record_id {
                return Err(ReceiptError::OtherShare(number));
            }
            let entry = proof.entry()?;
            let facts = proof.facts(&requirements, number)?;
            let position = proof.position(&entry, checkpoint.as_ref(), number)?;
            entries.push(Proved {
                entry,
                position,
                facts,
            });
        }
        Ok(Verdict {
            checkpoint,
            entries,
        })
    }
}

impl Proof {
    fn entry(&self) -> Result<Entry, ReceiptError> {
        Ok(Entry {
            host: self.host.clone(),
            share: self.share.clone(),
            field: self.field.clone(),
            kind: self.kind.clone(),
            stamp: bytes(&self.stamp, "stamp")?,
            commitment: bytes(&self.commitment, "commitment")?,
        })
    }

    /// Whether the facts are bound, which takes the salt.
    fn facts(&self, requirements: &Hash, number: usize) -> Result<bool, ReceiptError> {
        let Some(salt) = &self.salt else {
            return Ok(false);
        };
        let salt = bytes(salt, "salt")?;
        let (host, share, field) = (&self.host, &self.share, &self.field);
        let committed = if self.kind == GRANTED {
            let expires = self.expires_at.as_deref();
            Granted {
                host,
                share,
                field,
                at_ns: number_of(&self.moment, "moment")?,
                requirements_hash: requirements,
                expires_at_ns: number_of(expires.unwrap_or_default(), "expires_at")?,
            }
            .commitment(&salt)
        } else {
            commitment(&salt, &[&self.kind, host, share, field, &self.moment])
        };
        if committed == bytes::<32>(&self.commitment, "commitment")? {
            Ok(true)
        } else {
            Err(ReceiptError::Facts(number))
        }
    }

    fn position(
        &self,
        entry: &Entry,
        checkpoint: Option<&Checkpoint>,
        number: usize,
    ) -> Result<Option<u64>, ReceiptError> {
        let Some(inclusion) = &self.inclusion else {
            return Ok(None);
        };
        let checkpoint = checkpoint.ok_or(ReceiptError::NotIncluded(number))?;
        if inclusion.hashes.len() > PROOF_HASHES_MAX {
            return Err(ReceiptError::TooLong);
        }
        let hashes = inclusion
            .hashes
            .iter()
            .map(|hash| bytes(hash, "hashes"))
            .collect::<Result<Vec<Hash>, _>>()?;
        let (index, to) = (inclusion.leaf_index, (&hashes[..], &checkpoint.root));
        if includes(&entry.leaf(), index, checkpoint.size, to) {
            Ok(Some(index))
        } else {
            Err(ReceiptError::NotIncluded(number))
        }
    }
}

fn bytes<const N: usize>(text: &str, what: &'static str) -> Result<[u8; N], ReceiptError> {
    let bytes = STANDARD.decode(text).or(Err(ReceiptError::Value(what)))?;
    bytes.try_into().or(Err(ReceiptError::Value(what)))
}

fn number_of(text: &str, what: &'static str) -> Result<i64, ReceiptError> {
    text.parse().or(Err(ReceiptError::Value(what)))
}
