//! Contracts from TypeScript source: exported classes, interfaces, enums and type aliases.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::model::{
    How, Mark, Member, MemberKind, Origin, Param, Passing, Super, TypeDecl, TypeKind, Unit, Use,
    UseKind,
};
use super::notation::canonical;
use super::syntax::{child, children, each, first_error, held, line_of};
use crate::parse::parse;
use crate::tree::Language;

/// Calls that hand out an instance of their first argument.
const LOCATORS: [&str; 4] = ["inject", "get", "resolve", "useService"];

/// Reads what a TypeScript file declares.
pub fn extract(language: Language, text: &str) -> Unit {
    let Some(tree) = parse(language, text) else {
        return Unit {
            broken: Some(1),
            ..Unit::default()
        };
    };
    let root = tree.root_node();
    let source = Source { text };
    let exported = source.exported(root);
    let mut unit = Unit {
        broken: root.has_error().then(|| first_error(root)),
        ..Unit::default()
    };
    for node in children(root) {
        let (item, public) = match node.kind() {
            "export_statement" => (node.child_by_field_name("declaration"), true),
            _ => (Some(node), false),
        };
        let decl = item.and_then(|item| source.type_of(item, node));
        unit.types
            .extend(decl.filter(|decl| public || exported.contains(&decl.name)));
        if node.kind() == "import_statement" {
            let uri = node
                .child_by_field_name("source")
                .map_or("", |node| source.text(node));
            unit.imports.push(uri.trim_matches(['\'', '"']).to_owned());
        }
    }
    unit.named()
}

struct Source<'t> {
    text: &'t str,
}

impl<'t> Source<'t> {
    fn text(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or("")
    }

