//! The runner for PostgreSQL 15 or later.
//!
//! A migration and its record commit together, in one round trip. The lock is an advisory one of
//! this session, which dies with it, and is polled for, so that a waiting runner holds no snapshot
//! that a concurrent index build would wait for. Waits use Tokio's timer.

mod lock;
mod outside;
mod record;
mod rehearse;
mod script;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt;

use tokio_postgres::{Client, Transaction};

pub use self::rehearse::rehearse;

use self::script::{Change, Trouble};
use crate::engine::{losses, pending, way_back};
use crate::{
    Applied, ApplyError, Batch, DataOnRollback, Dialect, Direction, Event, Migration, MigrationSet,
    Record, Refusal, RollBack, Run, Source, State,
};

/// A step that needs the program: for example sealing with a key that the database does not have.
///
/// Batches commit one by one with the place where the next goes on, so a crash repeats none.
#[async_trait::async_trait]
pub trait Backfill: Send + Sync {
    /// How many rows there are to do, for progress and dry runs.
    async fn count(&self, client: &Client) -> Result<u64, Box<dyn Error + Send + Sync>>;

    /// Does at most `rows` rows after `from`, inside the transaction that also records them.
    async fn batch(
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

/// The connection while this run holds the lock.
struct Held<'a> {
    client: &'a mut Client,
    token: i64,
}

/// Applies what is pending, in order.
///
/// With nothing to do it takes no lock and writes nothing.
///
/// # Errors
/// Refusals name the next step and leave the database as it was; a failed statement is undone and
/// recorded.
pub async fn apply(
    client: &mut Client,
    set: &MigrationSet,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    let records = record::read(client).await?;
    if left(set, &records, run)?.is_empty() {
        return Ok(Applied::default());
    }
    set.check_scripts(Dialect::Postgres)?;
    for migration in set.migrations() {
        for name in migration
            .backfill
            .iter()
            .chain(&migration.rollback.backfill)
        {
            backfills.find(&migration.id, name)?;
        }
    }
    let token = lock::take(client, run).await?;
    let mut held = Held { client, token };
    let done = apply_held(&mut held, set, backfills, run).await;
    let released = lock::release(held.client, token).await;
    // The work's own error says more than that of the release.
    done.and_then(|done| released.map(|()| done))
}

async fn apply_held(
    held: &mut Held<'_>,
    set: &MigrationSet,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    let records = record::read(held.client).await?;
    let migrations = left(set, &records, run)?;
    let mut applied = Applied::default();
    for (number, migration) in migrations.iter().enumerate() {
        run.progress.tell(Event::Started {
            id: migration.id.clone(),
            number: number + 1,
            total: migrations.len(),
        });
        if let Err(trouble) = up(held, migration, backfills, run).await {
            return Err(failed(held, migration, trouble).await);
        }
        run.progress.tell(Event::Finished {
            id: migration.id.clone(),
        });
        applied.ids.push(migration.id.clone());
    }
    Ok(applied)
}

fn left<'a>(
    set: &'a MigrationSet,
    records: &[Record],
    run: &Run<'_>,
) -> Result<Vec<&'a Migration>, ApplyError> {
    pending(set, Dialect::Postgres, records, run.to.as_deref()).map_err(ApplyError::Refused)
}

/// Rolls back, dependants first, each in a transaction of its own.
///
/// # Errors
/// Refusals: no way back, a condition that does not hold, a loss nobody consented to. All are
/// checked before the first change, and each again in its own transaction.
pub async fn roll_back(
    client: &mut Client,
    set: &MigrationSet,
    backfills: &Backfills,
    target: &RollBack,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    set.check_scripts(Dialect::Postgres)?;
    let token = lock::take(client, run).await?;
    let mut held = Held { client, token };
    let done = roll_back_held(&mut held, set, backfills, target, run).await;
    let released = lock::release(held.client, token).await;
    done.and_then(|done| released.map(|()| done))
}

async fn roll_back_held(
    held: &mut Held<'_>,
    set: &MigrationSet,
    backfills: &Backfills,
    target: &RollBack,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    let records = record::read(held.client).await?;
    let migrations =
        way_back(set, Dialect::Postgres, &records, target).map_err(ApplyError::Refused)?;
    for migration in &migrations {
        if let Some(name) = &migration.rollback.backfill {
            backfills.find(&migration.id, name)?;
        }
        may_go_back(held.client, migration, &run.accepted_loss).await?;
    }
    let mut applied = Applied::default();
    for (number, migration) in migrations.iter().enumerate() {
        run.progress.tell(Event::Started {
            id: migration.id.clone(),
            number: number + 1,
            total: migrations.len(),
        });
        if let Err(trouble) = down(held, migration, backfills, run).await {
            return Err(trouble.into_error(migration));
        }
        run.progress.tell(Event::Finished {
            id: migration.id.clone(),
        });
        applied.ids.push(migration.id.clone());
    }
    Ok(applied)
}

/// What the database remembers, in the order of applying.
pub async fn status(client: &Client) -> Result<Vec<Record>, ApplyError> {
    record::read(client).await
}

