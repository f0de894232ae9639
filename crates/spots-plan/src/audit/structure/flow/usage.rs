//! What a value is used for.

use tree_sitter::Node;

use super::{COMPARISON, Chain, DIFFERENCE, Flow, is_return, path_to};
use crate::audit::read::Use;

impl<'a> Flow<'a> {
    /// What becomes of the value of a read.
    pub(super) fn usage(&self, path: &[Node<'_>]) -> Use {
        let chain = self.chain(path);
        if chain.members.iter().any(|name| COMPARISON.contains(name)) || is_comparison(&chain) {
            return Use::Compared;
        }
        let Some(parent) = chain.around.first() else {
            return Use::Other;
        };
        if let Some(name) = self.target_name(*parent) {
            return match parent.kind() {
                _ if self.is_stored_name(name) => Use::Stored,
                "named_argument" | "map_element" | "pair" => Use::Argument,
                _ => self.variable_use(path),
            };
        }
        if is_return(&chain) {
            return Use::Returned;
        }
        match parent.kind() {
            "template_substitution" => Use::Displayed,
            "arguments" if self.is_comparison_argument(&chain) => Use::Compared,
            "arguments" | "token_tree" => Use::Argument,
            "optional_formal_parameters" | "required_parameter" | "assignment_pattern" => {
                Use::Default
            }
            "if_null_expression" | "conditional_expression" | "ternary_expression" => {
                self.outer_use(&chain)
            }
            _ => Use::Other,
        }
    }

    /// What becomes of `a ?? DateTime.now()`.
    fn outer_use(&self, chain: &Chain<'_, '_>) -> Use {
        let inside = |node: &&Node<'_>| !self.words.function.contains(&node.kind());
        let outer = chain.around.iter().skip(1).take_while(inside);
        let outer = outer.copied().find_map(|node| self.target_name(node));
        match outer {
            Some(name) if self.is_stored_name(name) => Use::Stored,
            Some(_) => Use::Variable,
            None => Use::Other,
        }
    }

    /// The name under which this node keeps a value.
    fn target_name(&self, node: Node<'_>) -> Option<&'a str> {
        let target = match node.kind() {
            "named_argument" | "cascade_section" => node.named_child(0),
            "assignment_expression" => node.child_by_field_name("left"),
            "map_element" | "pair" => node.child_by_field_name("key"),
            "field_initializer" if node.child_by_field_name("field").is_some() => {
                node.child_by_field_name("field")
            }
            "initialized_variable_declaration"
            | "variable_declarator"
            | "field_initializer"
            | "initialized_identifier"
            | "static_final_declaration"
            | "public_field_definition" => node.child_by_field_name("name"),
            "let_declaration" => node.child_by_field_name("pattern"),
            _ => None,
        }?;
        Some(self.text(target))
    }

    fn is_stored_name(&self, name: &str) -> bool {
        let name = name.trim_matches(|c: char| !(c.is_alphanumeric() || c == '_'));
        let last = name.rsplit('.').next().unwrap_or(name);
        self.source.names.stored.iter().any(|ending| {
            let whole = last.trim_start_matches('_').eq_ignore_ascii_case(ending);
            whole || last.ends_with(ending.as_str())
        })
    }

    /// A local variable is stored when any use of it is.
    fn variable_use(&self, path: &[Node<'_>]) -> Use {
        let Some((name, scope)) = self.holder(path) else {
            return Use::Variable;
        };
        let stored = self.uses(name, &scope).any(|range| {
            let path = path_to(self.tree, range.start, range.end);
            let chain = self.chain(&path);
            let target = chain
                .around
                .first()
                .and_then(|parent| self.target_name(*parent));
            target.is_some_and(|target| target != name && self.is_stored_name(target))
        });
        if stored { Use::Stored } else { Use::Variable }
    }

    fn is_comparison_argument(&self, chain: &Chain<'_, '_>) -> bool {
        let function = chain
            .around
            .get(1)
            .and_then(|call| call.child_by_field_name("function"));
        let name = function.and_then(|function| {
            ["property", "field"]
                .iter()
                .find_map(|field| function.child_by_field_name(field))
        });
        name.is_some_and(|name| {
            COMPARISON.contains(&self.text(name)) || DIFFERENCE.contains(&self.text(name))
        })
    }
}

fn is_comparison(chain: &Chain<'_, '_>) -> bool {
    chain.members.iter().any(|name| DIFFERENCE.contains(name))
        || chain.around.first().is_some_and(|node| {
            matches!(node.kind(), "relational_expression" | "equality_expression")
        })
}
