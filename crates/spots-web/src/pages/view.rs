//! Typed contexts of the pages for visitors and attendees.
//!
//! They are made like those of [`spots_host::view`], whose shared parts they use: text and numbers
//! written for the reader, one template each, and samples that a test renders and compares.

mod api_docs;
mod book;
mod booking;
mod confirm_email;
mod delete_account;
mod erased;
mod event;
mod events;
mod full;
mod my_bookings;
mod preferences;
mod profile;
mod prose;
mod receipt;
mod sharing;
mod sign_in;

pub use api_docs::{ApiPage, Operation, OperationGroup, Parameter, ResponseLine};
pub use book::{BookPage, HostSees, HostSeesPart, ShareRow, SharedLine, ValueInput};
pub use booking::{BookedField, BookingPage, BookingState, QueueEvidence};
pub use confirm_email::{ConfirmEmailPage, EmailStanding};
pub use delete_account::DeleteAccountPage;
pub use erased::ErasedPage;
pub use event::{AskLine, BookingChoice, EventPage, HostRef, Slot, SlotDay, SlotState, TableForm};
pub use events::{EventCard, EventsPage, TypeFilter};
pub use full::FullPage;
pub use my_bookings::{BookingRow, MyBookingsPage};
pub use preferences::{DefaultTick, HostDefaults, PreferencesPage, TypeDefaults};
pub use profile::ProfilePage;
pub use prose::ProsePage;
pub use receipt::{ReceiptEvent, ReceiptField, ReceiptPage};
pub use sharing::{
    BookingShares, EndedLine, FieldEntry, FieldShares, HostShares, LastLooked, ShareLine,
    SharingPage, SharingView,
};
pub use sign_in::{SignInPage, SignUpPage};
