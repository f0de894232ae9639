//! Twins of domain values as they stand in columns, shared by the backends.

use std::str::FromStr;

use jiff::civil::{Time, Weekday};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use spots_booking::requirement::{Ask, FieldRule, Requirements, ValueKind};
use spots_booking::{EventType, FieldName, Occurrence, Schedule, TableHours};

use spots_privacy::consent::sha256;
use spots_privacy::keys::PREFIX_BYTES;
use spots_privacy::{WrappedKey, Wrapping};

use crate::error::StoreError;
use crate::model::Stamp;

/// Why an address cannot be signed in with.
pub(crate) const ADDRESS_TAKEN: &str = "this e-mail address has an account; sign in instead";

/// What an account consists of besides its bookings and shares, with the column that names it. They
/// are deleted in this order.
pub(crate) const ROWS_OF_ACCOUNT: [(&str, &str); 15] = [
    ("sessions", "user_id"),
    ("sharing_defaults", "user_id"),
    ("user_profiles", "user_id"),
    ("user_credentials", "user_id"),
    ("email_confirmations", "user_id"),
    ("user_agent_mappings", "user_id"),
    ("user_keys", "user_id"),
    ("host_members", "user_id"),
    ("legacy_ids", "user_id"),
    ("users", "id"),
    ("idempotency_keys", "actor"),
    ("agent_profiles", "agent_id"),
    ("anonymous_users", "agent_id"),
    ("agent_features", "agent_id"),
    ("agents", "agent_id"),
];

/// A column holds what this program never writes there.
#[derive(Debug, thiserror::Error)]
#[error("column {0} holds a value of no known form")]
pub(crate) struct Inconsistent(pub(crate) &'static str);

impl From<Inconsistent> for StoreError {
    fn from(cause: Inconsistent) -> Self {
        Self::failed("read a row", cause)
    }
}

/// Reads a column that has a text form.
pub(crate) fn parse<T: FromStr>(text: &str, column: &'static str) -> Result<T, Inconsistent> {
    text.parse().or(Err(Inconsistent(column)))
}

/// Reads a column of fixed length.
pub(crate) fn array<const N: usize>(
    bytes: Vec<u8>,
    column: &'static str,
) -> Result<[u8; N], Inconsistent> {
    bytes.try_into().or(Err(Inconsistent(column)))
}

/// Reads a count, which is never negative.
pub(crate) fn count(number: i64, column: &'static str) -> Result<u32, Inconsistent> {
    u32::try_from(number).or(Err(Inconsistent(column)))
}

/// What wraps a key, from its version and the first bytes of the key.
pub(crate) fn wrapping_of(version: u32, prefix: [u8; PREFIX_BYTES]) -> Wrapping {
    let bytes = prefix.to_vec();
    WrappedKey { version, bytes }.wrapping()
}

/// Reads a time of a slot.
pub(crate) fn second(number: i64, column: &'static str) -> Result<Timestamp, Inconsistent> {
    Timestamp::from_second(number).or(Err(Inconsistent(column)))
}

#[derive(Serialize, Deserialize)]
struct TableHoursRow {
    weekdays: Vec<i8>,
    opens: String,
    closes: String,
    every_minutes: u16,
    stay_minutes: u16,
    days_ahead: u16,
}

/// The one pool of an event that has no seating chart.
pub(crate) const POOL: &str = "general";
/// What `events.schedule` holds where the times stand in `event_slots`.
pub(crate) const OCCURRENCES: &str = "\"occurrences\"";

/// The column `events.schedule`: table hours as JSON, or `occurrences` where the times stand in
/// `event_slots`.
pub(crate) fn schedule_to_column(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Occurrences(_) => OCCURRENCES.to_owned(),
        Schedule::Tables(hours) => {
            let row = TableHoursRow {
                weekdays: hours
                    .weekdays
                    .iter()
                    .map(|day| day.to_monday_one_offset())
                    .collect(),
                opens: hours.opens.to_string(),
                closes: hours.closes.to_string(),
                every_minutes: hours.every_minutes,
                stay_minutes: hours.stay_minutes,
                days_ahead: hours.days_ahead,
            };
            serde_json::to_string(&row).expect("plain numbers and texts have a JSON form")
        }
    }
}

