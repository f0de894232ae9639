//! Changes that are risky on a table with rows and readers.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::super::{Object, Risk, Space};
use super::{Walk, child, first, has, text};

impl Walk<'_> {
    pub(super) fn risks(&mut self, node: &SyntaxNode) {
        let Some(name) = first(node, SyntaxKind::TABLE_NAME_REF) else {
            return;
        };
        let table = self.object(Space::Relation, &name);
        match node.kind() {
            SyntaxKind::CREATE_INDEX
                if !node
                    .children_with_tokens()
                    .any(|child| child.kind() == SyntaxKind::CONCURRENTLY_KW) =>
            {
                self.risk(node, "index-blocks-writes", &table, "");
            }
            SyntaxKind::ALTER_TABLE => {
                for step in node.children() {
                    self.alter_risk(&step, &table);
                }
            }
            _ => {}
        }
    }

    fn alter_risk(&mut self, step: &SyntaxNode, table: &Object) {
        let column = first(step, SyntaxKind::COLUMN_NAME_REF)
            .or_else(|| first(step, SyntaxKind::COLUMN_NAME))
            .map(|name| text(&name))
            .unwrap_or_default();
        match step.kind() {
            SyntaxKind::ADD_COLUMN => {
                let filled = step.children().any(|child| {
                    let kind = format!("{:?}", child.kind());
                    kind.contains("DEFAULT") || kind.contains("GENERATED")
                });
                if has(step, SyntaxKind::NOT_NULL_CONSTRAINT) && !filled {
                    self.risk(step, "not-null-without-default", table, &column);
                }
            }
            SyntaxKind::ALTER_COLUMN if has(step, SyntaxKind::SET_TYPE) => {
                self.risk(step, "type-change-rewrites", table, &column);
            }
            SyntaxKind::ALTER_COLUMN if has(step, SyntaxKind::SET_NOT_NULL) => {
                self.risk(step, "not-null-scans", table, &column);
            }
            SyntaxKind::ADD_CONSTRAINT => {
                let scans = child(step, SyntaxKind::FOREIGN_KEY_CONSTRAINT)
                    .or_else(|| child(step, SyntaxKind::CHECK_CONSTRAINT))
                    .is_some();
                if scans && first(step, SyntaxKind::NOT_VALID).is_none() {
                    self.risk(step, "constraint-scans", table, "");
                }
            }
            _ => {}
        }
    }

    fn risk(&mut self, node: &SyntaxNode, rule: &'static str, table: &Object, detail: &str) {
        let offset = self.base + usize::from(node.text_range().start());
        self.shown.risks.push(Risk {
            rule,
            table: table.clone(),
            file: self.file.to_owned(),
            line: self.lines.of(offset),
            detail: detail.to_owned(),
        });
    }
}
