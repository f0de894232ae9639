//! A set of migrations as it lies on disk or in the binary, in one deterministic order.

mod load;
mod manifest;
mod order;
mod script;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use spots_findings::Finding;

pub use self::manifest::{Condition, DataOnRollback, Invariant, Rollback};
pub use self::source::{FILE_BYTES_MAX, Source};

pub(crate) use self::load::{Files, Loaded, read_tree, spots as load_spots, without_echoes};

pub(crate) use self::order::topological;
pub(crate) use self::script::{in_transaction_refused, script_findings};
pub(crate) use self::source::{digest, line_of};

/// Which database a script is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL 15 or later.
    Postgres,
}

impl Dialect {
    /// The word in file names (`up.postgres.sql`) and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// One of the three scripts of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Makes the change.
    Up,
    /// Takes it back.
    Down,
    /// Queries whose every row is a mistake.
    Verify,
}

/// A script with its variants; the plain text serves a database without a variant of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    plain: Option<Source>,
    variants: BTreeMap<Dialect, Source>,
}

impl Script {
    /// The text for a database, if there is any.
    pub fn source(&self, dialect: Dialect) -> Option<&Source> {
        self.variants.get(&dialect).or(self.plain.as_ref())
    }

    /// One text for every database.
    pub(crate) fn plain(source: Source) -> Self {
        Self {
            plain: Some(source),
            variants: BTreeMap::new(),
        }
    }

    /// Whether no database has a text.
    pub fn is_empty(&self) -> bool {
        self.plain.is_none() && self.variants.is_empty()
    }
}

/// One step of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Stable and unique; by default the folder's name.
    pub id: String,
    /// What it does, for people.
    pub title: String,
    /// The phase of the master plan that it belongs to.
    pub phase: Option<String>,
    /// Ids that it declares to come after.
    pub after: BTreeSet<String>,
    /// Whether code of the previous release stops working.
    pub breaking: bool,
    /// Whether it runs as one transaction; otherwise each statement is a journalled step.
    pub transactional: bool,
    /// The registered backfill that runs after `up.sql`.
    pub backfill: Option<String>,
    /// The declared way back.
    pub rollback: Rollback,
    /// What a rehearsal compares where values are random by design.
    pub invariants: Vec<Invariant>,
    /// Tables whose rows change on purpose.
    pub changes: BTreeSet<String>,
    /// The file to which findings about the whole migration point.
    pub path: String,
    pub(crate) up: Script,
    pub(crate) down: Script,
    pub(crate) verify: Script,
}

impl Migration {
    /// The script of a direction for a database, if there is any.
    pub fn script(&self, direction: Direction, dialect: Dialect) -> Option<&Source> {
        match direction {
            Direction::Up => self.up.source(dialect),
            Direction::Down => self.down.source(dialect),
            Direction::Verify => self.verify.source(dialect),
        }
    }

    /// Whether a script has a text for this database alone.
    pub(crate) fn has_variant(&self, direction: Direction, dialect: Dialect) -> bool {
        let script = match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
            Direction::Verify => &self.verify,
        };
        script.variants.contains_key(&dialect)
    }

    /// What an applied migration may not change any more: its way up on this database.
    ///
    /// SHA-256 as 64 hexadecimal digits over the text with LF line ends, the backfill's name and
    /// whether it is transactional. The way back and the verification may be mended later.
    pub fn checksum(&self, dialect: Dialect) -> String {
        let text = self.up.source(dialect).map_or("", Source::text);
        digest([
            text,
            self.backfill.as_deref().unwrap_or(""),
            if self.transactional { "tx" } else { "steps" },
        ])
    }
}

/// Migrations in the order in which they are applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationSet {
    migrations: Vec<Migration>,
    /// Phase → phases that must be complete before it starts.
    gates: BTreeMap<String, BTreeSet<String>>,
}

impl MigrationSet {
    /// Reads a folder of migration folders.
    ///
    /// # Errors
    /// Every finding that keeps the set from being used, each with file and line.
    pub fn from_dir(dir: &Path) -> Result<Self, SetError> {
        let mut findings = Vec::new();
        let files = read_tree(dir, &mut findings);
        Self::from_loaded(load::spots(&files), findings)
    }

    /// Reads a folder in any layout; found out from its files unless told.
    ///
    /// # Errors
    /// Every finding that keeps the set from being used, each with file and line.
    pub fn from_dir_as(dir: &Path, layout: Option<crate::Layout>) -> Result<Self, SetError> {
        let mut findings = Vec::new();
        let files = read_tree(dir, &mut findings);
        let layout = layout.unwrap_or_else(|| crate::Layout::detect(&files));
        Self::from_loaded(crate::layout::load(&files, layout), findings)
    }

