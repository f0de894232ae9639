//! The form of each stream's bodies, and of the values in them.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use spots_booking::{BookingId, EventId, FieldProblem, Stream};
use spots_clock::TimestampId;
use spots_host::extract::Word;
use spots_host::wire::{EventTypeWord, Instant};

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
    Step {
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
struct Contact {
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
pub(super) struct Read {
    pub(super) subject: Option<String>,
    pub(super) peer: Option<TimestampId>,
}

/// Reads a body in the form that its stream and kind take.
pub(super) fn read_body(
    stream: Stream,
    kind: &str,
    body: &Value,
    path: &str,
) -> Result<Read, FieldProblem> {
    let at = format!("{path}.body");
    let mut read = Read::default();
    match (stream, kind) {
        (Stream::Reservations, "requested" | "abandoned") => form::<Wanted>(body, &at)?,
        (Stream::Payments, "initiated" | "authorized" | "captured" | "refunded" | "failed") => {
            form::<Step>(body, &at)?;
        }
        (Stream::Ai2ai, "connected" | "exchanged" | "disconnected") => {
            let contact: Contact = typed(body, &at)?;
            read.peer = contact.peer_stamp.map(|Word(stamp)| stamp);
        }
        (Stream::LiveTracker, "position") => {
            let position: Position = typed(body, &at)?;
            read.subject = Some(position.track_id.0.0);
        }
        (Stream::LiveTracker, "ended") => {
            let track: Track = typed(body, &at)?;
            read.subject = Some(track.track_id.0.0);
        }
        (Stream::Admin, "performed") => form::<Performed>(body, &at)?,
        (Stream::Analytics, "viewed" | "searched" | "used") => form::<Used>(body, &at)?,
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

/// Only the form matters; the body is stored as it came.
fn form<T: DeserializeOwned>(body: &Value, path: &str) -> Result<(), FieldProblem> {
    typed::<T>(body, path).map(|_read| ())
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
pub(super) fn typed<T: DeserializeOwned>(value: &Value, path: &str) -> Result<T, FieldProblem> {
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
