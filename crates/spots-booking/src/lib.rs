#![doc = include_str!("../README.md")]

pub mod attestation;
pub mod calendar;
pub mod decision;
pub mod event;
pub mod event_type;
pub mod field;
pub mod ids;
pub mod journal;
pub mod membership;
pub mod refusal;
pub mod requirement;
pub mod value;

pub use decision::{Placed, Pool, Request, cancel, decide};
pub use event::{Event, NewEvent, Occurrence, Schedule, Slot, TableHours};
pub use event_type::{EventType, HostKind};
pub use field::{FieldName, StandardField};
pub use ids::{BookingId, CodePart, EventId, GuestCode, GuestId, HostId, ShareId};
pub use journal::Stream;
pub use membership::{Membership, Voucher};
pub use refusal::{FieldProblem, Refusal};
pub use requirement::{Ask, FieldRule, Requirements, ValueKind};
pub use value::FieldValue;
