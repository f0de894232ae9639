//! Answers for people: what cannot be done, and what to do instead.

use thiserror::Error;

use crate::field::FieldName;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field's name on the wire.
    pub field: String,
    /// A stable word, for example `required`.
    pub code: &'static str,
    /// One sentence that says how to mend it. Never repeats the value.
    pub message: String,
}

impl FieldProblem {
    /// A problem of a field.
    pub fn new(
        field: impl std::fmt::Display,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            field: field.to_string(),
            code,
            message: message.into(),
        }
    }
}

/// Why something is not done. Not an error: an answer for a person, with a next step.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Fields are missing, not asked for, or malformed.
    #[error("some fields need attention")]
    Fields(Vec<FieldProblem>),
    /// The host requires a field that the person withheld.
    #[error("the host requires {field}: {purpose}")]
    Required {
        /// Which.
        field: FieldName,
        /// Why the host asks.
        purpose: String,
    },
    /// No room is left.
    #[error("no {wanted} places are left at this time; {left} are")]
    Full {
        /// Places asked for.
        wanted: u32,
        /// Places left.
        left: u32,
    },
    /// The event takes no bookings at this time.
    #[error("the event has no such time; choose one of its times")]
    NoSuchSlot,
    /// The time is over.
    #[error("this time has passed; choose a later one")]
    Past,
    /// The party is too large or empty.
    #[error("a booking here is for 1 to {most} people")]
    Party {
        /// The largest party.
        most: u32,
    },
    /// The host changed what they ask for since the person looked.
    #[error("the host changed what they ask for; look again and decide anew")]
    RequirementsChanged,
    /// The host called the event off.
    #[error("the event was called off")]
    CalledOff,
    /// No such thing, or not the asker's.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The booking was cancelled already, or its time has passed.
    #[error("this booking cannot be cancelled any more")]
    NotCancellable,
    /// The same idempotency key came with another request.
    #[error("this idempotency key was used for another request; use a new key")]
    KeyReused,
    /// Something of the same name exists.
    #[error("{0}")]
    Taken(&'static str),
    /// A named limit is reached.
    #[error("the limit of {most} {what} is reached")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many at most.
        most: u64,
    },
}

impl Refusal {
    /// The stable code that scripts read.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Fields(_) => "invalid-fields",
            Self::Required { .. } => "required-field-withheld",
            Self::Full { .. } => "event-full",
            Self::NoSuchSlot => "no-such-slot",
            Self::Past => "slot-past",
            Self::Party { .. } => "party-size",
            Self::RequirementsChanged => "requirements-changed",
            Self::CalledOff => "event-called-off",
            Self::NotFound(_) => "not-found",
            Self::NotCancellable => "not-cancellable",
            Self::KeyReused => "idempotency-key-reused",
            Self::Taken(_) => "taken",
            Self::Limit { .. } => "limit-reached",
        }
    }
}
