//! Facts from SQLite's SQL, by `sqlite3-parser`, statement by statement.

mod query;

use bumpalo::Bump;
use fallible_iterator::FallibleIterator as _;
use sqlite3_parser::ast::{
    AlterTableBody, Cmd, ColumnConstraint, CreateTableBody, Expr, ForeignKeyClause, InsertBody,
    Name, QualifiedName, Stmt, TableConstraint, TriggerCmd,
};
use sqlite3_parser::lexer::sql::Parser;

use self::query::Reads;
use super::names::folded_sqlite;
use super::{Action, Certainty, DEFAULT_SCHEMA, Fact, Object, Shown, Space, SyntaxIssue};
use crate::split::split;
use crate::{Dialect, Source};

pub(super) fn read(source: &Source) -> Shown {
    let mut shown = Shown::default();
    // What cannot be cut is a finding of its own.
    let statements = split(source.text(), Dialect::Sqlite).unwrap_or_default();
    for (number, statement) in statements.iter().enumerate() {
        let text = source.text().get(statement.start..statement.end);
        let bump = Bump::new();
        let mut walk = Walk {
            file: source.path(),
            line: statement.line,
            statement: number,
            guarded: false,
            certainty: Certainty::Hard,
            shown: &mut shown,
        };
        match Parser::new(&bump, text.unwrap_or_default().as_bytes()).next() {
            Ok(Some(Cmd::Stmt(stmt))) => walk.statement(&stmt),
            Ok(_) => {}
            Err(error) => shown.issues.push(SyntaxIssue {
                file: source.path().to_owned(),
                line: statement.line,
                what: error.to_string(),
            }),
        }
    }
    shown
}

struct Walk<'a> {
    file: &'a str,
    line: u32,
    statement: usize,
    guarded: bool,
    certainty: Certainty,
    shown: &'a mut Shown,
}

