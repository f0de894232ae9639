//! Tells code from comments and text, language by language, without parsing.
//!
//! One pass over the bytes with a stack for interpolation: what stands inside `${…}` is code
//! again. The lexer never fails: an unterminated string ends at its line or at the file's end.

mod syntax;

use serde::{Deserialize, Serialize};

use crate::tree::Language;
use syntax::{Hole, Quote};

/// What a stretch of source is, if it is not code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Region {
    /// A comment, documentation included.
    Comment,
    /// The text of a string, a character or a regular expression.
    Text,
}

/// A stretch of bytes that is not code. Both ends lie on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What it is.
    pub region: Region,
}

/// Interpolations nested deeper than this are taken for text.
pub const NESTING_MAX: usize = 64;

/// All stretches that are not code and begin before `until`, in order, without overlap.
pub fn spans(language: Language, text: &str, until: usize) -> Vec<Span> {
    let mut lexer = Lexer {
        language,
        bytes: text.as_bytes(),
        at: 0,
        spans: Vec::new(),
        frames: vec![Frame::Code {
            closer: 0,
            depth: 0,
        }],
        word: (0, 0),
        body: None,
        value_before: false,
    };
    while lexer.at < lexer.bytes.len() && lexer.at < until {
        match lexer.frames.last().copied() {
            Some(Frame::Text(quote)) => lexer.text(quote),
            Some(Frame::Code { .. }) => lexer.code(),
            None => break,
        }
    }
    lexer.spans
}

/// What the byte at `offset` is; `None` for code. The spans must be those of the same text.
pub fn region_at(spans: &[Span], offset: usize) -> Option<Region> {
    let after = spans.partition_point(|span| span.end <= offset);
    spans
        .get(after)
        .filter(|span| span.start <= offset)
        .map(|span| span.region)
}

#[derive(Clone, Copy, Debug)]
enum Frame {
    /// Code that ends with `closer` at depth 0; the outermost has no closer.
    Code { closer: u8, depth: u32 },
    /// Inside a string.
    Text(Quote),
}

