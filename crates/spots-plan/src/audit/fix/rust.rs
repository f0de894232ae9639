//! Rewrites of Rust: a read becomes `clock.now()` where a clock of the same type is in scope.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::{Edit, Plan, Project, reads_of, refuse_elapsed};
use crate::audit::Read;
use crate::audit::structure::path_to;
use crate::parse::parse;
use crate::tree::Language;

pub(super) fn plan(project: &Project<'_>) -> Plan {
    let mut plan = Plan::default();
    let given = clock_types(project);
    for (path, reads) in reads_of(project, Language::Rust) {
        let Some((_, text)) = project.texts.get(path) else {
            continue;
        };
        let Some(tree) = parse(Language::Rust, text) else {
            continue;
        };
        for read in reads {
            if refuse_elapsed(&mut plan, read) {
                continue;
            }
            let nodes = path_to(&tree, read.start, read.end);
            let Some(clock) = clock_in_scope(&nodes, text) else {
                plan.refuse(
                    read,
                    "no Clock is in scope: give the function a `clock: &dyn Clock`",
                );
                continue;
            };
            if let Err(why) = fits(read, text, &given) {
                plan.refuse(read, why);
                continue;
            }
            let start = nodes
                .last()
                .map_or(read.start, |node| node.start_byte().min(read.start));
            plan.edit(
                path,
                Edit::replace(start..read.end, format!("{clock}.now()")),
            );
            plan.apply(read, format!("the clock in scope, {clock}"));
        }
    }
    plan
}

/// What `now` of the tree's own `Clock` gives: the last name of its type.
fn clock_types(project: &Project<'_>) -> BTreeSet<String> {
    let mut types = BTreeSet::new();
    for (language, text) in project.texts.values() {
        if *language != Language::Rust || !text.contains("Clock") {
            continue;
        }
        let Some(at) = text.find("trait Clock ") else {
            continue;
        };
        let body = text.get(at..).unwrap_or_default();
        let body = body.split("\n}").next().unwrap_or_default();
        let now = body.split("fn now(&self) -> ").nth(1);
        let given = now.and_then(|rest| rest.split([';', '{']).next());
        types.extend(given.map(|given| given.trim().to_owned()));
    }
    types
}

/// Whether the clock gives exactly what the read gave.
fn fits(read: &Read, text: &str, given: &BTreeSet<String>) -> Result<(), String> {
    let written = text.get(read.start..read.end).unwrap_or_default();
    let name = written.split("::").next().unwrap_or_default().trim();
    let wanted = match name {
        "Utc" => "DateTime<Utc>",
        "Local" => "DateTime<Local>",
        name => name,
    };
    let mut given = given.iter();
    match (given.next(), given.next()) {
        (Some(one), None) if one == wanted || one.ends_with(&format!("::{wanted}")) => Ok(()),
        (Some(one), None) => Err(format!("the Clock in scope gives {one}, the read {wanted}")),
        (None, _) => Err("the tree has no trait Clock with `fn now(&self)` to compare with".into()),
        _ => Err("the tree has several traits Clock: it is not clear which one is meant".into()),
    }
}

/// A parameter of the function around, or a field of `self`, that is a Clock.
fn clock_in_scope(path: &[Node<'_>], text: &str) -> Option<String> {
    let function = path
        .iter()
        .rev()
        .find(|node| node.kind() == "function_item")?;
    let parameters = function.child_by_field_name("parameters")?;
    let mut cursor = parameters.walk();
    let mut has_self = false;
    for parameter in parameters.named_children(&mut cursor) {
        has_self |= parameter.kind() == "self_parameter";
        let kind = parameter.child_by_field_name("type");
        let kind = kind
            .and_then(|kind| text.get(kind.byte_range()))
            .unwrap_or_default();
        let name = parameter.child_by_field_name("pattern");
        if let (true, Some(name)) = (is_clock(kind), name) {
            return text.get(name.byte_range()).map(str::to_owned);
        }
    }
    let implemented = path.iter().rev().find(|node| node.kind() == "impl_item")?;
    let of = implemented.child_by_field_name("type")?;
    let of = text.get(of.byte_range())?.split('<').next()?;
    let body = text
        .split(&format!("struct {of}"))
        .nth(1)?
        .split('}')
        .next()?;
    let field = body.split([',', '{', '\n']).find_map(|field| {
        let (name, kind) = field.split_once(": ")?;
        is_clock(kind)
            .then(|| name.split_whitespace().last())
            .flatten()
    })?;
    has_self.then(|| format!("self.{field}"))
}

/// `&dyn Clock`, `Arc<dyn Clock>`, `&impl Clock`, `Box<dyn Clock + Send>`.
fn is_clock(kind: &str) -> bool {
    kind.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .any(|word| word == "Clock")
}
