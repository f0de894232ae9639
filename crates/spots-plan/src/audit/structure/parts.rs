//! The parts of a Dart file that have to be parsed to place some offsets in it.
//!
//! The grammar reads a few megabytes a second, the lexer a hundred times as much. So the lexer cuts
//! the file into declarations and classes into members, and the grammar reads the head of a class,
//! the members that hold an offset, and the closing brace: a smaller file that is well formed too.
//! Where the cut was wrong the parts do not parse, and the caller takes the whole text.

use std::iter::once;
use std::ops::Range;

use tree_sitter::Point;

use crate::audit::lexer::{Region, Span, is_word, region_at};

/// What has to be parsed for these offsets, in order and apart from each other; `None` if the
/// brackets of the text do not match, or if that would be all of it.
pub(super) fn around(text: &str, spans: &[Span], offsets: &[usize]) -> Option<Vec<Range<usize>>> {
    let cut = Cut {
        text,
        spans,
        offsets,
    };
    let mut parts = Vec::<Range<usize>>::new();
    for declaration in cut.declarations()? {
        for part in cut.of_declaration(&declaration) {
            match parts.last_mut() {
                Some(last) if last.end == part.start => last.end = part.end,
                _ => parts.push(part),
            }
        }
    }
    let parsed = parts.iter().map(ExactSizeIterator::len).sum::<usize>();
    (parsed < text.len()).then_some(parts)
}

/// The same parts as the parser wants them, with their lines.
pub(super) fn for_parser(text: &str, parts: &[Range<usize>]) -> Vec<tree_sitter::Range> {
    let (mut at, mut row) = (0, 0);
    let mut point = |offset: usize| {
        let passed = text.get(at..offset).unwrap_or_default().as_bytes();
        row += memchr::memchr_iter(b'\n', passed).count();
        at = offset;
        let line = text.get(..offset).and_then(|before| before.rfind('\n'));
        Point::new(row, offset - line.map_or(0, |at| at + 1))
    };
    parts
        .iter()
        .map(|part| tree_sitter::Range {
            start_byte: part.start,
            end_byte: part.end,
            start_point: point(part.start),
            end_point: point(part.end),
        })
        .collect()
}

/// A declaration at the top level, and where its outermost braces can be cut.
struct Declaration {
    range: Range<usize>,
    /// Its first brace outside all brackets.
    brace: Option<usize>,
    /// Ends of what stands between its braces.
    ends: Vec<usize>,
}

struct Cut<'a> {
    text: &'a str,
    spans: &'a [Span],
    offsets: &'a [usize],
}

impl Cut<'_> {
    fn declarations(&self) -> Option<Vec<Declaration>> {
        let mut declarations = Vec::new();
        let new = |start: usize| Declaration {
            range: start..start,
            brace: None,
            ends: Vec::new(),
        };
        let mut current = new(0);
        let mut depth = 0_usize;
        for (at, mark) in self.marks() {
            let ends = match mark {
                b'(' | b'[' | b'{' => {
                    if depth == 0 && mark == b'{' {
                        current.brace.get_or_insert(at);
                    }
                    depth += 1;
                    false
                }
                b';' => true,
                _ => {
                    depth = depth.checked_sub(1)?;
                    mark == b'}' && self.next_code_byte(at + 1) != b';'
                }
            };
            if ends && depth == 1 && current.brace.is_some() {
                current.ends.push(at + 1);
            } else if ends && depth == 0 {
                current.range.end = at + 1;
                declarations.push(std::mem::replace(&mut current, new(at + 1)));
            }
        }
        current.range.end = self.text.len();
        declarations.push(current);
        (depth == 0).then_some(declarations)
    }

    /// Brackets, braces and semicolons of code, in order.
    fn marks(&self) -> impl Iterator<Item = (usize, u8)> {
        let bytes = self.text.as_bytes();
        let mut spans = self.spans.iter().peekable();
        let mut at = 0;
        std::iter::from_fn(move || {
            loop {
                if let Some(span) = spans.next_if(|span| span.start <= at) {
                    // The opening of an interpolation: its closing brace is code.
                    let opens = span.region == Region::Text
                        && bytes.get(span.start..span.end) == Some(b"${");
                    at = at.max(span.end);
                    if opens {
                        return Some((span.start, b'{'));
                    }
                    continue;
                }
                let byte = *bytes.get(at)?;
                at += 1;
                if matches!(byte, b'(' | b')' | b'[' | b']' | b'{' | b'}' | b';') {
                    return Some((at - 1, byte));
                }
            }
        })
    }

    fn next_code_byte(&self, from: usize) -> u8 {
        let bytes = self.text.as_bytes().iter().enumerate().skip(from);
        let mut code = bytes.filter(|(at, byte)| {
            !byte.is_ascii_whitespace() && region_at(self.spans, *at) != Some(Region::Comment)
        });
        code.next().map_or(0, |(_, byte)| *byte)
    }

    /// What of a declaration has to be parsed: nothing, all, or a class with some members.
    fn of_declaration(&self, declaration: &Declaration) -> Vec<Range<usize>> {
        let Range { start, end } = declaration.range;
        if !self.holds_offset(&declaration.range) {
            return Vec::new();
        }
        let brace = declaration
            .brace
            .filter(|brace| self.heads_class(start, *brace));
        let (Some(brace), Some(last)) = (brace, declaration.ends.last()) else {
            return once(start..end).collect();
        };
        let mut from = brace + 1;
        let members = declaration.ends.iter().map(|to| {
            let member = from..*to;
            from = *to;
            member
        });
        once(start..brace + 1)
            .chain(members.filter(|member| self.holds_offset(member)))
            .chain(once(*last..end))
            .collect()
    }

    fn holds_offset(&self, range: &Range<usize>) -> bool {
        let first = self.offsets.partition_point(|offset| *offset < range.start);
        self.offsets
            .get(first)
            .is_some_and(|offset| *offset < range.end)
    }

    /// Whether what stands before a brace makes it the body of a class, mixin or extension.
    fn heads_class(&self, start: usize, brace: usize) -> bool {
        let bytes = self.text.as_bytes();
        let code = (start..brace).filter(|at| region_at(self.spans, *at).is_none());
        let head = code.filter_map(|at| bytes.get(at)).copied();
        let head = String::from_utf8_lossy(&head.collect::<Vec<_>>()).into_owned();
        let mut words = head.split(|c: char| !(c.is_ascii() && is_word(c as u8)));
        let words = words.by_ref().collect::<Vec<_>>();
        // `extension` and `mixin` are also names that a function may have.
        words.contains(&"class")
            || (!head.contains(['(', '='])
                && (words.contains(&"mixin") || words.contains(&"extension")))
    }
}
