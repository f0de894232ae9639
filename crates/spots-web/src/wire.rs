//! What people read and write about themselves: JSON in `camelCase`. What hosts may read, too, is
//! in [`spots_host::wire`].

mod confirmation;
mod held;
pub(crate) mod journal;
mod ledger;
pub mod models;
mod person;
mod share;

pub use confirmation::{ConfirmationBody, TokenBody};
pub use held::{
    HeldBody, HeldConfirmation, HeldEntry, HeldEvent, HeldGuest, HeldMessageBody, HeldNoteBody,
};
pub use ledger::{CheckpointBody, ConsistencyBody, ErasedKeyBody, InclusionBody};
pub use models::Booking;
pub use person::{
    AccountBody, ErasureBody, ExportBody, NewAccountBody, NewSessionBody, ProfileBody, SessionBody,
    SharingDefaultsBody, UpdateProfileBody,
};
pub(crate) use share::instant_of_ns;
pub use share::{OpeningBody, RevokedBody, SharedFieldBody};
