//! What becomes of a value: stored, compared, subtracted from another read, returned.

mod elapsed;
mod usage;

use std::collections::BTreeMap;
use std::ops::Range;

use tree_sitter::{Node, Tree};

use super::words::Words;
use super::{Source, path_to, text_of};
use crate::audit::lexer::{is_word, region_at};
use crate::audit::pattern::Precision;
use crate::audit::read::{Kind, Use};
use crate::audit::scan::{Form, Hit};

/// Knows, for one file, which names hold a read.
pub(super) struct Flow<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) words: &'static Words,
    tree: &'a Tree,
    hits: &'a [Hit],
    /// Names that hold nothing but a read, with the bytes where they mean it.
    holders: BTreeMap<&'a str, Vec<Range<usize>>>,
}

/// How a value is used at the end of its chain of members: `DateTime.now().toUtc().year`.
struct Chain<'t, 's> {
    members: Vec<&'s str>,
    /// The whole chain.
    top: Node<'t>,
    /// What stands around it, innermost first.
    around: Vec<Node<'t>>,
}

const DIFFERENCE: [&str; 6] = [
    "difference",
    "duration_since",
    "signed_duration_since",
    "saturating_duration_since",
    "checked_duration_since",
    "since",
];

const COMPARISON: [&str; 8] = [
    "isBefore",
    "isAfter",
    "isAtSameMomentAs",
    "compareTo",
    "cmp",
    "partial_cmp",
    "lt",
    "gt",
];

/// Nodes that pass their value on unchanged.
const TRANSPARENT: [&str; 8] = [
    "parenthesized_expression",
    "await_expression",
    "try_expression",
    "reference_expression",
    "non_null_expression",
    "as_expression",
    "type_cast_expression",
    "null_assert_expression",
];

impl<'a> Flow<'a> {
    pub(super) fn new(
        source: &'a Source<'a>,
        words: &'static Words,
        tree: &'a Tree,
        hits: &'a [Hit],
    ) -> Self {
        let mut flow = Self {
            source,
            words,
            tree,
            hits,
            holders: BTreeMap::new(),
        };
        for hit in hits.iter().filter(|hit| hit.form == Form::Call) {
            let path = path_to(tree, hit.start, hit.end);
            if let Some((name, scope)) = flow.holder(&path) {
                flow.holders.entry(name).or_default().push(scope);
            }
        }
        flow
    }

    /// Uses of names that hold a read, outside the parts of the text that were parsed.
    pub(super) fn uses_beyond(&self, parts: &[Range<usize>]) -> Option<Vec<usize>> {
        let parsed = |at: usize| {
            let part = parts.get(parts.partition_point(|part| part.end <= at));
            part.is_some_and(|part| part.start <= at)
        };
        let holders = self.holders.iter();
        let uses = holders
            .flat_map(|(name, scopes)| scopes.iter().flat_map(move |scope| self.uses(name, scope)));
        let beyond = uses.map(|range| range.start).filter(|at| !parsed(*at));
        Some(beyond.collect::<Vec<_>>()).filter(|beyond| !beyond.is_empty())
    }

