//! What is held of a person beyond profile, bookings and shares.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use spots_host::wire::Instant;
use spots_store::rights::Held;
use utoipa::ToSchema;

use super::share::instant_of_ns;

/// The rest of what the platform holds of a person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldBody {
    /// The account's row, by column.
    pub account: BTreeMap<String, String>,
    /// When each session ends.
    pub sessions: Vec<Instant>,
    /// What became of the address that the person asked to confirm; `null` if they never did.
    #[schema(required)]
    pub email_confirmation: Option<HeldConfirmation>,
    /// How hosts name the person.
    pub guests: Vec<HeldGuest>,
    /// Texts about the person's character, by where they are kept.
    pub profiles: BTreeMap<String, String>,
    /// Events of an old database that the person hosts or attends.
    pub old_events: Vec<HeldEvent>,
    /// Messages to the person.
    pub messages: Vec<HeldMessageBody>,
    /// What the person's programs noted in the journal.
    pub journal: Vec<HeldNoteBody>,
    /// Names that the person's programs gave to requests.
    pub requests: Vec<String>,
    /// What the consent ledger says of the person's shares.
    pub ledger: Vec<HeldEntry>,
}

/// An address that a person asked to confirm: the one in their profile.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldConfirmation {
    /// When the last letter went out.
    pub sent_at: Instant,
    /// When the person proved that they read it; `null` if they have not.
    #[schema(required)]
    pub confirmed_at: Option<Instant>,
}

/// How one host names the person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldGuest {
    /// The host.
    pub host_id: String,
    /// The handle.
    pub guest_id: String,
    /// How it is read aloud.
    pub guest_code: String,
}

/// An event of an old database.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldEvent {
    /// Its table.
    pub table: String,
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
}

/// A message to the person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldMessageBody {
    /// What happened.
    pub kind: String,
    /// At which host.
    pub host_id: String,
    /// With which booking.
    pub booking_id: String,
    /// From when on it may go out.
    pub due_at: Instant,
    /// When it went out; `null` if it has not.
    #[schema(required)]
    pub delivered_at: Option<Instant>,
}

/// A note in the journal.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldNoteBody {
    /// In which stream.
    pub stream: String,
    /// Under which key.
    pub key: String,
    /// What it is.
    pub kind: String,
    /// What it is about; `null` where it is about nothing else.
    #[schema(required)]
    pub subject: Option<String>,
    /// What it says.
    pub body: String,
    /// When.
    pub at: Instant,
}

/// An entry of the ledger.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldEntry {
    /// What happened.
    pub kind: String,
    /// At which host.
    pub host_id: String,
    /// To which share.
    pub share_id: String,
    /// To which field.
    pub field: String,
    /// The moment's timestamp id, in base64.
    pub stamp: String,
    /// The commitment, in base64.
    pub commitment: String,
    /// Its position; `null` while it waits for one.
    #[schema(required)]
    pub position: Option<u64>,
}

impl From<Held> for HeldBody {
    fn from(held: Held) -> Self {
        let profiles = held.profiles.into_iter();
        let old_events = held.old_events.into_iter();
        let guests = held.guests.into_iter();
        let messages = held.messages.into_iter();
        let ledger = held.ledger.into_iter();
        Self {
            account: held.account.into_iter().collect(),
            sessions: held.sessions.into_iter().map(instant_of_ns).collect(),
            email_confirmation: held.confirmation.map(|known| HeldConfirmation {
                sent_at: instant_of_ns(known.sent_at_ns),
                confirmed_at: known.confirmed_at_ns.map(instant_of_ns),
            }),
            guests: guests
                .map(|(host_id, guest_id, guest_code)| HeldGuest {
                    host_id,
                    guest_id,
                    guest_code,
                })
                .collect(),
            profiles: profiles
                .map(|(place, text)| (place.to_owned(), text))
                .collect(),
            old_events: old_events
                .map(|(table, id, title)| HeldEvent { table, id, title })
                .collect(),
            messages: messages
                .map(|message| HeldMessageBody {
                    kind: message.kind,
                    host_id: message.host,
                    booking_id: message.booking,
                    due_at: instant_of_ns(message.due_at_ns),
                    delivered_at: message.delivered_at_ns.map(instant_of_ns),
                })
                .collect(),
            journal: held
                .journal
                .into_iter()
                .map(|note| HeldNoteBody {
                    stream: note.stream,
                    key: note.key,
                    kind: note.kind,
                    subject: note.subject,
                    body: note.body,
                    at: instant_of_ns(note.at_ns),
                })
                .collect(),
            requests: held.requests,
            ledger: ledger
                .map(|row| HeldEntry {
                    kind: row.entry.kind,
                    host_id: row.entry.host,
                    share_id: row.entry.share,
                    field: row.entry.field,
                    stamp: STANDARD.encode(row.entry.stamp),
                    commitment: STANDARD.encode(row.entry.commitment),
                    position: row.position,
                })
                .collect(),
        }
    }
}
