//! `migration.toml`: what a migration declares about itself.

use serde::Deserialize;
use spots_findings::{Finding, Level, Place};

use super::source::{Source, line_of};

/// What rolling back does to data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum DataOnRollback {
    /// No row is touched.
    #[default]
    None,
    /// Rows are moved aside and come back with the next way up.
    Kept,
    /// Rows can be computed again from what stays.
    Derived,
    /// Rows are gone; rolling back asks for consent first.
    Lost,
}

/// A fact that must hold before a migration is rolled back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// An SQL expression that is true when rolling back is allowed.
    pub holds: String,
    /// The same in words, such as "no reservation exists yet".
    pub message: String,
}

/// What is declared about the way back.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// All must hold.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// What happens to data.
    #[serde(default)]
    pub data: DataOnRollback,
    /// The registered backfill that runs before `down.sql`.
    #[serde(default)]
    pub backfill: Option<String>,
}

/// The parsed file.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) phase: Option<String>,
    #[serde(default)]
    pub(crate) after: Vec<String>,
    #[serde(default)]
    pub(crate) breaking: bool,
    #[serde(default)]
    pub(crate) transactional: Option<bool>,
    #[serde(default)]
    pub(crate) backfill: Option<String>,
    #[serde(default)]
    pub(crate) rollback: Rollback,
    /// Invariants by which a rehearsal compares data that is random by design.
    #[serde(default)]
    pub(crate) invariants: Vec<Invariant>,
    /// Tables whose rows change on purpose, for a rehearsal.
    #[serde(default)]
    pub(crate) changes: Vec<String>,
}

/// A query whose result must be the same before and after.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invariant {
    /// What it states.
    pub title: String,
    /// A query of one value before the migration.
    pub before: String,
    /// A query of the same value after the migration.
    pub after: String,
}

impl Manifest {
    pub(crate) fn parse(source: &Source) -> Result<Self, Box<Finding>> {
        toml::from_str(source.text()).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let line = line_of(source.text().as_bytes(), offset);
            let path = source.path();
            Box::new(
                Finding::new(
                    "bad-manifest",
                    Level::Error,
                    path,
                    format!("{path} is no migration manifest: {}.", error.message()),
                )
                .at(Place::line(path, line))
                .fix("Mend the line; the keys are listed in the documentation of migrations."),
            )
        })
    }
}