struct Lexer<'a> {
    language: Language,
    bytes: &'a [u8],
    at: usize,
    spans: Vec<Span>,
    frames: Vec<Frame>,
    /// The last word: a prefix such as `r` or `AS` decides what a quote means.
    word: (usize, usize),
    /// The `$tag$` that closes the body of an SQL function we are in.
    body: Option<(usize, usize)>,
    /// Whether the last token ends a value, so that `/` divides.
    value_before: bool,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn looks_at(&self, what: &[u8]) -> bool {
        self.bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(what))
    }

    fn last_word(&self) -> &[u8] {
        self.bytes.get(self.word.0..self.word.1).unwrap_or_default()
    }

    /// Records `start..self.at` as not code.
    fn close(&mut self, start: usize, region: Region) {
        if start < self.at {
            self.spans.push(Span {
                start,
                end: self.at,
                region,
            });
        }
    }

    /// One step in code: a comment, a word, a quote or any other byte.
    fn code(&mut self) {
        let byte = self.peek(0);
        if self.language == Language::Sql && byte == b'$' {
            self.dollar();
        } else if is_word(byte) {
            self.read_word();
        } else if byte.is_ascii_whitespace() {
            self.at += 1;
        } else if !self.comment() && !self.open_text() {
            self.punctuation(byte);
        }
    }

    fn read_word(&mut self) {
        let start = self.at;
        let dollar_ends = self.language == Language::Sql;
        while is_word(self.peek(0)) && !(dollar_ends && self.peek(0) == b'$') {
            self.at += 1;
        }
        self.word = (start, self.at);
        self.value_before = !syntax::before_a_value(self.last_word());
    }

    /// A `$tag$`: the body of a function is code, any other dollar-quoted text is text.
    fn dollar(&mut self) {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let Some(length) = syntax::dollar_tag(rest) else {
            self.at += 1;
            return;
        };
        let tag = rest.get(..length).unwrap_or_default();
        self.at += length;
        if self.body.and_then(|(from, to)| self.bytes.get(from..to)) == Some(tag) {
            self.body = None;
            return;
        }
        let word = self.last_word();
        let opens_body = [&b"as"[..], b"do", b"plpgsql", b"sql"]
            .iter()
            .any(|opener| word.eq_ignore_ascii_case(opener));
        if opens_body && self.body.is_none() {
            self.body = Some((start, self.at));
            return;
        }
        let inner = rest.get(length..).unwrap_or_default();
        let end = memchr::memmem::find(inner, tag).map_or(inner.len(), |at| at + length);
        self.at += end;
        self.close(start, Region::Text);
    }

    fn punctuation(&mut self, byte: u8) {
        self.at += 1;
        self.value_before = matches!(byte, b')' | b']' | b'}');
        let Some(Frame::Code { closer, depth }) = self.frames.last_mut() else {
            return;
        };
        let opener = if *closer == b')' { b'(' } else { b'{' };
        if *closer == 0 {
            return;
        }
        if byte == opener {
            *depth += 1;
        } else if byte == *closer {
            match depth.checked_sub(1) {
                Some(less) => *depth = less,
                None => drop(self.frames.pop()),
            }
        }
    }

    /// Reads a comment, if one starts here.
    fn comment(&mut self) -> bool {
        let start = self.at;
        let line = if self.language == Language::Sql {
            b"--"
        } else {
            b"//"
        };
        if self.looks_at(line) {
            self.skip_to_line_end();
        } else if self.looks_at(b"/*") {
            self.skip_block_comment();
        } else {
            return false;
        }
        self.close(start, Region::Comment);
        true
    }

    fn skip_to_line_end(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
    }

    fn skip_block_comment(&mut self) {
        let nests = syntax::comments_nest(self.language);
        let mut depth = 0_u32;
        while self.at < self.bytes.len() {
            if self.looks_at(b"/*") && (nests || depth == 0) {
                depth += 1;
                self.at += 2;
            } else if self.looks_at(b"*/") {
                depth = depth.saturating_sub(1);
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else {
                self.at += 1;
            }
        }
    }

    /// Enters a string, or skips a character or a regular expression, if one starts here.
    fn open_text(&mut self) -> bool {
        let start = self.at;
        let word_touches = self.word.1 == self.at;
        let word = if word_touches { self.last_word() } else { &[] };
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if let Some((quote, length)) = syntax::quote(self.language, word, rest) {
            self.at += length;
            self.close(start, Region::Text);
            self.value_before = true;
            self.frames.push(Frame::Text(quote));
            return true;
        }
        let Some(length) = syntax::small_text(self.language, self.value_before, rest) else {
            return false;
        };
        self.at += length;
        self.close(start, Region::Text);
        self.value_before = true;
        true
    }

    /// Reads on in a string, to its end or to the next interpolation.
    fn text(&mut self, quote: Quote) {
        let start = self.at;
        while self.at < self.bytes.len() {
            let byte = self.peek(0);
            if byte == quote.delimiter && self.ends(quote) {
                if quote.escape.doubled() && self.peek(1) == quote.delimiter {
                    self.at += 2;
                    continue;
                }
                self.at += quote.count + quote.hashes;
                self.frames.pop();
                break;
            }
            if !quote.multiline && (byte == b'\n' || byte == b'\r') {
                self.frames.pop();
                break;
            }
            if let Some(length) = self.hole(quote) {
                self.close(start, Region::Text);
                self.enter_hole(quote, length);
                return;
            }
            self.at += if quote.escape.backslash() && byte == b'\\' {
                self.escape_length()
            } else {
                1
            };
        }
        self.at = self.at.min(self.bytes.len());
        self.close(start, Region::Text);
    }

    /// A backslash and the whole character after it; a line break stays for the caller.
    fn escape_length(&self) -> usize {
        match self.peek(1) {
            b'\n' | b'\r' if !matches!(self.language, Language::Rust) => 1,
            0x80.. => 1,
            _ => 2,
        }
    }

    fn ends(&self, quote: Quote) -> bool {
        let tail = self.bytes.get(self.at..).unwrap_or_default();
        let quotes = tail
            .iter()
            .take(quote.count)
            .filter(|byte| **byte == quote.delimiter);
        let hashes = tail
            .iter()
            .skip(quote.count)
            .take(quote.hashes)
            .filter(|byte| **byte == b'#');
        quotes.count() == quote.count && hashes.count() == quote.hashes
    }

    /// The length of the opening of an interpolation, if one is here.
    fn hole(&self, quote: Quote) -> Option<usize> {
        if self.frames.len() >= NESTING_MAX {
            return None;
        }
        match quote.hole {
            Hole::Braces | Hole::BracesOrName if self.looks_at(b"${") => Some(2),
            Hole::BracesOrName if self.peek(0) == b'$' && is_name_start(self.peek(1)) => Some(1),
            Hole::Parentheses if self.peek(0) == b'\\' => {
                let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
                let hashes = rest
                    .iter()
                    .take(quote.hashes)
                    .filter(|byte| **byte == b'#')
                    .count();
                let open = rest.get(quote.hashes) == Some(&b'(');
                (hashes == quote.hashes && open).then_some(quote.hashes + 2)
            }
            _ => None,
        }
    }

    fn enter_hole(&mut self, quote: Quote, length: usize) {
        let start = self.at;
        self.at += length;
        self.close(start, Region::Text);
        if length == 1 && quote.hole == Hole::BracesOrName {
            // `$name` is code as far as the name goes.
            while is_word(self.peek(0)) && self.peek(0) != b'$' {
                self.at += 1;
            }
            return;
        }
        let closer = if quote.hole == Hole::Parentheses {
            b')'
        } else {
            b'}'
        };
        self.value_before = false;
        self.frames.push(Frame::Code { closer, depth: 0 });
    }
}

/// Letters, digits, `_`, `$` and everything beyond ASCII.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}
