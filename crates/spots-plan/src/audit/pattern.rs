//! What counts as a read of the clock, written as the code itself writes it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::tree::Language;

/// How fine a timestamp is kept. Ordered: the finest is the smallest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 10⁻⁹ s
    Nanosecond,
    /// 10⁻⁶ s
    Microsecond,
    /// 10⁻³ s
    Millisecond,
    /// 1 s
    Second,
    /// 60 s
    Minute,
    /// 86,400 s
    Day,
}

impl Precision {
    /// The word in data and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nanosecond => "nanosecond",
            Self::Microsecond => "microsecond",
            Self::Millisecond => "millisecond",
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Day => "day",
        }
    }
}

/// One language or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Words {
    One(String),
    Many(Vec<String>),
}

impl Words {
    fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::Many(words) => words,
        }
        .iter()
        .map(String::as_str)
    }
}

/// A pattern as `plan/clock.toml` writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatternData {
    pub(super) id: String,
    pub(super) language: Words,
    pub(super) read: String,
    #[serde(default)]
    pub(super) from: Vec<String>,
    pub(super) precision: Option<Precision>,
    #[serde(default = "enabled")]
    pub(super) enabled: bool,
}

fn enabled() -> bool {
    true
}

/// What must follow the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Nothing: the name alone reads the clock.
    None,
    /// `()`
    Empty,
    /// Parentheses with anything between.
    Any,
}

/// A pattern, checked.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Kebab-case, stable: the `rule` of a finding.
    pub id: String,
    /// Where it applies.
    pub languages: Vec<Language>,
    /// As it was written.
    pub read: String,
    /// The native precision of what it reads.
    pub precision: Precision,
    /// Whether a team's own file brought it.
    pub own: bool,
    pub(super) from: Vec<String>,
    /// Names with their joints: `DateTime . now`; `new` has none and stands apart.
    pub(super) names: Vec<String>,
    pub(super) new: bool,
    pub(super) call: Call,
}

/// Why a pattern can match nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// The pattern's id.
    pub id: String,
    /// What is wrong and what to write.
    pub reason: String,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "pattern {:?} can match nothing: {}",
            self.id, self.reason
        )
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    pub(super) fn parse(data: &PatternData, own: bool) -> Result<Self, PatternError> {
        let fail = |reason: String| PatternError {
            id: data.id.clone(),
            reason,
        };
        let languages = data
            .language
            .iter()
            .map(|word| {
                Language::of_word(word).ok_or_else(|| {
                    let known = Language::ALL.map(Language::as_str).join(", ");
                    fail(format!("{word:?} is no language; choose among {known}"))
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if languages.is_empty() {
            return Err(fail("it names no language".to_owned()));
        }
        let (name, call) = split_call(data.read.trim());
        let (new, name) = match name.strip_prefix("new ") {
            Some(rest) => (true, rest.trim()),
            None => (false, name),
        };
        let joint = if name.contains("::") { "::" } else { "." };
        let names = name
            .split(joint)
            .map(|part| part.trim().to_owned())
            .collect::<Vec<_>>();
        if let Some(bad) = names.iter().find(|part| !is_name(part)) {
            let hint = "write it as the code does, for example DateTime.now() or SystemTime::now()";
            return Err(fail(format!(
                "{bad:?} in {:?} is no name; {hint}",
                data.read
            )));
        }
        for language in &languages {
            fits(*language, joint, names.len(), new).map_err(&fail)?;
        }
        Ok(Self {
            id: data.id.clone(),
            languages,
            read: data.read.clone(),
            precision: data.precision.unwrap_or(Precision::Nanosecond),
            own,
            from: data.from.clone(),
            names,
            new,
            call,
        })
    }

    /// The name to look for first.
    pub(super) fn anchor(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Whether the name without a call is a function that reads the clock when it is called.
    pub(super) fn has_tear_off(&self) -> bool {
        self.names.len() > 1 && !self.new && self.call != Call::None
    }
}

fn split_call(read: &str) -> (&str, Call) {
    let Some(open) = read.find('(') else {
        return (read, Call::None);
    };
    let (name, arguments) = read.split_at(open);
    match arguments.trim() {
        "()" => (name.trim(), Call::Empty),
        "(…)" | "(...)" => (name.trim(), Call::Any),
        // Not a name: refused with the whole text by the caller.
        _ => (read, Call::None),
    }
}

fn is_name(part: &str) -> bool {
    let starts = part
        .chars()
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_' || c == '$');
    starts
        && part
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '$')
}

/// Whether the language could hold such text at all.
fn fits(language: Language, joint: &str, names: usize, new: bool) -> Result<(), String> {
    let word = language.as_str();
    let wanted = if language == Language::Rust {
        "::"
    } else {
        "."
    };
    if names > 1 && joint != wanted {
        return Err(format!(
            "{word} joins names with {wanted:?}, not with {joint:?}"
        ));
    }
    let knows_new = matches!(
        language,
        Language::Dart
            | Language::TypeScript
            | Language::Tsx
            | Language::JavaScript
            | Language::Java
    );
    if new && !knows_new {
        return Err(format!("{word} has no \"new\""));
    }
    Ok(())
}
