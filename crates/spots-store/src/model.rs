//! What goes into the store and comes out: owned values, no database types.

use jiff::Timestamp;
use spots_booking::{
    BookingId, CodePart, Event, EventId, EventType, FieldName, GuestCode, GuestId, HostId,
    HostKind, NewEvent, Placed, Pool, Request, Requirements, ShareId,
};
use spots_privacy::consent::{NewShareField, StoredPerson};
use spots_privacy::{AgentId, Consented, Grant, SealedField, UserId};

/// The most rows of one page of a list.
pub const PAGE_ROWS_MAX: u32 = 100;
/// The most hosts that one person acts for.
pub const HOSTS_MAX: u32 = 50;
/// The most rows that a list skips.
pub const OFFSET_MAX: u32 = 100_000;

/// A moment with its evidence: what the atomic clock said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Nanoseconds since the Unix epoch, strictly increasing.
    pub at_ns: i64,
    /// How far the truth may be from it, in nanoseconds; `None` is unknown.
    pub bound_ns: Option<i64>,
    /// The timestamp's id: unique, and sorts as the moments do.
    pub id: [u8; 16],
}

impl Stamp {
    /// The moment for calendars.
    pub fn timestamp(&self) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(self.at_ns))
            .expect("64 bits of nanoseconds lie within the calendar")
    }
}

impl From<spots_clock::AtomicTimestamp> for Stamp {
    fn from(stamp: spots_clock::AtomicTimestamp) -> Self {
        Self {
            at_ns: i64::try_from(stamp.nanoseconds()).unwrap_or(i64::MAX),
            bound_ns: stamp
                .error_bound()
                .map(|bound| i64::try_from(bound).unwrap_or(i64::MAX)),
            id: stamp.id().to_bytes(),
        }
    }
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows to skip, at most [`OFFSET_MAX`].
    pub offset: u32,
    /// Rows wanted, at most [`PAGE_ROWS_MAX`].
    pub limit: u32,
}

impl PageRequest {
    /// The first page at its largest.
    pub const FIRST: Self = Self {
        offset: 0,
        limit: PAGE_ROWS_MAX,
    };
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether more follow.
    pub more: bool,
}

impl<T> Page<T> {
    /// Cuts a list that was read with one row more than wanted.
    pub fn cut(mut items: Vec<T>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        Self { items, more }
    }

    /// The same part of the list in another form.
    pub fn map<U>(self, form: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(form).collect(),
            more: self.more,
        }
    }
}

/// A person who signs up.
#[derive(Debug)]
pub struct NewAccount {
    /// The account.
    pub user: UserId,
    /// The agent.
    pub agent: AgentId,
    /// Keyed hash of the agent id.
    pub agent_lookup: [u8; 32],
    /// The wrapped key and the sealed mapping.
    pub stored: StoredPerson,
    /// Keyed hash of the e-mail address.
    pub email_lookup: [u8; 32],
    /// Argon2id, PHC string.
    pub password_hash: String,
    /// Sealed fields of the profile.
    pub profile: Vec<ProfileField>,
}

/// A sealed field of a person's own profile.
#[derive(Clone, Debug)]
pub struct ProfileField {
    /// Its name.
    pub field: String,
    /// Its value.
    pub sealed: SealedField,
}

/// What sign-in compares with.
#[derive(Debug)]
pub struct Credentials {
    /// Whose they are.
    pub user: UserId,
    /// Argon2id, PHC string.
    pub password_hash: String,
}

/// What an account deletion did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// Shared fields whose keys were destroyed.
    pub fields: u64,
    /// Bookings to come that were cancelled.
    pub bookings: u64,
    /// Rows that were deleted, by table.
    pub rows: Vec<(&'static str, u64)>,
}

/// Someone who offers something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its id.
    pub id: HostId,
    /// What it is.
    pub kind: HostKind,
    /// What it is called.
    pub name: String,
}

/// An event with who offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// The event.
    pub event: Event,
    /// Whose it is.
    pub host: Host,
}

/// An event to add. Where the host has an event with the same source, that one is updated.
#[derive(Clone, Debug)]
pub struct EventToAdd {
    /// The id it gets if it is new.
    pub id: EventId,
    /// What it is.
    pub offer: NewEvent,
    /// The UID of an imported calendar entry.
    pub source_uid: Option<String>,
}

/// Which events to list: those that are on and not over.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Of this type.
    pub event_type: Option<EventType>,
    /// Of this host; then also those called off or over.
    pub host: Option<HostId>,
    /// Whose title, place or host's name contains this, without regard to case.
    pub text: Option<String>,
    /// Only those over or called off, the latest first; or only the others.
    pub over: Option<bool>,
}

/// The places of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotPool {
    /// The slot's beginning, in seconds since the Unix epoch.
    pub starts_at: i64,
    /// Its places.
    pub pool: Pool,
}

/// One actor's name for one request, so that it may be repeated freely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The key that the client chose.
    pub key: String,
    /// SHA-256 of the request.
    pub digest: [u8; 32],
}

