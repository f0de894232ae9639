//! How each language writes strings, characters and regular expressions.

use crate::tree::Language;

/// How an open string goes on and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quote {
    /// The byte that closes it.
    pub(super) delimiter: u8,
    /// How many of them: one or three.
    pub(super) count: usize,
    /// How many `#` follow them.
    pub(super) hashes: usize,
    /// How it writes its own delimiter.
    pub(super) escape: Escape,
    /// Whether it may span lines.
    pub(super) multiline: bool,
    /// What opens code inside it.
    pub(super) hole: Hole,
}

/// How a string writes its own delimiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// Not at all.
    None,
    /// After a backslash.
    Backslash,
    /// Twice.
    Doubled,
    /// Either way: PostgreSQL's `E'…'`.
    Both,
}

impl Escape {
    pub(super) fn backslash(self) -> bool {
        matches!(self, Self::Backslash | Self::Both)
    }

    pub(super) fn doubled(self) -> bool {
        matches!(self, Self::Doubled | Self::Both)
    }

    /// A backslash, if `there`.
    fn backslash_if(there: bool) -> Self {
        if there { Self::Backslash } else { Self::None }
    }
}

/// What opens code inside a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hole {
    /// Nothing.
    None,
    /// `${`
    Braces,
    /// `${`, or `$` before a name.
    BracesOrName,
    /// `\(`, with as many `#` between as the string has.
    Parentheses,
}

const PLAIN: Quote = Quote {
    delimiter: b'"',
    count: 1,
    hashes: 0,
    escape: Escape::Backslash,
    multiline: false,
    hole: Hole::None,
};

/// Whether `/* /* */ */` is one comment.
pub(super) fn comments_nest(language: Language) -> bool {
    !matches!(
        language,
        Language::TypeScript | Language::Tsx | Language::JavaScript | Language::Java
    )
}

/// Words after which a `/` begins a regular expression.
pub(super) fn before_a_value(word: &[u8]) -> bool {
    matches!(
        word,
        b"return"
            | b"typeof"
            | b"case"
            | b"in"
            | b"of"
            | b"delete"
            | b"void"
            | b"throw"
            | b"new"
            | b"do"
            | b"else"
            | b"await"
            | b"yield"
            | b"instanceof"
    )
}

/// The string that opens at the start of `rest`, and the length of its opening.
/// `prefix` is the word that touches it.
pub(super) fn quote(language: Language, prefix: &[u8], rest: &[u8]) -> Option<(Quote, usize)> {
    match language {
        Language::Dart => dart(prefix, rest),
        Language::Rust => rust(prefix, rest),
        Language::TypeScript | Language::Tsx | Language::JavaScript => script(rest),
        Language::Sql => sql(prefix, rest),
        Language::Swift => swift(rest),
        Language::Kotlin | Language::Java => jvm(language, rest),
        Language::OpenApi => None,
    }
}

fn triple(rest: &[u8], byte: u8) -> bool {
    rest.starts_with(&[byte, byte, byte])
}

fn dart(prefix: &[u8], rest: &[u8]) -> Option<(Quote, usize)> {
    let delimiter = *rest.first().filter(|byte| matches!(byte, b'\'' | b'"'))?;
    let raw = prefix == b"r";
    let count = if triple(rest, delimiter) { 3 } else { 1 };
    let hole = if raw { Hole::None } else { Hole::BracesOrName };
    let quote = Quote {
        delimiter,
        count,
        escape: Escape::backslash_if(!raw),
        multiline: count == 3,
        hole,
        ..PLAIN
    };
    Some((quote, count))
}

fn rust(prefix: &[u8], rest: &[u8]) -> Option<(Quote, usize)> {
    let raw = matches!(prefix, b"r" | b"br" | b"cr");
    let hashes = if raw {
        rest.iter().take_while(|byte| **byte == b'#').count()
    } else {
        0
    };
    if rest.get(hashes) != Some(&b'"') {
        return None;
    }
    let quote = Quote {
        hashes,
        escape: Escape::backslash_if(!raw),
        multiline: true,
        ..PLAIN
    };
    Some((quote, hashes + 1))
}

