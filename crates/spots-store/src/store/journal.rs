//! The journal's operations and what goes in and out of them.

use async_trait::async_trait;
use spots_booking::Stream;

use crate::error::StoreError;
use crate::model::Stamp;

/// The most entries of one batch.
pub const JOURNAL_BATCH_MAX: usize = 100;
/// The most entries of one reading.
pub const JOURNAL_PAGE_MAX: u32 = 500;

/// Entries that one actor adds to one stream.
#[derive(Clone, Debug)]
pub struct Append {
    /// Where to.
    pub stream: Stream,
    /// Who acts: an agent id as text, or `operator:` and a name.
    pub actor: String,
    /// The entries, each with a key of its own; at most [`JOURNAL_BATCH_MAX`].
    pub entries: Vec<NewEntry>,
}

/// An entry as it is handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// The actor's name for it: the same key again is the same entry.
    pub key: String,
    /// SHA-256 of everything that the actor said.
    pub digest: [u8; 32],
    /// What happened.
    pub kind: String,
    /// What it happened to, where the last writer counts.
    pub subject: Option<String>,
    /// Ids, words and numbers as JSON.
    pub body: String,
    /// What is known of when it happened.
    pub evidence: Evidence,
}

/// What is known of when something happened. Times are nanoseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The client's stamp as it came, as JSON.
    pub claimed: Option<String>,
    /// The client's record of what it learned about that stamp afterwards, as JSON.
    pub correction: Option<String>,
    /// The stamp of the receipt that the client held: it acted after this.
    pub receipt: Option<[u8; 16]>,
    /// Not before this, as far as anything is known.
    pub earliest_ns: Option<i64>,
    /// Not after this: at the latest when it arrived.
    pub latest_ns: i64,
}

/// What became of one entry of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The stamp of the entry that stands under its key.
    pub stamp: Stamp,
    /// How it came to stand there.
    pub outcome: Outcome,
    /// Where the last writer counts: whether it is the one that counts now.
    pub current: Option<bool>,
}

/// How an entry met those that were there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Added,
    /// It was there already, the same.
    Repeated,
    /// Another stands under its key, and stays; this one was not stored.
    Conflict,
}

/// Which entries to list, in the order of their stamps.
#[derive(Clone, Debug)]
pub struct JournalFilter {
    /// Of this stream.
    pub stream: Stream,
    /// After this stamp.
    pub after: Option<[u8; 16]>,
    /// Stamped at or after this moment, in nanoseconds since the Unix epoch.
    pub from_ns: Option<i64>,
    /// Stamped before this moment.
    pub until_ns: Option<i64>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Only those that count now, where the last writer does.
    pub current: bool,
    /// At most so many, and [`JOURNAL_PAGE_MAX`].
    pub limit: u32,
}

impl JournalFilter {
    /// The beginning of a stream.
    pub fn of(stream: Stream) -> Self {
        Self {
            stream,
            after: None,
            from_ns: None,
            until_ns: None,
            kind: None,
            current: false,
            limit: JOURNAL_PAGE_MAX,
        }
    }
}

/// An entry as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When the server took it, and its place in the order.
    pub stamp: Stamp,
    /// Who acted.
    pub actor: String,
    /// The entry.
    pub entry: NewEntry,
}

/// Not above any id of this moment's millisecond, and above all earlier ones: ids begin with it.
pub(crate) fn first_id(at_ns: i64) -> [u8; 16] {
    let milliseconds = at_ns.max(0).unsigned_abs() / 1_000_000;
    (u128::from(milliseconds) << 80).to_be_bytes()
}

/// Part of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalPart {
    /// Final entries, in order: no other will ever come to stand between or before them.
    pub entries: Vec<Entry>,
    /// Whether more final ones follow.
    pub more: bool,
    /// Everything at or below this is final, in nanoseconds since the Unix epoch.
    pub final_ns: i64,
}

/// The journal.
#[async_trait]
pub trait JournalStore: Send + Sync {
    /// Adds entries, all in one transaction, each with a stamp of its own that is issued there.
    /// Answers one outcome an entry, in their order.
    async fn append_journal(&self, append: Append) -> Result<Vec<Appended>, StoreError>;

    /// Removes the oldest entries of a stream that were stamped before the millisecond of this moment,
    /// at most `most`; returns how many.
    async fn retire_journal(
        &self,
        stream: Stream,
        before_ns: i64,
        most: u32,
    ) -> Result<u64, StoreError>;

    /// Lists final entries of a stream in atomic order.
    async fn list_journal(&self, filter: JournalFilter) -> Result<JournalPart, StoreError>;
}
