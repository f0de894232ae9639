//! Rewrites of Dart: each read takes the nearest clock that can reach it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use tree_sitter::{Node, Tree};

use super::class::{Class, Held, give_clock, holds_word};
use super::{Edit, Plan, Project, reads_of, refuse_elapsed};
use crate::audit::Read;
use crate::audit::structure::path_to;
use crate::parse::parse;
use crate::tree::Language;

/// Everything about one file that is rewritten.
struct File<'a> {
    path: &'a str,
    text: &'a str,
    tree: Tree,
}

pub(super) fn plan(project: &Project<'_>) -> Plan {
    let mut plan = Plan::default();
    for (path, reads) in reads_of(project, Language::Dart) {
        let Some((_, text)) = project.texts.get(path) else {
            continue;
        };
        let Some(tree) = parse(Language::Dart, text) else {
            continue;
        };
        let file = File { path, text, tree };
        plan.join(plan_file(project, &file, &reads));
    }
    plan
}

fn plan_file(project: &Project<'_>, file: &File<'_>, reads: &[&Read]) -> Plan {
    let mut plan = Plan::default();
    let mut classes = BTreeMap::<usize, Result<Held, String>>::new();
    let generated = [".g.dart", ".freezed.dart", ".mocks.dart"];
    for read in reads {
        if refuse_elapsed(&mut plan, read) {
            continue;
        }
        if generated.iter().any(|end| file.path.ends_with(end)) {
            plan.refuse(read, "the file is generated: change what generates it");
        } else if !read.rule.starts_with("dart-datetime") {
            plan.refuse(
                read,
                "only reads of DateTime have a counterpart of the same type",
            );
        } else if file.text.contains("\npart of ") || file.text.starts_with("part of ") {
            plan.refuse(
                read,
                "a part of a library cannot import the clock; start at the library",
            );
        } else if is_test(file.path) {
            plan_test(project, file, read, &mut plan);
        } else {
            plan_read(project, file, read, &mut classes, &mut plan);
        }
    }
    for held in classes.into_values().flatten() {
        plan.join(held.finish());
    }
    plan
}

/// A test takes the fake, which every part of its file can reach.
fn plan_test(project: &Project<'_>, file: &File<'_>, read: &Read, plan: &mut Plan) {
    match fake_edits(project, file.text) {
        Ok(edits) => {
            plan.edits
                .entry(file.path.to_owned())
                .or_default()
                .extend(edits);
            let name = &project.config.rewrite.dart.fake_name;
            replace(project, file, read, (name, false), plan);
            plan.apply(read, "the test's fake clock");
        }
        Err(why) => plan.refuse(read, why),
    }
}

fn plan_read(
    project: &Project<'_>,
    file: &File<'_>,
    read: &Read,
    classes: &mut BTreeMap<usize, Result<Held, String>>,
    plan: &mut Plan,
) {
    let path = path_to(&file.tree, read.start, read.end);
    if let Some(name) = clock_in_sight(project, file.text, &path) {
        replace(project, file, read, (&name, read.place.is_async), plan);
        plan.apply(read, why(read, "the clock at hand"));
        return;
    }
    let Some(class) = path
        .iter()
        .rev()
        .find(|node| node.kind() == "class_declaration")
    else {
        plan.refuse(
            read,
            "no clock can be injected at the top level or outside a class",
        );
        return;
    };
    let inside = Inside::of(&path, *class, file.text);
    if let Some(refusal) = inside.refusal() {
        plan.refuse(read, refusal);
        return;
    }
    let name = class
        .child_by_field_name("name")
        .and_then(|name| file.text.get(name.byte_range()));
    let held = classes.entry(class.start_byte()).or_insert_with(|| {
        let class = Class {
            path: file.path.to_owned(),
            name: name.unwrap_or_default().to_owned(),
            node: *class,
        };
        give_clock(project, &class)
    });
    match held {
        Err(why) => plan.refuse(read, why.clone()),
        Ok(held) if inside == Inside::Field => move_field(project, file, read, (&path, held), plan),
        Ok(held) => {
            let rewrite = &project.config.rewrite.dart;
            let own = held.constructor.as_ref();
            let in_constructor = own.is_some_and(|range| range.contains(&read.start));
            let clock = if in_constructor {
                &rewrite.parameter
            } else {
                &rewrite.field
            };
            replace(project, file, read, (clock, read.place.is_async), plan);
            let how = if inside == Inside::Initialiser {
                "the constructor's new parameter, synchronously: an initialiser cannot await".into()
            } else {
                why(read, "the class's new clock")
            };
            plan.apply(read, how);
        }
    }
}

