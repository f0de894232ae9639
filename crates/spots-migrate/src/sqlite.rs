//! The runner for SQLite.
//!
//! Every change commits together with its record, under a fencing token. Foreign keys are enforced,
//! except where a table is dropped or rebuilt: there they are off, so that nothing cascades, and
//! checked before the commit.

mod lock;
mod record;
mod rehearse;
mod script;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use self::rehearse::rehearse;

use self::lock::Held;
use self::script::Trouble;
use crate::engine::{losses, pending, way_back};
use crate::{
    Applied, ApplyError, Batch, DataOnRollback, Dialect, Direction, Event, Failure, Migration,
    MigrationSet, Record, Refusal, RollBack, Run, Source, State,
};

/// A step that needs the program: for example sealing with a key that the database does not have.
///
/// Batches commit one by one with the place where the next goes on, so a crash repeats none.
pub trait Backfill: Send + Sync {
    /// How many rows there are to do, for progress and dry runs.
    fn count(&self, connection: &Connection) -> Result<u64, Box<dyn Error + Send + Sync>>;

    /// Does at most `rows` rows after `from`, inside the transaction that also records them.
    fn batch(
        &self,
        transaction: &Transaction<'_>,
        from: Option<&str>,
        rows: u32,
    ) -> Result<Batch, Box<dyn Error + Send + Sync>>;
}

/// The backfills that a program registers, by the name that manifests use.
#[derive(Default)]
pub struct Backfills(BTreeMap<String, Box<dyn Backfill>>);

impl Backfills {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, backfill: impl Backfill + 'static) -> Self {
        self.0.insert(name.into(), Box::new(backfill));
        self
    }

    fn find(&self, id: &str, name: &str) -> Result<&dyn Backfill, ApplyError> {
        self.0.get(name).map(|found| &**found).ok_or_else(|| {
            ApplyError::Refused(Refusal::UnknownBackfill {
                id: id.to_owned(),
                name: name.to_owned(),
            })
        })
    }
}

impl fmt::Debug for Backfills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Applies what is pending, in order.
///
/// With nothing to do it takes no lock and writes nothing.
///
/// # Errors
/// Refusals name the next step and leave the database as it was; a failed statement is undone and
/// recorded.
pub fn apply(
    connection: &mut Connection,
    set: &MigrationSet,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    ready(connection)?;
    let to = run.to.clone();
    let left = |records: &[Record]| {
        pending(set, Dialect::Sqlite, records, to.as_deref()).map_err(ApplyError::Refused)
    };
    if left(&record::read(connection)?)?.is_empty() {
        return Ok(Applied::default());
    }
    set.check_scripts(Dialect::Sqlite)?;
    for migration in set.migrations() {
        for name in migration
            .backfill
            .iter()
            .chain(&migration.rollback.backfill)
        {
            backfills.find(&migration.id, name)?;
        }
    }
    lock::held(connection, run, |held, run| {
        let migrations = left(&record::read(held.connection)?)?;
        let mut applied = Applied::default();
        for (number, migration) in migrations.iter().enumerate() {
            run.progress.tell(Event::Started {
                id: migration.id.clone(),
                number: number + 1,
                total: migrations.len(),
            });
            up(held, migration, backfills, run)?;
            run.progress.tell(Event::Finished {
                id: migration.id.clone(),
            });
            applied.ids.push(migration.id.clone());
        }
        Ok(applied)
    })
}

