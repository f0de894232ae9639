//! What the platform does for people, used by the API and the pages alike.
//!
//! No HTTP here. An operation takes the request's [`Ctx`], a proof of who asks (a
//! [`Person`] from a session, or a [`Member`] of a host) and one command; it answers, or says why
//! not with a [`ServiceError`].

mod accounts;
mod bookings;
mod ctx;
mod defaults;
mod erasure;
mod events;
mod export;
mod first_password;
mod hosts;
mod journal;
mod offer;
mod operators;
mod password;
mod profile;
mod receipts;
mod sessions;
mod shares;
mod statistics;
mod time;
mod vouchers;

pub use accounts::{
    Account, NewAccount, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, rotate_agent, sign_up,
};
pub use bookings::{
    BookingDetails, BookingOutcome, IDEMPOTENCY_KEY_CHARS_MAX, IDEMPOTENCY_KEY_CHARS_MIN,
    NewBooking, book, booking, bookings, cancel,
};
pub use ctx::Ctx;
pub use defaults::{Scope, sharing_default, sharing_default_at, update_sharing_default};
pub use erasure::{Erased, erased_key, remove_account};
pub use events::{
    EventDetails, EventQuery, EventSummary, OpenSlot, SEARCH_CHARS_MAX, SLOTS_MAX, add_events,
    event, event_of, is_called_off, search_events,
};
pub use export::{Export, export};
pub use first_password::{FirstPassword, set_first_password};
pub use hosts::{
    Guest, GuestField, GuestQuery, Member, NewHost, add_host, call_off, guests, host, hosts_of,
    member, requirements, update_requirements,
};
pub use journal::{Author, Claim, NewJournalEntry, append_journal, note_operation, read_journal};
pub use offer::{Offer, OfferField, Preview, PreviewField, offer, preview};
pub use operators::{Operator, Operators, OperatorsError};
pub use profile::{Profile, profile, update_profile};
pub use receipts::{Included, Issued, PROMISE_HOURS, checkpoint, consistent, included, receipt};
pub use sessions::{SESSION_DAYS, SignedIn, person, sign_in, sign_out};
pub use shares::{Asked, SharedValue, asked, openings, revoke, shares};
pub use spots_host::ServiceError;
pub use spots_privacy::consent::Person;
pub use statistics::{COUNTED_PEOPLE_MIN, Count, bookings_by_day};
pub use vouchers::{
    CONFIRMATION_HOURS, CONFIRMATION_WAIT_MINUTES, ConfirmedAddress, WRONG_NUMBERS_MAX,
    begin_confirmation, confirm_address, confirmed_address, count_member_list, update_member_list,
};

pub(crate) use accounts::AGENT_CONTEXT;
pub(crate) use journal::{moment, retire_journal};
pub(crate) use password::Passwords;
pub(crate) use time::{RECEIPT_KEY_ID, RECEIPT_PURPOSE, exchange_time, receipt_key};
pub(crate) use vouchers::WrongNumbers;

use spots_booking::Refusal;
use spots_privacy::{KeyError, NotOpen, SealError};
use spots_store::StoreError;

/// What an operation answers.
pub type Answer<T> = Result<T, ServiceError>;

/// The store's two ways to say no become the service's.
pub(crate) fn stored(error: StoreError) -> ServiceError {
    match error {
        StoreError::Refused(refusal) => ServiceError::Refused(refusal),
        StoreError::Failed { doing, cause } => ServiceError::Failed { doing, cause },
    }
}

/// Whether the bytes are not those that were stored. A key that this server does not hold is not that.
fn is_altered(error: &NotOpen) -> bool {
    matches!(
        error,
        NotOpen::Key(KeyError::DoesNotUnwrap) | NotOpen::Seal(_)
    )
}

/// A field that does not open for whoever may see it is damage, not an answer.
fn unopened(place: String) -> impl FnOnce(NotOpen) -> ServiceError {
    move |error| match error {
        NotOpen::NotSignedIn => ServiceError::NotSignedIn,
        altered if is_altered(&altered) => {
            let cause = altered.into();
            ServiceError::Altered { place, cause }
        }
        other => ServiceError::failed("open a sealed field", other),
    }
}

fn unsealed(error: SealError) -> ServiceError {
    match error {
        SealError::TooLong => ServiceError::Refused(Refusal::Limit {
            what: "bytes of one field",
            most: spots_privacy::seal::FIELD_BYTES_MAX as u64,
        }),
        other => ServiceError::failed("open or seal a field", other),
    }
}
