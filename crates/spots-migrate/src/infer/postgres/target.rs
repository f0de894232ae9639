//! What a statement does to its own target.

use std::collections::BTreeSet;

use squawk_syntax::ast::{self, AstNode as _};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::super::names::folded;
use super::super::{Action, Certainty, Object, Space};
use super::{Walk, child, first, has, segments, text};

/// Names that define something.
const DEFINITIONS: &[(SyntaxKind, Space, &str)] = &[
    (SyntaxKind::TABLE_NAME, Space::Relation, "table"),
    (SyntaxKind::VIEW, Space::Relation, "view"),
    (SyntaxKind::SEQUENCE, Space::Relation, "sequence"),
    (SyntaxKind::TYPE_NAME, Space::Type, "type"),
    (SyntaxKind::DOMAIN, Space::Type, "domain"),
    (SyntaxKind::FUNCTION_NAME, Space::Function, "function"),
    (SyntaxKind::PROCEDURE_NAME, Space::Function, "procedure"),
    (SyntaxKind::AGGREGATE_NAME, Space::Function, "aggregate"),
    (SyntaxKind::INDEX, Space::Index, "index"),
];

/// Names that refer to something.
const REFERENCES: &[(SyntaxKind, Space, &str)] = &[
    (SyntaxKind::TABLE_NAME_REF, Space::Relation, "table"),
    (SyntaxKind::RELATION_NAME_REF, Space::Relation, "table"),
    (SyntaxKind::VIEW_REF, Space::Relation, "view"),
    (SyntaxKind::SEQUENCE_REF, Space::Relation, "sequence"),
    (SyntaxKind::TYPE_NAME_REF, Space::Type, "type"),
    (SyntaxKind::FUNCTION_NAME_REF, Space::Function, "function"),
    (SyntaxKind::PROCEDURE_NAME_REF, Space::Function, "procedure"),
    (SyntaxKind::INDEX_REF, Space::Index, "index"),
];

type Claimed = BTreeSet<usize>;