/// Rolls back, dependants first, each in a transaction of its own.
///
/// # Errors
/// Refusals: no way back, a condition that does not hold, a loss nobody consented to. All are
/// checked before the first change, and each again in its own transaction.
pub fn roll_back(
    connection: &mut Connection,
    set: &MigrationSet,
    backfills: &Backfills,
    target: &RollBack,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    ready(connection)?;
    set.check_scripts(Dialect::Sqlite)?;
    lock::held(connection, run, |held, run| {
        let records = record::read(held.connection)?;
        let migrations =
            way_back(set, Dialect::Sqlite, &records, target).map_err(ApplyError::Refused)?;
        for migration in &migrations {
            if let Some(name) = &migration.rollback.backfill {
                backfills.find(&migration.id, name)?;
            }
            may_go_back(held.connection, migration, run)?;
        }
        let mut applied = Applied::default();
        for (number, migration) in migrations.iter().enumerate() {
            run.progress.tell(Event::Started {
                id: migration.id.clone(),
                number: number + 1,
                total: migrations.len(),
            });
            down(held, migration, backfills, run)?;
            run.progress.tell(Event::Finished {
                id: migration.id.clone(),
            });
            applied.ids.push(migration.id.clone());
        }
        Ok(applied)
    })
}

/// What the database remembers, in the order of applying.
pub fn status(connection: &Connection) -> Result<Vec<Record>, ApplyError> {
    record::read(connection)
}

/// Takes over a database that other means brought to the state that the set gives.
///
/// The set is applied to a scratch database, up to [`Run::to`], and the schemas are compared; only
/// when they are equal is everything recorded as applied.
///
/// # Errors
/// A refusal that names each difference; then nothing is recorded.
pub fn adopt(
    connection: &mut Connection,
    set: &MigrationSet,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    ready(connection)?;
    if !record::read(connection)?.is_empty() {
        return Err(ApplyError::Refused(Refusal::AlreadyRecorded));
    }
    let (ids, what) = rehearse::compare(connection, set, backfills, run.to.as_deref())?;
    if !what.is_empty() {
        return Err(ApplyError::Refused(Refusal::Differs { what }));
    }
    lock::held(connection, run, |held, run| {
        for migration in set.migrations().iter().filter(|one| ids.contains(&one.id)) {
            script::change(held, &migration.id, false, run, |transaction, token| {
                record::write(transaction, migration, State::Applied, None, token)
            })
            .map_err(|trouble| trouble.into_error(migration, None))?;
        }
        Ok(Applied { ids: ids.clone() })
    })
}

/// Says who holds the lock, and on request frees what an operator has mended: a `failed` migration
/// whose cause lay outside its script, or (`force`) the lock of a run that will not come back.
pub fn unlock(
    connection: &mut Connection,
    failed: Option<&str>,
    force: bool,
) -> Result<Vec<String>, ApplyError> {
    ready(connection)?;
    lock::unlock(connection, failed, force)
}

fn ready(connection: &Connection) -> Result<(), ApplyError> {
    if connection.is_autocommit() {
        Ok(())
    } else {
        Err(ApplyError::Refused(Refusal::InTransaction))
    }
}

