//! The relations that a query reads, without those that it defines for itself.

use std::collections::BTreeSet;

use sqlite3_parser::ast::{
    Expr, FromClause, JoinConstraint, OneSelect, ResultColumn, Select, SelectTable, With,
};

use super::super::Object;
use super::super::names::folded_sqlite;
use super::relation;

#[derive(Default)]
pub(super) struct Reads {
    found: BTreeSet<Object>,
    defined: BTreeSet<String>,
}

impl Reads {
    /// What was read.
    pub(super) fn relations(self) -> impl Iterator<Item = Object> {
        let defined = self.defined;
        self.found
            .into_iter()
            .filter(move |object| !defined.contains(&object.name))
    }

    pub(super) fn with(&mut self, with: Option<&With<'_>>) {
        for table in with.iter().flat_map(|with| with.ctes.iter()) {
            self.defined.insert(folded_sqlite(table.tbl_name.0));
            self.select(table.select);
        }
    }

    pub(super) fn select(&mut self, select: &Select<'_>) {
        self.with(select.with.as_ref());
        self.one(&select.body.select);
        for compound in select.body.compounds.iter().flatten() {
            self.one(&compound.select);
        }
    }

    fn one(&mut self, select: &OneSelect<'_>) {
        match select {
            OneSelect::Select {
                columns,
                from,
                where_clause,
                ..
            } => {
                for column in *columns {
                    if let ResultColumn::Expr(expr, _) = column {
                        self.expression(expr);
                    }
                }
                self.from(from.as_ref());
                if let Some(expr) = where_clause {
                    self.expression(expr);
                }
            }
            OneSelect::Values(rows) => {
                for row in rows {
                    self.expressions(row.iter());
                }
            }
        }
    }

    pub(super) fn from(&mut self, from: Option<&FromClause<'_>>) {
        let Some(from) = from else {
            return;
        };
        if let Some(table) = from.select {
            self.table(table);
        }
        for join in from.joins.iter().flatten() {
            self.table(&join.table);
            if let Some(JoinConstraint::On(expr)) = &join.constraint {
                self.expression(expr);
            }
        }
    }

    fn table(&mut self, table: &SelectTable<'_>) {
        match table {
            SelectTable::Table(name, ..) => {
                self.found.insert(relation(name));
            }
            SelectTable::TableCall(..) => {}
            SelectTable::Select(select, _) => self.select(select),
            SelectTable::Sub(from, _) => self.from(Some(from)),
        }
    }

    pub(super) fn expressions<'a, 'bump: 'a>(
        &mut self,
        expressions: impl IntoIterator<Item = &'a Expr<'bump>>,
    ) {
        for expr in expressions {
            self.expression(expr);
        }
    }

    /// Looks for queries inside an expression.
    pub(super) fn expression(&mut self, expr: &Expr<'_>) {
        match expr {
            Expr::Exists(select) | Expr::Subquery(select) => self.select(select),
            Expr::InSelect { lhs, rhs, .. } => {
                self.expression(lhs);
                self.select(rhs);
            }
            Expr::InTable { lhs, rhs, .. } => {
                self.expression(lhs);
                self.found.insert(relation(rhs));
            }
            Expr::Between {
                lhs, start, end, ..
            } => self.expressions([*lhs, *start, *end]),
            Expr::Case {
                base,
                when_then_pairs,
                else_expr,
            } => {
                self.expressions(base.iter().copied());
                for (when, then) in *when_then_pairs {
                    self.expressions([when, then]);
                }
                self.expressions(else_expr.iter().copied());
            }
            Expr::Cast { expr, .. }
            | Expr::Collate(expr, _)
            | Expr::IsNull(expr)
            | Expr::NotNull(expr)
            | Expr::Unary(_, expr) => self.expression(expr),
            Expr::FunctionCall { args, .. } => {
                self.expressions(args.iter().flat_map(|args| args.iter()));
            }
            Expr::InList { lhs, rhs, .. } => {
                self.expression(lhs);
                self.expressions(rhs.iter().flat_map(|list| list.iter()));
            }
            Expr::Binary(lhs, _, rhs) | Expr::Like { lhs, rhs, .. } => {
                self.expressions([*lhs, *rhs]);
            }
            Expr::Parenthesized(list) => self.expressions(list.iter()),
            _ => {}
        }
    }
}
