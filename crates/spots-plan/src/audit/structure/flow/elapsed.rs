//! Durations: one read subtracted from another.

use std::ops::Range;

use tree_sitter::Node;

use super::{Chain, DIFFERENCE, Flow, operator_range, path_to};

impl Flow<'_> {
    /// Whether the value is subtracted from another read, or another read from it.
    pub(super) fn is_elapsed(&self, path: &[Node<'_>]) -> bool {
        let chain = self.chain(path);
        // In a macro's tokens there is no chain to follow.
        let after = path
            .last()
            .and_then(|node| self.source.text.get(node.end_byte()..));
        let called = after.is_some_and(|after| after.trim_start().starts_with(".elapsed()"));
        if called || chain.members.contains(&"elapsed") {
            return true;
        }
        self.difference(&chain)
            .is_some_and(|other| self.holds_read(other))
    }

    /// Whether the variable that takes the value is only ever subtracted from another read.
    pub(super) fn measures_only(&self, path: &[Node<'_>]) -> bool {
        let Some((name, scope)) = self.holder(path) else {
            return false;
        };
        let held = path.last().map_or(0..0, Node::byte_range);
        let mut measured = false;
        for range in self.uses(name, &scope) {
            let path = path_to(self.tree, range.start, range.end);
            if self.is_elapsed(&path) {
                measured = true;
            } else if !is_target(&path, &held) {
                return false;
            }
        }
        measured
    }

    /// The other side when the value is subtracted from something or something from it.
    fn difference<'t>(&self, chain: &Chain<'t, '_>) -> Option<Node<'t>> {
        let called = chain.members.iter().any(|name| DIFFERENCE.contains(name));
        if called {
            let arguments = chain.top.child_by_field_name("arguments").or_else(|| {
                // `a.difference(b).inSeconds`: the call lies inside the chain.
                let mut node = chain.top;
                loop {
                    node = ["object", "function", "value"]
                        .iter()
                        .find_map(|field| node.child_by_field_name(field))?;
                    let function = node.child_by_field_name("function");
                    let last = function.and_then(|function| {
                        let field = ["property", "field"];
                        field
                            .iter()
                            .find_map(|field| function.child_by_field_name(field))
                    });
                    if last.is_some_and(|last| DIFFERENCE.contains(&self.text(last))) {
                        return node.child_by_field_name("arguments");
                    }
                }
            });
            return arguments.and_then(|arguments| arguments.named_child(0));
        }
        let parent = chain.around.first()?;
        match parent.kind() {
            "arguments" => {
                let call = chain.around.get(1)?;
                let function = call.child_by_field_name("function")?;
                let name = ["property", "field"]
                    .iter()
                    .find_map(|field| function.child_by_field_name(field))?;
                let receiver = ["object", "value"]
                    .iter()
                    .find_map(|field| function.child_by_field_name(field))?;
                DIFFERENCE.contains(&self.text(name)).then_some(receiver)
            }
            "additive_expression" | "binary_expression" => {
                let minus = self.text(*parent).get(operator_range(*parent)?)? == "-";
                let mut cursor = parent.walk();
                let sides = parent.named_children(&mut cursor);
                let mut sides = sides.filter(|node| !node.kind().ends_with("operator"));
                sides.find(|side| *side != chain.top).filter(|_| minus)
            }
            _ => None,
        }
    }

    fn holds_read(&self, node: Node<'_>) -> bool {
        let range = node.byte_range();
        if self
            .hits
            .iter()
            .any(|hit| hit.start == range.start && hit.end <= range.end)
        {
            return true;
        }
        // The name at the root of the chain: `start`, `this._start`, `_start!`.
        let root = self
            .text(node)
            .trim_start_matches("this.")
            .trim_start_matches("self.");
        let end = root
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(root.len());
        let name = root.get(..end).unwrap_or(root);
        self.holders
            .get(name)
            .is_some_and(|scopes| scopes.iter().any(|scope| scope.contains(&range.start)))
    }
}

/// Whether the name stands here to be declared, assigned or cleared, not to be used.
fn is_target(path: &[Node<'_>], held: &Range<usize>) -> bool {
    let mut nodes = path.iter().rev();
    let (Some(node), Some(parent)) = (nodes.next(), nodes.next()) else {
        return false;
    };
    let declares = ["name", "pattern", "left"]
        .iter()
        .any(|field| parent.child_by_field_name(field) == Some(*node));
    let in_left = nodes
        .next()
        .is_some_and(|outer| outer.child_by_field_name("left") == Some(*parent));
    let null_check = matches!(parent.kind(), "equality_expression");
    declares || in_left || null_check || held.contains(&node.start_byte())
}
