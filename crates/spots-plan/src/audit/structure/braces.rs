//! Class and member by braces and keywords, for languages without a grammar here.

use super::{Placed, Source};
use crate::audit::lexer::{is_word, region_at};
use crate::audit::pattern::Pattern;
use crate::audit::read::{Kind, Place, Use, without_formatting};
use crate::audit::scan::{Form, Hit};
use crate::tree::Language;

/// What opened a brace.
#[derive(Clone, Debug, Default)]
struct Scope {
    class: Option<String>,
    member: Option<String>,
    is_async: bool,
}

/// A word of code and where it starts.
type Word<'a> = (usize, &'a str);

pub(super) fn place(source: &Source<'_>, hits: &[Hit], patterns: &[Pattern]) -> Vec<Placed> {
    hits.iter()
        .map(|hit| {
            let pattern = patterns.get(hit.pattern);
            let (class, member, is_async) = if source.language == Language::Sql {
                let (class, member) = sql_scope(source, hit.start);
                (class, member, false)
            } else {
                brace_scope(source, hit.start)
            };
            let usage = usage(source, hit);
            let kind = match (hit.form, usage) {
                (Form::TearOff, _) => Kind::TearOff,
                (Form::Call, Use::Elapsed) => Kind::Elapsed,
                (Form::Call, _) => Kind::Call,
            };
            let place = Place {
                class,
                member,
                usage,
                is_async,
                text: without_formatting(line_of(source.text, hit)),
                precision: pattern.map_or(super::super::pattern::Precision::Nanosecond, |p| {
                    p.precision
                }),
            };
            Placed {
                hit: *hit,
                kind,
                place,
                wraps: None,
            }
        })
        .collect()
}

/// The lines that hold the hit.
fn line_of<'a>(text: &'a str, hit: &Hit) -> &'a str {
    let start = text
        .get(..hit.start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1);
    let rest = text.get(hit.end..).unwrap_or_default();
    let end = hit.end + rest.find('\n').unwrap_or(rest.len());
    text.get(start..end).unwrap_or_default()
}

fn usage(source: &Source<'_>, hit: &Hit) -> Use {
    if hit.form == Form::TearOff {
        return Use::HandedOn;
    }
    let before = source.text.get(..hit.start).unwrap_or_default().trim_end();
    let after = source.text.get(hit.end..).unwrap_or_default().trim_start();
    let last_word = |text: &str| {
        let end = text
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(0, |at| at + 1);
        text.get(end..).unwrap_or_default().to_ascii_lowercase()
    };
    match source.language {
        Language::Sql if last_word(before) == "default" => Use::Stored,
        Language::Sql => Use::Other,
        _ if after.starts_with('-') && !after.starts_with("->") => Use::Elapsed,
        _ if after.starts_with(".timeIntervalSince(") => Use::Elapsed,
        _ if last_word(before) == "return" => Use::Returned,
        _ if before.ends_with('(') || before.ends_with(',') => Use::Argument,
        _ if before.ends_with('=') => assigned(source, before),
        _ => Use::Other,
    }
}

/// Stored or a variable, by the name on the left.
fn assigned(source: &Source<'_>, before: &str) -> Use {
    let left = before.trim_end_matches('=').trim_end();
    let start = left
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map_or(0, |at| at + 1);
    let name = left.get(start..).unwrap_or_default();
    let stored = source
        .names
        .stored
        .iter()
        .any(|ending| name.ends_with(ending.as_str()));
    if stored { Use::Stored } else { Use::Variable }
}

/// The words of code before `until`, without comments and text.
fn words<'a>(source: &Source<'a>, from: usize, until: usize) -> Vec<Word<'a>> {
    let bytes = source.text.as_bytes();
    let mut words = Vec::new();
    let mut at = from;
    while at < until {
        let Some(byte) = bytes.get(at) else { break };
        if region_at(source.spans, at).is_some() {
            let after = source.spans.partition_point(|span| span.end <= at);
            at = source.spans.get(after).map_or(until, |span| span.end);
        } else if is_word(*byte) {
            let rest = bytes.get(at..).unwrap_or_default();
            let length = rest.iter().take_while(|byte| is_word(**byte)).count();
            words.push((at, source.text.get(at..at + length).unwrap_or_default()));
            at += length;
        } else {
            if matches!(byte, b'{' | b'}' | b';') {
                words.push((at, source.text.get(at..=at).unwrap_or_default()));
            }
            at += 1;
        }
    }
    words
}

