//! Places a hit in the code around it: class, member, what becomes of the value.
//!
//! Languages with a grammar are parsed, the others are read by their braces.

mod braces;
mod flow;
mod parts;
mod words;

use std::ops::Range;

use serde::{Deserialize, Serialize};
use tree_sitter::{Node, Parser, Tree};

use super::config::Names;
use super::lexer::{Region, Span};
use super::pattern::Pattern;
use super::read::{Kind, Place, Use, without_formatting};
use super::scan::{Form, Hit};
use crate::parse::{has_short_lines, parse};
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Placed {
    pub(super) hit: Hit,
    pub(super) kind: Kind,
    pub(super) place: Place,
    /// The member around it, when it returns the value: its callers read the clock too.
    pub(super) wraps: Option<Declaration>,
}

/// Parses no more of the text than it takes to place these offsets: the parts, if not all of it.
fn parse_around(
    source: &Source<'_>,
    offsets: &[usize],
) -> Option<(Tree, Option<Vec<Range<usize>>>)> {
    let (language, text) = (source.language, source.text);
    let parts = Some(language)
        .filter(|language| *language == Language::Dart && has_short_lines(text))
        .and_then(|_| parts::around(text, source.spans, offsets));
    if let Some(parts) = parts {
        let mut parser = Parser::new();
        parser
            .set_language(&language.grammar()?)
            .expect("the grammars fit the library's version");
        let ranges = parts::for_parser(text, &parts);
        parser
            .set_included_ranges(&ranges)
            .expect("the parts are in order and apart");
        let tree = parser.parse(text, None)?;
        if !tree.root_node().has_error() {
            return Some((tree, Some(parts)));
        }
    }
    Some((parse(language, text)?, None))
}

/// Places every hit in code.
pub(super) fn place(source: &Source<'_>, hits: &[Hit], patterns: &[Pattern]) -> Vec<Placed> {
    let offsets = hits.iter().map(|hit| hit.start).collect::<Vec<_>>();
    let parsed = Words::of(source.language).zip(parse_around(source, &offsets));
    let Some((words, (tree, parts))) = parsed else {
        return braces::place(source, hits, patterns);
    };
    let flow = Flow::new(source, words, &tree, hits);
    let beyond = parts.and_then(|parts| flow.uses_beyond(&parts));
    let Some(beyond) = beyond else {
        return place_all(&flow, &tree, hits, patterns);
    };
    // A field that holds a read is used in other members: they decide what becomes of it.
    let mut offsets = [offsets, beyond].concat();
    offsets.sort_unstable();
    match parse_around(source, &offsets) {
        Some((tree, _)) => place_all(
            &Flow::new(source, words, &tree, hits),
            &tree,
            hits,
            patterns,
        ),
        None => Vec::new(),
    }
}

