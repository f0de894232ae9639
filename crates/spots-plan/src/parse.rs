//! Parsing source, however long its lines are.
//!
//! A grammar that recovers from what it did not expect may look for the end of a string as far as the
//! line goes, at every token: in a line of megabytes that takes minutes. So long lines are broken first,
//! where code allows it, byte for byte.

use std::borrow::Cow;

use tree_sitter::{Parser, Tree};

use crate::audit::lexer::{region_at, spans};
use crate::tree::Language;

/// Code without an end of a line or a string in more bytes than this is not parsed.
pub(crate) const LINE_BYTES_MAX: usize = 128 * 1024;

/// Parses a text; `None` without a grammar, or where a line is too long.
pub(crate) fn parse(language: Language, text: &str) -> Option<Tree> {
    let grammar = language.grammar()?;
    let text = with_short_lines(language, text).ok()?;
    let mut parser = Parser::new();
    parser
        .set_language(&grammar)
        .expect("the grammars fit the library's version");
    parser.parse(text.as_ref(), None)
}

/// Whether every line is short as it is.
pub(crate) fn has_short_lines(text: &str) -> bool {
    text.split('\n').all(|line| line.len() <= LINE_BYTES_MAX)
}

/// The text with its long lines broken: every byte is where it was. The line, from 1, that cannot be.
pub(crate) fn with_short_lines(language: Language, text: &str) -> Result<Cow<'_, str>, u32> {
    if has_short_lines(text) {
        return Ok(Cow::Borrowed(text));
    }
    let spans = spans(language, text, text.len());
    let mut bytes = text.as_bytes().to_vec();
    for at in memchr::memchr_iter(b' ', text.as_bytes()) {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let ends = matches!(before, Some(b';' | b'{' | b'}' | b','));
        let code = ends && region_at(&spans, at).is_none();
        if let Some(byte) = bytes.get_mut(at).filter(|_| code) {
            *byte = b'\n';
        }
    }
    let broken = String::from_utf8(bytes).expect("a space and a newline are a byte each");
    let ends = spans.iter().map(|span| (span.start, span.end));
    let mut start = 0;
    for (end, next) in ends.chain([(text.len(), text.len())]) {
        let code = broken.get(start..end).unwrap_or_default();
        for line in code.split_inclusive('\n') {
            if line.len() > LINE_BYTES_MAX {
                let before = text.get(..start).unwrap_or_default().matches('\n').count();
                return Err(u32::try_from(before + 1).unwrap_or(u32::MAX));
            }
            start += line.len();
        }
        start = next;
    }
    Ok(Cow::Owned(broken))
}

/// For each line of a broken text, the line of the text where it starts.
pub(crate) fn lines_of(text: &str, broken: &str) -> Vec<u32> {
    let mut lines = vec![1];
    let mut line = 1_u32;
    for (own, byte) in text.bytes().zip(broken.bytes()) {
        line = line.saturating_add(u32::from(own == b'\n'));
        if byte == b'\n' {
            lines.push(line);
        }
    }
    lines
}