    /// Kind and use of one hit.
    pub(super) fn kind_and_use(&self, hit: Hit, path: &[Node<'_>]) -> (Kind, Use) {
        if self.is_injected_default(hit, path) {
            return (Kind::InjectedDefault, Use::Default);
        }
        if hit.form == Form::TearOff {
            return (Kind::TearOff, Use::HandedOn);
        }
        if self.is_elapsed(path) || self.measures_only(path) {
            return (Kind::Elapsed, Use::Elapsed);
        }
        (Kind::Call, self.usage(path))
    }

    /// Whether the member around returns the value, directly or through a variable.
    pub(super) fn is_returned(&self, path: &[Node<'_>]) -> bool {
        let mut chain = self.chain(path);
        self.climb_units(&mut chain);
        if !plain(&chain) || self.in_closure(&chain) {
            return false;
        }
        if is_return(&chain) {
            return true;
        }
        let Some((name, scope)) = self.holder(path) else {
            return false;
        };
        self.uses(name, &scope).any(|range| {
            let path = path_to(self.tree, range.start, range.end);
            let chain = self.chain(&path);
            plain(&chain) && is_return(&chain) && !self.in_closure(&chain)
        })
    }

    /// How fine the code keeps the value.
    pub(super) fn precision(&self, path: &[Node<'_>], native: Option<Precision>) -> Precision {
        let native = native.unwrap_or(Precision::Nanosecond);
        let chain = self.chain(path);
        let kept = chain.members.iter().filter_map(|name| match *name {
            "millisecondsSinceEpoch"
            | "getTime"
            | "valueOf"
            | "toISOString"
            | "as_millis"
            | "timestamp_millis"
            | "as_millisecond" => Some(Precision::Millisecond),
            "microsecondsSinceEpoch" | "as_micros" | "timestamp_micros" | "as_microsecond" => {
                Some(Precision::Microsecond)
            }
            "as_secs" | "timestamp" | "unix_timestamp" | "as_second" => Some(Precision::Second),
            _ => None,
        });
        kept.fold(native, Ord::max)
    }

    fn text(&self, node: Node<'_>) -> &'a str {
        text_of(node, self.source.text)
    }

    /// Follows the value through members and calls on it.
    fn chain<'t>(&self, path: &[Node<'t>]) -> Chain<'t, 'a> {
        let mut nodes = path.iter().rev().copied();
        let mut top = nodes.next().unwrap_or_else(|| unreachable_root(path));
        let mut members = Vec::new();
        let mut around = nodes.collect::<Vec<_>>();
        while let Some(parent) = around.first().copied() {
            let is = |field: &str| {
                parent
                    .child_by_field_name(field)
                    .is_some_and(|node| node == top)
            };
            match parent.kind() {
                "member_expression" | "null_aware_member_expression" | "assignable_expression"
                    if is("object") =>
                {
                    members.extend(parent.child_by_field_name("property").map(|n| self.text(n)));
                }
                "field_expression" if is("value") => {
                    members.extend(parent.child_by_field_name("field").map(|n| self.text(n)));
                }
                "call_expression" if is("function") => {}
                kind if TRANSPARENT.contains(&kind) => {}
                _ => break,
            }
            top = parent;
            around.remove(0);
        }
        Chain {
            members,
            top,
            around,
        }
    }

    /// Past what only changes the unit: `… ~/ 1000`, `Math.floor(… / 1000)`.
    fn climb_units(&self, chain: &mut Chain<'_, '_>) {
        while let Some(parent) = chain.around.first().copied() {
            let operator = operator_range(parent);
            let operator = operator.and_then(|range| self.text(parent).get(range));
            let scales = operator.is_some_and(|operator| matches!(operator, "*" | "/" | "~/"));
            let rounds = parent.kind() == "arguments"
                && chain.around.get(1).is_some_and(|call| {
                    let function = call.child_by_field_name("function");
                    function.is_some_and(|function| {
                        let rounding = ["Math.floor", "Math.round", "Math.trunc", "Math.ceil"];
                        rounding.contains(&self.text(function))
                    })
                });
            if !scales && !rounds {
                return;
            }
            for _ in 0..=usize::from(rounds) {
                if !chain.around.is_empty() {
                    chain.top = chain.around.remove(0);
                }
            }
        }
    }

    fn in_closure(&self, chain: &Chain<'_, '_>) -> bool {
        let function = chain
            .around
            .iter()
            .find(|node| self.words.function.contains(&node.kind()));
        function.is_some_and(|node| {
            let named = chain
                .around
                .iter()
                .skip_while(|other| *other != node)
                .nth(1)
                .is_some_and(|holder| {
                    matches!(
                        holder.kind(),
                        "variable_declarator" | "public_field_definition"
                    )
                });
            self.words.closure.contains(&node.kind()) && !named
        })
    }

    /// The local variable or private field that takes the value, and where it means it.
    fn holder<'t>(&self, path: &[Node<'t>]) -> Option<(&'a str, Range<usize>)> {
        let chain = self.chain(path);
        if chain
            .members
            .iter()
            .any(|name| DIFFERENCE.contains(name) || COMPARISON.contains(name))
        {
            return None;
        }
        let parent = chain.around.first()?;
        match parent.kind() {
            "initialized_variable_declaration" | "variable_declarator" => {
                let name = parent.child_by_field_name("name")?;
                Some((self.text(name), self.function_range(&chain)?))
            }
            "let_declaration" => {
                let name = parent.child_by_field_name("pattern")?;
                let name = if name.kind() == "mut_pattern" {
                    name.named_child(1)?
                } else {
                    name
                };
                Some((self.text(name), self.function_range(&chain)?))
            }
            "assignment_expression" | "field_initializer" | "initialized_identifier" => {
                let target = ["left", "name"]
                    .iter()
                    .find_map(|f| parent.child_by_field_name(f))?;
                let name = self.text(target).rsplit('.').next()?;
                self.only_reads(name)
                    .then_some((name, 0..self.source.text.len()))
            }
            _ => None,
        }
    }

    fn function_range(&self, chain: &Chain<'_, '_>) -> Option<Range<usize>> {
        let function = chain
            .around
            .iter()
            .find(|node| self.words.function.contains(&node.kind()) || node.kind() == "block")?;
        Some(function.byte_range())
    }

    /// Whether every assignment to a field in this file is a read, or clears it.
    fn only_reads(&self, name: &str) -> bool {
        let bytes = self.source.text.as_bytes();
        self.uses(name, &(0..bytes.len())).all(|range| {
            let after = bytes.get(range.end..).unwrap_or_default();
            let skip = |from: &[u8]| from.iter().take_while(|b| b.is_ascii_whitespace()).count();
            let equals = range.end + skip(after);
            if bytes.get(equals) != Some(&b'=') || bytes.get(equals + 1) == Some(&b'=') {
                return true;
            }
            let value = equals + 1 + skip(bytes.get(equals + 1..).unwrap_or_default());
            let rest = bytes.get(value..).unwrap_or_default();
            rest.starts_with(b"null") || self.hits.iter().any(|hit| hit.start == value)
        })
    }

