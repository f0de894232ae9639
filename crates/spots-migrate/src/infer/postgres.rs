//! Facts from PostgreSQL's SQL, by `squawk-syntax`.
//!
//! Its tree names what every identifier stands for (`TABLE_NAME_REF`, `FUNCTION_NAME`, …), so one
//! walk serves most statements; only what a statement does to its own target is told apart.

mod risks;
mod target;

use std::collections::{BTreeMap, BTreeSet};

use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};

use super::names::{Lines, folded};
use super::{Action, Certainty, DEFAULT_SCHEMA, Fact, Object, Shown, Space, SyntaxIssue};
use crate::Source;

/// Schemas that every database has.
const BUILT_IN: &[&str] = &["pg_catalog", "information_schema", "pg_toast", "pg_temp"];

pub(super) fn read(source: &Source, validate: bool) -> Shown {
    let mut walk = Walk {
        file: source.path(),
        lines: Lines::new(source.text()),
        base: 0,
        schema: DEFAULT_SCHEMA.to_owned(),
        certainty: Certainty::Hard,
        guarded: false,
        statement: 0,
        shown: Shown::default(),
    };
    let parse = SourceFile::parse(source.text());
    let errors = if validate { parse.errors() } else { Vec::new() };
    for error in errors {
        walk.shown.issues.push(SyntaxIssue {
            file: source.path().to_owned(),
            line: walk.lines.of(usize::from(error.range().start())),
            what: error.message().to_owned(),
        });
    }
    for node in parse.syntax_node().children() {
        walk.statement(&node);
        walk.statement += 1;
    }
    walk.shown
}

/// A walk over one script, or over a body inside it.
pub(super) struct Walk<'a> {
    file: &'a str,
    lines: Lines,
    /// Where the text that is walked begins in the file.
    base: usize,
    /// The schema of names without one.
    schema: String,
    certainty: Certainty,
    /// Inside a body that runs at once, whose conditions nobody knows.
    guarded: bool,
    statement: usize,
    shown: Shown,
}

/// What a statement defines for itself: common table expressions and aliases.
#[derive(Default)]
struct Scope {
    ctes: BTreeSet<String>,
    aliases: BTreeMap<String, Object>,
}

