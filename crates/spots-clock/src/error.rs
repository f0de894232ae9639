//! Why a clock does not open, issue or merge.

use std::fmt;
use std::io;

use crate::start::StartRefusal;
use crate::window::FileWindowError;

/// Why a timestamp could not be issued.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClockError {
    /// The window is used up and its next part could not be made durable. Issuing goes on as soon
    /// as it can.
    NotDurable(io::Error),
    /// More timestamps at once than [`AtomicClock::RESERVE_MAX`](crate::AtomicClock::RESERVE_MAX),
    /// or none.
    BadCount {
        /// How many were asked for.
        asked: u64,
    },
    /// The order would run further ahead of time than the poison cap allows.
    TooFarAhead {
        /// By how many nanoseconds.
        lead: u64,
    },
}

impl fmt::Display for ClockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDurable(_) => f.write_str(
                "failed to make the clock's forward window durable, so no timestamp is issued",
            ),
            Self::BadCount { asked } => write!(
                f,
                "between 1 and {} timestamps can be reserved at once, not {asked}",
                crate::AtomicClock::RESERVE_MAX
            ),
            Self::TooFarAhead { lead } => write!(
                f,
                "the clock's order would run {lead} ns ahead of time; wait until time catches up"
            ),
        }
    }
}

impl std::error::Error for ClockError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotDurable(error) => Some(error),
            Self::BadCount { .. } | Self::TooFarAhead { .. } => None,
        }
    }
}

/// Why a peer's timestamp was not taken over. The clock did not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MergeError {
    /// It lies above everything that now can be, by more than the accept window.
    AboveAcceptWindow {
        /// Nanoseconds above the latest instant that now can be.
        ahead: u64,
    },
    /// It would let our order run further ahead of time than the poison cap allows.
    AbovePoisonCap {
        /// Nanoseconds above our time.
        ahead: u64,
    },
}

impl fmt::Display for MergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AboveAcceptWindow { ahead } => write!(
                f,
                "the peer's timestamp lies {ahead} ns in the future, beyond the accept window"
            ),
            Self::AbovePoisonCap { ahead } => write!(
                f,
                "the peer's timestamp lies {ahead} ns ahead of our time, beyond the poison cap"
            ),
        }
    }
}

impl std::error::Error for MergeError {}

/// Why a clock could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Its window on disk cannot be used.
    Window(FileWindowError),
    /// What the window says does not go with the system clock.
    Refused(StartRefusal),
    /// The first record of this life could not be made durable.
    NotDurable(io::Error),
}

impl OpenError {
    /// Whether `spots clock repair` is the way on.
    pub fn is_repairable(&self) -> bool {
        match self {
            Self::Window(error) => error.is_repairable(),
            Self::Refused(_) => true,
            Self::NotDurable(_) => false,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::NotDurable(_) => f.write_str("failed to write this clock's state"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Window(error) => error.source(),
            Self::Refused(_) => None,
            Self::NotDurable(error) => Some(error),
        }
    }
}

impl From<FileWindowError> for OpenError {
    fn from(error: FileWindowError) -> Self {
        Self::Window(error)
    }
}

impl From<StartRefusal> for OpenError {
    fn from(refusal: StartRefusal) -> Self {
        Self::Refused(refusal)
    }
}
