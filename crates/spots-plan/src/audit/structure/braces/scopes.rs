//! Classes and members by keywords and braces, in one pass over a file.

use super::super::Source;
use crate::audit::lexer::{Region, is_word};
use crate::tree::Language;

/// A word of code, a brace or a semicolon, and where it starts.
pub(super) type Word<'a> = (usize, &'a str);

/// What holds a place in the code.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope<'a> {
    pub(super) class: Option<&'a str>,
    pub(super) member: Option<Member<'a>>,
    pub(super) is_async: bool,
}

/// A member and the word that declares it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    pub(super) at: usize,
    pub(super) name: &'a str,
    pub(super) keyword: &'a str,
}

/// The words of code, without comments and text.
pub(super) fn words<'a>(source: &Source<'a>) -> Vec<Word<'a>> {
    let (text, bytes) = (source.text, source.text.as_bytes());
    let mut words = Vec::new();
    let mut spans = source.spans.iter().peekable();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if let Some(span) = spans.next_if(|span| span.start <= at) {
            // The opening of an interpolation: its closing brace is code.
            let inner = text.get(span.start..span.end);
            if span.region == Region::Text && inner == Some("${") {
                words.extend(text.get(at + 1..at + 2).map(|brace| (at + 1, brace)));
            }
            at = at.max(span.end);
        } else if is_word(*byte) {
            let rest = bytes.get(at..).unwrap_or_default();
            let length = rest.iter().take_while(|byte| is_word(**byte)).count();
            words.extend(text.get(at..at + length).map(|word| (at, word)));
            at += length;
        } else {
            if matches!(byte, b'{' | b'}' | b';') {
                words.extend(text.get(at..=at).map(|word| (at, word)));
            }
            at += 1;
        }
    }
    words
}

/// Walks the words forward and knows what holds the place it has come to.
pub(super) struct Walker<'a, 's> {
    source: &'s Source<'a>,
    words: &'s [Word<'a>],
    next: usize,
    scopes: Vec<Scope<'a>>,
    /// What the words since the last brace declare: `val createdAt = Date()`.
    pending: Scope<'a>,
}

impl<'a, 's> Walker<'a, 's> {
    pub(super) fn new(source: &'s Source<'a>, words: &'s [Word<'a>]) -> Self {
        Self {
            source,
            words,
            next: 0,
            scopes: vec![Scope::default()],
            pending: Scope::default(),
        }
    }

    /// The scope of a place at or behind the one before.
    pub(super) fn advance(&mut self, until: usize) -> Scope<'a> {
        while let Some((_, word)) = self.words.get(self.next).filter(|(at, _)| *at < until) {
            match *word {
                "{" => self.scopes.push(std::mem::take(&mut self.pending)),
                "}" => {
                    if self.scopes.len() > 1 {
                        self.scopes.pop();
                    }
                }
                ";" => self.pending = Scope::default(),
                "async" | "suspend" => self.pending.is_async = true,
                _ => self.declare(),
            }
            self.next += 1;
        }
        let all = || self.scopes.iter().chain(std::iter::once(&self.pending));
        let member = all().find_map(|scope| scope.member);
        let innermost = all().rev().find(|scope| scope.member.is_some());
        Scope {
            class: all().rev().find_map(|scope| scope.class),
            member,
            is_async: innermost.is_some_and(|scope| scope.is_async),
        }
    }

    /// Notes whether the next word declares a class or a member.
    fn declare(&mut self) {
        let word = |index: Option<usize>| index.and_then(|at| self.words.get(at)).copied();
        let Some((at, name)) = word(Some(self.next)) else {
            return;
        };
        let keyword = word(self.next.checked_sub(1)).map_or("", |(_, word)| word);
        let member = Some(Member { at, name, keyword });
        match keyword {
            "class" | "struct" | "enum" | "interface" | "object" | "extension" | "actor"
            | "record" => {
                self.pending.class = Some(name);
                // A property without a semicolon ended before.
                self.pending.member = None;
            }
            "func" | "fun" | "val" | "var" | "let" => self.pending.member = member,
            _ if self.source.language == Language::Java
                && self.pending.member.is_none()
                && self.is_java_member((at, name), keyword) =>
            {
                self.pending.member = member;
            }
            _ => {}
        }
    }

    /// `Type name(` and `Type name =`, unless after `new`, `return` or a dot.
    fn is_java_member(&self, (at, name): Word<'_>, before: &str) -> bool {
        let text = self.source.text;
        let rest = text.get(at + name.len()..).unwrap_or_default().trim_start();
        let no_type = ["", "{", "}", ";", "new", "return", "else", "throw"];
        let head = text.get(..at).unwrap_or_default();
        let follows_type = head.ends_with([' ', '\t', '\n'])
            && !head
                .trim_end()
                .ends_with(['=', '.', '(', ',', '&', '|', '+', '?', ':']);
        let declares = rest.starts_with('(') || (rest.starts_with('=') && !rest.starts_with("=="));
        !no_type.contains(&before) && follows_type && declares
    }
}
