//! Gives a Dart class its clock: a field, a constructor parameter, and the argument at every
//! place that constructs it.

use std::ops::Range;

use tree_sitter::Node;

use super::dart::{clock_in_sight, fake_edits, import_edit, is_test};
use super::{Edit, Plan, Project};
use crate::audit::lexer::{is_word, region_at, spans};
use crate::audit::structure::path_to;
use crate::parse::parse;
use crate::tree::Language;

/// A class that is to hold a clock.
pub(super) struct Class<'t> {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) node: Node<'t>,
}

/// How the class holds it, once the plan is applied.
#[derive(Clone, Debug)]
pub(super) struct Held {
    path: String,
    /// Where the one constructor stands, if it is written out.
    pub(super) constructor: Option<Range<usize>>,
    slot: Slot,
    /// What the constructor initialises.
    pub(super) initialisers: Vec<String>,
    plan: Plan,
}

/// Where initialisers go.
#[derive(Clone, Debug)]
enum Slot {
    /// After the colon, before others.
    First(usize),
    /// After the parameters, with a colon of their own.
    Only(usize),
    /// Into a constructor that is yet to be written, with this head.
    New(usize, String),
}

impl Held {
    /// The plan with all initialisers in their place.
    pub(super) fn finish(mut self) -> Plan {
        let all = self.initialisers.join(", ");
        let edit = match self.slot {
            Slot::First(at) => Edit::insert(at, format!(" {all},")),
            Slot::Only(at) => Edit::insert(at, format!(" : {all}")),
            Slot::New(at, head) => Edit::insert(at, format!("\n  {head} : {all};\n")),
        };
        self.plan.edit(&self.path, edit);
        self.plan
    }
}

/// Plans field, parameter and arguments; the reason why not.
pub(super) fn give_clock(project: &Project<'_>, class: &Class<'_>) -> Result<Held, String> {
    let rewrite = &project.config.rewrite.dart;
    let (_, text) = project.texts.get(&class.path).ok_or("its file is gone")?;
    if class.node.kind() != "class_declaration" {
        return Err("a mixin, extension or enum cannot be given a clock".to_owned());
    }
    let body = class
        .node
        .child_by_field_name("body")
        .ok_or("the class has no body")?;
    let body_text = text.get(body.byte_range()).unwrap_or_default();
    if declares_clock(body, text, &rewrite.class) {
        return Err("the class has a clock already, which this place cannot see".to_owned());
    }
    for taken in [&rewrite.field, &rewrite.parameter] {
        if holds_word(body_text, taken) {
            return Err(format!(
                "the class uses the name {taken} for something else"
            ));
        }
    }
    let constructor = constructor(class, body, text)?;
    let mut plan = Plan::default();
    let field = format!("\n  final {} {};\n", rewrite.class, rewrite.field);
    plan.edit(&class.path, Edit::insert(body.start_byte() + 1, field));
    let slot = if let Some(constructor) = constructor {
        add_parameter(project, class, constructor, text, &mut plan)?
    } else {
        let (of, parameter) = (&rewrite.class, &rewrite.parameter);
        let head = format!("{}({{required {of} {parameter}}})", class.name);
        Slot::New(body.start_byte() + 1, head)
    };
    plan.join(arguments(project, class)?);
    plan.edits
        .entry(class.path.clone())
        .or_default()
        .extend(import_edit(text, &rewrite.import)?);
    Ok(Held {
        path: class.path.clone(),
        constructor: constructor.map(|node| node.byte_range()),
        slot,
        initialisers: vec![format!("{} = {}", rewrite.field, rewrite.parameter)],
        plan,
    })
}

fn declares_clock(body: Node<'_>, text: &str, class: &str) -> bool {
    let mut cursor = body.walk();
    let members = body.named_children(&mut cursor).collect::<Vec<_>>();
    members.iter().any(|member| {
        let head = text.get(member.byte_range()).unwrap_or_default();
        !head.contains('(') && holds_word(head, class)
    })
}

/// The one generative constructor; `None` when it is implicit.
fn constructor<'t>(
    class: &Class<'_>,
    body: Node<'t>,
    text: &str,
) -> Result<Option<Node<'t>>, String> {
    let mut cursor = body.walk();
    let mut found = None;
    for member in body.named_children(&mut cursor) {
        let head = text.get(member.byte_range()).unwrap_or_default();
        let name = &class.name;
        let starts = |prefix: &str| {
            head.strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with(['(', '.']))
        };
        if head.starts_with("factory ") || head.starts_with("const factory ") {
            return Err(format!(
                "{name} has a factory, which would have to find a clock"
            ));
        }
        if starts(&format!("const {name}")) {
            return Err(format!(
                "{name} has a const constructor: a clock is no constant"
            ));
        }
        if !starts(name) {
            continue;
        }
        if found.replace(member).is_some() {
            return Err(format!("{name} has several constructors"));
        }
    }
    Ok(found)
}

