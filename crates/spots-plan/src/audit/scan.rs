//! Finds reads with a literal search, and lexes only the files that hold one.
//!
//! All names of a language are looked for in one vectorised pass. Each hit is checked forward for
//! the rest of its pattern; only when one fits is the file lexed, to tell code from comments and
//! text. A file without a candidate costs the search alone.

mod names;

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, MatchKind};
use serde::{Deserialize, Serialize};

use super::lexer::{Region, Span, is_word, region_at, spans};
use super::pattern::{Call, Pattern};
use crate::tree::Language;

pub(super) use names::imports_file;

/// How a name stands in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Form {
    /// It reads the clock here.
    Call,
    /// The function itself is handed on, to be called later.
    TearOff,
}

/// A place that matches a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// First byte: of the name, or of its `new` in scripts.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Index of the pattern.
    pub pattern: usize,
    /// How it stands there.
    pub form: Form,
    /// What holds it, if not code.
    pub region: Option<Region>,
}

/// What the search found in one file.
#[derive(Clone, Debug, Default)]
pub struct FileScan {
    /// In the order of the text.
    pub hits: Vec<Hit>,
    /// Names of patterns that the file itself declares, as a class of its own for example.
    pub declares: BTreeSet<String>,
    /// What is not code, when it had to be known.
    pub spans: Vec<Span>,
}

/// All patterns, ready to search with.
#[derive(Debug)]
pub struct Scanner {
    patterns: Vec<Pattern>,
    languages: BTreeMap<Language, Anchors>,
}

#[derive(Debug)]
struct Anchors {
    finder: AhoCorasick,
    /// Patterns by the finder's needle.
    patterns: Vec<Vec<usize>>,
}

/// A text under search.
struct Text<'a> {
    language: Language,
    source: &'a str,
    bytes: &'a [u8],
}

impl Scanner {
    /// Prepares the search for these patterns.
    pub fn new(patterns: &[Pattern]) -> Self {
        let mut languages = BTreeMap::new();
        for language in Language::ALL {
            let mut by_anchor = BTreeMap::<&str, Vec<usize>>::new();
            for (index, pattern) in patterns.iter().enumerate() {
                if pattern.languages.contains(&language) {
                    by_anchor.entry(pattern.anchor()).or_default().push(index);
                }
            }
            if by_anchor.is_empty() {
                continue;
            }
            let finder = AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .ascii_case_insensitive(language == Language::Sql)
                .build(by_anchor.keys())
                .expect("names are short and few: both have a limit");
            let patterns = by_anchor.into_values().collect();
            languages.insert(language, Anchors { finder, patterns });
        }
        Self {
            patterns: patterns.to_vec(),
            languages,
        }
    }

    /// The patterns, by the index that hits carry.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// The languages for which there are patterns.
    pub fn languages(&self) -> Vec<Language> {
        self.languages.keys().copied().collect()
    }

    /// Searches one file.
    pub fn scan(&self, language: Language, text: &str) -> FileScan {
        let Some(anchors) = self.languages.get(&language) else {
            return FileScan::default();
        };
        let text = Text {
            language,
            source: text,
            bytes: text.as_bytes(),
        };
        let mut scan = FileScan::default();
        let mut declared = Vec::new();
        for found in anchors.finder.find_iter(text.bytes) {
            let (start, end) = (found.start(), found.end());
            if is_word(text.byte_before(start)) || is_word(text.byte(end)) {
                continue;
            }
            let candidates = anchors.patterns.get(found.pattern().as_usize());
            let candidates = candidates.map_or(&[][..], Vec::as_slice);
            if names::declares(language, text.bytes, start, end) {
                declared.push((start, candidates));
            } else {
                scan.hits.extend(self.longest(&text, start, candidates));
            }
        }
        self.classify(&text, &mut scan, &declared);
        scan
    }

    /// The pattern that fits best at a name: of two, the one that covers more.
    fn longest(&self, text: &Text<'_>, start: usize, candidates: &[usize]) -> Option<Hit> {
        candidates
            .iter()
            .filter_map(|index| {
                let pattern = self.patterns.get(*index)?;
                let (start, end, form) = text.fit(pattern, start)?;
                Some(Hit {
                    start,
                    end,
                    pattern: *index,
                    form,
                    region: None,
                })
            })
            .max_by_key(|hit| hit.end - hit.start)
    }