/// Moves `final createdAt = DateTime.now();` into the constructor, which has the clock.
fn move_field(
    project: &Project<'_>,
    file: &File<'_>,
    read: &Read,
    (path, held): (&[Node<'_>], &mut Held),
    plan: &mut Plan,
) {
    let Some((field, range)) = field_declaration(path, file.text) else {
        let why = "a field's initialiser runs before the constructor has a clock; set the field \
                   in the constructor, then run this again";
        plan.refuse(read, why);
        return;
    };
    let parameter = &project.config.rewrite.dart.parameter;
    let value = replacement(project, file, read, (parameter, false));
    held.initialisers.push(format!("{} = {value}", field.name));
    plan.edit(
        file.path,
        Edit::replace(range, format!("{}DateTime {}", field.lead, field.name)),
    );
    plan.apply(
        read,
        "the constructor's new parameter: a field's initialiser sees no clock",
    );
}

/// A field whose whole value is the read.
struct Field<'a> {
    /// `final ` or nothing.
    lead: &'static str,
    name: &'a str,
}

fn field_declaration<'a>(path: &[Node<'_>], text: &'a str) -> Option<(Field<'a>, Range<usize>)> {
    let mut up = path.iter().rev();
    let value = up.next()?;
    let declared = up
        .next()
        .filter(|node| node.kind() == "initialized_identifier")?;
    let list = up.next().filter(|node| node.named_child_count() == 1)?;
    let declaration = up.next().filter(|node| node.kind() == "declaration")?;
    if declared.child_by_field_name("value") != Some(*value) {
        return None;
    }
    let head = text
        .get(declaration.start_byte()..list.start_byte())?
        .trim();
    let lead = match head {
        "final" | "final DateTime" => "final ",
        "var" | "DateTime" => "",
        _ => return None,
    };
    let name = text.get(declared.child_by_field_name("name")?.byte_range())?;
    Some((Field { lead, name }, declaration.byte_range()))
}

fn why(read: &Read, clock: &str) -> String {
    if read.place.is_async {
        format!("{clock}, awaited")
    } else {
        format!("{clock}, synchronously: the function around it is not async")
    }
}

/// Where in a class a read stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// In a method, getter, closure or late field: `this` is there.
    Instance,
    /// In a constructor's initialisers: its parameters are there.
    Initialiser,
    /// In a field that is initialised before any constructor runs.
    Field,
    /// In a static member.
    Static,
    /// In a constructor that makes no new object itself.
    Factory,
}

impl Inside {
    fn of(path: &[Node<'_>], class: Node<'_>, text: &str) -> Self {
        let members = path.iter().skip_while(|node| **node != class);
        let Some(member) = members
            .clone()
            .find(|node| node.kind() == "member_declaration")
        else {
            return Self::Static;
        };
        let head = text.get(member.byte_range()).unwrap_or_default();
        let head = head.split(['(', '{', '=', ';']).next().unwrap_or_default();
        let has = |word: &str| head.split_whitespace().any(|part| part == word);
        let mut kinds = members.map(Node::kind);
        if has("static") {
            Self::Static
        } else if has("factory") {
            Self::Factory
        } else if kinds.clone().any(|kind| kind == "initializers") {
            Self::Initialiser
        } else if kinds.any(|kind| kind == "function_body") || has("late") {
            Self::Instance
        } else {
            Self::Field
        }
    }

    fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Instance | Self::Initialiser | Self::Field => None,
            Self::Static => Some("a static member has no instance that could hold a clock"),
            Self::Factory => Some("a factory has no instance that could hold a clock"),
        }
    }
}

/// The name of a clock that the code at a place can use: a parameter, else a field of its class.
pub(super) fn clock_in_sight(
    project: &Project<'_>,
    text: &str,
    path: &[Node<'_>],
) -> Option<String> {
    let class_name = &project.config.rewrite.dart.class;
    let declares = |node: &Node<'_>| declared_clock(*node, text, class_name);
    for (depth, node) in path.iter().enumerate().rev() {
        let found = match node.kind() {
            "method_declaration"
            | "function_declaration"
            | "local_function_declaration"
            | "function_expression"
            | "declaration" => parameter_list(*node).as_ref().and_then(declares),
            "class_body"
                if Inside::of(path, *path.get(depth.checked_sub(1)?)?, text)
                    == Inside::Instance =>
            {
                let mut cursor = node.walk();
                let members = node.named_children(&mut cursor).collect::<Vec<_>>();
                let fields = members.iter().filter(|member| {
                    let head = text.get(member.byte_range()).unwrap_or_default();
                    !head.contains('(') && !head.starts_with("static")
                });
                fields.into_iter().find_map(declares)
            }
            _ => None,
        };
        if let Some(name) = found {
            return Some(name);
        }
    }
    None
}

fn parameter_list(node: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        if child.kind() == "formal_parameter_list" {
            return Some(child);
        }
        if child.kind().ends_with("signature") {
            return parameter_list(child);
        }
    }
    None
}