/// A name in the tree, what it names, the word for it.
type Named = (SyntaxNode, Object, &'static str);

impl Walk<'_> {
    pub(super) fn target(&mut self, node: &SyntaxNode, claimed: &mut Claimed) {
        use SyntaxKind as K;
        match node.kind() {
            K::CREATE_POLICY | K::CREATE_TRIGGER => {
                self.changes_part(node, claimed, &Action::Create);
            }
            K::DROP_POLICY | K::DROP_TRIGGER => self.changes_part(node, claimed, &Action::Drop),
            K::ALTER_POLICY | K::ALTER_TRIGGER => self.changes_part(node, claimed, &Action::Alter),
            K::CREATE_SCHEMA => self.bare(node, K::SCHEMA, &Action::Create, claimed),
            K::DROP_SCHEMA => self.bare(node, K::SCHEMA_REF, &Action::Drop, claimed),
            K::CREATE_EXTENSION => {
                self.bare(node, K::EXTENSION, &Action::Create, claimed);
            }
            K::ALTER_TABLE | K::ALTER_FOREIGN_TABLE => self.alters_table(node, claimed),
            K::CREATE_INDEX => self.creates_index(node, claimed),
            K::CREATE_FUNCTION | K::CREATE_PROCEDURE => self.creates_routine(node),
            K::DO => self.runs_block(node),
            K::SET => self.sets(node),
            K::INSERT | K::UPDATE | K::DELETE | K::MERGE | K::TRUNCATE | K::COPY => {
                self.writes(node, claimed);
            }
            K::CREATE_TABLE | K::CREATE_FOREIGN_TABLE => self.creates_table(node),
            kind => self.by_name(node, kind, claimed),
        }
    }

    /// Statements whose kind says it all: `CREATE_VIEW`, `DROP_TYPE`, `ALTER_SEQUENCE` …
    fn by_name(&mut self, node: &SyntaxNode, kind: SyntaxKind, claimed: &mut Claimed) {
        let kind = format!("{kind:?}");
        // In a body SELECT … INTO fills a variable.
        let makes_table = kind == "SELECT_INTO" && self.certainty == Certainty::Hard;
        if kind.starts_with("CREATE_") || makes_table {
            if let Some(named) = self.definition(node) {
                self.guarded_fact(node, named, Action::Create);
            }
        } else if kind.starts_with("DROP_") {
            for named in self.references(node) {
                claimed.insert(start(&named.0));
                self.guarded_fact(node, named, Action::Drop);
            }
        } else if kind.starts_with("ALTER_")
            && let Some(named) = self.references(node).into_iter().next()
        {
            claimed.insert(start(&named.0));
            let action = self.renamed(node, &named.1).unwrap_or(Action::Alter);
            self.guarded_fact(node, named, action);
        }
    }

    fn renamed(&self, node: &SyntaxNode, old: &Object) -> Option<Action> {
        let to = node
            .children()
            .find(|child| format!("{:?}", child.kind()).ends_with("_RENAME_TO"))?;
        let (_, mut new, _) = self.definition(&to)?;
        new.schema.clone_from(&old.schema);
        new.space = old.space;
        Some(Action::Rename(new))
    }

    fn definition(&self, node: &SyntaxNode) -> Option<Named> {
        node.descendants().find_map(|node| {
            let (_, space, what) = DEFINITIONS.iter().find(|entry| entry.0 == node.kind())?;
            Some((node.clone(), self.object(*space, &node), *what))
        })
    }

    fn references(&self, node: &SyntaxNode) -> Vec<Named> {
        node.descendants()
            .filter_map(|node| {
                let (_, space, what) = REFERENCES.iter().find(|entry| entry.0 == node.kind())?;
                Some((node.clone(), self.object(*space, &node), *what))
            })
            .collect()
    }

    /// A fact about a target, guarded where the statement says so.
    fn guarded_fact(
        &mut self,
        statement: &SyntaxNode,
        (name, object, what): Named,
        action: Action,
    ) {
        let outer = self.guarded;
        self.guarded |= is_guarded(statement);
        let certainty = self.certainty;
        let signature = signature_near(&name);
        self.push(&name, (object, what, action), certainty, signature);
        self.guarded = outer;
    }

    /// Schemas and extensions, whose names have no schema.
    fn bare(
        &mut self,
        node: &SyntaxNode,
        kind: SyntaxKind,
        action: &Action,
        claimed: &mut Claimed,
    ) {
        let (space, what) = if kind == SyntaxKind::EXTENSION {
            (Space::Extension, "extension")
        } else {
            (Space::Schema, "schema")
        };
        let names = node
            .descendants()
            .filter(|node| node.kind() == kind)
            .collect::<Vec<_>>();
        for name in names {
            claimed.insert(start(&name));
            let object = Object::new(space, "", &folded(&text(&name)));
            self.guarded_fact(node, (name, object, what), action.clone());
        }
    }

    fn creates_table(&mut self, node: &SyntaxNode) {
        let Some((name, table, what)) = self.definition(node) else {
            return;
        };
        if is_temporary(node) {
            return;
        }
        self.guarded_fact(node, (name, table.clone(), what), Action::Create);
        let open = [
            SyntaxKind::PARTITION_OF,
            SyntaxKind::INHERITS,
            SyntaxKind::LIKE_CLAUSE,
        ];
        let closed = has(node, SyntaxKind::TABLE_ARG_LIST)
            && !node.descendants().any(|node| open.contains(&node.kind()));
        if closed {
            self.shown.closed.push(table.clone());
        }
        let columns = node
            .children()
            .flat_map(|list| list.children().collect::<Vec<_>>())
            .filter(|node| node.kind() == SyntaxKind::COLUMN)
            .filter_map(|column| Some((child(&column, SyntaxKind::COLUMN_NAME)?, column)))
            .collect::<Vec<_>>();
        for (name, column) in columns {
            self.makes_sequence(&table, &name, &column);
            let object = table.part(Space::Column, &folded(&text(&name)));
            self.guarded_fact(node, (name, object, "column"), Action::Create);
        }
    }

    /// A serial or identity column brings a sequence, whose name others use.
    fn makes_sequence(&mut self, table: &Object, name: &SyntaxNode, column: &SyntaxNode) {
        const SERIAL: [&str; 6] = [
            "serial",
            "bigserial",
            "smallserial",
            "serial2",
            "serial4",
            "serial8",
        ];
        let whole = column.text().to_string().to_lowercase();
        let after = usize::from(name.text_range().end() - column.text_range().start());
        let mut words = whole.get(after..).unwrap_or_default().split_whitespace();
        let kind = words.next().unwrap_or_default();
        let kind = kind.trim_end_matches([',', ';', ')']);
        let identity = column
            .descendants()
            .any(|node| node.kind() == SyntaxKind::GENERATED_IDENTITY);
        let sequence = format!("{}_{}_seq", table.name, folded(&text(name)));
        // Longer names are cut by the server.
        if (SERIAL.contains(&kind) || identity) && sequence.len() < 64 {
            let object = Object::new(Space::Relation, &table.schema, &sequence);
            let outer = self.guarded;
            // A taken name gets a number instead of failing.
            self.guarded = true;
            self.fact(name, object, "sequence", Action::Create);
            self.guarded = outer;
        }
    }

    fn alters_table(&mut self, node: &SyntaxNode, claimed: &mut Claimed) {
        let Some((name, table, what)) = self.references(node).into_iter().next() else {
            return;
        };
        claimed.insert(start(&name));
        let action = self.renamed(node, &table).unwrap_or(Action::Alter);
        self.guarded_fact(node, (name, table.clone(), what), action);
        let whole_guarded = is_guarded(node);
        for step in node.children() {
            let column = |kind| child(&step, kind).map(|name| folded(&text(&name)));
            let old = || column(SyntaxKind::COLUMN_NAME_REF);
            let new = || column(SyntaxKind::COLUMN_NAME);
            let (column, action) = match step.kind() {
                SyntaxKind::ADD_COLUMN => {
                    if let Some(name) = child(&step, SyntaxKind::COLUMN_NAME) {
                        self.makes_sequence(&table, &name, &step);
                    }
                    (new(), Action::Create)
                }
                SyntaxKind::DROP_COLUMN => (old(), Action::Drop),
                SyntaxKind::ALTER_COLUMN => (old(), Action::Alter),
                SyntaxKind::RENAME_COLUMN => {
                    let to = table.part(Space::Column, &new().unwrap_or_default());
                    (old(), Action::Rename(to))
                }
                _ => continue,
            };
            if let Some(column) = column {
                let object = table.part(Space::Column, &column);
                let outer = self.guarded;
                self.guarded |= whole_guarded;
                self.guarded_fact(&step, (step.clone(), object, "column"), action);
                self.guarded = outer;
            }
        }
    }

    fn creates_index(&mut self, node: &SyntaxNode, claimed: &mut Claimed) {
        let Some(table_name) = first(node, SyntaxKind::TABLE_NAME_REF) else {
            return;
        };
        claimed.insert(start(&table_name));
        let table = self.object(Space::Relation, &table_name);
        self.fact(&table_name, table.clone(), "table", Action::Alter);
        if let Some((name, mut index, what)) = self.definition(node) {
            // An index lives in the schema of its table.
            index.schema.clone_from(&table.schema);
            self.guarded_fact(node, (name, index, what), Action::Create);
        }
        let columns = node
            .descendants()
            .filter(|node| node.kind() == SyntaxKind::PARTITION_ITEM)
            .filter_map(|item| child(&item, SyntaxKind::NAME_REF))
            .collect::<Vec<_>>();
        for column in columns {
            let object = table.part(Space::Column, &folded(&text(&column)));
            self.fact(&column, object, "column", Action::Read);
        }
    }

    /// Policies and triggers: they change their table too.
    fn changes_part(&mut self, node: &SyntaxNode, claimed: &mut Claimed, action: &Action) {
        use SyntaxKind as K;
        let Some(name) = node.children().find(|child| {
            matches!(
                child.kind(),
                K::POLICY | K::POLICY_REF | K::TRIGGER | K::TRIGGER_REF
            )
        }) else {
            return;
        };
        let (space, what) = match name.kind() {
            K::POLICY | K::POLICY_REF => (Space::Policy, "policy"),
            _ => (Space::Trigger, "trigger"),
        };
        let on = node
            .children()
            .find(|child| matches!(child.kind(), K::ON_TABLE | K::ON_RELATION));
        let Some((table_name, table, _)) =
            on.and_then(|on| self.references(&on).into_iter().next())
        else {
            return;
        };
        claimed.insert(start(&table_name));
        let part = table.part(space, &folded(&text(&name)));
        // DROP POLICY IF EXISTS still needs the table.
        self.fact(&table_name, table, "table", Action::Alter);
        self.guarded_fact(node, (name, part, what), action.clone());
    }

    fn writes(&mut self, node: &SyntaxNode, claimed: &mut Claimed) {
        let all = node.kind() == SyntaxKind::TRUNCATE;
        let names = self.references(node).into_iter();
        for (name, table, _) in names.take(if all { usize::MAX } else { 1 }) {
            claimed.insert(start(&name));
            self.fact(&name, table, "table", Action::Write);
        }
    }

    fn creates_routine(&mut self, node: &SyntaxNode) {
        if let Some(named) = self.definition(node) {
            self.guarded_fact(node, named, Action::Create);
        }
        let body = first(node, SyntaxKind::AS_DEFINITION)
            .and_then(|definition| first(&definition, SyntaxKind::LITERAL))
            .and_then(|literal| self.literal_text(&literal));
        let Some((body, base)) = body else {
            return;
        };
        // LANGUAGE plpgsql, or as old dumps write it: LANGUAGE 'plpgsql'.
        let language = first(node, SyntaxKind::LANGUAGE_FUNC_OPTION).and_then(|option| {
            let option = text(&option);
            let word = option.split_whitespace().next_back()?;
            Some(word.trim_matches(['\'', '"']).to_lowercase())
        });
        match language.as_deref() {
            // The server checks a body in SQL when it creates the function.
            Some("sql") => self.body(&body, base, (Certainty::Hard, false)),
            Some("plpgsql") => self.plpgsql(&body, base, (Certainty::Body, false)),
            _ => {}
        }
    }

    fn runs_block(&mut self, node: &SyntaxNode) {
        let body = first(node, SyntaxKind::LITERAL).and_then(|literal| self.literal_text(&literal));
        if let Some((body, base)) = body {
            self.plpgsql(&body, base, (Certainty::Perhaps, true));
        }
    }

    fn plpgsql(&mut self, body: &str, base: usize, as_what: (Certainty, bool)) {
        for part in super::super::body::plpgsql_parts(body) {
            self.body(&part.sql, base + part.at, as_what);
        }
    }

    /// The text of a string literal and where it begins in the file.
    fn literal_text(&self, literal: &SyntaxNode) -> Option<(String, usize)> {
        let decoded = ast::Literal::cast(literal.clone())?.decoded_value()?;
        let written = literal.text().to_string();
        let quote = match written.strip_prefix('$').and_then(|rest| rest.find('$')) {
            Some(tag) => tag + 2,
            None => written.find('\'').map_or(0, |quote| quote + 1),
        };
        Some((decoded.into_text(), self.base + start(literal) + quote))
    }

    /// `SET search_path = app, …` moves names without a schema.
    fn sets(&mut self, node: &SyntaxNode) {
        let parameter = first(node, SyntaxKind::CONFIG_PARAMETER_REF);
        if parameter.is_some_and(|parameter| segments(&parameter) == ["search_path"])
            && let Some(value) = first(node, SyntaxKind::CONFIG_VALUE_NAME)
        {
            let schema = folded(&text(&value));
            if schema != "pg_catalog" && !schema.is_empty() {
                self.schema = schema;
            }
        }
    }
}