/// A booking to take: everything random is drawn, everything personal is sealed.
#[derive(Clone, Debug)]
pub struct Book {
    /// Who books.
    pub agent: AgentId,
    /// At which host.
    pub host: HostId,
    /// Which event.
    pub event: EventId,
    /// When and how many.
    pub request: Request,
    /// The id that the booking gets.
    pub booking: BookingId,
    /// The handle that the guest gets if the host does not know them yet.
    pub guest: GuestId,
    /// Codes to choose from, in order; the first that is free at the host is taken.
    pub codes: [GuestCode; 4],
    /// The version of the requirements that the person saw.
    pub requirements_version: u32,
    /// What the person shares.
    pub share: Option<NewShare>,
    /// The moment.
    pub stamp: Stamp,
    /// The request's name.
    pub idempotency: Option<Idempotency>,
}

/// A share to store with its booking.
#[derive(Clone, Debug)]
pub struct NewShare {
    /// The id it gets.
    pub id: ShareId,
    /// Hash of the requirements that the person saw.
    pub requirements_hash: [u8; 32],
    /// The sealed fields, each with the moment at which it ends, in nanoseconds.
    pub fields: Vec<(NewShareField, i64)>,
}

/// What became of a booking request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// The booking.
    pub booking: BookingId,
    /// Whether this request was a repetition and did nothing.
    pub repeated: bool,
    /// What was taken.
    pub placed: Placed,
}

/// A person's booking, as they see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookingRecord {
    /// Its id.
    pub id: BookingId,
    /// Who offers it.
    pub host: Host,
    /// What is booked.
    pub event: EventId,
    /// Of what type.
    pub event_type: EventType,
    /// What it is called.
    pub title: String,
    /// Where.
    pub place: String,
    /// In whose zone the host thinks.
    pub time_zone: String,
    /// What was taken.
    pub placed: Placed,
    /// How the host reads the guest aloud.
    pub code: String,
    /// When it was taken.
    pub booked: Stamp,
    /// When it was cancelled, in nanoseconds.
    pub cancelled_at_ns: Option<i64>,
}

/// One shared field, as the person sees it.
#[derive(Clone, Debug)]
pub struct SharedField {
    /// The share.
    pub share: ShareId,
    /// The booking it belongs to.
    pub booking: BookingId,
    /// Who may read it.
    pub host: Host,
    /// What was booked.
    pub event: EventId,
    /// What that is called.
    pub title: String,
    /// Of what type.
    pub event_type: EventType,
    /// Which field.
    pub field: FieldName,
    /// When it was shared.
    pub shared: Stamp,
    /// When it ends by itself, in nanoseconds.
    pub expires_at_ns: i64,
    /// When it was taken back, in nanoseconds.
    pub revoked_at_ns: Option<i64>,
    /// When the last copy of its key became unreadable, also in logs and backups, in nanoseconds.
    pub purged_at_ns: Option<i64>,
    /// The version of the requirements that the person saw.
    pub requirements_version: u32,
    /// When the host last opened it, in nanoseconds.
    pub last_opened_ns: Option<i64>,
    /// When the host last downloaded a copy of it, in nanoseconds.
    pub last_downloaded_ns: Option<i64>,
    /// How often the host opened it.
    pub openings: u64,
    /// What it takes to read it.
    pub grant: Grant,
}

/// Which shares to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShareFilter {
    /// Of this booking.
    pub booking: Option<BookingId>,
    /// With this host.
    pub host: Option<HostId>,
    /// Those that ended too.
    pub ended: bool,
}

/// What a person takes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// One field of one share.
    Field(ShareId, FieldName),
    /// One share.
    Share(ShareId),
    /// All of one booking.
    Booking(BookingId),
    /// All that one host has.
    Host(HostId),
    /// Everything.
    All,
}

/// One guest of an event, as the host sees them, with proofs for the fields that are shared now.
#[derive(Debug)]
pub struct GuestRecord {
    /// The guest's handle at this host.
    pub guest: GuestId,
    /// The booking.
    pub booking: BookingId,
    /// The code for the door.
    pub code: String,
    /// When and how many.
    pub placed: Placed,
    /// Whether the booking was cancelled.
    pub cancelled: bool,
    /// What may be read now.
    pub fields: Vec<Consented>,
}

/// Through what a host reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A page.
    Page,
    /// The API.
    Api,
    /// A copy to keep, which no revocation calls back.
    Download,
}

impl Channel {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Api => "api",
            Self::Download => "download",
        }
    }
}

/// A host's read of the guests of an event.
#[derive(Clone, Copy, Debug)]
pub struct OpenGuests {
    /// Who reads.
    pub host: HostId,
    /// Of which event.
    pub event: EventId,
    /// Only at this slot, by its beginning in seconds.
    pub starts_at: Option<i64>,
    /// Only guests whose code contains this.
    pub code: Option<CodePart>,
    /// Through what.
    pub channel: Channel,
    /// When.
    pub stamp: Stamp,
}

/// An opening, as the person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The share.
    pub share: ShareId,
    /// Who opened it.
    pub host: HostId,
    /// When, in nanoseconds.
    pub opened_at_ns: i64,
    /// Through what.
    pub channel: String,
    /// Which fields.
    pub fields: Vec<String>,
}

/// A version of requirements with the hash that consents carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementsRecord {
    /// What is asked.
    pub requirements: Requirements,
    /// SHA-256 of the canonical text.
    pub hash: [u8; 32],
}

/// A message that waits to be delivered. Ids only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `host` or `attendee`.
    pub recipient: String,
    /// What happened: `booked`, `cancelled`, `revoked`.
    pub kind: String,
    /// At which host.
    pub host: HostId,
    /// Which booking.
    pub booking: BookingId,
    /// From when on it may go out, in nanoseconds.
    pub due_at_ns: i64,
}