fn place_all(flow: &Flow<'_>, tree: &Tree, hits: &[Hit], patterns: &[Pattern]) -> Vec<Placed> {
    let (source, words) = (flow.source, flow.words);
    hits.iter()
        .map(|hit| {
            let path = path_to(tree, hit.start, hit.end);
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
            let wraps = wraps
                .then(|| declaration(words, &path, source.text))
                .flatten();
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
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Declaration {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Read as `name`, not as `name()`.
    pub(super) getter: bool,
}

/// The declaration of the member around a node.
fn declaration(words: &Words, path: &[Node<'_>], text: &str) -> Option<Declaration> {
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

/// Which class is around each byte of a text.
pub(super) struct Classes<'a> {
    text: &'a str,
    tree: Option<(&'static Words, Tree)>,
    /// Where another class begins, for languages without a grammar.
    changes: Vec<(usize, String)>,
}

impl<'a> Classes<'a> {
    pub(super) fn of(language: Language, text: &'a str) -> Self {
        let tree = Words::of(language).zip(parse(language, text));
        let changes = match tree {
            Some(_) => Vec::new(),
            None => braces::classes(language, text),
        };
        Self {
            text,
            tree,
            changes,
        }
    }

    /// The name of the class around a byte.
    pub(super) fn at(&self, at: usize) -> String {
        if let Some((words, tree)) = &self.tree {
            return scope_of(words, &path_to(tree, at, at + 1), self.text).0;
        }
        let after = self.changes.partition_point(|(start, _)| *start <= at);
        let last = after.checked_sub(1).and_then(|last| self.changes.get(last));
        last.map_or_else(String::new, |(_, class)| class.clone())
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::audit::config::Config;
    use crate::audit::lexer::spans;
    use crate::audit::scan::Scanner;
    use crate::tree::Tree as Files;

    /// Placed from parts of the text, and from all of it.
    fn both_ways(text: &str) -> (Vec<Placed>, Vec<Placed>, usize) {
        let config = Config::parse("", Path::new("plan/clock.toml")).unwrap();
        let scanner = Scanner::new(&config.patterns);
        let mut hits = scanner.scan(Language::Dart, text).hits;
        hits.retain(|hit| hit.region.is_none());
        let spans = spans(Language::Dart, text, text.len());
        let source = Source {
            language: Language::Dart,
            text,
            spans: &spans,
            names: &config.names,
        };
        let offsets = hits.iter().map(|hit| hit.start).collect::<Vec<_>>();
        let (_, parts) = parse_around(&source, &offsets).unwrap();
        let parsed = parts.map_or(text.len(), |parts| {
            parts.iter().map(ExactSizeIterator::len).sum()
        });
        let tree = parse(Language::Dart, text).unwrap();
        let words = Words::of(Language::Dart).unwrap();
        let flow = Flow::new(&source, words, &tree, &hits);
        let whole = place_all(&flow, &tree, &hits, scanner.patterns());
        (place(&source, &hits, scanner.patterns()), whole, parsed)
    }

    fn assert_same(text: &str) -> usize {
        let (parts, whole, parsed) = both_ways(text);
        assert!(!whole.is_empty());
        assert_eq!(format!("{parts:#?}"), format!("{whole:#?}"), "{text}");
        parsed
    }

    #[test]
    fn parts_of_a_file_say_what_the_whole_file_says() {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let traps = std::fs::read_to_string(tests.join("it/fixtures/clock/dart/traps.dart"));
        let traps = traps.unwrap();
        assert_same(&traps);
        let golden = Files::walk(&tests.join("golden"), &[Language::Dart]).unwrap();
        let (mut parsed, mut all) = (0, 0);
        for file in golden.files() {
            let text = golden.read(file).unwrap();
            // Somewhere in the middle of each, a read in a class that is one of many.
            let inner = "\nclass Reader<T> extends Base<T> with Mixed {\n  DateTime? _at;\n  \
                         Reader({required this.a}) : super(a);\n  /// `;` and } in a comment\n  \
                         final String a = '} ${b('}')} ;';\n  @Deprecated('{')\n  final m = {'a': [1]};\n  \
                         DateTime stamp() {\n    final at = DateTime.now();\n    return at;\n  }\n  \
                         void start() => _at = DateTime.now();\n  \
                         Duration took() => DateTime.now().difference(_at!);\n  \
                         int get last => 3;\n}\n\n";
            let at = text.rfind("\nclass ").unwrap_or(0);
            let text = [text.get(..at).unwrap(), inner, text.get(at..).unwrap()].concat();
            parsed += assert_same(&text);
            all += text.len();
        }
        assert!(
            golden.files().len() > 60 && parsed * 2 < all,
            "{parsed} of {all}"
        );
    }

    #[test]
    fn where_the_cut_is_wrong_the_whole_text_is_parsed() {
        let filler = "// filler, so that the text is long enough to be cut at all\n".repeat(20);
        for text in [
            "final a = {'k': DateTime.now()}..addAll(b);\nfinal c = DateTime.now();\n",
            "final a = () { return 3; }();\nclass A {\n  final b = () { return DateTime.now(); }();\n}\n",
            "enum A {\n  one, two;\n\n  DateTime at() => DateTime.now();\n}\n",
            "DateTime extension(int a) {\n  final b = DateTime.now();\n  log(a);\n  return b;\n}\n",
            "extension on String {\n  int a() => 3;\n  DateTime at() => DateTime.now();\n}\n",
            "class A {\n  final a = 3;\n  final b = DateTime.now()\n}\n",
            "final a = 3;\nfinal b = DateTime.now()\n",
        ] {
            assert_same(&format!("{filler}{text}{filler}"));
            assert_same(&format!("{text}{filler}"));
        }
        // What does not parse at all is placed all the same, by its parts if need be.
        let broken = "class A {\n  final a = }\n  final b = DateTime.now();\n";
        assert_eq!(both_ways(broken).0.len(), 1);
    }
}