/// Class, member and whether the member may await, by the braces that are open at `until`.
fn brace_scope(source: &Source<'_>, until: usize) -> (String, String, bool) {
    let mut scopes = vec![Scope::default()];
    let mut pending = Scope::default();
    let words = words(source, 0, until);
    let mut previous: &str = "";
    for (index, (at, word)) in words.iter().enumerate() {
        let before = index
            .checked_sub(1)
            .and_then(|at| words.get(at))
            .map_or("", |word| word.1);
        match *word {
            "{" => scopes.push(std::mem::take(&mut pending)),
            "}" => {
                if scopes.len() > 1 {
                    scopes.pop();
                }
            }
            ";" => pending = Scope::default(),
            "async" | "suspend" => pending.is_async = true,
            name => declare(source, &mut pending, (*at, name), previous, before),
        }
        previous = word;
    }
    // What is pending holds the hit too: `val createdAt = Date()`, `fun now() = Instant.now()`.
    scopes.push(pending);
    let class = scopes.iter().rev().find_map(|scope| scope.class.clone());
    let member = scopes.iter().find_map(|scope| scope.member.clone());
    let is_async = scopes.iter().rev().find(|scope| scope.member.is_some());
    let is_async = is_async.is_some_and(|scope| scope.is_async);
    (
        class.unwrap_or_default(),
        member.unwrap_or_default(),
        is_async,
    )
}

/// Notes that `name` declares a class or a member.
fn declare(source: &Source<'_>, scope: &mut Scope, name: Word<'_>, previous: &str, before: &str) {
    let (at, name) = name;
    match previous {
        "class" | "struct" | "enum" | "interface" | "object" | "extension" | "actor" | "record" => {
            scope.class = Some(name.to_owned());
            // A property without a semicolon ended before.
            scope.member = None;
        }
        "func" | "fun" | "val" | "var" | "let" => scope.member = Some(name.to_owned()),
        _ => {
            // Java: `Type name(` declares unless it follows `new`, `return` or a dot.
            let rest = source.text.get(at + name.len()..).unwrap_or_default();
            let typed = !before.is_empty()
                && !matches!(
                    before,
                    "{" | "}" | ";" | "new" | "return" | "else" | "throw"
                )
                && source.text.get(..at).is_some_and(|text| {
                    text.ends_with([' ', '\t', '\n']) && !text.trim_end().ends_with(['=', '.', '('])
                });
            let is_method = rest.trim_start().starts_with('(');
            if source.language == Language::Java && typed && is_method && scope.member.is_none() {
                scope.member = Some(name.to_owned());
            }
        }
    }
}

/// The statement's object: `CREATE TABLE x` is class `x`; the column before is the member.
fn sql_scope(source: &Source<'_>, until: usize) -> (String, String) {
    let words = words(source, 0, until);
    let creates = words.iter().rposition(|(_, word)| {
        ["create", "alter", "insert", "update", "drop"]
            .iter()
            .any(|w| word.eq_ignore_ascii_case(w))
    });
    let statement = words
        .get(creates.unwrap_or(words.len())..)
        .unwrap_or_default();
    let skip = [
        "create",
        "alter",
        "insert",
        "update",
        "drop",
        "or",
        "replace",
        "table",
        "function",
        "into",
        "procedure",
        "view",
        "if",
        "not",
        "exists",
        "only",
        "public",
        "trigger",
        "temporary",
        "unlogged",
        "index",
        "policy",
    ];
    let is_skipped = |word: &str| skip.iter().any(|skip| word.eq_ignore_ascii_case(skip));
    let class = statement
        .iter()
        .find(|(_, word)| !is_skipped(word))
        .map_or("", |(_, word)| word);
    let defaults = statement
        .iter()
        .rposition(|(_, word)| word.eq_ignore_ascii_case("default"));
    let member = defaults.map_or("", |at| {
        let line_start = statement
            .get(at)
            .and_then(|(offset, _)| source.text.get(..*offset)?.rfind([',', '(', '\n']))
            .map_or(0, |position| position + 1);
        statement
            .iter()
            .find(|(offset, _)| *offset >= line_start)
            .map_or("", |(_, word)| word)
    });
    (class.to_owned(), member.to_owned())
}