fn start(node: &SyntaxNode) -> usize {
    usize::from(node.text_range().start())
}

fn is_guarded(node: &SyntaxNode) -> bool {
    node.children().any(|child| {
        matches!(
            child.kind(),
            SyntaxKind::IF_EXISTS | SyntaxKind::IF_NOT_EXISTS | SyntaxKind::OR_REPLACE
        )
    })
}

fn is_temporary(node: &SyntaxNode) -> bool {
    let head = node.text().to_string().to_lowercase();
    head.split_whitespace()
        .take(4)
        .any(|word| word == "temp" || word == "temporary")
}

/// The parameter types that stand beside a function's name; empty for everything else.
fn signature_near(name: &SyntaxNode) -> String {
    name.parent()
        .and_then(|parent| child(&parent, SyntaxKind::PARAM_LIST))
        .map(|list| signature(&list))
        .unwrap_or_default()
}

/// Parameter types in one spelling, so that overloads can be told apart; OUT ones left out.
fn signature(list: &SyntaxNode) -> String {
    let types = list
        .children()
        .filter(|node| node.kind() == SyntaxKind::PARAM)
        .filter(|param| !text(param).to_lowercase().starts_with("out "))
        .filter_map(|param| {
            param
                .children()
                .find(|node| format!("{:?}", node.kind()).ends_with("_TYPE"))
                .map(|node| one_spelling(&text(&node)))
        })
        .collect::<Vec<_>>();
    format!("({})", types.join(", "))
}

fn one_spelling(text: &str) -> String {
    let lower = text.to_lowercase();
    let text = lower.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.as_str() {
        "int" | "int4" => "integer".to_owned(),
        "int8" => "bigint".to_owned(),
        "bool" => "boolean".to_owned(),
        "varchar" => "character varying".to_owned(),
        "timestamptz" => "timestamp with time zone".to_owned(),
        "float8" => "double precision".to_owned(),
        _ => text,
    }
}
