//! Refusals, which name a next step, and failures, which name a statement.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::SetError;

/// Why a run did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The set cannot be used; nothing was touched.
    #[error(transparent)]
    Set(#[from] SetError),
    /// The database and the set do not go together; nothing was touched.
    #[error("{0}")]
    Refused(Refusal),
    /// A statement failed; what it had done is undone, the failure is recorded.
    #[error("{0}")]
    Failed(Failure),
    /// The database did not do what the engine itself asked for.
    #[error("failed to {what}")]
    Database {
        /// In the infinitive.
        what: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ApplyError {
    pub(crate) fn database<E>(what: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Database {
            what,
            source: source.into(),
        }
    }
}

/// A run that would do harm, with the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Applied migrations were edited afterwards.
    Edited {
        /// Their ids.
        ids: Vec<String>,
        /// The script of each, relative to the set.
        paths: Vec<String>,
    },
    /// Applied migrations are no longer in the set.
    Removed {
        /// Their ids.
        ids: Vec<String>,
    },
    /// The database has migrations that come after all of this set.
    Newer {
        /// Their ids.
        ids: Vec<String>,
    },
    /// The record was written by a newer version.
    NewerFormat {
        /// The format found.
        found: i64,
    },
    /// A migration failed before and was not mended.
    FailedBefore {
        /// Which, where and why.
        failure: Failure,
    },
    /// A migration should have come before one that is applied.
    TooLate {
        /// The migration that waits.
        id: String,
        /// The applied one that comes after it.
        applied: String,
    },
    /// Another runner holds the lock for longer than this run waits.
    Locked {
        /// Who.
        holder: String,
    },
    /// Another runner took the lock over while this one gave no sign.
    Fenced,
    /// The set has no such migration or phase, or the database has not applied it.
    Unknown {
        /// What was asked for.
        what: String,
    },
    /// A migration has no way back.
    NoWayBack {
        /// Its id.
        id: String,
    },
    /// A condition for rolling back does not hold.
    Condition {
        /// The migration.
        id: String,
        /// The declared message.
        message: String,
    },
    /// Rolling back loses data, and nobody consented.
    WouldLose {
        /// The migration.
        id: String,
        /// What would be gone.
        what: Vec<String>,
    },
    /// The program registered no backfill of this name.
    UnknownBackfill {
        /// The migration.
        id: String,
        /// The name.
        name: String,
    },
    /// The connection is inside a transaction.
    InTransaction,
    /// A database to be adopted has another schema than the set gives.
    Differs {
        /// What the set gives and the database lacks, or the other way round.
        what: Vec<String>,
    },
    /// A database to be adopted has a record already.
    AlreadyRecorded,
    /// A run writes at this very moment, and SQLite lets nobody else write meanwhile.
    InAStep {
        /// Who.
        holder: String,
    },
    /// What is to be freed has not failed.
    NotFailed {
        /// What was asked for.
        id: String,
    },
    /// The way back drops what holds rows, and the manifest says that no row is touched.
    Undeclared {
        /// The migration.
        id: String,
        /// What would be gone.
        what: Vec<String>,
    },
    /// The set has no such migration.
    NotInSet {
        /// What was asked for.
        what: String,
    },
    /// Somebody tests a migration that this one would disturb.
    InTesting {
        /// The migration that would start.
        id: String,
        /// The one in testing.
        testing: Box<super::Testing>,
        /// What both touch.
        over: Vec<String>,
    },
    /// A production database takes only a set that was rehearsed from its very state.
    NotRehearsed {
        /// Whether another set was rehearsed from this state.
        other_set: bool,
    },
    /// A rebuild would leave rows that point nowhere.
    Orphans {
        /// The migration.
        id: String,
        /// Child table, row count, parent table.
        what: Vec<String>,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited { ids, paths } => {
                let shown = ids.iter().zip(paths);
                let shown = shown.map(|(id, path)| format!("{id} ({path}:1)"));
                write!(
                    f,
                    "edited after they were applied: {}; restore them and write the change as a new migration",
                    shown.collect::<Vec<_>>().join(", ")
                )
            }
            Self::Removed { ids } => write!(
                f,
                "applied to this database but no longer in the set: {}; restore their files",
                ids.join(", ")
            ),
            Self::Newer { ids } => write!(
                f,
                "the database is newer than this set: it has {}; run the release that brought them",
                ids.join(", ")
            ),
            Self::NewerFormat { found } => write!(
                f,
                "the record of migrations has format {found}, newer than this program's; run a newer release"
            ),
            Self::FailedBefore { failure } => write!(
                f,
                "failed before and not mended since: {failure}; mend the script, or if the cause lay outside it: spots migrate unlock --failed {}",
                failure.id
            ),
            Self::TooLate { id, applied } => write!(
                f,
                "{id} should have come before {applied}, which is applied; give it a dependency that puts it after, or roll {applied} back first"
            ),
            Self::Locked { holder } => write!(
                f,
                "another run holds the lock: {holder}; wait for it, or see spots migrate unlock"
            ),
            Self::Fenced => f.write_str(
                "another run took the lock over while this one gave no sign; its work is kept, this run's open change is undone; run again",
            ),
            Self::Unknown { what } => write!(f, "{what} is not applied to this database; see spots migrate status"),
            other => other.fmt_change(f),
        }
    }
}

