//! What the journal's stream of reservations says of a place taken or given back.

use serde::Serialize;
use spots_booking::{Placed, Stream};
use spots_privacy::consent::sha256;

use crate::model::{Book, Stamp};
use crate::store::journal::{Append, Evidence, NewEntry};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TakenBody {
    booking_id: String,
    event_id: String,
    starts_at: String,
    party_size: u32,
    /// The place in the queue, where the event has one.
    position: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReturnedBody<'a> {
    booking_id: &'a str,
}

/// A booking was taken.
pub(crate) fn taken(book: &Book, placed: &Placed) -> NewEntry {
    let booking = book.booking.to_string();
    let key = format!("booked:{booking}");
    let body = TakenBody {
        booking_id: booking,
        event_id: book.event.to_string(),
        starts_at: placed.slot.starts_at.to_string(),
        party_size: placed.party,
        position: placed.position,
    };
    entry(("booked", key), &body, book.stamp)
}

/// A booking was cancelled.
pub(crate) fn returned(booking: &str, stamp: Stamp) -> NewEntry {
    let key = format!("cancelled:{booking}");
    let body = ReturnedBody {
        booking_id: booking,
    };
    entry(("cancelled", key), &body, stamp)
}

fn entry((kind, key): (&str, String), body: &impl Serialize, stamp: Stamp) -> NewEntry {
    let body = serde_json::to_string(body).expect("plain numbers and texts have a JSON form");
    let bound = stamp.bound_ns;
    NewEntry {
        digest: sha256(body.as_bytes()),
        key,
        kind: kind.to_owned(),
        subject: None,
        body,
        evidence: Evidence {
            earliest_ns: bound.map(|bound| stamp.at_ns.saturating_sub(bound)),
            latest_ns: stamp.at_ns.saturating_add(bound.unwrap_or(0)),
            ..Evidence::default()
        },
    }
}

/// Entries that the store itself makes for an agent.
pub(crate) fn batch(agent: &str, entries: Vec<NewEntry>) -> Append {
    Append {
        stream: Stream::Reservations,
        actor: agent.to_owned(),
        entries,
    }
}
