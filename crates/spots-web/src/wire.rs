//! What people read and write about themselves: JSON in `camelCase`. What hosts may read, too, is
//! in [`spots_host::wire`].

mod held;
pub(crate) mod journal;
mod ledger;
pub mod models;
mod person;
mod share;

pub use held::{HeldBody, HeldEntry, HeldEvent, HeldGuest, HeldMessageBody, HeldNoteBody};
pub use ledger::{CheckpointBody, ConsistencyBody, InclusionBody};
pub use models::Booking;
pub use person::{
    AccountBody, ErasureBody, ExportBody, NewAccountBody, NewSessionBody, ProfileBody, SessionBody,
    SharingDefaultsBody,
};
pub use share::{OpeningBody, RevokedBody, SharedFieldBody};