fn up(
    held: &mut Held<'_>,
    migration: &Migration,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<(), ApplyError> {
    let source = migration.script(Direction::Up, Dialect::Sqlite);
    let verify = migration.script(Direction::Verify, Dialect::Sqlite);
    let done = if migration.transactional && migration.backfill.is_none() {
        let statements = source.map(script::cut).unwrap_or_default();
        let off = script::drops_a_table(&statements);
        script::change(held, &migration.id, off, run, |transaction, token| {
            if let Some(source) = source {
                script::execute(transaction, source, &statements)?;
            }
            if let Some(verify) = verify {
                script::verify(transaction, verify)?;
            }
            record::write(transaction, migration, State::Applied, None, token)
        })
    } else {
        steps_up(held, migration, backfills, run)
    };
    done.map_err(|trouble| failed(held, migration, source.or(verify), trouble))
}

fn steps_up(
    held: &mut Held<'_>,
    migration: &Migration,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<(), Trouble> {
    script::change(held, &migration.id, false, run, |transaction, token| {
        record::write(transaction, migration, State::Running, None, token)
    })?;
    let mut after = 0;
    if let Some(source) = migration.script(Direction::Up, Dialect::Sqlite) {
        after = script::steps(held, migration, source, run)?;
    }
    if let Some(name) = &migration.backfill {
        let backfill = backfills
            .find(&migration.id, name)
            .map_err(Trouble::Apply)?;
        script::backfill(
            held,
            &migration.id,
            (Direction::Up, after + 1),
            backfill,
            run,
        )?;
    }
    script::change(held, &migration.id, false, run, |transaction, token| {
        if let Some(verify) = migration.script(Direction::Verify, Dialect::Sqlite) {
            script::verify(transaction, verify)?;
        }
        record::write(transaction, migration, State::Applied, None, token)
    })
}

fn down(
    held: &mut Held<'_>,
    migration: &Migration,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<(), ApplyError> {
    let source = migration.script(Direction::Down, Dialect::Sqlite);
    let statements = source.map(script::cut).unwrap_or_default();
    if let Some(name) = &migration.rollback.backfill {
        let backfill = backfills.find(&migration.id, name)?;
        script::backfill(held, &migration.id, (Direction::Down, 1), backfill, run)
            .map_err(|trouble| trouble.into_error(migration, source))?;
    }
    let off = script::drops_a_table(&statements);
    script::change(held, &migration.id, off, run, |transaction, token| {
        conditions(transaction, migration).map_err(Trouble::Apply)?;
        if let Some(source) = source {
            script::execute(transaction, source, &statements)?;
        }
        record::write(transaction, migration, State::RolledBack, None, token)
    })
    .map_err(|trouble| trouble.into_error(migration, source))
}

fn may_go_back(
    connection: &Connection,
    migration: &Migration,
    run: &Run<'_>,
) -> Result<(), ApplyError> {
    let id = || migration.id.clone();
    let has = |direction| migration.script(direction, Dialect::Sqlite).is_some();
    if has(Direction::Up) && !has(Direction::Down) {
        return Err(ApplyError::Refused(Refusal::NoWayBack { id: id() }));
    }
    conditions(connection, migration)?;
    if migration.rollback.data == DataOnRollback::Lost && !run.accepted_loss.contains(&migration.id)
    {
        let mut what = Vec::new();
        for (name, query) in losses(migration, Dialect::Sqlite) {
            // What is not there cannot be lost.
            if let Ok(rows) = connection.query_row(&query, [], |row| row.get::<_, i64>(0)) {
                what.push(format!("{name}: {rows} rows"));
            }
        }
        return Err(ApplyError::Refused(Refusal::WouldLose { id: id(), what }));
    }
    Ok(())
}

fn conditions(connection: &Connection, migration: &Migration) -> Result<(), ApplyError> {
    for condition in &migration.rollback.conditions {
        let holds = connection
            .query_row(&format!("SELECT ({})", condition.holds), [], |row| {
                row.get::<_, Option<bool>>(0)
            })
            .map_err(ApplyError::database("check a rollback condition"))?;
        if holds != Some(true) {
            return Err(ApplyError::Refused(Refusal::Condition {
                id: migration.id.clone(),
                message: condition.message.clone(),
            }));
        }
    }
    Ok(())
}

/// Records a failed statement beside the undone change and says so.
fn failed(
    held: &mut Held<'_>,
    migration: &Migration,
    source: Option<&Source>,
    trouble: Trouble,
) -> ApplyError {
    let error = trouble.into_error(migration, source);
    if let ApplyError::Failed(failure) = &error {
        record_failure(held, migration, failure)
            .err()
            .unwrap_or(error)
    } else {
        error
    }
}

fn record_failure(
    held: &mut Held<'_>,
    migration: &Migration,
    failure: &Failure,
) -> Result<(), ApplyError> {
    let what = "record a failure";
    let transaction = Transaction::new_unchecked(held.connection, TransactionBehavior::Immediate)
        .map_err(ApplyError::database(what))?;
    held.fence(&transaction)?;
    record::write(
        &transaction,
        migration,
        State::Failed,
        Some(failure),
        held.token,
    )
    .map_err(|trouble| trouble.into_error(migration, None))?;
    transaction.commit().map_err(ApplyError::database(what))
}