fn script(rest: &[u8]) -> Option<(Quote, usize)> {
    match rest.first()? {
        b'`' => Some((
            Quote {
                delimiter: b'`',
                multiline: true,
                hole: Hole::Braces,
                ..PLAIN
            },
            1,
        )),
        delimiter @ (b'\'' | b'"') => Some((
            Quote {
                delimiter: *delimiter,
                ..PLAIN
            },
            1,
        )),
        _ => None,
    }
}

fn sql(prefix: &[u8], rest: &[u8]) -> Option<(Quote, usize)> {
    match rest.first()? {
        b'\'' => {
            let both = prefix.eq_ignore_ascii_case(b"e");
            let escape = if both { Escape::Both } else { Escape::Doubled };
            let quote = Quote {
                delimiter: b'\'',
                escape,
                multiline: true,
                ..PLAIN
            };
            Some((quote, 1))
        }
        b'"' => Some((
            Quote {
                escape: Escape::Doubled,
                multiline: true,
                ..PLAIN
            },
            1,
        )),
        _ => None,
    }
}

/// The length of PostgreSQL's `$tag$` at the start of `rest`.
pub(super) fn dollar_tag(rest: &[u8]) -> Option<usize> {
    const TAG_BYTES_MAX: usize = 63;
    let tail = rest.strip_prefix(b"$")?;
    let name = tail.iter().take(TAG_BYTES_MAX + 1);
    let length = name
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    let named_by_digit = tail.first().is_some_and(u8::is_ascii_digit);
    (tail.get(length) == Some(&b'$') && !named_by_digit).then_some(length + 2)
}

fn swift(rest: &[u8]) -> Option<(Quote, usize)> {
    let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
    let tail = rest.get(hashes..)?;
    if tail.first() != Some(&b'"') {
        return None;
    }
    let count = if triple(tail, b'"') { 3 } else { 1 };
    let quote = Quote {
        count,
        hashes,
        escape: Escape::backslash_if(hashes == 0),
        multiline: count == 3,
        hole: Hole::Parentheses,
        ..PLAIN
    };
    Some((quote, hashes + count))
}

fn jvm(language: Language, rest: &[u8]) -> Option<(Quote, usize)> {
    if rest.first() != Some(&b'"') {
        return None;
    }
    let count = if triple(rest, b'"') { 3 } else { 1 };
    let kotlin = language == Language::Kotlin;
    let quote = Quote {
        count,
        escape: Escape::backslash_if(count == 1 || !kotlin),
        multiline: count == 3,
        hole: if kotlin {
            Hole::BracesOrName
        } else {
            Hole::None
        },
        ..PLAIN
    };
    Some((quote, count))
}

/// The length of a character literal or a regular expression at the start of `rest`.
pub(super) fn small_text(language: Language, value_before: bool, rest: &[u8]) -> Option<usize> {
    match (language, rest.first()?) {
        (Language::Rust | Language::Kotlin | Language::Java, b'\'') => character(rest),
        (Language::TypeScript | Language::Tsx | Language::JavaScript, b'/') if !value_before => {
            regular_expression(rest)
        }
        _ => None,
    }
}

/// `'x'`, `'\n'`, `'\u{1F600}'`; not the lifetime `'a`.
fn character(rest: &[u8]) -> Option<usize> {
    const CHARACTER_BYTES_MAX: usize = 14;
    if rest.get(1) == Some(&b'\\') {
        let tail = rest.iter().take(CHARACTER_BYTES_MAX).skip(3);
        return tail
            .clone()
            .position(|byte| *byte == b'\'')
            .map(|at| at + 4);
    }
    let first = *rest.get(1)?;
    let width = match first {
        b'\'' | b'\n' => return None,
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    };
    (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
}

fn regular_expression(rest: &[u8]) -> Option<usize> {
    let mut in_class = false;
    let mut at = 1;
    loop {
        match rest.get(at)? {
            b'\n' | b'\r' => return None,
            b'\\' => at += usize::from(rest.get(at + 1).is_some_and(u8::is_ascii)),
            b'[' => in_class = true,
            b']' => in_class = false,
            b'/' if !in_class => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
}