impl Walk<'_> {
    /// Takes in all facts of one statement.
    pub(super) fn statement(&mut self, node: &SyntaxNode) {
        let mut claimed = BTreeSet::new();
        self.target(node, &mut claimed);
        self.risks(node);
        // One walk of the tree serves both.
        let all = node.descendants().collect::<Vec<_>>();
        let scope = self.scope(&all);
        self.uses(node, &all, &scope, &claimed);
    }

    /// Reads SQL inside a body that begins at `base` in the file.
    pub(super) fn body(&mut self, text: &str, base: usize, as_what: (Certainty, bool)) {
        let parse = SourceFile::parse(text);
        let outer = (self.base, self.certainty, self.guarded);
        (self.base, (self.certainty, self.guarded)) = (base, as_what);
        for node in parse.syntax_node().children() {
            if node.kind() != SyntaxKind::ERROR {
                self.statement(&node);
            }
        }
        (self.base, self.certainty, self.guarded) = outer;
    }

    fn scope(&self, all: &[SyntaxNode]) -> Scope {
        let mut scope = Scope::default();
        for node in all {
            match node.kind() {
                SyntaxKind::CTE_NAME => {
                    scope.ctes.insert(folded(&text(node)));
                }
                SyntaxKind::RELATION_FROM_ITEM | SyntaxKind::UPDATE | SyntaxKind::DELETE => {
                    let relation = first(node, SyntaxKind::RELATION_NAME_REF)
                        .map(|relation| self.object(Space::Relation, &relation));
                    let alias = node
                        .children()
                        .filter(|child| {
                            matches!(
                                child.kind(),
                                SyntaxKind::FROM_ALIAS | SyntaxKind::OPTIONAL_AS_ALIAS
                            )
                        })
                        .find_map(|child| first(&child, SyntaxKind::TABLE_ALIAS));
                    if let Some(relation) = relation {
                        let name = alias
                            .map_or_else(|| relation.name.clone(), |alias| folded(&text(&alias)));
                        scope.aliases.insert(name, relation);
                    }
                }
                _ => {}
            }
        }
        for cte in &scope.ctes {
            scope.aliases.remove(cte);
        }
        scope
    }

    /// Everything that is named and not the statement's own target.
    fn uses(
        &mut self,
        root: &SyntaxNode,
        all: &[SyntaxNode],
        scope: &Scope,
        claimed: &BTreeSet<usize>,
    ) {
        for node in all {
            if claimed.contains(&usize::from(node.text_range().start()))
                && is_reference(node.kind())
            {
                continue;
            }
            match node.kind() {
                SyntaxKind::TABLE_NAME_REF
                | SyntaxKind::RELATION_NAME_REF
                | SyntaxKind::VIEW_REF
                | SyntaxKind::SEQUENCE_REF => self.uses_relation(node, scope),
                SyntaxKind::FUNCTION_NAME_REF | SyntaxKind::PROCEDURE_NAME_REF => {
                    let object = self.object(Space::Function, node);
                    self.fact(node, object, "function", Action::Read);
                }
                SyntaxKind::TYPE_NAME_REF => {
                    let object = self.object(Space::Type, node);
                    self.fact(node, object, "type", Action::Read);
                }
                SyntaxKind::PATH_TYPE => {
                    let object = self.object(Space::Type, node);
                    self.perhaps(node, object, "type");
                }
                SyntaxKind::CALL_EXPR => self.uses_call(node, root),
                SyntaxKind::INDEX_REF => {
                    let object = self.object(Space::Index, node);
                    self.fact(node, object, "index", Action::Read);
                }
                SyntaxKind::SCHEMA_REF => {
                    let object = Object::new(Space::Schema, "", &folded(&text(node)));
                    self.fact(node, object, "schema", Action::Read);
                }
                SyntaxKind::FIELD_EXPR => self.uses_field(node, scope),
                SyntaxKind::REFERENCES_CONSTRAINT | SyntaxKind::FOREIGN_KEY_CONSTRAINT => {
                    self.uses_key_columns(node);
                }
                SyntaxKind::INSERT | SyntaxKind::UPDATE => self.uses_target_columns(node),
                SyntaxKind::QUALIFIED_COLUMN_NAME_REF => self.uses_qualified_column(node),
                _ => {}
            }
        }
    }

    fn uses_relation(&mut self, node: &SyntaxNode, scope: &Scope) {
        let object = self.object(Space::Relation, node);
        let bare = segments(node).len() == 1;
        if !(bare && scope.ctes.contains(&object.name)) {
            self.fact(node, object, "relation", Action::Read);
        }
    }

    fn uses_call(&mut self, node: &SyntaxNode, root: &SyntaxNode) {
        let Some(callee) = node.first_child() else {
            return;
        };
        let names = match callee.kind() {
            SyntaxKind::NAME_REF => vec![folded(&text(&callee))],
            SyntaxKind::FIELD_EXPR => name_refs(&callee),
            _ => return,
        };
        let object = self.named(Space::Function, &names);
        // A trigger names its function; any other call may be of one that is built in.
        let names_it = root.kind() == SyntaxKind::CREATE_TRIGGER
            && node.parent().is_some_and(|parent| parent == *root);
        if names_it {
            self.fact(node, object, "function", Action::Read);
        } else {
            self.perhaps(node, object, "function");
        }
    }

    fn uses_field(&mut self, node: &SyntaxNode, scope: &Scope) {
        let names = name_refs(node);
        if let [alias, column] = names.as_slice()
            && let Some(relation) = scope.aliases.get(alias)
        {
            let object = relation.part(Space::Column, column);
            self.perhaps(node, object, "column");
        }
    }

    /// `REFERENCES table (column)`: the columns on the far side.
    fn uses_key_columns(&mut self, node: &SyntaxNode) {
        let Some(table) = child(node, SyntaxKind::TABLE_NAME_REF) else {
            return;
        };
        let relation = self.object(Space::Relation, &table);
        let end = table.text_range().end();
        let columns = node
            .descendants()
            .filter(|node| node.kind() == SyntaxKind::COLUMN_NAME_REF)
            .filter(|node| node.text_range().start() >= end)
            .filter(|node| {
                !node.ancestors().any(|outer| {
                    matches!(
                        outer.kind(),
                        SyntaxKind::ON_DELETE_ACTION | SyntaxKind::ON_UPDATE_ACTION
                    )
                })
            })
            .collect::<Vec<_>>();
        for column in columns {
            let object = relation.part(Space::Column, &folded(&text(&column)));
            self.fact(&column, object, "column", Action::Read);
        }
    }

    /// The columns that INSERT and UPDATE name on their own table.
    fn uses_target_columns(&mut self, node: &SyntaxNode) {
        let Some(table) = first(node, SyntaxKind::RELATION_NAME_REF) else {
            return;
        };
        let relation = self.object(Space::Relation, &table);
        let columns = node
            .children()
            .filter(|child| {
                matches!(
                    child.kind(),
                    SyntaxKind::COLUMN_TARGET_LIST | SyntaxKind::SET_CLAUSE
                )
            })
            .flat_map(|child| {
                child
                    .descendants()
                    .filter(|node| node.kind() == SyntaxKind::COLUMN_TARGET)
                    .collect::<Vec<_>>()
            })
            .filter_map(|target| child(&target, SyntaxKind::COLUMN_NAME_REF))
            .collect::<Vec<_>>();
        for column in columns {
            let object = relation.part(Space::Column, &folded(&text(&column)));
            self.fact(&column, object, "column", Action::Read);
        }
    }

    fn uses_qualified_column(&mut self, node: &SyntaxNode) {
        let mut names = segments(node);
        if let Some(column) = names.pop()
            && !names.is_empty()
        {
            let relation = self.named(Space::Relation, &names);
            let object = relation.part(Space::Column, &column);
            self.fact(node, object, "column", Action::Read);
            self.fact(node, relation, "relation", Action::Read);
        }
    }

    /// The object that a node names.
    fn object(&self, space: Space, node: &SyntaxNode) -> Object {
        self.named(space, &segments(node))
    }

    fn named(&self, space: Space, names: &[String]) -> Object {
        match names {
            [.., schema, name] => Object::new(space, schema, name),
            [name] => Object::new(space, &self.schema, name),
            [] => Object::new(space, "", ""),
        }
    }

    fn fact(&mut self, node: &SyntaxNode, object: Object, what: &'static str, action: Action) {
        let certainty = self.certainty;
        self.push(node, (object, what, action), certainty, String::new());
    }

    fn perhaps(&mut self, node: &SyntaxNode, object: Object, what: &'static str) {
        let certainty = self.certainty.max(Certainty::Perhaps);
        self.push(node, (object, what, Action::Read), certainty, String::new());
    }

    fn push(
        &mut self,
        node: &SyntaxNode,
        (object, what, action): (Object, &'static str, Action),
        certainty: Certainty,
        signature: String,
    ) {
        if BUILT_IN.contains(&object.schema.as_str()) || object.name.is_empty() {
            return;
        }
        // A body writes when it is called, not here.
        let action = if certainty == Certainty::Body && action.is_write() {
            Action::Read
        } else {
            action
        };
        let offset = self.base + usize::from(node.text_range().start());
        if action == Action::Create && !object.schema.is_empty() && object.schema != DEFAULT_SCHEMA
        {
            // What is made in a schema needs the schema.
            self.shown.facts.push(Fact {
                object: Object::new(Space::Schema, "", &object.schema),
                what: "schema",
                action: Action::Read,
                file: self.file.to_owned(),
                line: self.lines.of(offset),
                guarded: self.guarded,
                certainty,
                signature: String::new(),
                statement: self.statement,
            });
        }
        self.shown.facts.push(Fact {
            object,
            what,
            action,
            file: self.file.to_owned(),
            line: self.lines.of(offset),
            guarded: self.guarded,
            certainty,
            signature,
            statement: self.statement,
        });
    }
}

