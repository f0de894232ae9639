//! The journal's bodies: what each stream takes, field by field. What is not listed is refused.

use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use spots_booking::{BookingId, EventId, FieldProblem, Stream};
use spots_clock::TimestampId;
use spots_clock::offline::Correction;
use spots_clock::sync::{Interval, Rates};
use spots_host::extract::Word;
use spots_host::wire::{EventTypeWord, Instant};
use spots_store::journal::{Appended, Entry, JOURNAL_BATCH_MAX, Outcome};
use utoipa::ToSchema;

use crate::service::{Claim, NewJournalEntry, moment};

/// Names of fields that are never taken, whatever the stream; told apart from mere typing errors.
const PERSONAL: [&str; 22] = [
    "name",
    "firstname",
    "lastname",
    "fullname",
    "username",
    "phone",
    "phonenumber",
    "mobile",
    "email",
    "mail",
    "birthday",
    "birthdate",
    "dateofbirth",
    "address",
    "street",
    "company",
    "companyaffiliation",
    "additionaldata",
    "userid",
    "agentid",
    "latitude",
    "longitude",
];

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

/// A word: lower-case letters, digits and hyphens, at most 40.
struct Name;

impl FromStr for Name {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let first = text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase());
        let fits = text.len() <= 40 && first && text.bytes().all(allowed);
        if fits {
            Ok(Self)
        } else {
            Err(Malformed(
                "a word of lower-case letters, digits and hyphens",
            ))
        }
    }
}

/// An id of the app's own: 16 to 64 random letters, digits, `_` and `-`.
struct Token(String);

impl FromStr for Token {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        // A number alone could be somebody's telephone; an id of a person is personal.
        let fits = (16..=64).contains(&text.len())
            && text.bytes().all(allowed)
            && text.bytes().any(|byte| byte.is_ascii_alphabetic())
            && !text.starts_with("agent_")
            && !text.starts_with("user_");
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed(
                "a random id of 16 to 64 letters, digits, _ and -",
            ))
        }
    }
}

/// A geohash of at most 7 characters: some 150 metres, not a door.
struct Cell;

impl FromStr for Cell {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let allowed = |byte: u8| b"0123456789bcdefghjkmnpqrstuvwxyz".contains(&byte);
        let fits = (1..=7).contains(&text.len()) && text.bytes().all(allowed);
        if fits {
            Ok(Self)
        } else {
            Err(Malformed("a geohash of 1 to 7 characters"))
        }
    }
}

/// A currency: three capital letters (ISO 4217).
struct Currency;

impl FromStr for Currency {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let fits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if fits {
            Ok(Self)
        } else {
            Err(Malformed("three capital letters of a currency"))
        }
    }
}

struct Malformed(&'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.0)
    }
}

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        #[expect(dead_code, reason = "only the form matters; the body is stored as it came")]
        struct $name { $($field: $type,)* }
    )*};
}

bodies! {
    /// Somebody wants places, or no longer does; what they hold is the server's to enter.
    Wanted { event_id: Word<EventId>, starts_at: Instant, party_size: Option<u32>, }
    Payment {
        payment_id: Word<Token>, booking_id: Option<Word<BookingId>>, amount_minor: u64,
        currency: Word<Currency>,
    }
    Used { feature: Word<Name>, event_type: Option<EventTypeWord>, count: u32, }
    Performed { operation: Word<Name>, target: Option<Word<Token>>, entries: Option<u32>, }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "only the peer's stamp is used; the body is stored as it came"
)]
struct Connection {
    connection_id: Word<Token>,
    peer_stamp: Option<Word<TimestampId>>,
    item_count: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "only the track is used; the body is stored as it came"
)]
struct Position {
    track_id: Word<Token>,
    cell: Word<Cell>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Track {
    track_id: Word<Token>,
}

/// What a body says beyond its form.
#[derive(Default)]
struct Read {
    subject: Option<String>,
    peer: Option<TimestampId>,
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

/// Reads a body in the form that its stream and kind take.
fn read_body(stream: Stream, kind: &str, body: &Value, path: &str) -> Result<Read, FieldProblem> {
    let at = format!("{path}.body");
    let mut read = Read::default();
    match (stream, kind) {
        (Stream::Reservations, "requested" | "abandoned") => drop(typed::<Wanted>(body, &at)?),
        (Stream::Payments, "initiated" | "authorized" | "captured" | "refunded" | "failed") => {
            drop(typed::<Payment>(body, &at)?);
        }
        (Stream::Ai2ai, "connected" | "exchanged" | "disconnected") => {
            let connection: Connection = typed(body, &at)?;
            read.peer = connection.peer_stamp.map(|Word(stamp)| stamp);
        }
        (Stream::LiveTracker, "position") => {
            let position: Position = typed(body, &at)?;
            read.subject = Some(position.track_id.0.0);
        }
        (Stream::LiveTracker, "ended") => {
            let track: Track = typed(body, &at)?;
            read.subject = Some(track.track_id.0.0);
        }
        (Stream::Admin, "performed") => drop(typed::<Performed>(body, &at)?),
        (Stream::Analytics, "viewed" | "searched" | "used") => drop(typed::<Used>(body, &at)?),
        _ => {
            let message = format!("{stream} takes: {}.", kinds(stream));
            return Err(FieldProblem::new(
                format!("{path}.kind"),
                "invalid",
                message,
            ));
        }
    }
    Ok(read)
}

fn kinds(stream: Stream) -> &'static str {
    match stream {
        Stream::Reservations => "requested, abandoned",
        Stream::Payments => "initiated, authorized, captured, refunded, failed",
        Stream::Ai2ai => "connected, exchanged, disconnected",
        Stream::LiveTracker => "position, ended",
        Stream::Admin => "performed",
        Stream::Analytics => "viewed, searched, used",
    }
}

/// Reads a value strictly; a problem names the field inside it, never its value.
fn typed<T: DeserializeOwned>(value: &Value, path: &str) -> Result<T, FieldProblem> {
    T::deserialize(value).map_err(|error| {
        let text = error.to_string();
        let quoted = text.split('`').nth(1).unwrap_or_default();
        let inside = format!("{path}.{quoted}");
        if text.starts_with("unknown field") {
            let plain: String = quoted.chars().filter(char::is_ascii_alphanumeric).collect();
            if PERSONAL.contains(&plain.to_ascii_lowercase().as_str()) {
                let message = "The journal takes no personal data; leave this field out.";
                return FieldProblem::new(inside, "personal-field", message);
            }
            let listed = text.split_once(", ").map_or("", |(_, listed)| listed);
            let message = format!("This field is not taken here: {listed}.");
            return FieldProblem::new(inside, "unknown-field", message);
        }
        if text.starts_with("missing field") {
            return FieldProblem::new(inside, "required", "This field is needed.");
        }
        // Messages of forms say what is expected; those of types would repeat the value.
        let expected = text
            .split_once("expected ")
            .map_or("another form", |(_, tail)| tail);
        FieldProblem::new(
            path,
            "invalid",
            format!("A field has not the form of {expected}."),
        )
    })
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
    let at_ns: u64 = body.nanoseconds.parse().map_err(|_| invalid())?;
    let device_ns = u64::try_from(body.device_time.0.as_nanosecond()).map_err(|_| invalid())?;
    let bound = body.error_bound.map(|bound| bound.parse()).transpose();
    let bound_ns: Option<u64> = bound.map_err(|_: std::num::ParseIntError| invalid())?;
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
