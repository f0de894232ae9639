//! Walking syntax trees, the same for every grammar.

use tree_sitter::Node;

use super::model::{MemberKind, Origin, TypeDecl, Use, UseKind};
use super::types::names_in;

pub(super) fn children(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let mut cursor = node.walk();
    let mut more = cursor.goto_first_child();
    std::iter::from_fn(move || {
        let node = more.then(|| cursor.node())?;
        more = cursor.goto_next_sibling();
        Some(node)
    })
}

pub(super) fn child<'n>(node: Node<'n>, kind: &str) -> Option<Node<'n>> {
    children(node).find(|child| child.kind() == kind)
}

pub(super) fn line_of(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX)
}

pub(super) fn first_error(root: Node<'_>) -> u32 {
    let mut node = root;
    loop {
        let worse = children(node).find(|child| child.has_error() || child.is_missing());
        match worse {
            Some(child) if !node.is_error() => node = child,
            _ => return line_of(node),
        }
    }
}

/// Visits a node and everything below it.
pub(super) fn each<'n>(node: Node<'n>, mut visit: impl FnMut(Node<'n>)) {
    let mut cursor = node.walk();
    let mut depth = 0_usize;
    loop {
        visit(cursor.node());
        if cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while !cursor.goto_next_sibling() {
            if depth == 0 || !cursor.goto_parent() {
                return;
            }
            depth -= 1;
        }
        if depth == 0 {
            return;
        }
    }
}

/// Types of fields and of constructor parameters.
pub(super) fn held(decl: &mut TypeDecl) {
    let field_type = |name: &str| {
        let fields = decl
            .members
            .iter()
            .filter(|member| member.kind == MemberKind::Field);
        fields
            .filter(|field| field.name == name)
            .find_map(|field| field.ty.clone())
    };
    let mut found = Vec::new();
    for member in &decl.members {
        let (kind, types): (_, Vec<String>) = match member.kind {
            MemberKind::Field => (UseKind::Field, member.ty.clone().into_iter().collect()),
            MemberKind::Constructor => {
                let types = member.params.iter().filter_map(|param| match param.origin {
                    Origin::Field if param.ty.is_none() => field_type(&param.name),
                    _ => param.ty.clone(),
                });
                (UseKind::Constructor, types.collect())
            }
            _ => continue,
        };
        found.extend(types.iter().flat_map(|ty| names_in(ty)).map(|target| Use {
            kind,
            target,
            through: None,
            line: member.line,
        }));
    }
    decl.uses.append(&mut found);
}
