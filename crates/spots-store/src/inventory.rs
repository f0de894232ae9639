//! What is held about people: every column, who reads it, for how long, and where it stands in a
//! person's export. `docs/data-inventory.md` is written from it.

mod early;
mod late;

use std::fmt::Write as _;

/// One table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: &'static str,
    /// Who can read it, by way of the service.
    pub readers: &'static str,
    /// For how long.
    pub kept: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
}

/// One column: its name, what is in it, and where that stands in a person's export.
#[derive(Clone, Copy, Debug)]
pub struct Column(pub &'static str, pub Data, pub Export);

/// What is in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// Nothing about a person: names of offers, words of hosts, counts.
    Public,
    /// Numbers and words that the platform needs to work.
    Technical,
    /// A random id that stands for a person or what is theirs.
    Pseudonym,
    /// About a person, readable by the platform.
    Personal,
    /// About a person, sealed under a key of their own.
    Sealed,
    /// A hash.
    Hash,
    /// A wrapped key, or a salt that dies with one.
    Key,
}

impl Data {
    /// The word in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "no",
            Self::Technical => "no (technical)",
            Self::Pseudonym => "pseudonym",
            Self::Personal => "yes",
            Self::Sealed => "yes, sealed",
            Self::Hash => "no (hash)",
            Self::Key => "no (key)",
        }
    }
}

/// Where a column stands in a person's export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// There: members of the JSON document, joined by dots.
    At(&'static str),
    /// Nowhere, for this reason.
    Not(&'static str),
}

/// Every table of the platform, in the order in which the migrations make them. A new column is
/// declared with its place in the export or the reason why it has none.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    early::EARLY.iter().chain(late::LATE)
}

/// The inventory as a document.
pub fn document() -> String {
    let mut text = HEAD.to_owned();
    for table in tables() {
        let Table {
            name,
            holds,
            readers,
            kept,
            columns,
        } = table;
        let head = format!(
            "\n## `{name}`\n\nHolds {holds}. Read by {readers}. Kept {kept}.\n\n\
             | column | about a person? | in the export |\n| --- | --- | --- |\n"
        );
        text.push_str(&head);
        for Column(column, data, export) in *columns {
            let place = match export {
                Export::At(place) => format!("`{place}`"),
                Export::Not(why) => format!("no: {why}"),
            };
            writeln!(text, "| `{column}` | {} | {place} |", data.as_str())
                .expect("a text takes what is written to it");
        }
    }
    text
}

const HEAD: &str = "# What is held about people

Every table of the platform, column by column: whether it says something about a person, who can read
it, for how long it is kept, and where it stands in the file that a person downloads from `/me/export`.
This page is written from `crates/spots-store/src/inventory/`; a column without an entry there fails a
test on both databases, so nothing new is held without a decision. The engine that runs migrations has
tables of its own (`spots_migrate…`) with nothing about people.
";
