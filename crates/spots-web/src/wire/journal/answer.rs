//! What the journal answers.

use serde::Serialize;
use serde_json::Value;
use spots_clock::TimestampId;
use spots_host::wire::Instant;
use spots_store::journal::{Appended, Entry, Outcome};
use utoipa::ToSchema;

use crate::service::moment;

/// What became of a batch.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppendedBody {
    /// One outcome an entry, in their order.
    pub(crate) entries: Vec<AppendedEntryBody>,
}

/// What became of one entry.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppendedEntryBody {
    /// `added`; `repeated`: it was there already; `conflict`: another stands under its key.
    outcome: &'static str,
    /// The stamp of the entry that stands under its key: its place in the stream.
    timestamp_id: String,
    /// When that arrived.
    arrived_at: Instant,
    /// Whether it is the one that counts now, where the last writer does.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<bool>,
}

impl From<Appended> for AppendedEntryBody {
    fn from(appended: Appended) -> Self {
        Self {
            outcome: match appended.outcome {
                Outcome::Added => "added",
                Outcome::Repeated => "repeated",
                Outcome::Conflict => "conflict",
            },
            timestamp_id: id(appended.stamp.id),
            arrived_at: Instant(appended.stamp.timestamp()),
            current: appended.current,
        }
    }
}

/// Part of a stream, in atomic order.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JournalBody {
    /// Final entries: none will ever come to stand between or before them.
    pub(crate) entries: Vec<EntryBody>,
    /// Ask on with `after` this.
    #[schema(required)]
    pub(crate) next: Option<String>,
    /// Whether more are final already.
    pub(crate) more: bool,
    /// Everything up to this moment is final.
    pub(crate) final_through: Instant,
}

/// An entry as it stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntryBody {
    /// The server's stamp: its place in the order.
    pub(crate) timestamp_id: String,
    /// When it arrived.
    arrived_at: Instant,
    /// The server's error then, in nanoseconds as text; `null` is unknown.
    #[schema(required)]
    error_bound: Option<String>,
    /// Who acted: an agent id, `operator:` or `server:` and a name.
    actor: String,
    /// The actor's name for it.
    key: String,
    /// What happened.
    kind: String,
    /// Ids, words and numbers.
    #[schema(value_type = Object)]
    body: Value,
    /// Not before this, as far as anything is known.
    #[schema(required)]
    earliest: Option<Instant>,
    /// Not after this.
    latest: Instant,
    /// The stamp of the actor's own clock, as it came.
    #[schema(required, value_type = Option<Object>)]
    stamp: Option<Value>,
    /// What that clock learned about it afterwards.
    #[schema(required, value_type = Option<Object>)]
    correction: Option<Value>,
    /// The receipt's stamp: the actor acted after this.
    #[schema(required)]
    receipt: Option<String>,
}

impl From<Entry> for EntryBody {
    fn from(
        Entry {
            stamp,
            actor,
            entry,
        }: Entry,
    ) -> Self {
        let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        let evidence = entry.evidence;
        Self {
            timestamp_id: id(stamp.id),
            arrived_at: Instant(stamp.timestamp()),
            error_bound: stamp.bound_ns.map(|bound| bound.to_string()),
            actor,
            key: entry.key,
            kind: entry.kind,
            body: serde_json::from_str(&entry.body).unwrap_or_default(),
            earliest: evidence.earliest_ns.map(|at| Instant(moment(at))),
            latest: Instant(moment(evidence.latest_ns)),
            stamp: json(evidence.claimed),
            correction: json(evidence.correction),
            receipt: evidence.receipt.map(id),
        }
    }
}

fn id(bytes: [u8; 16]) -> String {
    TimestampId::from_bytes(bytes).map_or_else(|_| String::new(), |id| id.to_string())
}