/// Takes over a database that other means brought to the state that the set gives.
///
/// The set is applied to `scratch`, an empty database of the same server, up to [`Run::to`], and the
/// schemas are compared; only when they are equal is everything recorded as applied.
///
/// # Errors
/// A refusal that names each difference; then nothing is recorded.
pub async fn adopt(
    client: &mut Client,
    scratch: &mut Client,
    set: &MigrationSet,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    if !record::read(client).await?.is_empty() {
        return Err(ApplyError::Refused(Refusal::AlreadyRecorded));
    }
    let applied = apply(scratch, set, backfills, run).await?;
    let what = rehearse::compare(scratch, client).await?;
    if !what.is_empty() {
        return Err(ApplyError::Refused(Refusal::Differs { what }));
    }
    let token = lock::take(client, run).await?;
    let mut held = Held { client, token };
    let mut done = Ok(());
    let adopted = set.migrations().iter();
    for migration in adopted.filter(|one| applied.ids.contains(&one.id)) {
        let record = record::write(migration, State::Applied, None, token);
        let change = Change::record(record);
        done = script::change(&mut held, migration, &change, run)
            .await
            .map_err(|trouble| trouble.into_error(migration));
        if done.is_err() {
            break;
        }
    }
    let released = lock::release(held.client, token).await;
    done.and(released).map(|()| applied)
}

/// Says who holds the lock, and on request frees what an operator has mended: a `failed` migration
/// whose cause lay outside its script, or (`force`) the lock, by ending its session on the server.
pub async fn unlock(
    client: &Client,
    failed: Option<&str>,
    force: bool,
) -> Result<Vec<String>, ApplyError> {
    lock::unlock(client, failed, force).await
}

async fn up(
    held: &mut Held<'_>,
    migration: &Migration,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<(), Trouble> {
    let source = migration.script(Direction::Up, Dialect::Postgres);
    let verify = migration.script(Direction::Verify, Dialect::Postgres);
    let recorded = |state| record::write(migration, state, None, held.token);
    if migration.transactional && migration.backfill.is_none() {
        let change = Change {
            conditions: false,
            source,
            verify,
            record: recorded(State::Applied),
        };
        return script::change(held, migration, &change, run).await;
    }
    let change = Change::record(recorded(State::Running));
    script::change(held, migration, &change, run).await?;
    let mut after = 0;
    if let Some(source) = source {
        after = script::steps(held, migration, source, run).await?;
    }
    if let Some(name) = &migration.backfill {
        let backfill = backfills
            .find(&migration.id, name)
            .map_err(Trouble::Apply)?;
        let step = (Direction::Up, after + 1);
        script::backfill(held, &migration.id, step, backfill, run).await?;
    }
    let change = Change {
        verify,
        ..Change::record(record::write(migration, State::Applied, None, held.token))
    };
    script::change(held, migration, &change, run).await
}

async fn down(
    held: &mut Held<'_>,
    migration: &Migration,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<(), Trouble> {
    if let Some(name) = &migration.rollback.backfill {
        let backfill = backfills
            .find(&migration.id, name)
            .map_err(Trouble::Apply)?;
        script::backfill(held, &migration.id, (Direction::Down, 1), backfill, run).await?;
    }
    let change = Change {
        conditions: true,
        source: migration.script(Direction::Down, Dialect::Postgres),
        verify: None,
        record: record::write(migration, State::RolledBack, None, held.token),
    };
    script::change(held, migration, &change, run).await
}

async fn may_go_back(
    client: &Client,
    migration: &Migration,
    accepted_loss: &BTreeSet<String>,
) -> Result<(), ApplyError> {
    let id = || migration.id.clone();
    let has = |direction| migration.script(direction, Dialect::Postgres).is_some();
    if has(Direction::Up) && !has(Direction::Down) {
        return Err(ApplyError::Refused(Refusal::NoWayBack { id: id() }));
    }
    conditions(client, migration).await?;
    if migration.rollback.data == DataOnRollback::Lost && !accepted_loss.contains(&migration.id) {
        let mut what = Vec::new();
        for (name, query) in losses(migration, Dialect::Postgres) {
            // What is not there cannot be lost.
            if let Ok(row) = client.query_one(&query, &[]).await {
                what.push(format!("{name}: {} rows", row.get::<_, i64>(0)));
            }
        }
        return Err(ApplyError::Refused(Refusal::WouldLose { id: id(), what }));
    }
    Ok(())
}

async fn conditions(client: &Client, migration: &Migration) -> Result<(), ApplyError> {
    for condition in &migration.rollback.conditions {
        let holds = client
            .query_one(&format!("SELECT (({}) IS TRUE)", condition.holds), &[])
            .await
            .and_then(|row| row.try_get::<_, bool>(0))
            .map_err(ApplyError::database("check a rollback condition"))?;
        if !holds {
            return Err(ApplyError::Refused(Refusal::Condition {
                id: migration.id.clone(),
                message: condition.message.clone(),
            }));
        }
    }
    Ok(())
}

/// Records a failed statement beside the undone change and says so.
async fn failed(held: &mut Held<'_>, migration: &Migration, trouble: Trouble) -> ApplyError {
    let error = trouble.into_error(migration);
    let ApplyError::Failed(failure) = &error else {
        return error;
    };
    let record = record::write(migration, State::Failed, Some(failure), held.token);
    match held.client.batch_execute(&record).await {
        Ok(()) => error,
        Err(source) => ApplyError::database("record a failure")(source),
    }
}

/// The script that a migration's findings point to when no other is at fault.
fn main_path(migration: &Migration) -> &str {
    migration
        .script(Direction::Up, Dialect::Postgres)
        .map_or(migration.path.as_str(), Source::path)
}
