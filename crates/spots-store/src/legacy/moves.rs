//! The form of a move: rows in, rows out, without a database.

use std::collections::BTreeMap;

use super::Mover;

pub(super) use spots_migrate::Dialect;

/// One value of a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row that a move reads; its first column is its key.
#[derive(Clone, Debug)]
pub(super) struct Row(pub(super) Vec<Value>);

impl Row {
    pub(super) fn key(&self) -> &str {
        self.text(0)
    }

    /// A text; empty where there is none.
    pub(super) fn text(&self, column: usize) -> &str {
        self.optional(column).unwrap_or_default()
    }

    pub(super) fn optional(&self, column: usize) -> Option<&str> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn int(&self, column: usize) -> i64 {
        match self.0.get(column) {
            Some(Value::Int(number)) => *number,
            _ => 0,
        }
    }

    pub(super) fn bytes(&self, column: usize) -> Option<&[u8]> {
        match self.0.get(column) {
            Some(Value::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }
}

/// A query of whether this table holds people of the old form.
pub(super) fn holds_old(table: &str, mappings: bool) -> String {
    let of_new_form = if mappings {
        "WHERE NOT EXISTS (SELECT 1 FROM user_agent_mappings m WHERE m.user_id = u.id)"
    } else {
        ""
    };
    format!("SELECT EXISTS (SELECT 1 FROM {table} u {of_new_form})")
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Int,
    Bytes,
}

/// A table as a move fills it.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Holds)],
    /// The columns by which a row replaces another; with none, a row that is there stays.
    pub(super) replaces: Option<&'static str>,
}

impl Table {
    /// What follows the values of an insertion.
    pub(super) fn on_conflict(&self) -> String {
        let Some(key) = self.replaces else {
            return "ON CONFLICT DO NOTHING".to_owned();
        };
        let set = self
            .columns
            .iter()
            .map(|(name, _)| format!("{name} = excluded.{name}"))
            .collect::<Vec<_>>();
        format!("ON CONFLICT ({key}) DO UPDATE SET {}", set.join(", "))
    }

    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }
}

/// One change that a batch makes; they are made in order.
#[derive(Debug)]
pub(super) enum Write {
    /// Adds rows to a table.
    Insert(&'static Table, Vec<Vec<Value>>),
    /// Runs a statement once for each list of parameters.
    Each(&'static str, Vec<Vec<Value>>),
    /// Adds guests, each under the first of its codes that is free at its host.
    Guests(Vec<NewGuest>),
}

/// A guest with the codes it may get.
#[derive(Debug)]
pub(super) struct NewGuest {
    pub(super) host: String,
    pub(super) guest: String,
    pub(super) agent: String,
    pub(super) codes: Vec<String>,
}

/// What the tokens of a batch stand for.
pub(super) type Known = BTreeMap<String, String>;

/// One table moved in batches.
pub(super) trait Move: Send + Sync {
    /// Statements that the first batch runs before it reads.
    fn prepare(&self, _dialect: Dialect) -> &'static str {
        ""
    }

    /// A query of how many rows there are to do.
    fn count(&self) -> String;

    /// The query of a batch: keys above `$1` in order, at most `$2` rows.
    fn select(&self, dialect: Dialect) -> String;

    /// So many rows of work are one row of this query.
    fn weight(&self) -> u32 {
        1
    }

    /// Words in a row that may stand for something else.
    fn tokens(&self, _row: &Row) -> Vec<String> {
        Vec::new()
    }

    /// A query of what tokens stand for, up to the comparison with a token.
    fn lookup(&self) -> &'static str {
        ""
    }

    /// What to write for these rows.
    fn writes(&self, mover: &Mover, rows: &[Row], known: &Known) -> Result<Vec<Write>, MoveError>;
}

/// Why a batch cannot be moved.
#[derive(Debug, thiserror::Error)]
pub(super) enum MoveError {
    #[error(
        "this is a database of the old form, and its personal data is sealed when it moves; \
         run: spots migrate upgrade-legacy"
    )]
    NoKeys,
    #[error(
        "this database came from one of the old form, and its personal data is opened on the way \
         back; run: spots migrate upgrade-legacy --back"
    )]
    NoKeysBack,
    #[error("the place `{0}` where the last run ended is none of this step")]
    Place(String),
    #[error("attendee_ids of event {0} is no JSON list of texts; mend the row and run again")]
    Attendees(String),
    #[error("{what} of {id} cannot be sealed or opened: {cause}")]
    Seal {
        what: &'static str,
        id: String,
        cause: String,
    },
    #[error("the time of event {0} is outside the calendar; times are seconds since 1970")]
    Time(String),
    #[error("no code was free for a guest of {0}")]
    Codes(String),
    #[error("{0} holds what this step never writes")]
    Row(&'static str),
}
