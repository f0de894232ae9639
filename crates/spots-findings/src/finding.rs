//! One finding: what is wrong, where, and how to mend it.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// How much a finding matters. Ordered: the worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing; never fails a run.
    Note,
    /// Should be mended; fails a run only under `--strict`.
    Warning,
    /// Must be mended; fails the run.
    Error,
}

impl Level {
    /// The SARIF word for this level, which is also ours.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A place in a file. Lines and columns count from 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Relative to the tree that was checked, with `/` between parts.
    pub path: String,
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
}

impl Place {
    /// A whole file.
    pub fn file(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line: 1,
            column: 1,
        }
    }

    /// A line of a file.
    pub fn line(path: impl Into<String>, line: u32) -> Self {
        Self {
            path: path.into(),
            line,
            column: 1,
        }
    }

    /// A column of a line of a file.
    pub fn at(path: impl Into<String>, line: u32, column: u32) -> Self {
        Self {
            path: path.into(),
            line,
            column,
        }
    }
}

/// A second place that explains a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Where.
    pub place: Place,
    /// What it has to do with the finding.
    pub message: String,
}

/// How to mend a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// One sentence in the imperative.
    pub text: String,
}

/// What a rule is, for `explain`, the documentation and SARIF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Kebab-case, stable for ever, for example `use-before-create`.
    pub id: &'static str,
    /// One line that states the claim.
    pub title: &'static str,
    /// Why it matters, in a few sentences.
    pub why: &'static str,
}

/// Something that a person should know before a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Id of the rule that found it.
    pub rule: String,
    /// How much it matters.
    pub level: Level,
    /// One sentence: what is wrong.
    pub message: String,
    /// The file that must change; `None` when no single file is at fault.
    pub place: Option<Place>,
    /// Other places that explain it.
    pub related: Vec<Related>,
    /// How to mend it.
    pub fix: Option<Fix>,
    /// What stays the same when files move and lines shift, for example `PaymentService.charge`.
    pub identity: String,
    /// What scripts may want to know beside it, by name: for example whom a change breaks.
    pub facts: Vec<(&'static str, String)>,
}

impl Finding {
    /// A finding of `rule` about the thing named by `identity`.
    pub fn new(
        rule: impl Into<String>,
        level: Level,
        identity: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            rule: rule.into(),
            level,
            message: message.into(),
            place: None,
            related: Vec::new(),
            fix: None,
            identity: identity.into(),
            facts: Vec::new(),
        }
    }

    /// Sits on this place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Explained by another place.
    #[must_use]
    pub fn related(mut self, place: Place, message: impl Into<String>) -> Self {
        self.related.push(Related {
            place,
            message: message.into(),
        });
        self
    }

    /// Mended so.
    #[must_use]
    pub fn fix(mut self, text: impl Into<String>) -> Self {
        self.fix = Some(Fix { text: text.into() });
        self
    }

    /// Carries a fact for scripts, as a property of its own in JSON and SARIF.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.push((name, value.into()));
        self
    }

    /// 32 hexadecimal digits that name this finding across moves: SHA-256 over the rule's id and
    /// the identity, length-prefixed, cut to 128 bits.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for part in [self.rule.as_str(), self.identity.as_str()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut out = String::with_capacity(32);
        for byte in hash.finalize().iter().take(16) {
            write!(out, "{byte:02x}").expect("writing to a string cannot fail");
        }
        out
    }
}
