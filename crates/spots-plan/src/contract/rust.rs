//! Contracts from Rust source: public structs, enums and traits, with their `impl` blocks.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::model::{
    How, Mark, Member, MemberKind, Origin, Param, Passing, Super, TypeDecl, TypeKind, Unit, Use,
    UseKind,
};
use super::notation::canonical;
use super::syntax::{child, children, each, first_error, held, line_of};
use super::types::head;
use crate::parse::parse;
use crate::tree::Language;

/// Reads what a Rust file declares.
pub fn extract(text: &str) -> Unit {
    let Some(tree) = parse(Language::Rust, text) else {
        return Unit {
            broken: Some(1),
            ..Unit::default()
        };
    };
    let root = tree.root_node();
    let mut unit = Unit {
        broken: root.has_error().then(|| first_error(root)),
        ..Unit::default()
    };
    let source = Source { text };
    source.items(root, &mut unit);
    unit.imports.extend(spelled_out(&unit));
    unit.named()
}

/// Paths that signatures and blocks spell out: they say what a name means, as a `use` does.
fn spelled_out(unit: &Unit) -> BTreeSet<String> {
    let mut types: Vec<&str> = Vec::new();
    for decl in unit.types.iter().chain(&unit.extensions) {
        types.extend(decl.supers.iter().map(|above| above.ty.as_str()));
        for member in &decl.members {
            types.extend(member.params.iter().filter_map(|param| param.ty.as_deref()));
            types.extend(member.ty.as_deref());
        }
    }
    let paths = types.into_iter().filter(|ty| ty.contains("::"));
    let is_path = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    let paths = paths.flat_map(|ty| ty.split(move |letter| !is_path(letter)));
    let paths = paths.map(|path| path.trim_matches(':'));
    let paths = paths.filter(|path| path.contains("::") && !path.starts_with("Self::"));
    paths.map(str::to_owned).collect()
}

struct Source<'t> {
    text: &'t str,
}

/// What stands before an item: documentation and attributes.
#[derive(Default)]
struct Before {
    documented: bool,
    deprecated: Option<String>,
    test_only: bool,
}

impl<'t> Source<'t> {
    fn text(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or("")
    }

    /// A type without lifetimes, which callers rarely name.
    fn ty(&self, node: Node<'_>) -> String {
        ty(self.text(node))
    }