impl Refusal {
    /// Refusals of one change rather than of a whole run.
    fn fmt_change(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWayBack { id } => write!(
                f,
                "{id} has no down.sql, so it cannot be rolled back; write one"
            ),
            Self::Condition { id, message } => {
                write!(
                    f,
                    "{id} can be rolled back only if this holds, and it does not: {message}"
                )
            }
            Self::WouldLose { id, what } => write!(
                f,
                "rolling {id} back loses data ({}); consent with --accept-data-loss {id}",
                what.join(", ")
            ),
            Self::UnknownBackfill { id, name } => write!(
                f,
                "{id} needs the backfill {name}, which this program does not have; run it with the program that registers it"
            ),
            Self::Differs { what } => write!(
                f,
                "the database is not what the set gives: {}; name the last migration that it has with --to, or bring it there by hand",
                what.join("; ")
            ),
            Self::AlreadyRecorded => f.write_str(
                "the database has a record of migrations already; see spots migrate status",
            ),
            Self::InTransaction => {
                f.write_str("the connection is inside a transaction; commit it first")
            }
            Self::Orphans { id, what } => write!(
                f,
                "{id} would leave rows that point nowhere ({}); delete or move them in the migration",
                what.join(", ")
            ),
            other => other.fmt_gate(f),
        }
    }

    /// Refusals of what the database is for.
    fn fmt_gate(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InAStep { holder } => write!(
                f,
                "{holder} is in the middle of a step, and SQLite lets nobody else write until it is done; \
                 wait, or end its process: the step is undone, and the next run takes over"
            ),
            Self::NotFailed { id } => write!(
                f,
                "{id} has not failed in this database; see spots migrate status"
            ),
            Self::Undeclared { id, what } => write!(
                f,
                "rolling {id} back would drop {}, and its manifest does not say that data is lost; \
                 declare `data = \"lost\"` under [rollback], or consent with --accept-data-loss {id}",
                what.join(", ")
            ),
            Self::NotInSet { what } => {
                write!(f, "the set has no migration {what}; see spots migrate plan")
            }
            Self::InTesting { id, testing, over } => write!(
                f,
                "{id} cannot start: {} is in testing until {} by {}, and both touch {}; wait, or end the test with spots migrate testing end {}",
                testing.id,
                testing.until,
                testing.owner,
                over.join(", "),
                testing.id
            ),
            Self::NotRehearsed { other_set } => write!(
                f,
                "this is a production database, and {}; run spots migrate rehearse on it or on a copy and bring its JSON with --rehearsal",
                if *other_set {
                    "another set was rehearsed from its state than this one"
                } else {
                    "no set was rehearsed from the state that it is in"
                }
            ),
            _ => f.write_str("the run was refused"),
        }
    }
}

/// A statement that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The migration.
    pub id: String,
    /// The script, relative to the set.
    pub path: String,
    /// The line of the statement, from 1.
    pub line: u32,
    /// Its number in the script, from 1.
    pub statement: usize,
    /// How many statements of the script took effect and stay: none in a transaction.
    pub done: usize,
    /// What the database said.
    pub reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: statement {} of {} failed: {}; ",
            self.path, self.line, self.statement, self.id, self.reason
        )?;
        match self.done {
            0 => f.write_str("nothing of it took effect"),
            1 => f.write_str("the first statement took effect and is kept"),
            done => write!(f, "the first {done} statements took effect and are kept"),
        }
    }
}