/// Adds `required AtomicClockService atomicClock`; where its initialiser goes.
fn add_parameter(
    project: &Project<'_>,
    class: &Class<'_>,
    constructor: Node<'_>,
    text: &str,
    plan: &mut Plan,
) -> Result<Slot, String> {
    let rewrite = &project.config.rewrite.dart;
    let list = find(constructor, "formal_parameter_list").ok_or("its constructor has no list")?;
    let parameter = format!("required {} {}", rewrite.class, rewrite.parameter);
    let optional = find(list, "optional_formal_parameters");
    let list_text = text.get(list.byte_range()).unwrap_or_default();
    let edit = match optional {
        Some(named)
            if text
                .get(named.start_byte()..)
                .is_some_and(|t| t.starts_with('{')) =>
        {
            let named_text = text.get(named.byte_range()).unwrap_or_default();
            before_closer(named.start_byte(), named_text, &parameter)
        }
        Some(_) => return Err("its constructor has optional positional parameters".to_owned()),
        None => before_closer(list.start_byte(), list_text, &format!("{{{parameter}}}")),
    };
    plan.edit(&class.path, edit);
    match find(constructor, "initializers") {
        Some(initializers) => {
            let written = text.get(initializers.byte_range()).unwrap_or_default();
            let colon = written.find(':').map_or(0, |at| at + 1);
            let first = written.get(colon..).unwrap_or_default().trim_start();
            if first.starts_with("this(") || redirects(first) {
                return Err("its constructor redirects to another".to_owned());
            }
            Ok(Slot::First(initializers.start_byte() + colon))
        }
        None if text
            .get(constructor.byte_range())
            .is_some_and(|c| c.contains(": this")) =>
        {
            Err("its constructor redirects to another".to_owned())
        }
        None => Ok(Slot::Only(list.end_byte())),
    }
}

/// `this.named(…)`, not `this.field = …`.
fn redirects(first: &str) -> bool {
    let name = first.strip_prefix("this.");
    let rest = name.map(|name| name.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'));
    rest.is_some_and(|rest| rest.starts_with('('))
}

/// Inserts an item before the closing bracket of a list, with or without a trailing comma.
fn before_closer(start: usize, list: &str, item: &str) -> Edit {
    let inner = list
        .get(..list.len().saturating_sub(1))
        .unwrap_or_default()
        .trim_end();
    let at = start + inner.len();
    let text = if inner.len() <= 1 {
        item.to_owned()
    } else if inner.ends_with(',') {
        format!(" {item},")
    } else {
        format!(", {item}")
    };
    Edit::insert(at, text)
}

/// Hands the clock on at every place that constructs the class.
fn arguments(project: &Project<'_>, class: &Class<'_>) -> Result<Plan, String> {
    let mut plan = Plan::default();
    for (path, (language, text)) in &project.texts {
        if *language != Language::Dart || !text.contains(class.name.as_str()) {
            continue;
        }
        let spans = spans(Language::Dart, text, text.len());
        let tree = parse(Language::Dart, text).ok_or("a file does not parse")?;
        for (at, _) in text.match_indices(class.name.as_str()) {
            let inside = *path == class.path && class.node.byte_range().contains(&at);
            if region_at(&spans, at).is_some() || !is_whole_word(text, at, class.name.len()) {
                continue;
            }
            let before = text.get(..at).unwrap_or_default().trim_end();
            let rest = text.get(at + class.name.len()..).unwrap_or_default();
            let extends = ["extends", "implements", "with", "on"];
            if extends.iter().any(|word| before.ends_with(word)) {
                return Err(format!("a class in {path} inherits from {}", class.name));
            }
            if rest.trim_start().starts_with(".new") {
                return Err(format!("{path} hands on its constructor as a function"));
            }
            if !rest.starts_with('(') || (inside && is_own_constructor(&tree, at)) {
                continue;
            }
            let path_of_nodes = path_to(&tree, at, at + class.name.len());
            let clock = match clock_in_sight(project, text, &path_of_nodes) {
                Some(name) => name,
                _ if is_test(path) => project.config.rewrite.dart.fake_name.clone(),
                _ => {
                    let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
                    return Err(format!(
                        "it is constructed at {path}:{line}, where no {} is at hand; give that \
                         place one, then run this again",
                        project.config.rewrite.dart.class
                    ));
                }
            };
            let open = at + class.name.len();
            let list = argument_list(text, open).ok_or("its arguments have no end")?;
            let named = format!("{}: {clock}", project.config.rewrite.dart.parameter);
            plan.edit(path, before_closer(open, list, &named));
            if is_test(path) {
                let fake = fake_edits(project, text)?;
                plan.edits.entry(path.clone()).or_default().extend(fake);
            }
        }
    }
    Ok(plan)
}

/// `Name(…)` as the declaration of the class's own constructor.
fn is_own_constructor(tree: &tree_sitter::Tree, at: usize) -> bool {
    let path = path_to(tree, at, at + 1);
    path.iter()
        .rev()
        .nth(1)
        .is_some_and(|parent| parent.kind() == "constructor_signature")
}

/// From an opening parenthesis to its end.
fn argument_list(text: &str, open: usize) -> Option<&str> {
    let rest = text.get(open..)?;
    let spans = spans(Language::Dart, rest, rest.len());
    let mut depth = 0_usize;
    for (at, byte) in rest.bytes().enumerate() {
        if region_at(&spans, at).is_some() {
            continue;
        }
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => return rest.get(..=at),
            b')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

fn find<'t>(node: Node<'t>, kind: &str) -> Option<Node<'t>> {
    if node.kind() == kind {
        return Some(node);
    }
    let mut cursor = node.walk();
    let children = node.named_children(&mut cursor).collect::<Vec<_>>();
    children
        .into_iter()
        .filter(|child| child.kind() != "function_body")
        .find_map(|c| find(c, kind))
}

pub(super) fn holds_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| is_whole_word(text, at, word.len()))
}

fn is_whole_word(text: &str, at: usize, length: usize) -> bool {
    let bytes = text.as_bytes();
    let before = at
        .checked_sub(1)
        .and_then(|at| bytes.get(at))
        .copied()
        .unwrap_or(0);
    let after = bytes.get(at + length).copied().unwrap_or(0);
    !is_word(before) && !is_word(after)
}