/// Reads `events.schedule`; `slots` are the rows of `event_slots`.
pub(crate) fn schedule_from_column(
    column: &str,
    slots: Vec<Occurrence>,
) -> Result<Schedule, Inconsistent> {
    const COLUMN: &str = "events.schedule";
    if column == OCCURRENCES {
        return Ok(Schedule::Occurrences(slots));
    }
    let row: TableHoursRow = serde_json::from_str(column).or(Err(Inconsistent(COLUMN)))?;
    let weekdays = row
        .weekdays
        .into_iter()
        .map(|day| Weekday::from_monday_one_offset(day).or(Err(Inconsistent(COLUMN))))
        .collect::<Result<_, _>>()?;
    Ok(Schedule::Tables(TableHours {
        weekdays,
        opens: parse::<Time>(&row.opens, COLUMN)?,
        closes: parse::<Time>(&row.closes, COLUMN)?,
        every_minutes: row.every_minutes,
        stay_minutes: row.stay_minutes,
        days_ahead: row.days_ahead,
    }))
}

#[derive(Serialize, Deserialize)]
struct RuleRow {
    field: String,
    label: String,
    kind: String,
    choices: Vec<String>,
    required: bool,
    purpose: String,
    retention_days: u16,
}

/// The column `requirements.body`.
pub(crate) fn rules_to_column(requirements: &Requirements) -> String {
    let rows: Vec<_> = requirements
        .rules()
        .iter()
        .map(|rule| RuleRow {
            field: rule.field.to_string(),
            label: rule.label.clone(),
            kind: rule.kind.as_str().to_owned(),
            choices: rule.kind.choices(),
            required: rule.ask == Ask::Required,
            purpose: rule.purpose.clone(),
            retention_days: rule.retention_days,
        })
        .collect();
    serde_json::to_string(&rows).expect("plain numbers and texts have a JSON form")
}

/// Reads `requirements.body`.
pub(crate) fn rules_from_column(
    event_type: EventType,
    version: u32,
    column: &str,
) -> Result<Requirements, Inconsistent> {
    const COLUMN: &str = "requirements.body";
    let rows: Vec<RuleRow> = serde_json::from_str(column).or(Err(Inconsistent(COLUMN)))?;
    let rules = rows
        .into_iter()
        .map(|row| {
            Ok(FieldRule {
                field: parse(&row.field, COLUMN)?,
                label: row.label,
                kind: ValueKind::parse(&row.kind, row.choices).ok_or(Inconsistent(COLUMN))?,
                ask: if row.required {
                    Ask::Required
                } else {
                    Ask::Optional
                },
                purpose: row.purpose,
                retention_days: row.retention_days,
            })
        })
        .collect::<Result<_, Inconsistent>>()?;
    Requirements::declare(event_type, version, rules).or(Err(Inconsistent(COLUMN)))
}

/// A JSON list of field names.
pub(crate) fn fields_to_column(fields: &[FieldName]) -> String {
    names_to_column(&fields.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// Reads a JSON list of field names.
pub(crate) fn fields_from_column(
    column: &str,
    name: &'static str,
) -> Result<Vec<FieldName>, Inconsistent> {
    names_from_column(column, name)?
        .iter()
        .map(|field| parse(field, name))
        .collect()
}

/// A JSON list of words.
pub(crate) fn names_to_column(names: &[impl AsRef<str> + Serialize]) -> String {
    serde_json::to_string(names).expect("a list of texts has a JSON form")
}

/// Reads a JSON list of words.
pub(crate) fn names_from_column(
    column: &str,
    name: &'static str,
) -> Result<Vec<String>, Inconsistent> {
    serde_json::from_str(column).or(Err(Inconsistent(name)))
}

/// The outcome of a booking as it is kept for repeated requests: ids and numbers only.
#[derive(Serialize, Deserialize)]
pub(crate) struct BookedRow {
    pub(crate) booking: String,
    pub(crate) starts_at: i64,
    pub(crate) ends_at: i64,
    pub(crate) party: u32,
    pub(crate) position: Option<i64>,
}

/// Endings reach hosts apart in time: a message to a host waits up to this long.
const HOST_DELAY_MAX: SignedDuration = SignedDuration::from_mins(30);

/// When a message of this kind may go to a host. How long an ending waits is decided by a hash of
/// its stamp, which no host sees, and the host; so two hosts cannot match what they are told.
pub(crate) fn due_at(kind: &str, stamp: &Stamp, host: &str) -> i64 {
    if kind == "booked" {
        return stamp.at_ns;
    }
    let hash = sha256(&[&stamp.id, host.as_bytes()].concat());
    let spread = hash
        .first_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let most = u64::try_from(HOST_DELAY_MAX.as_nanos()).unwrap_or(u64::MAX);
    stamp
        .at_ns
        .saturating_add(i64::try_from(spread % most).unwrap_or(0))
}
