//! Text of a calendar, made plain.

use crate::value::is_deceptive;

/// Elements whose beginning or end is the end of a line.
const BREAKS: &str = " br p div li ul ol tr table h1 h2 h3 h4 h5 h6 blockquote pre hr section \
    article header footer dl dt dd ";
/// Other elements that are markup and not text.
const INLINE: &str = " a abbr b big body center cite code del em font head html html-blob i img \
    ins kbd label link mark meta o:p s small span strike strong sub sup td tbody tfoot th thead \
    tt u wbr figure figcaption main nav samp var q time input button svg ";
/// Elements whose content is not text.
const HIDDEN: &str = " script style title ";

/// A value of type TEXT without escapes, without HTML, and without characters that hide.
pub(super) fn plain(value: &str) -> String {
    let unescaped = unescape(value);
    let visible: String = without_html(&unescaped)
        .replace("\r\n", "\n")
        .chars()
        .map(|c| if c == '\r' || c == '\u{a0}' { ' ' } else { c })
        .filter(|c| !is_deceptive(*c) || matches!(c, '\n' | '\t'))
        .collect();
    tidy(&visible)
}

/// A text of one line, at most so many characters; whether it was longer.
pub(super) fn line(text: &str, chars_max: usize) -> (String, bool) {
    let words: Vec<_> = text.split_whitespace().collect();
    clip(&words.join(" "), chars_max)
}

/// At most so many characters, the last one `…` where there were more; whether there were.
pub(super) fn clip(text: &str, chars_max: usize) -> (String, bool) {
    if text.chars().count() <= chars_max {
        return (text.to_owned(), false);
    }
    let mut kept: String = text.chars().take(chars_max - 1).collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    (kept, true)
}

/// Undoes the escapes of RFC 5545, section 3.3.11, and two that programs add.
fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n' | 'N') => out.push('\n'),
            Some(plain @ ('\\' | ';' | ',' | ':' | '"')) => out.push(plain),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

/// Text with known HTML elements and entities made plain; `a < b` stays.
fn without_html(text: &str) -> String {
    if !text.contains(['<', '&']) {
        return text.to_owned();
    }
    let markup = is_html(text);
    let mut out = String::with_capacity(text.len());
    let mut links: Vec<(String, usize)> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(at);
        push_text(&mut out, before, markup);
        if let Some((c, after)) = entity(from) {
            out.push(c);
            rest = after;
        } else if let Some((tag, after)) = tag(from) {
            rest = take_tag(&tag, after, &mut out, &mut links);
        } else {
            let (first, after) = from.split_at(1);
            out.push_str(first);
            rest = after;
        }
    }
    push_text(&mut out, rest, markup);
    out
}

/// In HTML a line break of the source is a space.
fn push_text(out: &mut String, text: &str, markup: bool) {
    if markup {
        out.extend(text.chars().map(|c| if c == '\n' { ' ' } else { c }));
    } else {
        out.push_str(text);
    }
}

/// Whether a text is a document of its own or has elements that break lines: then its own line
/// breaks mean nothing.
fn is_html(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["<html", "<!doctype", "<p>", "<p ", "<div"]
        .iter()
        .any(|mark| lower.contains(mark))
}

struct Tag {
    name: String,
    closes: bool,
    href: Option<String>,
}

/// The known element that begins here, and what follows it.
fn tag(from: &str) -> Option<(Tag, &str)> {
    if let Some(comment) = from.strip_prefix("<!--") {
        // What is never closed hides the rest, as in a browser.
        let (_, after) = comment.split_once("-->").unwrap_or_default();
        let name = String::new();
        let closes = false;
        return Some((
            Tag {
                name,
                closes,
                href: None,
            },
            after,
        ));
    }
    // A tag ends before the next one begins; so a text of nothing but `<` is read in one pass.
    let from = from.strip_prefix('<')?;
    let end = from.find(['<', '>'])?;
    let (inside, after) = (from.get(..end)?, from.get(end..)?.strip_prefix('>')?);
    let (closes, inside) = inside
        .strip_prefix('/')
        .map_or((false, inside), |rest| (true, rest));
    let end = inside
        .find(|c: char| c.is_whitespace() || c == '/')
        .unwrap_or(inside.len());
    let (name, attributes) = inside.split_at(end);
    let name = name.to_ascii_lowercase();
    let known = name == "!doctype"
        || [BREAKS, INLINE, HIDDEN]
            .iter()
            .any(|list| lists(list, &name));
    let href = attribute(attributes, "href=");
    known.then_some((Tag { name, closes, href }, after))
}

fn lists(list: &str, name: &str) -> bool {
    !name.is_empty() && list.contains(&format!(" {name} "))
}

fn attribute(attributes: &str, key: &str) -> Option<String> {
    let at = attributes.to_ascii_lowercase().find(key)? + key.len();
    let value = attributes.get(at..)?;
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split_once(quote)?.0,
        _ => value.split_whitespace().next()?,
    };
    Some(unescape_entities(value))
}