    /// Tells code from comments and text, and drops what a file's own declarations explain.
    fn classify(&self, text: &Text<'_>, scan: &mut FileScan, declared: &[(usize, &[usize])]) {
        let last_hit = scan.hits.last().map_or(0, |hit| hit.end);
        let last_declared = declared.last().map_or(0, |(start, _)| start + 1);
        if last_hit == 0 && last_declared == 0 {
            return;
        }
        scan.spans = spans(text.language, text.source, last_hit.max(last_declared));
        for (start, candidates) in declared {
            if region_at(&scan.spans, *start).is_none() {
                let patterns = candidates
                    .iter()
                    .filter_map(|index| self.patterns.get(*index));
                scan.declares
                    .extend(patterns.map(|pattern| pattern.anchor().to_owned()));
            }
        }
        let FileScan {
            hits,
            declares,
            spans,
        } = scan;
        hits.retain_mut(|hit| {
            hit.region = region_at(spans, hit.end.saturating_sub(1).max(hit.start));
            let pattern = self.patterns.get(hit.pattern);
            let own = pattern.is_some_and(|pattern| declares.contains(pattern.anchor()));
            match hit.region {
                // A mention is what a plain search would count: the whole call.
                Some(_) => hit.form == Form::Call,
                None => !own,
            }
        });
    }
}

impl Text<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    fn byte_before(&self, at: usize) -> u8 {
        at.checked_sub(1).map_or(0, |at| self.byte(at))
    }

    /// Whether the pattern fits with its first name at `start`; its extent and form.
    fn fit(&self, pattern: &Pattern, start: usize) -> Option<(usize, usize, Form)> {
        let has_new = names::word_before(self.bytes, start)
            .filter(|(at, word)| *word == b"new" && !is_word(self.byte_before(*at)));
        let start_of_hit = match has_new {
            Some((at, _)) if pattern.new => at,
            None if pattern.new => return None,
            Some(_) if self.is_script() => return None,
            _ => start,
        };
        if !names::qualifier_allows(pattern, self.language, self.source, start) {
            return None;
        }
        let (end, by_reference) = self.names_end(pattern, start)?;
        let (end, form) = self.call_end(pattern, end, by_reference)?;
        Some((start_of_hit, end, form))
    }

    fn is_script(&self) -> bool {
        matches!(
            self.language,
            Language::TypeScript | Language::Tsx | Language::JavaScript
        )
    }

    /// Where the pattern's names end, and whether `::` refers to the last one as a function.
    fn names_end(&self, pattern: &Pattern, start: usize) -> Option<(usize, bool)> {
        let mut names = pattern.names.iter();
        let mut end = start + names.next()?.len();
        let mut by_reference = false;
        for name in names {
            let joint = self.skip_trivia(end);
            let rest = self.bytes.get(joint..)?;
            let width = match (self.language, rest) {
                (Language::Rust, [b':', b':', ..]) => 2,
                (Language::Kotlin | Language::Java, [b':', b':', ..]) => {
                    by_reference = true;
                    2
                }
                (Language::Rust, _) | (_, [b'.', b'.', ..]) => return None,
                (_, [b'.', ..]) => 1,
                _ => return None,
            };
            let at = self.skip_trivia(joint + width);
            let found = self.bytes.get(at..at + name.len())?;
            let same = if self.language == Language::Sql {
                found.eq_ignore_ascii_case(name.as_bytes())
            } else {
                found == name.as_bytes()
            };
            if !same || is_word(self.byte(at + name.len())) {
                return None;
            }
            end = at + name.len();
        }
        Some((end, by_reference))
    }

    fn call_end(&self, pattern: &Pattern, end: usize, by_reference: bool) -> Option<(usize, Form)> {
        let next = self.skip_trivia(end);
        match (pattern.call, self.byte(next)) {
            (Call::None, _) => Some((end, Form::Call)),
            (Call::Empty | Call::Any, b'(') if by_reference => None,
            (Call::Empty, b'(') => {
                let close = self.skip_trivia(next + 1);
                (self.byte(close) == b')').then_some((close + 1, Form::Call))
            }
            (Call::Any, b'(') => Some((next + 1, Form::Call)),
            // `new Date` without parentheses is the same call.
            _ if pattern.new && self.is_script() => {
                (self.byte(next) != b'.').then_some((end, Form::Call))
            }
            _ if pattern.has_tear_off() && self.may_be_handed_on(next) => {
                Some((end, Form::TearOff))
            }
            _ => None,
        }
    }

    /// What follows does not replace the function, as a mock does.
    fn may_be_handed_on(&self, next: usize) -> bool {
        let assigned = self.byte(next) == b'=' && !matches!(self.byte(next + 1), b'=' | b'>');
        !assigned && self.byte(next) != b':'
    }

    /// Past white space and comments.
    fn skip_trivia(&self, mut at: usize) -> usize {
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let line = if self.language == Language::Sql {
                &b"--"[..]
            } else {
                b"//"
            };
            if rest.first().is_some_and(u8::is_ascii_whitespace) {
                at += 1;
            } else if rest.starts_with(line) {
                at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            } else if rest.starts_with(b"/*") {
                let inner = rest.get(2..).unwrap_or_default();
                at += memchr::memmem::find(inner, b"*/").map_or(rest.len(), |end| end + 4);
            } else {
                return at;
            }
        }
    }
}
