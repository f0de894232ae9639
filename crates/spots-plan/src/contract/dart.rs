//! Contracts from Dart source, with the grammar alone: no SDK, and trees that do not compile.

mod members;
mod uses;

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::model::{How, Mark, Super, TypeDecl, TypeKind, Unit};
use super::notation::canonical;
use super::syntax::{child, children, first_error, line_of};
use crate::parse::parse;
use crate::tree::Language;

/// Reads what a Dart file declares.
pub fn extract(text: &str) -> Unit {
    let Some(tree) = parse(Language::Dart, text) else {
        return Unit {
            broken: Some(1),
            ..Unit::default()
        };
    };
    let root = tree.root_node();
    let source = Source {
        text,
        prefixes: prefixes(root, text),
    };
    Unit {
        types: children(root)
            .filter_map(|node| source.type_of(node))
            .collect(),
        extensions: Vec::new(),
        imports: uris(root, text),
        broken: root.has_error().then(|| first_error(root)),
        refused: None,
    }
    .named()
}

/// Names of types that a file constructs, asks a locator for, or calls a static member of.
pub fn reached(text: &str) -> BTreeSet<String> {
    let Some(tree) = parse(Language::Dart, text) else {
        return BTreeSet::new();
    };
    let root = tree.root_node();
    let source = Source {
        text,
        prefixes: prefixes(root, text),
    };
    let mut decl = TypeDecl::new("", TypeKind::Functions, 1);
    source.uses(root, &mut decl);
    decl.uses.into_iter().map(|found| found.target).collect()
}

/// The text of a file, and the prefixes that its imports give (`import '…' as p`).
struct Source<'t> {
    text: &'t str,
    prefixes: BTreeSet<&'t str>,
}

impl<'t> Source<'t> {
    fn text(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or("")
    }

    /// A type or an expression in canonical form, import prefixes dropped.
    fn canonical(&self, node: Node<'_>) -> String {
        self.canonical_text(self.text(node))
    }

    fn canonical_text(&self, text: &str) -> String {
        let mut text = canonical(text);
        for prefix in &self.prefixes {
            if text.contains(prefix) {
                text = drop_prefix(&text, prefix);
            }
        }
        text
    }

    fn type_of(&self, node: Node<'_>) -> Option<TypeDecl> {
        let kind = match node.kind() {
            "class_declaration" => TypeKind::Class,
            "mixin_declaration" => TypeKind::Mixin,
            "enum_declaration" => TypeKind::Enum,
            "extension_type_declaration" => TypeKind::ExtensionType,
            "type_alias" => return self.alias(node),
            _ => return None,
        };
        let application = child(node, "mixin_application_class");
        let name = match application {
            Some(application) => child(application, "identifier")?,
            None => node.child_by_field_name("name")?,
        };
        let mut decl = TypeDecl::new(self.text(name), kind, line_of(name));
        for part in children(node) {
            self.head(part, &mut decl);
        }
        for part in application.iter().flat_map(|node| children(*node)) {
            self.head(part, &mut decl);
        }
        if documented(node) {
            decl.marks.insert(Mark::Documented);
        }
        if let Some(body) = node.child_by_field_name("body") {
            for part in children(body) {
                self.member(part, &mut decl);
            }
            self.uses(body, &mut decl);
        }
        if let Some(value) = node.child_by_field_name("representation") {
            self.representation(value, &mut decl);
        }
        decl.uses.sort();
        decl.uses.dedup();
        Some(decl)
    }

    /// One part of a declaration before its body.
    fn head(&self, part: Node<'_>, decl: &mut TypeDecl) {
        match part.kind() {
            "abstract" | "base" | "interface" | "final" | "sealed" | "mixin"
                if decl.kind == TypeKind::Class =>
            {
                decl.modifiers.insert(part.kind().to_owned());
            }
            "annotation" => self.annotate(part, &mut decl.marks, &mut decl.deprecated),
            "type_parameters" => {
                let params = children(part).filter(|node| node.kind() == "type_parameter");
                decl.generics = params.map(|param| self.canonical(param)).collect();
            }
            "superclass" => {
                for node in children(part) {
                    match node.kind() {
                        "type" => decl.supers.push(self.above(How::Extends, node)),
                        "mixins" => self.all_above(How::With, node, decl),
                        _ => {}
                    }
                }
            }
            "mixin_application" => {
                for node in children(part) {
                    match node.kind() {
                        "type" => decl.supers.push(self.above(How::Extends, node)),
                        "mixins" => self.all_above(How::With, node, decl),
                        "interfaces" => self.all_above(How::Implements, node, decl),
                        _ => {}
                    }
                }
            }
            "mixins" => self.all_above(How::With, part, decl),
            "interfaces" => self.all_above(How::Implements, part, decl),
            "type" if decl.kind == TypeKind::Mixin => decl.supers.push(self.above(How::On, part)),
            _ => {}
        }
    }