    /// Reads a set from memory: paths relative to the set with `/` between parts, and texts.
    ///
    /// # Errors
    /// Every finding that keeps the set from being used, each with file and line.
    pub fn from_embedded(files: &[(&str, &str)]) -> Result<Self, SetError> {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect();
        Self::from_loaded(load::spots(&files), Vec::new())
    }

    pub(crate) fn from_loaded(
        loaded: Loaded,
        mut findings: Vec<Finding>,
    ) -> Result<Self, SetError> {
        findings.extend(loaded.findings);
        without_echoes(&mut findings, &[]);
        findings.retain(|finding| finding.level == spots_findings::Level::Error);
        if findings.is_empty() {
            Ok(Self::ordered(loaded.migrations, loaded.gates))
        } else {
            Err(SetError { findings })
        }
    }

    pub(crate) fn ordered(
        migrations: Vec<Migration>,
        gates: BTreeMap<String, BTreeSet<String>>,
    ) -> Self {
        Self { migrations, gates }
    }

    /// All migrations, in order.
    pub fn migrations(&self) -> &[Migration] {
        &self.migrations
    }

    /// The migration with this id.
    pub fn find(&self, id: &str) -> Option<&Migration> {
        self.migrations.iter().find(|migration| migration.id == id)
    }

    /// Phases that must be complete before a phase starts, by phase.
    pub fn gates(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.gates
    }

    /// One checksum over the whole set on a database.
    pub fn checksum(&self, dialect: Dialect) -> String {
        let parts = self
            .migrations
            .iter()
            .flat_map(|migration| [migration.id.clone(), migration.checksum(dialect)])
            .collect::<Vec<_>>();
        digest(parts.iter().map(String::as_str))
    }

    /// One checksum over everything that a rehearsal tries, the ways back included.
    pub fn rehearsed_checksum(&self, dialect: Dialect) -> String {
        let text = |migration: &Migration, direction| {
            let source = migration.script(direction, dialect);
            source.map_or("", Source::text).to_owned()
        };
        let parts = self
            .migrations
            .iter()
            .flat_map(|migration| {
                [
                    migration.id.clone(),
                    migration.checksum(dialect),
                    text(migration, Direction::Down),
                    text(migration, Direction::Verify),
                    format!("{:?}", migration.rollback),
                ]
            })
            .collect::<Vec<_>>();
        digest(parts.iter().map(String::as_str))
    }

    /// The database that the scripts are written for; PostgreSQL where they are for both.
    pub fn written_for(&self) -> Dialect {
        crate::check::dialects(self, None)
            .first()
            .map_or(Dialect::Postgres, |(dialect, _)| *dialect)
    }

    /// What keeps the scripts from being run on a database, before any database is touched.
    ///
    /// # Errors
    /// Every finding, each with file and line.
    pub fn check_scripts(&self, dialect: Dialect) -> Result<(), SetError> {
        let findings = self
            .migrations
            .iter()
            .flat_map(|migration| script_findings(migration, dialect))
            .filter(|finding| finding.level == spots_findings::Level::Error)
            .collect::<Vec<_>>();
        if findings.is_empty() {
            Ok(())
        } else {
            Err(SetError { findings })
        }
    }
}

/// A set that cannot be used.
#[derive(Debug, thiserror::Error)]
pub struct SetError {
    /// Why; at least one, each with file and line.
    pub findings: Vec<Finding>,
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the migration set cannot be used")?;
        for finding in &self.findings {
            f.write_str("\n  ")?;
            if let Some(place) = &finding.place {
                write!(f, "{}:{}: ", place.path, place.line)?;
            }
            f.write_str(&finding.message)?;
            if let Some(fix) = &finding.fix {
                write!(f, " {}", fix.text)?;
            }
        }
        Ok(())
    }
}

/// Embeds a set into the binary: the folder's path from the file that calls this, then the files.
///
/// ```ignore
/// const FILES: &[(&str, &str)] = spots_migrate::embed!(
///     "../../../migrations/",
///     "0010-users/migration.toml",
///     "0010-users/up.sql",
/// );
/// let set = MigrationSet::from_embedded(FILES)?;
/// ```
#[macro_export]
macro_rules! embed {
    ($folder:literal, $($file:literal),+ $(,)?) => {
        &[$(($file, include_str!(concat!($folder, $file)))),+]
    };
}