/// Writes what an element means as text, and returns where to go on.
fn take_tag<'a>(
    tag: &Tag,
    after: &'a str,
    out: &mut String,
    links: &mut Vec<(String, usize)>,
) -> &'a str {
    if lists(HIDDEN, &tag.name) && !tag.closes {
        let end = format!("</{}", tag.name);
        let lower = after.to_ascii_lowercase();
        let closing = lower
            .find(&end)
            .and_then(|at| after.get(at..)?.split_once('>'));
        return closing.map_or("", |(_, rest)| rest);
    }
    if tag.name == "li" && !tag.closes {
        out.push_str("\n- ");
    } else if lists(BREAKS, &tag.name) {
        out.push('\n');
    } else if matches!(tag.name.as_str(), "td" | "th") {
        out.push(' ');
    } else if tag.name == "a" {
        if !tag.closes {
            links.extend(tag.href.clone().map(|href| (href, out.len())));
        } else if let Some((href, begins)) = links.pop() {
            let label = out.get(begins..).unwrap_or_default().trim();
            let web = href.starts_with("https://") || href.starts_with("http://");
            if web && label != href {
                out.extend([" (", &href, ")"]);
            }
        }
    }
    after
}

fn unescape_entities(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let (c, after) = entity(from).unwrap_or_else(|| ('&', from.get(1..).unwrap_or_default()));
        out.push(c);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The character reference that begins here, and what follows it.
fn entity(from: &str) -> Option<(char, &str)> {
    /// The longest name in the list below, with its marks.
    const NAME_BYTES_MAX: usize = 12;
    let end = from
        .bytes()
        .take(NAME_BYTES_MAX)
        .position(|byte| byte == b';')?;
    let (name, after) = (from.get(1..end)?, from.get(end + 1..)?);
    let number = |text: &str, radix| {
        u32::from_str_radix(text, radix)
            .ok()
            .and_then(char::from_u32)
    };
    let c = match name.strip_prefix('#') {
        Some(code) => match code.strip_prefix(['x', 'X']) {
            Some(hex) => number(hex, 16)?,
            None => number(code, 10)?,
        },
        None => ENTITIES.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((c, after))
}

/// The entities that calendars are seen to use.
const ENTITIES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("ndash", '\u{2013}'),
    ("mdash", '\u{2014}'),
    ("hellip", '\u{2026}'),
    ("lsquo", '\u{2018}'),
    ("rsquo", '\u{2019}'),
    ("ldquo", '\u{201c}'),
    ("rdquo", '\u{201d}'),
    ("laquo", '\u{ab}'),
    ("raquo", '\u{bb}'),
    ("bull", '\u{2022}'),
    ("middot", '\u{b7}'),
    ("euro", '\u{20ac}'),
    ("pound", '\u{a3}'),
    ("copy", '\u{a9}'),
    ("reg", '\u{ae}'),
    ("trade", '\u{2122}'),
    ("deg", '\u{b0}'),
    ("times", '\u{d7}'),
    ("auml", '\u{e4}'),
    ("ouml", '\u{f6}'),
    ("uuml", '\u{fc}'),
    ("Auml", '\u{c4}'),
    ("Ouml", '\u{d6}'),
    ("Uuml", '\u{dc}'),
    ("szlig", '\u{df}'),
    ("eacute", '\u{e9}'),
    ("egrave", '\u{e8}'),
    ("ecirc", '\u{ea}'),
    ("agrave", '\u{e0}'),
    ("aacute", '\u{e1}'),
    ("ccedil", '\u{e7}'),
    ("ntilde", '\u{f1}'),
    ("oacute", '\u{f3}'),
    ("iacute", '\u{ed}'),
];

/// Trims lines, and leaves at most one of them empty in a row.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines().map(str::trim) {
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(plain(r"a\, b\; c\\n\nd\: \x"), "a, b; c\\n\nd: \\x");
        assert_eq!(plain("ends in \\"), "ends in \\");
    }

    #[test]
    fn html_becomes_text() {
        let html = r#"<html><head><style>p { x }</style></head><body><p>Bring:<br>shoes &amp; a <b>hat</b></p>
<ul><li>one</li><li>two</li></ul><a href="https://example.org/?a=1&amp;b=2">Tickets</a> <a href='https://example.org'>https://example.org</a><!-- x --></body></html>"#;
        let expected = "Bring:\nshoes & a hat\n\n- one\n\n- two\n\nTickets (https://example.org/?a=1&b=2) https://example.org";
        assert_eq!(plain(html), expected);
        assert_eq!(plain("line<br>two\\nthree"), "line\ntwo\nthree");
    }

    #[test]
    fn what_only_looks_like_html_stays() {
        for text in [
            "a < b > c",
            "<3 you",
            "x <y@example.org> z",
            "R&D; AT&T",
            "a <",
            "&",
        ] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn scripts_and_hidden_characters_go() {
        assert_eq!(plain("a<script>alert(1)</script>b"), "ab");
        assert_eq!(plain("a<script>never ends"), "a");
        assert_eq!(plain("a\u{202e}b\u{0}c\u{feff}"), "abc");
    }

    #[test]
    fn long_texts_are_clipped_at_a_character() {
        assert_eq!(
            clip("\u{e9}\u{e9} \u{e9}", 3),
            ("\u{e9}\u{e9}…".to_owned(), true)
        );
        assert_eq!(line(" a\n b ", 9), ("a b".to_owned(), false));
    }
}
