//! What comes back instead of an answer.

use std::error::Error;
use std::fmt;

use spots_booking::{FieldProblem, Refusal};

/// Why the platform does not do what was asked: an answer for a person, or a failure for the
/// operator.
#[derive(Debug)]
pub enum ServiceError {
    /// It cannot be done, and why. Nothing was stored.
    Refused(Refusal),
    /// Only for people who signed in.
    NotSignedIn,
    /// No account has this e-mail address and password.
    WrongCredentials,
    /// Only for those who act for this host.
    NotAMember,
    /// Only for those who operate the platform.
    NotAnOperator,
    /// No letters go out here.
    NoMail,
    /// Too many at once; it may work in a moment.
    Busy,
    /// What is stored sealed does not open: it was altered, or moved to another place.
    Altered {
        /// Whose place it is, by the ids of the store, for the operator.
        place: String,
        /// How it does not open.
        cause: Box<dyn Error + Send + Sync>,
    },
    /// Something broke. Nothing was stored.
    Failed {
        /// What was being done, after "failed to".
        doing: &'static str,
        /// Why it failed.
        cause: Box<dyn Error + Send + Sync>,
    },
}

impl ServiceError {
    /// A failure while doing something.
    pub fn failed(doing: &'static str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let cause = cause.into();
        Self::Failed { doing, cause }
    }

    /// There is no such thing, or it is not the asker's.
    pub fn not_found(what: &'static str) -> Self {
        Self::Refused(Refusal::NotFound(what))
    }

    /// One field needs attention.
    pub fn field(field: impl fmt::Display, code: &'static str, message: impl Into<String>) -> Self {
        let problem = FieldProblem::new(field, code, message);
        Self::Refused(Refusal::Fields(vec![problem]))
    }
}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::NotSignedIn => f.write_str("sign in first"),
            Self::WrongCredentials => {
                f.write_str("no account has this e-mail address and password")
            }
            Self::NotAMember => f.write_str("only those who act for this host may do this"),
            Self::NotAnOperator => f.write_str(
                "only those who operate the platform may do this, with a token of \
                 `spots operator add`",
            ),
            Self::NoMail => f.write_str(
                "this server sends no mail, so it can confirm no address; ask whoever operates it",
            ),
            Self::Busy => f.write_str("too many people sign in at once; try again in a moment"),
            Self::Altered { .. } => f.write_str(
                "something that is stored sealed does not open: it was altered or moved in the \
                 database, and none of it is shown. Tell whoever operates this server; whoever \
                 shared it can take it back and share it anew",
            ),
            Self::Failed { doing, .. } => write!(f, "failed to {doing}"),
        }
    }
}

impl Error for ServiceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Altered { cause, .. } | Self::Failed { cause, .. } => Some(cause.as_ref()),
            _ => None,
        }
    }
}
