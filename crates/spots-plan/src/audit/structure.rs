//! Places a hit in the code around it: class, member, what becomes of the value.
//!
//! Languages with a grammar are parsed, the others are read by their braces.

mod braces;
mod flow;
mod words;

use tree_sitter::{Node, Parser, Tree};

use super::config::Names;
use super::lexer::{Region, Span};
use super::pattern::Pattern;
use super::read::{Kind, Place, Use, without_formatting};
use super::scan::{Form, Hit};
use crate::tree::Language;
use flow::Flow;
use words::Words;

/// What the audit needs to know of a file to place hits in it.
pub(super) struct Source<'a> {
    pub(super) language: Language,
    pub(super) text: &'a str,
    pub(super) spans: &'a [Span],
    pub(super) names: &'a Names,
}

/// A hit with its kind and place.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) hit: Hit,
    pub(super) kind: Kind,
    pub(super) place: Place,
    /// Whether the member around it returns the value: its callers read the clock too.
    pub(super) wraps: bool,
}

/// Parses the text; `None` for languages without a grammar.
pub(super) fn parse(language: Language, text: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser
        .set_language(&language.grammar()?)
        .expect("the grammars fit the library's version");
    parser.parse(text, None)
}

/// Places every hit in code.
pub(super) fn place(source: &Source<'_>, hits: &[Hit], patterns: &[Pattern]) -> Vec<Placed> {
    let tree = Words::of(source.language).zip(parse(source.language, source.text));
    let Some((words, tree)) = tree else {
        return braces::place(source, hits, patterns);
    };
    let flow = Flow::new(source, words, &tree, hits);
    hits.iter()
        .map(|hit| {
            let path = path_to(&tree, hit.start, hit.end);
            let native = patterns.get(hit.pattern).map(|pattern| pattern.precision);
            let (kind, usage) = flow.kind_and_use(*hit, &path);
            let (class, member) = scope_of(words, &path, source.text);
            let place = Place {
                class,
                member,
                usage,
                is_async: words.is_async(&path),
                text: identity_text(words, &path, source),
                precision: flow.precision(&path, native),
            };
            let wraps = hit.form == Form::Call && kind == Kind::Call && flow.is_returned(&path);
            Placed {
                hit: *hit,
                kind,
                place,
                wraps,
            }
        })
        .collect()
}

/// Where the member around a hit is declared.
pub(super) struct Declaration {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Read as `name`, not as `name()`.
    pub(super) getter: bool,
}

/// The declaration of the member around a hit.
pub(super) fn declaration(language: Language, text: &str, hit: Hit) -> Option<Declaration> {
    let words = Words::of(language)?;
    let tree = parse(language, text)?;
    let path = path_to(&tree, hit.start, hit.end);
    let class_at = path
        .iter()
        .rposition(|node| words.class.contains(&node.kind()));
    let inside = path.get(class_at.map_or(0, |at| at + 1)..)?;
    let member = inside
        .iter()
        .find(|node| words.member_name(**node, text).is_some())?;
    let head = text_of(*member, text);
    let getter = head
        .split(['(', '{', '='])
        .next()
        .is_some_and(|head| head.split_whitespace().any(|word| word == "get"));
    Some(Declaration {
        start: member.start_byte(),
        end: member.end_byte(),
        getter,
    })
}

/// The name of the class around a byte.
pub(super) fn class_at(language: Language, tree: Option<&Tree>, text: &str, at: usize) -> String {
    match (Words::of(language), tree) {
        (Some(words), Some(tree)) => scope_of(words, &path_to(tree, at, at + 1), text).0,
        _ => String::new(),
    }
}

/// From the root down to the smallest named node that covers `start..end`.
pub(super) fn path_to(tree: &Tree, start: usize, end: usize) -> Vec<Node<'_>> {
    let mut cursor = tree.walk();
    let mut path = vec![cursor.node()];
    while cursor.goto_first_child_for_byte(start).is_some() {
        let node = cursor.node();
        if node.start_byte() > start || node.end_byte() < end {
            break;
        }
        if node.is_named() {
            path.push(node);
        }
    }
    path
}

/// The class and the member around a node.
pub(super) fn scope_of(words: &Words, path: &[Node<'_>], text: &str) -> (String, String) {
    let class_at = path
        .iter()
        .rposition(|node| words.class.contains(&node.kind()));
    let class = class_at
        .and_then(|at| path.get(at))
        .map(|node| Words::class_name(*node, text));
    let inside = path
        .get(class_at.map_or(0, |at| at + 1)..)
        .unwrap_or_default();
    let member = inside
        .iter()
        .find_map(|node| words.member_name(*node, text));
    (class.unwrap_or_default(), member.unwrap_or_default())
}

/// What tells a read from its neighbours: its statement, or in a long one the way to it.
///
/// Beside other arguments only the callee and the label count, so that `foo(DateTime.now())` and
/// `bar(DateTime.now())` differ, while a change to another argument changes nothing.
fn identity_text(words: &Words, path: &[Node<'_>], source: &Source<'_>) -> String {
    const CALLS_MAX: usize = 2;
    let mut nodes = path.iter().rev().copied();
    let Some(first) = nodes.next() else {
        return String::new();
    };
    let text = source.text;
    let mut way = code_of(first, source);
    let mut calls = 0;
    for parent in nodes {
        match parent.kind() {
            "arguments"
            | "set_or_map_literal"
            | "list_literal"
            | "object"
            | "array"
            | "field_initializer_list" => {
                if calls == CALLS_MAX {
                    break;
                }
                calls += 1;
                way = format!("{}({way})", words::callee(parent, text));
            }
            _ if words.holds_statements(parent) => break,
            _ if calls == 0 => way = code_of(parent, source),
            _ => {
                if let Some(name) = words::label(parent, text) {
                    way = format!("{name}={way}");
                }
            }
        }
    }
    without_formatting(&way)
}

/// The text of a node without its comments.
fn code_of(node: Node<'_>, source: &Source<'_>) -> String {
    let (mut at, end) = (node.start_byte(), node.end_byte());
    let from = source.spans.partition_point(|span| span.end <= at);
    let inside = source
        .spans
        .iter()
        .skip(from)
        .take_while(|span| span.start < end);
    let mut out = String::new();
    for span in inside.filter(|span| span.region == Region::Comment) {
        out.push_str(source.text.get(at..span.start).unwrap_or_default());
        out.push(' ');
        at = span.end;
    }
    out.push_str(source.text.get(at..end).unwrap_or_default());
    out
}

/// The text of a node.
fn text_of<'a>(node: Node<'_>, text: &'a str) -> &'a str {
    text.get(node.byte_range()).unwrap_or_default()
}

/// Where the value of a hit that is no code stands: nowhere.
pub(super) fn mention(text: &str, hit: &Hit, pattern: Option<&Pattern>) -> Place {
    Place {
        class: String::new(),
        member: String::new(),
        usage: Use::Other,
        is_async: false,
        text: without_formatting(text.get(hit.start..hit.end).unwrap_or_default()),
        precision: pattern.map_or(super::pattern::Precision::Nanosecond, |p| p.precision),
    }
}
