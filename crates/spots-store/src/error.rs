//! What can come back instead of an answer.

use std::error::Error;
use std::fmt;

use spots_booking::Refusal;

/// A refusal for a person, or a failure for the operator.
#[derive(Debug)]
pub enum StoreError {
    /// An answer: this cannot be done, and why. Nothing was stored.
    Refused(Refusal),
    /// The database failed. Nothing was stored.
    Failed {
        /// What was being done, after "failed to".
        doing: &'static str,
        /// Why it failed.
        cause: Box<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    /// A failure while doing something.
    pub fn failed(doing: &'static str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed {
            doing,
            cause: cause.into(),
        }
    }
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Failed { doing, .. } => write!(f, "failed to {doing}"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(_) => None,
            Self::Failed { cause, .. } => Some(cause.as_ref()),
        }
    }
}
