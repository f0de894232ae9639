//! What each statement of a set creates, alters, reads and drops, and where.

mod body;
mod names;
mod postgres;
mod sqlite;

use std::fmt;

pub use self::names::quoted;
use crate::{Dialect, Direction, Migration, Source};

/// In which space of names an object lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Schemas.
    Schema,
    /// Extensions.
    Extension,
    /// Types, enumerations, domains.
    Type,
    /// Tables, views and sequences, which share their names.
    Relation,
    /// Columns of a relation.
    Column,
    /// Indexes.
    Index,
    /// Functions and procedures.
    Function,
    /// Row security policies of a table.
    Policy,
    /// Triggers of a table.
    Trigger,
}

/// A thing in the database, by its full name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    /// Its space of names.
    pub space: Space,
    /// Its schema; empty where it has none.
    pub schema: String,
    /// Its own name; for columns, policies and triggers that of their relation.
    pub name: String,
    /// The column, policy or trigger.
    pub part: String,
}

impl Object {
    pub(crate) fn new(space: Space, schema: &str, name: &str) -> Self {
        Self {
            space,
            schema: schema.to_owned(),
            name: name.to_owned(),
            part: String::new(),
        }
    }

    /// A column, policy or trigger of this relation.
    pub(crate) fn part(&self, space: Space, part: &str) -> Self {
        Self {
            space,
            part: part.to_owned(),
            ..self.clone()
        }
    }

    /// The relation to which a part belongs; itself for others.
    pub(crate) fn whole(&self) -> Self {
        if self.part.is_empty() {
            self.clone()
        } else {
            Self::new(Space::Relation, &self.schema, &self.name)
        }
    }

    /// Its name as people write it: without the default schema.
    pub fn shown(&self) -> String {
        let mut out = String::new();
        if !self.schema.is_empty() && self.schema != DEFAULT_SCHEMA {
            out.push_str(&self.schema);
            out.push('.');
        }
        out.push_str(&self.name);
        if !self.part.is_empty() {
            out.push('.');
            out.push_str(&self.part);
        }
        out
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.space {
            Space::Schema => "schema",
            Space::Extension => "extension",
            Space::Type => "type",
            Space::Relation => "relation",
            Space::Column => "column",
            Space::Index => "index",
            Space::Function => "function",
            Space::Policy => "policy",
            Space::Trigger => "trigger",
        };
        write!(f, "{word} {}", self.shown())
    }
}

/// The schema that names without one belong to. SQLite's `main` is called so too.
pub(crate) const DEFAULT_SCHEMA: &str = "public";

/// What a statement does to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Creates it.
    Create,
    /// Changes its definition.
    Alter,
    /// Changes rows in it.
    Write,
    /// Needs it.
    Read,
    /// Removes it.
    Drop,
    /// Gives it another name.
    Rename(Object),
}

impl Action {
    /// Whether two such statements must not change places.
    pub fn is_write(&self) -> bool {
        !matches!(self, Self::Read)
    }

    /// The word in inventories.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Create => "creates",
            Self::Alter => "alters",
            Self::Write => "writes",
            Self::Read => "reads",
            Self::Drop => "drops",
            Self::Rename(_) => "renames",
        }
    }
}

/// How sure a fact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// The database refuses the statement where it does not hold.
    Hard,
    /// It may name something built in: counts only for what the set creates.
    Perhaps,
    /// Inside a function's body: needed when it is called, not when it is created.
    Body,
}

/// One thing that a statement does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// To what.
    pub object: Object,
    /// The word for it: `table`, `view`, `enum` …
    pub what: &'static str,
    /// What.
    pub action: Action,
    /// Relative to the set.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// Whether the statement also passes when the object is (or is not) there already.
    pub guarded: bool,
    /// How sure.
    pub certainty: Certainty,
    /// The signature of a function; else empty.
    pub signature: String,
    /// Which statement of the file, from 0.
    pub statement: usize,
}

/// Something a parser could not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxIssue {
    /// Relative to the set.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// What the parser says.
    pub what: String,
}

/// A change that is risky for reasons of its own, seen while walking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Risk {
    pub(crate) rule: &'static str,
    pub(crate) table: Object,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) detail: String,
}

/// What one script shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) facts: Vec<Fact>,
    pub(crate) issues: Vec<SyntaxIssue>,
    pub(crate) risks: Vec<Risk>,
    /// Relations whose columns are all known from their creation.
    pub(crate) closed: Vec<Object>,
}

/// Reads a script. What PostgreSQL would refuse may be left out: only [`judge_up`] looks for it.
pub(crate) fn read(source: &Source, dialect: Dialect) -> Shown {
    match dialect {
        Dialect::Postgres => postgres::read(source, false),
        Dialect::Sqlite => sqlite::read(source),
    }
}

/// What the way up of a migration shows on a database.
pub(crate) fn read_up(migration: &Migration, dialect: Dialect) -> Shown {
    migration
        .script(Direction::Up, dialect)
        .map(|source| read(source, dialect))
        .unwrap_or_default()
}

/// The same, with all that the database would refuse.
pub(crate) fn judge_up(migration: &Migration, dialect: Dialect) -> Shown {
    match migration.script(Direction::Up, dialect) {
        Some(source) if dialect == Dialect::Postgres => postgres::read(source, true),
        _ => read_up(migration, dialect),
    }
}
