//! SQL: the statement's object is the class, the column before a default the member.

use super::super::Source;
use super::scopes::Word;

/// Words that begin a statement which has an object.
const BEGIN: [&str; 6] = ["create", "alter", "insert", "update", "drop", "delete"];

/// Words between the beginning and the object.
const BETWEEN: [&str; 22] = [
    "or",
    "replace",
    "table",
    "function",
    "into",
    "from",
    "procedure",
    "view",
    "materialized",
    "if",
    "not",
    "exists",
    "only",
    "public",
    "trigger",
    "temporary",
    "temp",
    "unlogged",
    "index",
    "unique",
    "policy",
    "role",
];

/// Words of statements that hold other statements: a semicolon does not end them.
const HOLD: [&str; 2] = ["function", "procedure"];

/// Walks the words forward and knows the statement.
pub(super) struct Statements<'a, 's> {
    source: &'s Source<'a>,
    words: &'s [Word<'a>],
    next: usize,
    object: Option<&'a str>,
    /// Between the beginning and the object.
    begun: bool,
    holds: bool,
    default: Option<usize>,
}

impl<'a, 's> Statements<'a, 's> {
    pub(super) fn new(source: &'s Source<'a>, words: &'s [Word<'a>]) -> Self {
        Self {
            source,
            words,
            next: 0,
            object: None,
            begun: false,
            holds: false,
            default: None,
        }
    }

    /// Object and column of a place at or behind the one before.
    pub(super) fn advance(&mut self, until: usize) -> (Option<&'a str>, Option<Word<'a>>) {
        while let Some((_, word)) = self.words.get(self.next).filter(|(at, _)| *at < until) {
            self.step(word);
            self.next += 1;
        }
        (self.object, self.default.and_then(|at| self.column(at)))
    }

    fn step(&mut self, word: &'a str) {
        let is = |list: &[&str]| list.iter().any(|one| word.eq_ignore_ascii_case(one));
        if word == ";" {
            self.default = None;
            if !self.holds {
                self.object = None;
            }
        } else if is(&BEGIN) && (self.object.is_none() || !self.holds || is(&["create"])) {
            (self.object, self.begun, self.holds) = (None, true, false);
            self.default = None;
        } else if is(&["default"]) {
            self.default = Some(self.next);
        } else if self.begun {
            self.holds |= is(&HOLD);
            if !is(&BETWEEN) {
                self.object = Some(word);
                self.begun = false;
            }
        }
    }

    /// The first word of the column that has this default.
    fn column(&self, default: usize) -> Option<Word<'a>> {
        let (at, _) = self.words.get(default)?;
        let head = self.source.text.get(..*at)?;
        let start = head.rfind([',', '(', '\n']).map_or(0, |at| at + 1);
        let first = self.words.partition_point(|(offset, _)| *offset < start);
        self.words.get(first).copied()
    }
}
