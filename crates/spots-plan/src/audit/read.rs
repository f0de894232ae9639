//! One read of the clock, as reports show it.

use serde::{Deserialize, Serialize};

use super::pattern::Precision;

/// What kind of read it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A direct read in code.
    Call,
    /// A direct read that only measures how long something took: a stopwatch's work.
    Elapsed,
    /// The reading function itself, handed on.
    TearOff,
    /// The default of an injected clock: allowed.
    InjectedDefault,
    /// A call of a function that reads the clock and returns it.
    Indirect,
    /// A mention in a comment.
    Comment,
    /// A mention in a string.
    String,
}

impl Kind {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 7] = [
        Self::Call,
        Self::Elapsed,
        Self::TearOff,
        Self::InjectedDefault,
        Self::Indirect,
        Self::Comment,
        Self::String,
    ];

    /// The word in data and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Elapsed => "elapsed",
            Self::TearOff => "tear-off",
            Self::InjectedDefault => "injected-default",
            Self::Indirect => "indirect",
            Self::Comment => "comment",
            Self::String => "string",
        }
    }

    /// Whether it counts in the total: a direct read in code.
    pub fn is_direct(self) -> bool {
        matches!(self, Self::Call | Self::Elapsed)
    }

    /// Whether the ratchet holds it down: every way in which code comes by the wall clock.
    pub fn is_ratcheted(self) -> bool {
        matches!(
            self,
            Self::Call | Self::Elapsed | Self::TearOff | Self::Indirect
        )
    }
}

/// What becomes of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Use {
    /// Kept under the name of a timestamp, or in a column.
    Stored,
    /// Compared with another time.
    Compared,
    /// Subtracted from another read.
    Elapsed,
    /// Given back to the caller.
    Returned,
    /// Part of a text.
    Displayed,
    /// The default of a parameter or column.
    Default,
    /// An argument of a call.
    Argument,
    /// Kept in a variable.
    Variable,
    /// Handed on as a function.
    HandedOn,
    /// None of these.
    Other,
}

impl Use {
    /// The word in data and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Compared => "compared",
            Self::Elapsed => "elapsed",
            Self::Returned => "returned",
            Self::Displayed => "displayed",
            Self::Default => "default",
            Self::Argument => "argument",
            Self::Variable => "variable",
            Self::HandedOn => "handed-on",
            Self::Other => "other",
        }
    }
}

/// One read of the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Relative to the tree, with `/` between parts.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The pattern's id.
    pub rule: String,
    /// What kind of read it is.
    pub kind: Kind,
    /// Where it stands in the code.
    pub place: Place,
    /// 1 to 5.
    pub priority: u8,
    /// For example `payments`.
    pub category: String,
    /// Why it may be here, when an exception says so.
    pub exception: Option<String>,
    /// For an indirect read, the function that reads.
    pub via: Option<String>,
}

/// Where a read stands in the code and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The class, mixin, extension, type or table around it; empty at the top level.
    pub class: String,
    /// The method, function, field or variable around it; empty where there is none.
    pub member: String,
    /// What becomes of the value.
    pub usage: Use,
    /// Whether the innermost function around it may await.
    pub is_async: bool,
    /// The statement or argument that holds it, without its formatting.
    pub text: String,
    /// How fine the code keeps it.
    pub precision: Precision,
}

impl Read {
    /// Class and member, as people write them.
    pub fn scope(&self) -> String {
        scope(&self.place.class, &self.place.member)
    }

    /// What stays the same when the file moves and its lines shift.
    pub fn identity(&self) -> String {
        format!("{}\t{}", self.scope(), self.place.text)
    }
}

/// Class and member, as people write them.
pub(super) fn scope(class: &str, member: &str) -> String {
    match (class.is_empty(), member.is_empty()) {
        (true, true) => "(top level)".to_owned(),
        (true, false) => member.to_owned(),
        (false, true) => class.to_owned(),
        (false, false) => format!("{class}.{member}"),
    }
}

/// The longest text of an identity, in characters; a longer one ends in its digest.
pub const TEXT_CHARS_MAX: usize = 160;

/// Source without what a formatter may change: white space between tokens and trailing commas.
pub(super) fn without_formatting(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    for word in source.split_whitespace() {
        let joins = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let needs_space =
            out.chars().next_back().is_some_and(joins) && word.chars().next().is_some_and(joins);
        if needs_space {
            out.push(' ');
        }
        out.push_str(word);
    }
    for closer in [")", "]", "}"] {
        out = out.replace(&format!(",{closer}"), closer);
    }
    if out.chars().count() <= TEXT_CHARS_MAX {
        return out;
    }
    let digest =
        spots_findings::Finding::new("text", spots_findings::Level::Note, &out, "").fingerprint();
    let head = out.chars().take(TEXT_CHARS_MAX - 10).collect::<String>();
    format!("{head}…{}", digest.get(..8).unwrap_or(&digest))
}