    fn all_above(&self, how: How, node: Node<'_>, decl: &mut TypeDecl) {
        let types = children(node).filter(|node| node.kind() == "type");
        decl.supers.extend(types.map(|ty| self.above(how, ty)));
    }

    fn above(&self, how: How, ty: Node<'_>) -> Super {
        Super {
            how,
            ty: self.canonical(ty),
        }
    }

    fn alias(&self, node: Node<'_>) -> Option<TypeDecl> {
        let name = child(node, "type_identifier")?;
        let mut decl = TypeDecl::new(self.text(name), TypeKind::Alias, line_of(name));
        let text = canonical(self.text(node).trim_end_matches(';'));
        let target = text.split_once(" = ").map_or_else(
            // The old form: `typedef int Compare(a, b)`.
            || {
                text.trim_start_matches("typedef ").replacen(
                    &format!(" {}", decl.name),
                    " Function",
                    1,
                )
            },
            |(_, target)| target.to_owned(),
        );
        decl.supers.push(Super {
            how: How::Extends,
            ty: self.canonical_text(&target),
        });
        Some(decl)
    }

    fn annotate(
        &self,
        annotation: Node<'_>,
        marks: &mut BTreeSet<Mark>,
        deprecated: &mut Option<String>,
    ) {
        let Some(name) = annotation.child_by_field_name("name") else {
            return;
        };
        match self.text(name).rsplit('.').next().unwrap_or("") {
            "visibleForTesting" | "internal" => {
                marks.insert(Mark::Hidden);
            }
            "protected" | "visibleForOverriding" => {
                marks.insert(Mark::Protected);
            }
            "deprecated" => *deprecated = Some(String::new()),
            "Deprecated" => {
                let words = child(annotation, "annotation_arguments");
                let words = words.map_or("", |node| self.text(node));
                let words = words.trim_matches(|letter: char| "()'\", \n".contains(letter));
                *deprecated = Some(canonical_words(words));
            }
            _ => {}
        }
    }
}

/// One space between words.
fn canonical_words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn drop_prefix(text: &str, prefix: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(prefix) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let alone =
            !out.ends_with(|letter: char| letter.is_alphanumeric() || "_$.'\"".contains(letter));
        let after = found.get(prefix.len()..).unwrap_or("");
        rest = match after.strip_prefix('.') {
            Some(type_name) if alone && type_name.starts_with(char::is_uppercase) => type_name,
            _ => {
                out.push_str(prefix);
                after
            }
        };
    }
    out.push_str(rest);
    out
}

fn prefixes<'t>(root: Node<'_>, text: &'t str) -> BTreeSet<&'t str> {
    let imports = children(root).filter(|node| node.kind() == "import_or_export");
    let specifications = imports
        .filter_map(|node| child(node, "library_import"))
        .filter_map(|node| child(node, "import_specification"));
    specifications
        .filter_map(|node| child(node, "identifier"))
        .filter_map(|name| text.get(name.byte_range()))
        .collect()
}

fn uris(root: Node<'_>, text: &str) -> Vec<String> {
    let imports = children(root).filter(|node| node.kind() == "import_or_export");
    let inner = imports.flat_map(children);
    inner
        .filter_map(|node| {
            let holder = child(node, "import_specification").unwrap_or(node);
            let uri = text.get(holder.child_by_field_name("uri")?.byte_range())?;
            Some(uri.split(['\'', '"']).nth(1)?.to_owned())
        })
        .collect()
}

fn documented(node: Node<'_>) -> bool {
    node.prev_sibling()
        .is_some_and(|before| before.kind() == "documentation_comment")
}

/// The documentation above a node, without its markers.
fn documentation(node: Node<'_>, text: &str) -> String {
    let mut lines = Vec::new();
    let mut at = node.prev_sibling();
    while let Some(comment) = at.filter(|before| before.kind() == "documentation_comment") {
        lines.push(text.get(comment.byte_range()).unwrap_or(""));
        at = comment.prev_sibling();
    }
    lines.reverse();
    lines.join("\n")
}
