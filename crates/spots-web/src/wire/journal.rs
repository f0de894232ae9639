//! The journal's bodies: what each stream takes, field by field. What is not listed is refused.

mod answer;
mod forms;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use spots_booking::{FieldProblem, Stream};
use spots_clock::TimestampId;
use spots_clock::offline::Correction;
use spots_clock::sync::{Interval, Rates};
use spots_host::extract::Word;
use spots_host::wire::Instant;
use spots_store::journal::JOURNAL_BATCH_MAX;
use utoipa::ToSchema;

pub(crate) use self::answer::{AppendedBody, EntryBody, JournalBody};
use self::forms::{read_body, typed};
use crate::service::{Claim, NewJournalEntry};

/// Entries for one stream.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AppendBody {
    /// The entries, at most 100; all are taken or none.
    #[schema(max_items = 100, min_items = 1)]
    entries: Vec<NewEntryBody>,
}

/// One entry.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewEntryBody {
    /// Your name for it: 8 to 64 letters, digits, `.`, `_` or `-`. The same key again is the same
    /// entry.
    key: String,
    /// What happened: a word of the stream.
    kind: String,
    /// What the stream takes for this kind: ids, words and numbers, never text of a person's.
    #[schema(value_type = Object)]
    body: Map<String, Value>,
    /// The atomic timestamp that your clock gave it, as `GET /time` writes one.
    #[schema(value_type = Option<Object>)]
    stamp: Option<Value>,
    /// What your clock learned about that stamp afterwards.
    correction: Option<CorrectionBody>,
    /// The last sync receipt that you held when it happened.
    receipt: Option<String>,
}

/// The two synchronisations around a stamp. The stamp itself is not rewritten.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CorrectionBody {
    /// The last before it in this run of the clock, if there was one.
    before: Option<OffsetBody>,
    /// The first after it.
    after: OffsetBody,
}

/// What a synchronisation proved. Nanoseconds, as text.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OffsetBody {
    /// Device time.
    at: String,
    /// The offset's lower end.
    low: String,
    /// The offset's upper end.
    high: String,
}

impl OffsetBody {
    fn read(&self) -> Option<(u64, Interval)> {
        let interval = Interval::new(self.low.parse().ok()?, self.high.parse().ok()?)?;
        Some((self.at.parse().ok()?, interval))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "the form of all fields is checked, four are used")]
struct StampBody {
    timestamp_id: Word<TimestampId>,
    server_time: Option<Instant>,
    device_time: Instant,
    offset: Option<String>,
    nanoseconds: String,
    milliseconds: Option<i64>,
    precision: Option<String>,
    is_synchronized: Option<bool>,
    error_bound: Option<String>,
}

impl AppendBody {
    /// Understands every entry, or says what is wrong with each.
    pub(crate) fn read(self, stream: Stream) -> Result<Vec<NewJournalEntry>, Vec<FieldProblem>> {
        let count = self.entries.len();
        if count == 0 || count > JOURNAL_BATCH_MAX {
            let message = format!("Send 1 to {JOURNAL_BATCH_MAX} entries at once.");
            return Err(vec![FieldProblem::new("entries", "limit-reached", message)]);
        }
        let mut entries: Vec<NewJournalEntry> = Vec::with_capacity(count);
        let mut problems = Vec::new();
        for (index, entry) in self.entries.into_iter().enumerate() {
            let path = format!("entries[{index}]");
            match entry.read(stream, &path) {
                Ok(entry) if entries.iter().any(|other| other.key == entry.key) => {
                    let message = "Another entry of this batch has the same key.";
                    problems.push(FieldProblem::new(
                        format!("{path}.key"),
                        "repeated",
                        message,
                    ));
                }
                Ok(entry) => entries.push(entry),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(entries)
        } else {
            Err(problems)
        }
    }
}

impl NewEntryBody {
    fn read(self, stream: Stream, path: &str) -> Result<NewJournalEntry, FieldProblem> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !(8..=64).contains(&self.key.len()) || !self.key.bytes().all(allowed) {
            let message = "A key has 8 to 64 letters, digits, `.`, `_` or `-`.";
            return Err(FieldProblem::new(format!("{path}.key"), "invalid", message));
        }
        let body = Value::Object(self.body);
        let read = read_body(stream, &self.kind, &body, path)?;
        let claim = match &self.stamp {
            Some(stamp) => Some(read_claim(stamp, self.correction.as_ref(), path)?),
            None if self.correction.is_some() => {
                let message = "A correction is about a stamp; send that, too.";
                return Err(FieldProblem::new(
                    format!("{path}.stamp"),
                    "required",
                    message,
                ));
            }
            None => None,
        };
        Ok(NewJournalEntry {
            key: self.key,
            kind: self.kind,
            subject: read.subject,
            body: body.to_string(),
            peer: read.peer,
            claim,
            receipt: self.receipt,
        })
    }
}

fn read_claim(
    stamp: &Value,
    correction: Option<&CorrectionBody>,
    path: &str,
) -> Result<Claim, FieldProblem> {
    let at = format!("{path}.stamp");
    let body: StampBody = typed(stamp, &at)?;
    let invalid = || {
        let message = "This is no atomic timestamp: its parts contradict each other.";
        FieldProblem::new(&at, "invalid", message)
    };
    let Word(id) = body.timestamp_id;
    let at_ns: u64 = body.nanoseconds.parse().ok().ok_or_else(invalid)?;
    let device_ns = u64::try_from(body.device_time.0.as_nanosecond())
        .ok()
        .ok_or_else(invalid)?;
    let bound_ns: Option<u64> = match body.error_bound {
        None => None,
        Some(bound) => Some(bound.parse().ok().ok_or_else(invalid)?),
    };
    if id.nanoseconds() != at_ns {
        return Err(invalid());
    }
    let correction = match correction {
        None => None,
        Some(body) => Some(read_correction(body).ok_or_else(|| {
            let message = "Offsets are whole nanoseconds as text, `low` not above `high`.";
            FieldProblem::new(format!("{path}.correction"), "invalid", message)
        })?),
    };
    Ok(Claim {
        text: stamp.to_string(),
        at_ns,
        device_ns,
        bound_ns,
        correction,
    })
}

/// The drift between is not the client's to say: it is that of any device.
fn read_correction(body: &CorrectionBody) -> Option<(Correction, String)> {
    let before = match &body.before {
        None => None,
        Some(before) => Some(before.read()?),
    };
    let correction = Correction {
        before,
        after: body.after.read()?,
        drift_ppb: Rates::DEVICE.drift_ppb,
    };
    let text = serde_json::to_string(body).ok()?;
    Some((correction, text))
}
