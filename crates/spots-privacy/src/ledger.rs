//! The consent ledger: an append-only Merkle tree of salted commitments.
//!
//! An [`Entry`] says that something happened to one field of one share, without saying what is in
//! it. Entries are hashed into a tree as in RFC 9162 ([`merkle`]); a [`Checkpoint`] is the tree's
//! size and root, signed as a note ([`note`]); a [`Receipt`] is what a person keeps, and
//! [`Audit`] compares what a database holds with what was signed. The formats are written down to
//! the byte in `docs/ledger.md`. Nothing here does I/O.

pub mod audit;
pub mod checkpoint;
pub mod entry;
pub mod merkle;
pub mod note;
pub mod receipt;

pub use audit::{Audit, Finding, Place};
pub use checkpoint::Checkpoint;
pub use entry::{Entry, Granted};
pub use merkle::{Hash, Node};
pub use note::{LedgerKey, NoteError, PublicKey};
pub use receipt::{Receipt, ReceiptError, Verdict};
