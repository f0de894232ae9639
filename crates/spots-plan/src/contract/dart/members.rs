//! Members of Dart types.

use tree_sitter::Node;

use super::super::model::{Mark, Member, MemberKind, Origin, Param, Passing, TypeDecl};
use super::super::syntax::{child, children, line_of};
use super::{Source, documentation, documented};

/// What a member's declaration says before its signature.
#[derive(Default)]
struct Head<'n> {
    prototype: Option<Member>,
    ty: Option<Node<'n>>,
}

impl Source<'_> {
    /// Reads one part of a body: a member, or a value of an enum.
    pub(super) fn member(&self, part: Node<'_>, decl: &mut TypeDecl) {
        match part.kind() {
            "enum_entry" => {
                if let Some(name) = part.child_by_field_name("name") {
                    let mut value = Member::new(self.text(name), MemberKind::Value, line_of(name));
                    value.marks.extend([Mark::Static, Mark::Const]);
                    decl.members.push(value);
                }
            }
            "member_declaration" => {
                let mut shared = Member::new("", MemberKind::Method, line_of(part));
                if documented(part) {
                    shared.marks.insert(Mark::Documented);
                    shared.throws = thrown_in_words(&documentation(part, self.text));
                }
                for node in children(part) {
                    match node.kind() {
                        "annotation" => {
                            self.annotate(node, &mut shared.marks, &mut shared.deprecated);
                        }
                        "declaration" | "method_declaration" => {
                            self.declaration(node, &shared, decl);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// An extension type's one value: a field and the implicit constructor.
    pub(super) fn representation(&self, value: Node<'_>, decl: &mut TypeDecl) {
        let Some(name) = value.child_by_field_name("name") else {
            return;
        };
        let ty = value
            .child_by_field_name("type")
            .map(|ty| self.canonical(ty));
        let mut field = Member::new(self.text(name), MemberKind::Field, line_of(name));
        field.ty.clone_from(&ty);
        field.marks.insert(Mark::Final);
        let mut constructor = Member::new(&*decl.name, MemberKind::Constructor, line_of(name));
        constructor.params.push(Param {
            name: field.name.clone(),
            ty,
            passing: Passing::Positional,
            required: true,
            default: None,
            origin: Origin::Own,
        });
        decl.members.splice(0..0, [field, constructor]);
    }

    fn declaration(&self, node: Node<'_>, shared: &Member, decl: &mut TypeDecl) {
        let mut head = Head {
            prototype: Some(shared.clone()),
            ty: None,
        };
        let has_body = node.child_by_field_name("body").is_some();
        for part in children(node) {
            let Some(prototype) = head.prototype.as_mut() else {
                return;
            };
            match part.kind() {
                "annotation" => {
                    self.annotate(part, &mut prototype.marks, &mut prototype.deprecated);
                }
                "type" => head.ty = Some(part),
                "method_signature" => {
                    for inner in children(part) {
                        Self::word(inner, prototype);
                        self.signature(inner, prototype, has_body, decl);
                    }
                }
                _ => {
                    Self::word(part, prototype);
                    self.signature(part, prototype, has_body, decl);
                    self.fields(part, prototype, head.ty, decl);
                }
            }
        }
        if let Some(body) = node.child_by_field_name("body") {
            self.behaviour(body, decl);
        }
    }

    fn word(part: Node<'_>, prototype: &mut Member) {
        let mark = match part.kind() {
            "static" => Mark::Static,
            "const" => Mark::Const,
            "final" => Mark::Final,
            "abstract" => Mark::Abstract,
            "factory" => Mark::Factory,
            _ => return,
        };
        prototype.marks.insert(mark);
    }

    fn signature(&self, node: Node<'_>, prototype: &Member, has_body: bool, decl: &mut TypeDecl) {
        let kind = match node.kind() {
            "constructor_signature"
            | "constant_constructor_signature"
            | "factory_constructor_signature"
            | "redirecting_factory_constructor_signature" => MemberKind::Constructor,
            "function_signature" | "operator_signature" => MemberKind::Method,
            "getter_signature" => MemberKind::Getter,
            "setter_signature" => MemberKind::Setter,
            _ => return,
        };
        let mut member = prototype.clone();
        member.kind = kind;
        let mut name = String::new();
        let mut at = None;
        for part in children(node) {
            match part.kind() {
                "identifier" | "." if kind == MemberKind::Constructor => {
                    name.push_str(self.text(part));
                    at = Some(part);
                }
                "new" if kind == MemberKind::Constructor && name.ends_with('.') => {
                    name.pop();
                }
                "type_parameters" => {
                    let params = children(part).filter(|node| node.kind() == "type_parameter");
                    member.generics = params.map(|param| self.canonical(param)).collect();
                }
                "formal_parameter_list" => member.params = self.params(part),
                _ => Self::word(part, &mut member),
            }
        }
        if let Some(ty) = node.child_by_field_name("return_type") {
            member.ty = Some(self.canonical(ty));
        }
        let of_class = name.split('.').next() == Some(decl.name.as_str());
        if kind == MemberKind::Constructor && !of_class {
            // The grammar cannot tell a method without a return type from a constructor.
            member.kind = MemberKind::Method;
            if !has_body {
                member.marks.insert(Mark::Abstract);
            }
        }
        if kind != MemberKind::Constructor {
            let named = node.child_by_field_name("name").or_else(|| operator(node));
            let Some(named) = named else { return };
            name = self.text(named).split_whitespace().collect();
            at = Some(named);
            if !has_body && !member.is(Mark::Static) {
                member.marks.insert(Mark::Abstract);
            }
        }
        member.line = at.map_or(member.line, line_of);
        member.name = name;
        decl.members.push(member);
    }

    fn fields(
        &self,
        list: Node<'_>,
        prototype: &Member,
        ty: Option<Node<'_>>,
        decl: &mut TypeDecl,
    ) {
        if !matches!(
            list.kind(),
            "initialized_identifier_list" | "static_final_declaration_list" | "identifier_list"
        ) {
            return;
        }
        for entry in children(list).filter(Node::is_named) {
            let name = entry.child_by_field_name("name").unwrap_or(entry);
            let mut field = prototype.clone();
            field.kind = MemberKind::Field;
            self.text(name).clone_into(&mut field.name);
            field.line = line_of(name);
            field.ty = match ty {
                Some(ty) => Some(self.canonical(ty)),
                None => entry
                    .child_by_field_name("value")
                    .and_then(|value| self.literal_type(value)),
            };
            decl.members.push(field);
        }
    }

    /// The type of an initialiser that says it plainly; other inference is left out.
    fn literal_type(&self, value: Node<'_>) -> Option<String> {
        Some(match value.kind() {
            "decimal_integer_literal" | "hex_integer_literal" => "int".to_owned(),
            "decimal_floating_point_literal" => "double".to_owned(),
            "true" | "false" => "bool".to_owned(),
            "string_literal" => "String".to_owned(),
            "new_expression" | "const_object_expression" => {
                self.canonical(value.child_by_field_name("type")?)
            }
            "call_expression" => {
                let function = value.child_by_field_name("function")?;
                let name = self.text(function);
                let plain = name.chars().all(char::is_alphanumeric);
                (plain && name.starts_with(char::is_uppercase)).then(|| name.to_owned())?
            }
            _ => return None,
        })
    }

    fn params(&self, list: Node<'_>) -> Vec<Param> {
        let mut params = Vec::new();
        for part in children(list) {
            match part.kind() {
                "formal_parameter" => {
                    params.extend(self.param(part, Passing::Positional, true));
                }
                "optional_formal_parameters" => self.optional(part, &mut params),
                _ => {}
            }
        }
        params
    }

    /// `[…]` or `{…}`: `required` stands before its parameter, the default after it.
    fn optional(&self, group: Node<'_>, params: &mut Vec<Param>) {
        let mut passing = Passing::Positional;
        let mut required = false;
        for part in children(group) {
            match part.kind() {
                "{" => passing = Passing::Named,
                "required" => required = true,
                "formal_parameter" => {
                    params.extend(self.param(part, passing, required));
                    required = false;
                }
                _ if part.is_named() && part.kind() != "annotation" && part.kind() != "comment" => {
                    if let Some(param) = params.last_mut() {
                        param.default = Some(self.canonical(part));
                    }
                }
                _ => {}
            }
        }
    }

    fn param(&self, node: Node<'_>, passing: Passing, required: bool) -> Option<Param> {
        let field = child(node, "field_formal_parameter");
        let above = child(node, "super_formal_parameter");
        let inner = field.or(above).unwrap_or(node);
        let required = required || children(node).any(|part| part.kind() == "required");
        let name = inner.child_by_field_name("name")?;
        let mut ty = child(inner, "type")
            .or_else(|| child(node, "type"))
            .map(|ty| self.canonical(ty));
        if let Some(list) = child(inner, "formal_parameter_list") {
            // The old form of a function as a parameter: `int compare(String a)`.
            let returns = ty.as_deref().unwrap_or("dynamic");
            ty = Some(format!("{returns} Function{}", self.canonical(list)));
        }
        Some(Param {
            name: self.text(name).to_owned(),
            ty,
            passing,
            required,
            default: None,
            origin: match (field, above) {
                (Some(_), _) => Origin::Field,
                (_, Some(_)) => Origin::Super,
                _ => Origin::Own,
            },
        })
    }
}

fn operator(signature: Node<'_>) -> Option<Node<'_>> {
    signature.child_by_field_name("operator").or_else(|| {
        let mut parts = children(signature).skip_while(|part| part.kind() != "operator");
        parts.nth(1)
    })
}

/// Types that the documentation says are thrown: the first `[Name]` after each "throws".
fn thrown_in_words(words: &str) -> std::collections::BTreeSet<String> {
    let lower = words.to_ascii_lowercase();
    lower
        .match_indices("throw")
        .filter_map(|(at, _)| {
            let sentence = words.get(at..)?;
            let sentence = sentence.split(". ").next().unwrap_or(sentence);
            let name = sentence.split_once('[')?.1.split_once(']')?.0;
            let plain = name
                .chars()
                .all(|letter| letter.is_alphanumeric() || letter == '.');
            (plain && !name.is_empty()).then(|| name.to_owned())
        })
        .collect()
}