    fn field<'n>(&self, node: Node<'n>, name: &str) -> (Option<Node<'n>>, &'t str) {
        let found = node.child_by_field_name(name);
        (found, found.map_or("", |node| self.text(node)))
    }

    fn items(&self, node: Node<'_>, unit: &mut Unit) {
        for item in children(node) {
            let before = self.before(item);
            if before.test_only {
                continue;
            }
            match item.kind() {
                "struct_item" | "enum_item" | "trait_item" | "type_item"
                    if self.is_public(item) =>
                {
                    unit.types.extend(self.type_of(item, before));
                }
                "impl_item" => {
                    let block = self.block(item);
                    let (_, path) = self.field(item, "type");
                    let path = head(path).0;
                    unit.imports
                        .extend(path.contains("::").then(|| path.to_owned()));
                    unit.extensions.extend(block);
                }
                "use_declaration" => {
                    if let Some(list) = item.child_by_field_name("argument") {
                        self.imports(list, "", unit);
                    }
                }
                "mod_item" => {
                    if let Some(body) = item.child_by_field_name("body") {
                        self.items(body, unit);
                    }
                }
                _ => {}
            }
        }
    }

    /// What a `use` brings in, one path a name.
    fn imports(&self, node: Node<'_>, before: &str, unit: &mut Unit) {
        let joined = |path: &str| match (before, path) {
            ("", path) => path.to_owned(),
            // `use a::{self}` is `use a`.
            (before, "" | "self") => before.to_owned(),
            (before, path) => format!("{before}::{path}"),
        };
        match node.kind() {
            "scoped_use_list" => {
                let (_, path) = self.field(node, "path");
                if let Some(list) = node.child_by_field_name("list") {
                    self.imports(list, &joined(path), unit);
                }
            }
            "use_list" => {
                for part in children(node).filter(Node::is_named) {
                    self.imports(part, before, unit);
                }
            }
            "use_as_clause" => {
                let ((_, path), (_, name)) = (self.field(node, "path"), self.field(node, "alias"));
                unit.imports.push(format!("{} as {name}", joined(path)));
            }
            "line_comment" | "block_comment" => {}
            _ => unit.imports.push(joined(self.text(node))),
        }
    }

    fn before(&self, item: Node<'_>) -> Before {
        let mut before = Before::default();
        let mut at = item.prev_sibling();
        while let Some(node) = at {
            let text = self.text(node);
            match node.kind() {
                "line_comment" | "block_comment" => before.documented |= text.starts_with("///"),
                "attribute_item" => {
                    before.test_only |= text.contains("cfg(test)");
                    if text.contains("deprecated") {
                        let words = text.split('"').nth(1).unwrap_or("");
                        before.deprecated = Some(words.to_owned());
                    }
                }
                _ => break,
            }
            at = node.prev_sibling();
        }
        before
    }

    fn is_public(&self, item: Node<'_>) -> bool {
        child(item, "visibility_modifier").is_some_and(|word| self.text(word) == "pub")
    }

    fn type_of(&self, item: Node<'_>, before: Before) -> Option<TypeDecl> {
        let (name, text) = self.field(item, "name");
        let kind = match item.kind() {
            "struct_item" => TypeKind::Class,
            "enum_item" => TypeKind::Enum,
            "trait_item" => TypeKind::Interface,
            _ => TypeKind::Alias,
        };
        let mut decl = TypeDecl::new(text, kind, line_of(name?));
        decl.deprecated = before.deprecated;
        if before.documented {
            decl.marks.insert(Mark::Documented);
        }
        decl.generics = self.generics(item);
        if let Some(bounds) = item.child_by_field_name("bounds") {
            let bounds = children(bounds)
                .filter(Node::is_named)
                .filter(|node| node.kind() != "lifetime");
            decl.supers.extend(bounds.map(|bound| Super {
                how: How::Implements,
                ty: self.ty(bound),
            }));
        }
        match item.child_by_field_name("body") {
            Some(body) if kind == TypeKind::Enum => self.variants(body, &mut decl),
            Some(body) if kind == TypeKind::Class => self.fields(body, &mut decl),
            Some(body) => self.functions(body, true, &mut decl),
            None => {}
        }
        if let (TypeKind::Alias, Some(target)) = (kind, item.child_by_field_name("type")) {
            decl.supers.push(Super {
                how: How::Extends,
                ty: self.ty(target),
            });
        }
        held(&mut decl);
        Some(decl)
    }

    fn generics(&self, item: Node<'_>) -> Vec<String> {
        let list = item.child_by_field_name("type_parameters");
        let params = list.into_iter().flat_map(children);
        params
            .filter(|param| matches!(param.kind(), "type_parameter" | "const_parameter"))
            .map(|param| self.ty(param))
            .collect()
    }

    fn variants(&self, body: Node<'_>, decl: &mut TypeDecl) {
        for variant in children(body).filter(|node| node.kind() == "enum_variant") {
            if let (Some(name), text) = self.field(variant, "name") {
                let mut value = Member::new(text, MemberKind::Value, line_of(name));
                value.marks.extend([Mark::Static, Mark::Const]);
                decl.members.push(value);
            }
        }
    }

    /// Named fields; private ones stay, so that dependencies show, under a name that is not public.
    fn fields(&self, body: Node<'_>, decl: &mut TypeDecl) {
        for field in children(body).filter(|node| node.kind() == "field_declaration") {
            let (Some(name), text) = self.field(field, "name") else {
                continue;
            };
            let mut member = Member::new(text, MemberKind::Field, line_of(name));
            member.ty = field.child_by_field_name("type").map(|ty| self.ty(ty));
            if !self.is_public(field) {
                member.marks.insert(Mark::Hidden);
            }
            decl.members.push(member);
        }
    }

    /// Functions and constants of a trait (all are public) or of an `impl` block.
    fn functions(&self, body: Node<'_>, of_trait: bool, decl: &mut TypeDecl) {
        for item in children(body) {
            if !of_trait && !self.is_public(item) {
                continue;
            }
            let before = self.before(item);
            let member = match item.kind() {
                "function_item" | "function_signature_item" => {
                    self.function(item, of_trait, &decl.name)
                }
                "const_item" => self.constant(item),
                _ => None,
            };
            let Some(mut member) = member.filter(|_| !before.test_only) else {
                continue;
            };
            member.deprecated = before.deprecated;
            if before.documented {
                member.marks.insert(Mark::Documented);
            }
            decl.members.push(member);
        }
    }

    fn constant(&self, item: Node<'_>) -> Option<Member> {
        let (name, text) = self.field(item, "name");
        let mut member = Member::new(text, MemberKind::Field, line_of(name?));
        member.ty = item.child_by_field_name("type").map(|ty| self.ty(ty));
        member
            .marks
            .extend([Mark::Static, Mark::Const, Mark::Final]);
        Some(member)
    }

    fn function(&self, item: Node<'_>, of_trait: bool, owner: &str) -> Option<Member> {
        let (name, text) = self.field(item, "name");
        let mut member = Member::new(text, MemberKind::Method, line_of(name?));
        member.generics = self.generics(item);
        let list = item.child_by_field_name("parameters")?;
        member.params = children(list)
            .filter_map(|param| self.param(param))
            .collect();
        let returns = item.child_by_field_name("return_type");
        let mut returns = returns.map_or("()".to_owned(), |ty| self.ty(ty));
        let (outer, arguments) = head(&returns);
        if let ("Result", Some(error)) = (outer.rsplit(':').next().unwrap_or(""), arguments.get(1))
        {
            member.throws.insert((*error).to_owned());
        }
        let makes = [owner, "Self"].into_iter().any(|own| {
            let inner = arguments.first().copied().unwrap_or("");
            head(outer).0 == own || (matches!(outer, "Result" | "Option") && head(inner).0 == own)
        });
        let receives = member
            .params
            .first()
            .is_some_and(|param| param.name == "self");
        if !receives {
            member.marks.insert(Mark::Static);
            if makes && !of_trait {
                member.kind = MemberKind::Constructor;
                member.name = format!("{owner}.{text}");
            }
        }
        let modifiers = child(item, "function_modifiers").map_or("", |words| self.text(words));
        if modifiers.split_whitespace().any(|word| word == "async") {
            returns = format!("Future<{returns}>");
        }
        if of_trait && item.child_by_field_name("body").is_none() {
            member.marks.insert(Mark::Abstract);
        }
        member.ty = Some(returns);
        Some(member)
    }

    fn param(&self, node: Node<'_>) -> Option<Param> {
        let (name, ty) = match node.kind() {
            "self_parameter" => {
                let receiver = ty(self.text(node))
                    .replace("mut self", "mut Self")
                    .replace("self", "Self");
                (
                    "self".to_owned(),
                    receiver.trim_start_matches("mut ").to_owned(),
                )
            }
            "parameter" => {
                let (_, pattern) = self.field(node, "pattern");
                let plain = pattern
                    .chars()
                    .all(|letter| letter.is_alphanumeric() || letter == '_');
                let name = if plain {
                    pattern.trim_start_matches('_')
                } else {
                    "_"
                };
                (name.to_owned(), self.ty(node.child_by_field_name("type")?))
            }
            _ => return None,
        };
        Some(Param {
            name,
            ty: Some(ty),
            passing: Passing::Positional,
            required: true,
            default: None,
            origin: Origin::Own,
        })
    }

    /// What an `impl` block adds to its type.
    fn block(&self, item: Node<'_>) -> Option<TypeDecl> {
        let ty = self.ty(item.child_by_field_name("type")?);
        let name = head(&ty).0.rsplit(':').next().unwrap_or("").to_owned();
        let mut decl = TypeDecl::new(name, TypeKind::Class, line_of(item));
        let body = item.child_by_field_name("body")?;
        match item.child_by_field_name("trait") {
            Some(above) => decl.supers.push(Super {
                how: How::Implements,
                ty: self.ty(above),
            }),
            None => self.functions(body, false, &mut decl),
        }
        held(&mut decl);
        each(body, |node| decl.uses.extend(self.reach(node)));
        Some(decl)
    }

    /// `ClockService::new(…)` makes one.
    fn reach(&self, node: Node<'_>) -> Option<Use> {
        let function =
            (node.kind() == "call_expression").then(|| node.child_by_field_name("function"))??;
        let (path, through) = self.text(function).rsplit_once("::")?;
        let target = head(path).0.rsplit(':').next()?;
        target.starts_with(char::is_uppercase).then(|| Use {
            kind: UseKind::Construction,
            target: target.to_owned(),
            through: Some(through.to_owned()),
            line: line_of(node),
        })
    }
}

/// A type in canonical form without lifetimes, whose quotes would look like strings.
fn ty(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\'' {
            out.push(letter);
            continue;
        }
        while letters
            .next_if(|next| next.is_alphanumeric() || *next == '_')
            .is_some()
        {}
        while letters
            .next_if(|next| *next == ',' || next.is_whitespace())
            .is_some()
        {}
    }
    canonical(&out)
        .replace("<>", "")
        .replace(", >", ">")
        .replace("! ", "never")
}