impl Walk<'_> {
    fn statement(&mut self, stmt: &Stmt<'_>) {
        match stmt {
            Stmt::CreateTable {
                temporary: false,
                if_not_exists,
                tbl_name,
                body,
            } => self.guarded(*if_not_exists, |walk| walk.creates_table(tbl_name, body)),
            Stmt::CreateVirtualTable {
                if_not_exists,
                tbl_name,
                ..
            } => self.guarded(*if_not_exists, |walk| {
                walk.fact(relation(tbl_name), "table", Action::Create);
            }),
            Stmt::CreateView {
                temporary: false,
                if_not_exists,
                view_name,
                select,
                ..
            } => {
                self.reads(|reads| reads.select(select));
                self.guarded(*if_not_exists, |walk| {
                    walk.fact(relation(view_name), "view", Action::Create);
                });
            }
            Stmt::CreateIndex { .. } => self.creates_index(stmt),
            Stmt::CreateTrigger {
                temporary: false, ..
            } => self.creates_trigger(stmt),
            Stmt::DropTable {
                if_exists,
                tbl_name: name,
            }
            | Stmt::DropView {
                if_exists,
                view_name: name,
            } => self.guarded(*if_exists, |walk| {
                walk.fact(relation(name), "table", Action::Drop);
            }),
            Stmt::DropIndex {
                if_exists,
                idx_name,
            } => self.guarded(*if_exists, |walk| {
                walk.fact(in_space(Space::Index, idx_name), "index", Action::Drop);
            }),
            Stmt::DropTrigger {
                if_exists,
                trigger_name,
            } => self.guarded(*if_exists, |walk| {
                walk.fact(
                    in_space(Space::Trigger, trigger_name),
                    "trigger",
                    Action::Drop,
                );
            }),
            Stmt::AlterTable(name, body) => self.alters_table(name, body),
            _ => self.changes_rows(stmt),
        }
    }

    fn changes_rows(&mut self, stmt: &Stmt<'_>) {
        match stmt {
            Stmt::Insert {
                tbl_name,
                columns,
                body,
                with,
                ..
            } => {
                let table = relation(tbl_name);
                self.fact(table.clone(), "table", Action::Write);
                for column in columns.iter().flat_map(|columns| columns.iter()) {
                    self.fact(column_of(&table, column), "column", Action::Read);
                }
                self.reads(|reads| {
                    reads.with(with.as_ref());
                    if let InsertBody::Select(select, _) = body {
                        reads.select(select);
                    }
                });
            }
            Stmt::Update {
                tbl_name,
                sets,
                from,
                where_clause,
                with,
                ..
            } => {
                let table = relation(tbl_name);
                self.fact(table.clone(), "table", Action::Write);
                for set in *sets {
                    for column in set.col_names.iter() {
                        self.fact(column_of(&table, column), "column", Action::Read);
                    }
                }
                self.reads(|reads| {
                    reads.with(with.as_ref());
                    reads.expressions(sets.iter().map(|set| &set.expr));
                    reads.from(from.as_ref());
                    reads.expressions(where_clause);
                });
            }
            Stmt::Delete {
                tbl_name,
                where_clause,
                with,
                ..
            } => {
                self.fact(relation(tbl_name), "table", Action::Write);
                self.reads(|reads| {
                    reads.with(with.as_ref());
                    reads.expressions(where_clause);
                });
            }
            Stmt::Select(select) => self.reads(|reads| reads.select(select)),
            _ => {}
        }
    }

    fn creates_table(&mut self, name: &QualifiedName<'_>, body: &CreateTableBody<'_>) {
        let table = relation(name);
        self.fact(table.clone(), "table", Action::Create);
        match body {
            CreateTableBody::AsSelect(select) => self.reads(|reads| reads.select(select)),
            CreateTableBody::ColumnsAndConstraints {
                columns,
                constraints,
                ..
            } => {
                self.shown.closed.push(table.clone());
                for column in columns {
                    self.fact(
                        column_of(&table, &column.col_name),
                        "column",
                        Action::Create,
                    );
                    self.column_constraints(
                        column.constraints.iter().map(|named| &named.constraint),
                    );
                }
                for named in constraints.iter().flat_map(|list| list.iter()) {
                    match &named.constraint {
                        TableConstraint::ForeignKey { clause, .. } => self.references(clause),
                        TableConstraint::Check(expr, _) => {
                            self.reads(|reads| reads.expression(expr));
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    fn column_constraints<'a, 'bump: 'a>(
        &mut self,
        constraints: impl Iterator<Item = &'a ColumnConstraint<'bump>>,
    ) {
        for constraint in constraints {
            match constraint {
                ColumnConstraint::ForeignKey { clause, .. } => self.references(clause),
                ColumnConstraint::Check(expr) => self.reads(|reads| reads.expression(expr)),
                _ => {}
            }
        }
    }

    /// SQLite looks for the parent when rows change, not when the key is declared.
    fn references(&mut self, clause: &ForeignKeyClause<'_>) {
        let table = named(&clause.tbl_name);
        self.fact(table.clone(), "table", Action::Read);
        for column in clause.columns.iter().flat_map(|columns| columns.iter()) {
            self.fact(column_of(&table, &column.col_name), "column", Action::Read);
        }
    }

    fn creates_index(&mut self, stmt: &Stmt<'_>) {
        let Stmt::CreateIndex {
            if_not_exists,
            idx_name,
            tbl_name,
            columns,
            ..
        } = stmt
        else {
            return;
        };
        let table = named(tbl_name);
        self.fact(table.clone(), "table", Action::Alter);
        for column in *columns {
            if let Expr::Id(name) = &column.expr {
                let object = table.part(Space::Column, &folded_sqlite(name.0));
                self.fact(object, "column", Action::Read);
            }
        }
        self.guarded(*if_not_exists, |walk| {
            walk.fact(in_space(Space::Index, idx_name), "index", Action::Create);
        });
    }

    fn creates_trigger(&mut self, stmt: &Stmt<'_>) {
        let Stmt::CreateTrigger {
            if_not_exists,
            trigger_name,
            tbl_name,
            commands,
            ..
        } = stmt
        else {
            return;
        };
        self.fact(relation(tbl_name), "table", Action::Alter);
        self.guarded(*if_not_exists, |walk| {
            walk.fact(
                in_space(Space::Trigger, trigger_name),
                "trigger",
                Action::Create,
            );
        });
        // The body is looked at when the trigger fires.
        self.certainty = Certainty::Body;
        for command in *commands {
            match command {
                TriggerCmd::Update { tbl_name, .. }
                | TriggerCmd::Insert { tbl_name, .. }
                | TriggerCmd::Delete { tbl_name, .. } => {
                    self.fact(relation(tbl_name), "table", Action::Read);
                }
                TriggerCmd::Select(select) => self.reads(|reads| reads.select(select)),
            }
        }
        self.certainty = Certainty::Hard;
    }

    fn alters_table(&mut self, name: &QualifiedName<'_>, body: &AlterTableBody<'_>) {
        let table = relation(name);
        if let AlterTableBody::RenameTo(new) = body {
            let to = Object::new(Space::Relation, &table.schema, &folded_sqlite(new.0));
            return self.fact(table, "table", Action::Rename(to));
        }
        self.fact(table.clone(), "table", Action::Alter);
        match body {
            AlterTableBody::AddColumn(column) => {
                self.fact(
                    column_of(&table, &column.col_name),
                    "column",
                    Action::Create,
                );
                self.column_constraints(column.constraints.iter().map(|named| &named.constraint));
            }
            AlterTableBody::DropColumn(column) => {
                self.fact(column_of(&table, column), "column", Action::Drop);
            }
            AlterTableBody::RenameColumn { old, new } => {
                let to = Action::Rename(column_of(&table, new));
                self.fact(column_of(&table, old), "column", to);
            }
            _ => {}
        }
    }

    fn reads(&mut self, visit: impl FnOnce(&mut Reads)) {
        let mut reads = Reads::default();
        visit(&mut reads);
        for object in reads.relations() {
            self.fact(object, "relation", Action::Read);
        }
    }

    fn guarded(&mut self, guarded: bool, facts: impl FnOnce(&mut Self)) {
        self.guarded = guarded;
        facts(self);
        self.guarded = false;
    }

    fn fact(&mut self, object: Object, what: &'static str, action: Action) {
        if object.name.starts_with("sqlite_") || object.name.starts_with("pragma_") {
            return;
        }
        self.shown.facts.push(Fact {
            object,
            what,
            action,
            file: self.file.to_owned(),
            line: self.line,
            guarded: self.guarded,
            certainty: self.certainty,
            signature: String::new(),
            statement: self.statement,
        });
    }
}

fn in_space(space: Space, name: &QualifiedName<'_>) -> Object {
    let schema = name.db_name.as_ref().map(|name| folded_sqlite(name.0));
    let schema = match schema.as_deref() {
        None | Some("main") => DEFAULT_SCHEMA,
        Some(other) => other,
    };
    Object::new(space, schema, &folded_sqlite(name.name.0))
}

fn relation(name: &QualifiedName<'_>) -> Object {
    in_space(Space::Relation, name)
}

fn named(name: &Name<'_>) -> Object {
    Object::new(Space::Relation, DEFAULT_SCHEMA, &folded_sqlite(name.0))
}

fn column_of(table: &Object, name: &Name<'_>) -> Object {
    table.part(Space::Column, &folded_sqlite(name.0))
}