/// The name after `AtomicClockService` in a declaration: `final AtomicClockService _clock;`.
fn declared_clock(node: Node<'_>, text: &str, class: &str) -> Option<String> {
    let declaration = text.get(node.byte_range())?;
    declaration.match_indices(class).find_map(|(at, _)| {
        let rest = declaration.get(at + class.len()..)?;
        let name = rest.strip_prefix(' ')?;
        let end = name
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(name.len());
        let name = name.get(..end).filter(|name| !name.is_empty())?;
        Some(name.to_owned())
    })
}

/// Puts the clock in place of the read, with its `new` and its prefix.
fn replace(
    project: &Project<'_>,
    file: &File<'_>,
    read: &Read,
    clock: (&str, bool),
    plan: &mut Plan,
) {
    let text = replacement(project, file, read, clock);
    let path = path_to(&file.tree, read.start, read.end);
    let start = path
        .last()
        .map_or(read.start, |node| node.start_byte().min(read.start));
    plan.edit(file.path, Edit::replace(start..read.end, text));
}

/// What stands for the read: the same type, in the same zone.
fn replacement(
    project: &Project<'_>,
    file: &File<'_>,
    read: &Read,
    (clock, awaits): (&str, bool),
) -> String {
    let rewrite = &project.config.rewrite.dart;
    let template = if awaits {
        &rewrite.awaited
    } else {
        &rewrite.sync
    };
    let mut text = template.replace("{clock}", clock);
    let after = file.text.get(read.end..).unwrap_or_default().trim_start();
    if read.rule == "dart-datetime-now" && !is_instant_only(after) {
        text.push_str(".toLocal()");
    }
    text
}

/// Whether what follows means the instant, whatever its zone.
fn is_instant_only(after: &str) -> bool {
    let members = [
        ".toUtc()",
        ".toLocal()",
        ".millisecondsSinceEpoch",
        ".microsecondsSinceEpoch",
        ".difference(",
        ".isBefore(",
        ".isAfter(",
        ".isAtSameMomentAs(",
        ".compareTo(",
    ];
    members.iter().any(|member| after.starts_with(member))
}

/// Whether the file is a test.
pub(super) fn is_test(path: &str) -> bool {
    path.ends_with("_test.dart")
        || ["test/", "integration_test/"]
            .iter()
            .any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}")))
}

/// The import of the clock, unless the file has it; the reason why not.
pub(super) fn import_edit(text: &str, import: &str) -> Result<Option<Edit>, String> {
    if text.contains(&format!("'{import}'")) || text.contains(&format!("\"{import}\"")) {
        return Ok(None);
    }
    if text.starts_with("part of ") || text.contains("\npart of ") {
        return Err("a part of a library cannot import the clock".to_owned());
    }
    let line = format!("import '{import}';\n");
    // The tree says where directives end: a word in a comment or a string is none.
    let tree = parse(Language::Dart, text).ok_or("the file does not parse")?;
    let mut cursor = tree.root_node().walk();
    let last = tree
        .root_node()
        .named_children(&mut cursor)
        .filter(|node| node.kind() == "import_or_export" || node.kind() == "library_name")
        .map(|node| node.end_byte())
        .last();
    Ok(Some(match last {
        Some(end) => Edit::insert(end, format!("\n{}", line.trim_end())),
        None => Edit::insert(0, format!("{line}\n")),
    }))
}

/// The import and the fake clock of a test file.
pub(super) fn fake_edits(project: &Project<'_>, text: &str) -> Result<BTreeSet<Edit>, String> {
    let rewrite = &project.config.rewrite.dart;
    let declaration = format!("final {} = {};", rewrite.fake_name, rewrite.fake);
    let mut edits = import_edit(text, &rewrite.import)?
        .into_iter()
        .collect::<BTreeSet<_>>();
    if text.contains(&declaration) {
        return Ok(edits);
    }
    if holds_word(text, &rewrite.fake_name) {
        return Err(format!(
            "the test uses the name {} for something else",
            rewrite.fake_name
        ));
    }
    let end = if text.ends_with('\n') { "" } else { "\n" };
    edits.insert(Edit::insert(text.len(), format!("{end}\n{declaration}\n")));
    Ok(edits)
}
