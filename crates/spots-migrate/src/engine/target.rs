//! What the frame asks of a database, and what can go wrong there.

use std::time::Duration;

use crate::split::{Statement, split};
use crate::{
    ApplyError, Dialect, Direction, Failure, Migration, Record, Refusal, Run, Source, State,
};

/// A database under migration.
///
/// Each kind of database has one; what is done in which order stands once, in the frame.
pub(crate) trait Target {
    const DIALECT: Dialect;
    /// What tables are busy with, for a refusal.
    const BUSY: &'static str;
    /// The database's own `dyn Backfill`.
    type Backfill: ?Sized;

    /// All records in the order of applying.
    async fn records(&mut self) -> Result<Vec<Record>, ApplyError>;

    /// Takes the lock, with a fencing token that every later write carries.
    async fn take(&mut self, run: &mut Run<'_>) -> Result<(), ApplyError>;

    /// Frees the lock.
    async fn release(&mut self) -> Result<(), ApplyError>;

    /// Does one piece of work and its record, or nothing.
    async fn once(
        &mut self,
        work: &Work<'_, Self::Backfill>,
        lock_timeout: Duration,
    ) -> Result<Progressed, Trouble>;

    /// Lets others go first before the next try.
    async fn pause(&mut self, attempt: u32);

    /// How far an earlier run came with a step; `None` when none began it.
    async fn begun(&mut self, id: &str, step: Step) -> Result<Option<Progressed>, Trouble>;

    /// How many rows a backfill has to do.
    async fn count(&mut self, backfill: &Self::Backfill) -> Result<u64, Trouble>;

    /// Writes under the lock of this one, which took it.
    fn follow(&mut self, leader: &Self);

    /// The rows of a query, as text.
    async fn rows(&self, query: &str) -> Result<Vec<Vec<Option<String>>>, ApplyError>;

    /// Runs a statement of the engine's own, on its own.
    async fn execute(&mut self, statement: &str) -> Result<(), ApplyError>;

    /// One of the engine's own tables.
    fn table(name: &str) -> String;

    /// A literal.
    fn literal(text: &str) -> String;

    /// An expression: the database's clock, so much later, as RFC 3339 in UTC.
    fn later(by: Duration) -> String;
}

/// One piece of work, which commits together with its record.
pub(crate) enum Work<'a, B: ?Sized> {
    /// A script as a whole.
    Change(&'a Change<'a>),
    /// One statement of a script that runs in journalled steps.
    Statement(&'a One<'a>),
    /// One batch of a backfill.
    Batch(&'a Filling<'a, B>),
}

impl<B: ?Sized> Work<'_, B> {
    pub(crate) fn migration(&self) -> &Migration {
        match self {
            Self::Change(change) => change.migration,
            Self::Statement(one) => one.migration,
            Self::Batch(filling) => filling.migration,
        }
    }
}

/// One transaction: conditions, script, verification, record.
pub(crate) struct Change<'a> {
    pub(crate) migration: &'a Migration,
    /// Whether the conditions for rolling back are checked first.
    pub(crate) conditions: bool,
    pub(crate) source: Option<&'a Source>,
    pub(crate) verify: Option<&'a Source>,
    /// What is recorded.
    pub(crate) state: State,
    pub(crate) failure: Option<&'a Failure>,
}

impl<'a> Change<'a> {
    /// A transaction that only records.
    pub(crate) fn record(migration: &'a Migration, state: State) -> Self {
        Self {
            migration,
            conditions: false,
            source: None,
            verify: None,
            state,
            failure: None,
        }
    }
}

/// One statement of a script.
pub(crate) struct One<'a> {
    pub(crate) migration: &'a Migration,
    pub(crate) source: &'a Source,
    pub(crate) statement: &'a Statement,
    pub(crate) text: &'a str,
    /// From 0.
    pub(crate) number: usize,
    /// Whether an earlier run began it.
    pub(crate) begun: bool,
}

impl One<'_> {
    pub(crate) fn step(&self) -> Step {
        (Direction::Up, self.number + 1)
    }

    pub(crate) fn failed(&self, reason: String) -> Trouble {
        Trouble::Statement {
            path: Some(self.source.path().to_owned()),
            number: self.number + 1,
            line: self.statement.line,
            done: self.number,
            reason,
        }
    }
}

/// A backfill at some point of its way.
pub(crate) struct Filling<'a, B: ?Sized> {
    pub(crate) migration: &'a Migration,
    pub(crate) step: Step,
    pub(crate) backfill: &'a B,
    pub(crate) at: Progressed,
    /// At most so many rows.
    pub(crate) rows: u32,
}

/// A journalled step: the direction, and its number from 1.
pub(crate) type Step = (Direction, usize);

/// The direction as the journal has it.
pub(crate) fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Down => "down",
        Direction::Up | Direction::Verify => "up",
    }
}

/// How far a step has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progressed {
    pub(crate) next: Option<String>,
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) finished: bool,
}

impl Progressed {
    pub(crate) fn begun() -> Self {
        Self {
            total: 1,
            ..Self::default()
        }
    }

    pub(crate) fn finished() -> Self {
        Self {
            done: 1,
            finished: true,
            ..Self::begun()
        }
    }

    /// After a batch.
    pub(crate) fn after(&self, batch: crate::Batch) -> Self {
        Self {
            finished: batch.next.is_none(),
            next: batch.next,
            done: self.done + batch.rows,
            total: self.total,
        }
    }
}

/// What can go wrong inside a piece of work.
pub(crate) enum Trouble {
    /// Another connection is in the way; the work may be tried again.
    Busy,
    /// A statement, counted from 1, failed.
    Statement {
        path: Option<String>,
        number: usize,
        line: u32,
        done: usize,
        reason: String,
    },
    /// Anything that is not the script's fault.
    Apply(ApplyError),
}

impl Trouble {
    /// A backfill said no.
    pub(crate) fn backfill(reason: &str) -> Self {
        Self::Statement {
            path: None,
            number: 1,
            line: 1,
            done: 0,
            reason: format!("the backfill says: {reason}"),
        }
    }

    /// A statement of a script as a whole.
    pub(crate) fn statement(
        source: &Source,
        number: usize,
        statement: &Statement,
        reason: String,
    ) -> Self {
        Self::Statement {
            path: Some(source.path().to_owned()),
            number: number + 1,
            line: statement.line,
            done: 0,
            reason,
        }
    }

    /// For people. `direction` says which script is meant where the trouble names none.
    pub(crate) fn into_error<T: Target>(
        self,
        migration: &Migration,
        direction: Direction,
    ) -> ApplyError {
        match self {
            Self::Apply(error) => error,
            Self::Busy => ApplyError::Refused(Refusal::Locked {
                holder: T::BUSY.to_owned(),
            }),
            Self::Statement {
                path,
                number,
                line,
                done,
                reason,
            } => ApplyError::Failed(Failure {
                id: migration.id.clone(),
                path: path.unwrap_or_else(|| {
                    migration
                        .script(direction, T::DIALECT)
                        .map_or(migration.path.as_str(), Source::path)
                        .to_owned()
                }),
                line,
                statement: number,
                done,
                reason,
            }),
        }
    }
}

/// The statements of a script that [`crate::MigrationSet::check_scripts`] found readable.
pub(crate) fn cut(source: &Source, dialect: Dialect) -> Vec<Statement> {
    split(source.text(), dialect).unwrap_or_default()
}

/// The text of one of them.
pub(crate) fn text<'a>(source: &'a Source, statement: &Statement) -> &'a str {
    let text = source.text().get(statement.start..statement.end);
    text.unwrap_or_default()
}