    fn name<'n>(&self, node: Node<'n>) -> Option<(Node<'n>, &'t str)> {
        let name = node.child_by_field_name("name")?;
        Some((name, self.text(name)))
    }

    /// A type, without the colon of its annotation.
    fn ty(&self, node: Node<'_>, field: &str) -> Option<String> {
        let ty = node.child_by_field_name(field)?;
        Some(canonical(
            self.text(ty)
                .trim_start_matches(':')
                .trim_start_matches("asserts ")
                .trim_start_matches([' ', '|', '\n']),
        ))
    }

    /// Names of `export { … }` and `export default …`.
    fn exported(&self, root: Node<'_>) -> BTreeSet<String> {
        let statements = children(root).filter(|node| node.kind() == "export_statement");
        let names = statements.flat_map(|node| {
            self.text(node)
                .split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
                .map(str::to_owned)
                .take_while(|word| word != "from" && word != "class")
                .collect::<Vec<_>>()
        });
        names
            .filter(|word| word.starts_with(char::is_uppercase))
            .collect()
    }

    fn type_of(&self, item: Node<'_>, outer: Node<'_>) -> Option<TypeDecl> {
        let kind = match item.kind() {
            "class_declaration" | "abstract_class_declaration" => TypeKind::Class,
            "interface_declaration" => TypeKind::Interface,
            "enum_declaration" => TypeKind::Enum,
            // `type A = { … }` is an interface in other words.
            "type_alias_declaration" => match child(item, "object_type") {
                Some(_) => TypeKind::Interface,
                None => TypeKind::Alias,
            },
            _ => return None,
        };
        let (name, text) = self.name(item)?;
        let mut decl = TypeDecl::new(text, kind, line_of(name));
        self.documented(
            outer,
            &mut decl.marks,
            &mut decl.deprecated,
            &mut BTreeSet::new(),
        );
        if item.kind().starts_with("abstract") {
            decl.modifiers.insert("abstract".to_owned());
        }
        if let Some(list) = item.child_by_field_name("type_parameters") {
            let params = children(list).filter(|node| node.kind() == "type_parameter");
            decl.generics = params.map(|param| canonical(self.text(param))).collect();
        }
        self.above(item, &mut decl);
        if let Some(target) = self.ty(item, "value").filter(|_| kind == TypeKind::Alias) {
            decl.supers.push(Super {
                how: How::Extends,
                ty: target,
            });
        }
        let body = item.child_by_field_name("body");
        if let Some(body) = body.or_else(|| child(item, "object_type")) {
            for part in children(body) {
                self.member(part, &mut decl);
            }
            held(&mut decl);
            each(body, |node| decl.uses.extend(self.reach(node)));
            decl.uses.sort();
            decl.uses.dedup();
        }
        Some(decl)
    }

    fn above(&self, item: Node<'_>, decl: &mut TypeDecl) {
        let heritage = child(item, "class_heritage");
        let clauses = heritage
            .into_iter()
            .flat_map(children)
            .chain(children(item));
        for clause in clauses {
            let how = match clause.kind() {
                "extends_clause" | "extends_type_clause" => How::Extends,
                "implements_clause" => How::Implements,
                _ => continue,
            };
            let words = self.text(clause);
            let list = words
                .trim_start_matches("extends")
                .trim_start_matches("implements");
            for ty in super::notation::split(list, ',') {
                decl.supers.push(Super {
                    how,
                    ty: canonical(ty),
                });
            }
        }
    }

    fn member(&self, part: Node<'_>, decl: &mut TypeDecl) {
        let Some(mut member) = self.shape(part, decl) else {
            return;
        };
        let class = decl.kind == TypeKind::Class;
        let overload = class && part.kind() == "method_signature";
        let overloaded = decl
            .members
            .last()
            .is_some_and(|last| last.name == member.name && last.kind == member.kind);
        if class && part.kind() == "method_definition" && overloaded {
            // What follows overloads is how they are done; callers see the overloads alone.
            return;
        }
        if overload {
            member.marks.remove(&Mark::Abstract);
        }
        let mut throws = BTreeSet::new();
        self.documented(part, &mut member.marks, &mut member.deprecated, &mut throws);
        for word in children(part) {
            match (word.kind(), self.text(word)) {
                ("static", _) => member.marks.insert(Mark::Static),
                ("readonly", _) => member.marks.insert(Mark::Final),
                ("accessibility_modifier", "private") => member.marks.insert(Mark::Hidden),
                ("accessibility_modifier", "protected") => member.marks.insert(Mark::Protected),
                _ => false,
            };
        }
        if let Some(body) = part.child_by_field_name("body") {
            each(body, |node| {
                if node.kind() == "throw_statement" {
                    let made = child(node, "new_expression");
                    let name = made.and_then(|made| made.child_by_field_name("constructor"));
                    throws.extend(name.map(|name| self.text(name).to_owned()));
                }
            });
        }
        member.throws = throws;
        decl.members.push(member);
    }

    /// Name, kind, parameters and type of a member.
    fn shape(&self, part: Node<'_>, decl: &mut TypeDecl) -> Option<Member> {
        let kind = match part.kind() {
            "method_definition" | "abstract_method_signature" | "method_signature" => {
                let accessor = children(part).find(|word| matches!(word.kind(), "get" | "set"));
                match accessor.map(|word| word.kind()) {
                    Some("get") => MemberKind::Getter,
                    Some(_) => MemberKind::Setter,
                    None => MemberKind::Method,
                }
            }
            "public_field_definition" | "property_signature" => MemberKind::Field,
            // Values of an enum: a name alone, or with what it stands for.
            "property_identifier" | "enum_assignment" if decl.kind == TypeKind::Enum => {
                let name = part.child_by_field_name("name").unwrap_or(part);
                let mut value = Member::new(self.text(name), MemberKind::Value, line_of(name));
                value.marks.extend([Mark::Static, Mark::Const]);
                return Some(value);
            }
            _ => return None,
        };
        let (name, text) = self.name(part)?;
        let mut member = Member::new(text, kind, line_of(name));
        if text.starts_with('#') {
            member.marks.insert(Mark::Hidden);
        }
        let optional = children(part).any(|word| word.kind() == "?");
        if is_signature(part) && !optional {
            member.marks.insert(Mark::Abstract);
        }
        let arrow = part
            .child_by_field_name("value")
            .filter(|value| value.kind() == "arrow_function");
        let callable = arrow.unwrap_or(part);
        if arrow.is_some() && part.child_by_field_name("type").is_none() {
            member.kind = MemberKind::Method;
        }
        if let Some(list) = callable.child_by_field_name("parameters") {
            member.params = children(list)
                .filter_map(|param| self.param(param))
                .collect();
            self.properties(list, text, decl);
        }
        if let Some(list) = callable.child_by_field_name("type_parameters") {
            let params = children(list).filter(|node| node.kind() == "type_parameter");
            member.generics = params.map(|param| canonical(self.text(param))).collect();
        }
        member.ty = self
            .ty(callable, "return_type")
            .or_else(|| self.ty(part, "type"));
        member.ty = member.ty.map(|ty| {
            if optional {
                format!("{ty} | undefined")
            } else {
                ty
            }
        });
        if text == "constructor" {
            member.kind = MemberKind::Constructor;
            decl.name.clone_into(&mut member.name);
        }
        Some(member)
    }

    /// `constructor(private readonly http: Http)` declares a field too.
    fn properties(&self, list: Node<'_>, method: &str, decl: &mut TypeDecl) {
        if method != "constructor" {
            return;
        }
        for param in children(list) {
            let words: Vec<&str> = children(param).map(|word| self.text(word)).collect();
            let property =
                child(param, "accessibility_modifier").is_some() || words.contains(&"readonly");
            let Some(read) = self.param(param).filter(|_| property) else {
                continue;
            };
            let mut field = Member::new(read.name, MemberKind::Field, line_of(param));
            field.ty = read.ty;
            if words.contains(&"readonly") {
                field.marks.insert(Mark::Final);
            }
            if words.contains(&"private") {
                field.marks.insert(Mark::Hidden);
            }
            if words.contains(&"protected") {
                field.marks.insert(Mark::Protected);
            }
            decl.members.push(field);
        }
    }

    fn param(&self, node: Node<'_>) -> Option<Param> {
        let optional = match node.kind() {
            "required_parameter" => false,
            "optional_parameter" => true,
            _ => return None,
        };
        let pattern = node.child_by_field_name("pattern")?;
        let default = node
            .child_by_field_name("value")
            .map(|value| canonical(self.text(value)));
        let rest = pattern.kind() == "rest_pattern";
        let name = match pattern.kind() {
            "identifier" | "this" => self.text(pattern).to_owned(),
            "rest_pattern" => self.text(pattern).trim_start_matches('.').to_owned(),
            _ => "_".to_owned(),
        };
        Some(Param {
            name,
            ty: self.ty(node, "type"),
            passing: Passing::Positional,
            required: !optional && !rest && default.is_none(),
            default,
            origin: Origin::Own,
        })
    }

    /// What the comment above says: documentation, `@deprecated`, `@throws {X}`.
    fn documented(
        &self,
        node: Node<'_>,
        marks: &mut BTreeSet<Mark>,
        deprecated: &mut Option<String>,
        throws: &mut BTreeSet<String>,
    ) {
        let mut before = node.prev_sibling();
        while before.is_some_and(|node| node.kind() == "decorator") {
            before = before.and_then(|node| node.prev_sibling());
        }
        let comment = before
            .filter(|node| node.kind() == "comment")
            .map_or("", |node| self.text(node));
        if !comment.starts_with("/**") {
            return;
        }
        marks.insert(Mark::Documented);
        if comment.contains("@internal") {
            marks.insert(Mark::Hidden);
        }
        let after = |word: &str| {
            comment
                .split(word)
                .nth(1)
                .map(|rest| rest.lines().next().unwrap_or(""))
        };
        if let Some(words) = after("@deprecated") {
            *deprecated = Some(words.trim().trim_end_matches("*/").trim().to_owned());
        }
        for part in comment.split("@throws").skip(1) {
            let name = part.split(['{', '}']).nth(1).unwrap_or("");
            if !name.is_empty() {
                throws.insert(name.to_owned());
            }
        }
    }

    fn reach(&self, node: Node<'_>) -> Option<Use> {
        let (kind, target) = match node.kind() {
            "new_expression" => {
                let made = node.child_by_field_name("constructor")?;
                (UseKind::Construction, self.text(made))
            }
            "call_expression" => {
                let function = self.text(node.child_by_field_name("function")?);
                let last = function.rsplit('.').next().unwrap_or("");
                let arguments = node.child_by_field_name("arguments")?;
                let first = children(arguments).find(|node| node.kind() == "identifier")?;
                LOCATORS
                    .contains(&last)
                    .then_some((UseKind::Locator, self.text(first)))?
            }
            _ => return None,
        };
        target.starts_with(char::is_uppercase).then(|| Use {
            kind,
            target: target.to_owned(),
            through: None,
            line: line_of(node),
        })
    }
}

/// Whether a member only says that it must be there.
fn is_signature(part: Node<'_>) -> bool {
    let kinds = [
        "abstract_method_signature",
        "method_signature",
        "property_signature",
    ];
    kinds.contains(&part.kind())
}
