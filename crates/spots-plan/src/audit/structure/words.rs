//! The words of each grammar for what we look for.

use tree_sitter::Node;

use super::text_of;
use crate::tree::Language;

/// Node kinds of one grammar.
#[derive(Debug)]
pub(in crate::audit) struct Words {
    language: Language,
    /// Classes and everything like them.
    pub(in crate::audit) class: &'static [&'static str],
    member: &'static [&'static str],
    /// What may be marked `async`.
    pub(super) function: &'static [&'static str],
    /// Functions without a name of their own.
    pub(super) closure: &'static [&'static str],
    block: &'static [&'static str],
    list: &'static [&'static str],
}

static DART: Words = Words {
    language: Language::Dart,
    class: &[
        "class_declaration",
        "mixin_declaration",
        "extension_declaration",
        "extension_type_declaration",
        "enum_declaration",
    ],
    member: &[
        "method_declaration",
        "declaration",
        "function_declaration",
        "top_level_variable_declaration",
        "getter_declaration",
        "setter_declaration",
    ],
    function: &["function_body", "function_expression_body"],
    closure: &["function_expression_body"],
    block: &[
        "block",
        "class_body",
        "enum_body",
        "extension_body",
        "function_body",
    ],
    list: &[
        "arguments",
        "set_or_map_literal",
        "list_literal",
        "formal_parameter_list",
        "optional_formal_parameters",
        "function_body",
        "function_expression_body",
        "initializers",
        "source_file",
        "record_literal",
        "initialized_identifier_list",
    ],
};

static RUST: Words = Words {
    language: Language::Rust,
    class: &[
        "impl_item",
        "trait_item",
        "struct_item",
        "enum_item",
        "mod_item",
    ],
    member: &[
        "function_item",
        "const_item",
        "static_item",
        "macro_definition",
    ],
    function: &["function_item", "async_block", "closure_expression"],
    closure: &["closure_expression", "async_block"],
    block: &["block", "declaration_list", "match_block"],
    list: &[
        "arguments",
        "field_initializer_list",
        "array_expression",
        "tuple_expression",
        "token_tree",
        "source_file",
        "closure_expression",
        "match_arm",
    ],
};

static SCRIPT: Words = Words {
    language: Language::TypeScript,
    class: &[
        "class_declaration",
        "class",
        "abstract_class_declaration",
        "interface_declaration",
        "internal_module",
    ],
    member: &[
        "method_definition",
        "public_field_definition",
        "function_declaration",
        "generator_function_declaration",
        "variable_declarator",
    ],
    function: &[
        "method_definition",
        "function_declaration",
        "function_expression",
        "arrow_function",
        "generator_function",
        "generator_function_declaration",
    ],
    closure: &["arrow_function", "function_expression"],
    block: &["statement_block", "class_body", "switch_body"],
    list: &[
        "arguments",
        "object",
        "array",
        "formal_parameters",
        "program",
        "arrow_function",
        "jsx_expression",
        "jsx_attribute",
    ],
};

impl Words {
    /// The words of the language's grammar.
    pub(in crate::audit) fn of(language: Language) -> Option<&'static Self> {
        match language {
            Language::Dart => Some(&DART),
            Language::Rust => Some(&RUST),
            Language::TypeScript | Language::Tsx | Language::JavaScript => Some(&SCRIPT),
            Language::Sql
            | Language::Swift
            | Language::Kotlin
            | Language::Java
            | Language::OpenApi => None,
        }
    }

    /// The name of a class, or of what it extends or implements when it has none.
    pub(super) fn class_name(node: Node<'_>, text: &str) -> String {
        let named = ["name", "type", "class"]
            .iter()
            .find_map(|field| node.child_by_field_name(field))
            .map_or("", |name| text_of(name, text));
        // `Bar<T>` and `Bar` are one type.
        named.split('<').next().unwrap_or(named).trim().to_owned()
    }

    /// The name of a member, if the node is one.
    pub(super) fn member_name(&self, node: Node<'_>, text: &str) -> Option<String> {
        if !self.member.contains(&node.kind()) {
            return None;
        }
        let holder = if self.language == Language::Dart {
            signature(node)
        } else {
            node
        };
        let mut cursor = holder.walk();
        let names = holder
            .children_by_field_name("name", &mut cursor)
            .filter(Node::is_named)
            .map(|name| text_of(name, text))
            .collect::<Vec<_>>();
        (!names.is_empty()).then(|| names.join("."))
    }

    /// Whether the innermost function around a node may await.
    pub(super) fn is_async(&self, path: &[Node<'_>]) -> bool {
        let function = path
            .iter()
            .rev()
            .find(|node| self.function.contains(&node.kind()));
        function.is_some_and(|node| marked_async(*node))
    }

    /// Whether the node's children are statements, arguments or elements.
    pub(super) fn holds_statements(&self, node: Node<'_>) -> bool {
        if self.list.contains(&node.kind()) || self.block.contains(&node.kind()) {
            return true;
        }
        let mut cursor = node.walk();
        node.named_children(&mut cursor)
            .any(|child| self.block.contains(&child.kind()))
    }
}

/// The part of a Dart declaration that carries its name.
fn signature(node: Node<'_>) -> Node<'_> {
    let mut holder = node;
    // A declaration holds a signature, a method declaration a method signature that holds one.
    for _ in 0..3 {
        let mut cursor = holder.walk();
        let inner = holder.named_children(&mut cursor).find(|child| {
            let kind = child.kind();
            kind.ends_with("_signature")
                || matches!(
                    kind,
                    "initialized_identifier_list"
                        | "initialized_identifier"
                        | "static_final_declaration_list"
                        | "static_final_declaration"
                )
        });
        match inner {
            Some(inner) => holder = inner,
            None => break,
        }
    }
    holder
}

fn marked_async(node: Node<'_>) -> bool {
    if node.kind() == "async_block" {
        return true;
    }
    let mut cursor = node.walk();
    let children = node.children(&mut cursor).collect::<Vec<_>>();
    children.iter().any(|child| match child.kind() {
        "async" | "async*" => true,
        "function_modifiers" => {
            let mut cursor = child.walk();
            child
                .children(&mut cursor)
                .any(|modifier| modifier.kind() == "async")
        }
        _ => false,
    })
}

/// The last name of what is called with these arguments; empty for a literal.
pub(super) fn callee<'a>(arguments: Node<'_>, text: &'a str) -> &'a str {
    if arguments.kind() != "arguments" {
        return "";
    }
    let called = text
        .get(..arguments.start_byte())
        .unwrap_or_default()
        .trim_end();
    let start = called.rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    called
        .get(start.map_or(0, |at| at + 1)..)
        .unwrap_or_default()
}

/// The name under which a declaration, an assignment or a named argument keeps a value.
pub(super) fn label<'a>(node: Node<'_>, text: &'a str) -> Option<&'a str> {
    let named = match node.kind() {
        "named_argument" => node.named_child(0),
        _ => ["left", "name", "key", "pattern", "field"]
            .iter()
            .find_map(|field| node.child_by_field_name(field)),
    };
    named.map(|name| text_of(name, text).trim_end_matches(':'))
}