fn is_reference(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::TABLE_NAME_REF
            | SyntaxKind::RELATION_NAME_REF
            | SyntaxKind::VIEW_REF
            | SyntaxKind::SEQUENCE_REF
            | SyntaxKind::FUNCTION_NAME_REF
            | SyntaxKind::PROCEDURE_NAME_REF
            | SyntaxKind::TYPE_NAME_REF
            | SyntaxKind::INDEX_REF
            | SyntaxKind::SCHEMA_REF
    )
}

/// The text of a node without comments and blanks around it.
fn text(node: &SyntaxNode) -> String {
    node.text().to_string().trim().to_owned()
}

fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    node.children().find(|child| child.kind() == kind)
}

fn first(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    node.descendants().find(|node| node.kind() == kind)
}

fn has(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    child(node, kind).is_some()
}

/// The parts of a dotted name, folded; of a plain one its text.
fn segments(node: &SyntaxNode) -> Vec<String> {
    let parts = node
        .descendants()
        .filter(|node| {
            matches!(
                node.kind(),
                SyntaxKind::PATH_SEGMENT | SyntaxKind::PATH_SEGMENT_REF
            )
        })
        .map(|node| folded(&text(&node)))
        .collect::<Vec<_>>();
    if parts.is_empty() {
        vec![folded(&text(node))]
    } else {
        parts
    }
}

fn name_refs(node: &SyntaxNode) -> Vec<String> {
    node.descendants()
        .filter(|node| node.kind() == SyntaxKind::NAME_REF)
        .map(|node| folded(&text(&node)))
        .collect()
}
