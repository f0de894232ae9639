//! What people read and write about themselves: JSON in `camelCase`. What hosts may read, too, is
//! in [`spots_host::wire`].

pub(crate) mod journal;
pub mod models;
mod person;
mod share;

pub use models::Booking;
pub use person::{
    AccountBody, ExportBody, NewAccountBody, NewSessionBody, ProfileBody, SessionBody,
    SharingDefaultsBody,
};
pub use share::{OpeningBody, RevokedBody, SharedFieldBody};