    /// Every place in code where the name stands, inside `scope`.
    fn uses<'n>(
        &'n self,
        name: &'n str,
        scope: &Range<usize>,
    ) -> impl Iterator<Item = Range<usize>> + use<'n, 'a> {
        let text = self.source.text;
        let bytes = text.as_bytes();
        let (from, to) = (scope.start, scope.end);
        text.get(from..to)
            .unwrap_or_default()
            .match_indices(name)
            .filter_map(move |(at, _)| {
                let range = from + at..from + at + name.len();
                let before = range
                    .start
                    .checked_sub(1)
                    .and_then(|at| bytes.get(at))
                    .copied();
                let before = before.unwrap_or(0);
                let after = bytes.get(range.end).copied().unwrap_or(0);
                // `$name` in a string is the name.
                let word = (is_word(before) && before != b'$') || is_word(after);
                (!word && region_at(self.source.spans, range.start).is_none()).then_some(range)
            })
    }

    fn is_injected_default(&self, hit: Hit, path: &[Node<'_>]) -> bool {
        let mut chain = self.chain(path);
        let mut is_function = hit.form == Form::TearOff;
        // `() => DateTime.now()` in place of the tear-off.
        let body = chain
            .around
            .first()
            .is_some_and(|node| self.words.closure.contains(&node.kind()));
        if !is_function && body && chain.members.is_empty() {
            is_function = true;
            while let Some(closure) = chain.around.first().copied() {
                if !self.words.closure.contains(&closure.kind())
                    && closure.kind() != "function_expression"
                {
                    break;
                }
                chain.top = closure;
                chain.around.remove(0);
            }
        }
        let Some(parent) = chain.around.first().copied() else {
            return false;
        };
        match parent.kind() {
            "if_null_expression" | "binary_expression" => {
                let Some(left) = parent.named_child(0).filter(|left| *left != chain.top) else {
                    return false;
                };
                let coalesces = matches!(parent.kind(), "if_null_expression")
                    || self.text(parent).contains("??");
                coalesces && (is_function || self.is_clock_name(self.text(left)))
            }
            "optional_formal_parameters" => is_function,
            "required_parameter" | "optional_parameter" | "assignment_pattern" => {
                let name = ["pattern", "left"]
                    .iter()
                    .find_map(|f| parent.child_by_field_name(f));
                is_function || name.is_some_and(|name| self.is_clock_name(self.text(name)))
            }
            "arguments" => self.is_unwrap_of_clock(&chain),
            _ => false,
        }
    }

    /// `clock.unwrap_or_else(Utc::now)`, but not `created_at.unwrap_or_else(Utc::now)`.
    fn is_unwrap_of_clock(&self, chain: &Chain<'_, '_>) -> bool {
        let call = chain
            .around
            .get(1)
            .and_then(|call| call.child_by_field_name("function"));
        let Some(function) = call else { return false };
        let field = function
            .child_by_field_name("field")
            .map_or("", |field| self.text(field));
        let value = function
            .child_by_field_name("value")
            .map_or("", |value| self.text(value));
        matches!(field, "unwrap_or_else" | "unwrap_or") && self.is_clock_name(value)
    }

    fn is_clock_name(&self, name: &str) -> bool {
        let last = name.rsplit('.').next().unwrap_or(name);
        self.source.names.clock.iter().any(|clock| clock == last)
    }
}

fn unreachable_root<'t>(path: &[Node<'t>]) -> Node<'t> {
    *path.first().expect("a path begins with the tree's root")
}

fn is_return(chain: &Chain<'_, '_>) -> bool {
    let Some(parent) = chain.around.first() else {
        return false;
    };
    match parent.kind() {
        "return_statement" | "return_expression" | "function_body" => true,
        "arrow_function" => parent
            .child_by_field_name("body")
            .is_some_and(|body| body == chain.top),
        // The last expression of a Rust function, without a semicolon.
        "block" => {
            let mut cursor = parent.walk();
            let expressions = parent.named_children(&mut cursor);
            let last = expressions.filter(|child| !child.is_extra()).last();
            let is_last = last == Some(chain.top);
            let of_function = chain
                .around
                .get(1)
                .is_some_and(|node| node.kind() == "function_item");
            is_last && of_function
        }
        _ => false,
    }
}

/// Where the operator of a binary expression stands, relative to it.
fn operator_range(node: Node<'_>) -> Option<Range<usize>> {
    let mut cursor = node.walk();
    let operator = node.child_by_field_name("operator").or_else(|| {
        node.children(&mut cursor)
            .find(|child| child.kind().ends_with("operator"))
    })?;
    let start = node.start_byte();
    Some(operator.start_byte() - start..operator.end_byte() - start)
}

/// Whether the chain still stands for a time, not for a distance or an answer.
fn plain(chain: &Chain<'_, '_>) -> bool {
    !chain
        .members
        .iter()
        .any(|name| DIFFERENCE.contains(name) || COMPARISON.contains(name))
}
