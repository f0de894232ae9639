//! The frame of a run, the same on every database: lock, one migration after the other, record.

use std::collections::BTreeSet;

use super::target::{Change, Filling, One, Progressed, Step, Target, Trouble, Work, cut, text};
use super::{Backfills, beside, gate, losses, pending, way_back};
use crate::{
    Applied, ApplyError, DataOnRollback, Dialect, Direction, Event, Graph, Migration, MigrationSet,
    Record, Refusal, RollBack, Run, State,
};

/// Applies what is pending, in order. With nothing to do it takes no lock and writes nothing.
///
/// The first target holds the lock; with more than one, a stage's migrations run side by side.
pub(crate) async fn apply<T: Target>(
    targets: &mut [T],
    set: &MigrationSet,
    backfills: &Backfills<T::Backfill>,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    let Some((leader, others)) = targets.split_first_mut() else {
        return Ok(Applied::default());
    };
    let records = leader.records().await?;
    if left::<T>(set, &records, run)?.is_empty() {
        return Ok(Applied::default());
    }
    set.check_scripts(T::DIALECT)?;
    backfills.serve(set)?;
    leader.take(run).await?;
    for other in others {
        other.follow(leader);
    }
    let done = apply_held(targets, set, backfills, run).await;
    match targets {
        [leader, ..] => released(leader, done).await,
        [] => done,
    }
}

async fn apply_held<T: Target>(
    targets: &mut [T],
    set: &MigrationSet,
    backfills: &Backfills<T::Backfill>,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    let mut applied = Applied::default();
    let [leader, others @ ..] = &mut *targets else {
        return Ok(applied);
    };
    let records = leader.records().await?;
    let migrations = left::<T>(set, &records, run)?;
    if let Some(certificate) = &run.certificate {
        gate::note(leader, certificate, &run.owner).await?;
    }
    gate::standing(leader)
        .await?
        .admit(set, T::DIALECT, &records, &migrations)
        .map_err(ApplyError::Refused)?;
    if others.is_empty() {
        for (number, migration) in migrations.iter().enumerate() {
            started(migration, (number, migrations.len()), run);
            up(leader, migration, backfills, run).await?;
            finished(migration, &mut applied, run);
        }
        return Ok(applied);
    }
    let mut begun = 0;
    for stage in stages(set, T::DIALECT, &migrations) {
        let stage = (begun..).zip(stage).collect::<Vec<_>>();
        begun += stage.len();
        let done = beside::stage(targets, &stage, migrations.len(), backfills, run).await?;
        applied.ids.extend(done.ids);
    }
    Ok(applied)
}

/// What is left, by stage.
fn stages<'a>(
    set: &MigrationSet,
    dialect: Dialect,
    left: &[&'a Migration],
) -> Vec<Vec<&'a Migration>> {
    let stages = Graph::of(set, dialect).stages.into_iter();
    let of = |ids: Vec<String>| {
        let ids = ids.into_iter().collect::<BTreeSet<_>>();
        let of = left.iter().filter(|one| ids.contains(&one.id));
        of.copied().collect::<Vec<_>>()
    };
    stages.map(of).filter(|stage| !stage.is_empty()).collect()
}

fn left<'a, T: Target>(
    set: &'a MigrationSet,
    records: &[Record],
    run: &Run<'_>,
) -> Result<Vec<&'a Migration>, ApplyError> {
    pending(set, T::DIALECT, records, run.to.as_deref()).map_err(ApplyError::Refused)
}

/// Frees the lock. The work's own error says more than that of the release.
pub(crate) async fn released<T: Target, D>(
    target: &mut T,
    done: Result<D, ApplyError>,
) -> Result<D, ApplyError> {
    let released = target.release().await;
    done.and_then(|done| released.map(|()| done))
}

pub(crate) fn started(migration: &Migration, (number, total): (usize, usize), run: &mut Run<'_>) {
    run.progress.tell(Event::Started {
        id: migration.id.clone(),
        number: number + 1,
        total,
    });
}

pub(crate) fn finished(migration: &Migration, applied: &mut Applied, run: &mut Run<'_>) {
    let id = migration.id.clone();
    run.progress.tell(Event::Finished { id: id.clone() });
    applied.ids.push(id);
}

/// Rolls back, dependants first, each in a transaction of its own.
pub(crate) async fn roll_back<T: Target>(
    target: &mut T,
    set: &MigrationSet,
    backfills: &Backfills<T::Backfill>,
    what: &RollBack,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    set.check_scripts(T::DIALECT)?;
    target.take(run).await?;
    let done = roll_back_held(target, set, backfills, what, run).await;
    released(target, done).await
}

async fn roll_back_held<T: Target>(
    target: &mut T,
    set: &MigrationSet,
    backfills: &Backfills<T::Backfill>,
    what: &RollBack,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    let records = target.records().await?;
    let migrations = way_back(set, T::DIALECT, &records, what).map_err(ApplyError::Refused)?;
    for migration in &migrations {
        if let Some(name) = &migration.rollback.backfill {
            backfills.needed(&migration.id, name)?;
        }
        may_go_back(target, migration, &run.accepted_loss).await?;
    }
    let mut applied = Applied::default();
    for (number, migration) in migrations.iter().enumerate() {
        started(migration, (number, migrations.len()), run);
        down(target, migration, backfills, run)
            .await
            .map_err(|trouble| trouble.into_error::<T>(migration, Direction::Down))?;
        finished(migration, &mut applied, run);
    }
    Ok(applied)
}

/// Records as applied what a database was proven to have.
pub(crate) async fn record_applied<T: Target>(
    target: &mut T,
    set: &MigrationSet,
    applied: Applied,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    target.take(run).await?;
    let mut done = Ok(applied);
    if let Ok(applied) = &done {
        let adopted = set.migrations().iter();
        for migration in adopted.filter(|one| applied.ids.contains(&one.id)) {
            let change = Change::record(migration, State::Applied);
            if let Err(trouble) = work(target, &Work::Change(&change), run).await {
                done = Err(trouble.into_error::<T>(migration, Direction::Up));
                break;
            }
        }
    }
    released(target, done).await
}

/// One migration's way up; a failed statement is recorded beside the undone change.
pub(crate) async fn up<T: Target>(
    target: &mut T,
    migration: &Migration,
    backfills: &Backfills<T::Backfill>,
    run: &mut Run<'_>,
) -> Result<(), ApplyError> {
    let done = if migration.transactional && migration.backfill.is_none() {
        let change = Change {
            source: migration.script(Direction::Up, T::DIALECT),
            verify: migration.script(Direction::Verify, T::DIALECT),
            ..Change::record(migration, State::Applied)
        };
        work(target, &Work::Change(&change), run).await.map(drop)
    } else {
        up_in_steps(target, migration, backfills, run).await
    };
    let Err(trouble) = done else {
        return Ok(());
    };
    let error = trouble.into_error::<T>(migration, Direction::Up);
    let ApplyError::Failed(failure) = &error else {
        return Err(error);
    };
    let change = Change {
        failure: Some(failure),
        ..Change::record(migration, State::Failed)
    };
    let recorded = work(target, &Work::Change(&change), run).await;
    Err(match recorded {
        Ok(_) => error,
        Err(trouble) => trouble.into_error::<T>(migration, Direction::Up),
    })
}

async fn up_in_steps<T: Target>(
    target: &mut T,
    migration: &Migration,
    backfills: &Backfills<T::Backfill>,
    run: &mut Run<'_>,
) -> Result<(), Trouble> {
    let change = Change::record(migration, State::Running);
    work(target, &Work::Change(&change), run).await?;
    let after = steps(target, migration, run).await?;
    if let Some(name) = &migration.backfill {
        let step = (Direction::Up, after + 1);
        fill(target, migration, step, (backfills, name), run).await?;
    }
    let change = Change {
        verify: migration.script(Direction::Verify, T::DIALECT),
        ..Change::record(migration, State::Applied)
    };
    work(target, &Work::Change(&change), run).await.map(drop)
}

async fn down<T: Target>(
    target: &mut T,
    migration: &Migration,
    backfills: &Backfills<T::Backfill>,
    run: &mut Run<'_>,
) -> Result<(), Trouble> {
    if let Some(name) = &migration.rollback.backfill {
        let step = (Direction::Down, 1);
        fill(target, migration, step, (backfills, name), run).await?;
    }
    let change = Change {
        conditions: true,
        source: migration.script(Direction::Down, T::DIALECT),
        ..Change::record(migration, State::RolledBack)
    };
    work(target, &Work::Change(&change), run).await.map(drop)
}

/// Does a piece of work; tries again, with growing pauses, while others are in the way.
async fn work<T: Target>(
    target: &mut T,
    work: &Work<'_, T::Backfill>,
    run: &mut Run<'_>,
) -> Result<Progressed, Trouble> {
    let mut attempt = 1;
    loop {
        match target.once(work, run.lock_timeout).await {
            Err(Trouble::Busy) if attempt < run.lock_tries => {
                run.progress.tell(Event::Retrying {
                    id: work.migration().id.clone(),
                    attempt,
                });
                target.pause(attempt).await;
                attempt += 1;
            }
            done => return done,
        }
    }
}

/// Runs a script as journalled steps, going on after those that are done. Says how many it has.
async fn steps<T: Target>(
    target: &mut T,
    migration: &Migration,
    run: &mut Run<'_>,
) -> Result<usize, Trouble> {
    let Some(source) = migration.script(Direction::Up, T::DIALECT) else {
        return Ok(0);
    };
    let statements = cut(source, T::DIALECT);
    let total = statements.len();
    for (number, statement) in statements.iter().enumerate() {
        let step = (Direction::Up, number + 1);
        let begun = target.begun(&migration.id, step).await?;
        if begun.as_ref().is_some_and(|begun| begun.finished) {
            continue;
        }
        let one = One {
            migration,
            source,
            statement,
            text: text(source, statement),
            number,
            begun: begun.is_some(),
        };
        work(target, &Work::Statement(&one), run).await?;
        run.progress.tell(Event::Step {
            id: migration.id.clone(),
            number: number + 1,
            total,
        });
    }
    Ok(total)
}

/// Runs a backfill in batches, going on where the last committed one ended.
async fn fill<T: Target>(
    target: &mut T,
    migration: &Migration,
    step: Step,
    (backfills, name): (&Backfills<T::Backfill>, &str),
    run: &mut Run<'_>,
) -> Result<(), Trouble> {
    let backfill = backfills
        .needed(&migration.id, name)
        .map_err(Trouble::Apply)?;
    let at = match target.begun(&migration.id, step).await? {
        Some(begun) => begun,
        None => Progressed {
            total: target.count(backfill).await?,
            ..Progressed::default()
        },
    };
    let mut filling = Filling {
        migration,
        step,
        backfill,
        at,
        rows: run.batch_rows,
    };
    while !filling.at.finished {
        filling.at = work(target, &Work::Batch(&filling), run).await?;
        run.progress.tell(Event::Batch {
            id: migration.id.clone(),
            done: filling.at.done,
            total: filling.at.total,
        });
    }
    Ok(())
}

async fn may_go_back<T: Target>(
    target: &T,
    migration: &Migration,
    accepted_loss: &BTreeSet<String>,
) -> Result<(), ApplyError> {
    let id = || migration.id.clone();
    let has = |direction| migration.script(direction, T::DIALECT).is_some();
    if has(Direction::Up) && !has(Direction::Down) {
        return Err(ApplyError::Refused(Refusal::NoWayBack { id: id() }));
    }
    conditions(target, migration).await?;
    if accepted_loss.contains(&migration.id) {
        return Ok(());
    }
    let refusal = match migration.rollback.data {
        DataOnRollback::Kept | DataOnRollback::Derived => return Ok(()),
        DataOnRollback::Lost => {
            let what = lost(target, migration, false).await;
            Refusal::WouldLose { id: id(), what }
        }
        DataOnRollback::None => {
            let what = lost(target, migration, true).await;
            if what.is_empty() {
                return Ok(());
            }
            Refusal::Undeclared { id: id(), what }
        }
    };
    Err(ApplyError::Refused(refusal))
}

/// Tables with their columns, and columns, that a way back drops, each with how many rows it has.
async fn lost<T: Target>(target: &T, migration: &Migration, with_rows: bool) -> Vec<String> {
    let mut what = Vec::new();
    for loss in losses(migration, T::DIALECT) {
        // What is not there cannot be lost.
        let Ok(Some(rows)) = value(target, &loss.rows).await else {
            continue;
        };
        if with_rows && rows == "0" {
            continue;
        }
        let columns = match &loss.columns {
            Some(query) => target.rows(query).await.unwrap_or_default(),
            None => Vec::new(),
        };
        let columns = columns.into_iter().flatten().flatten().collect::<Vec<_>>();
        let shown = match loss.columns {
            Some(_) => format!("{} ({})", loss.shown, columns.join(", ")),
            None => loss.shown,
        };
        what.push(format!("{shown}: {rows} rows"));
    }
    what
}

/// Refuses where a condition for rolling back does not hold.
pub(crate) async fn conditions<T: Target>(
    target: &T,
    migration: &Migration,
) -> Result<(), ApplyError> {
    for condition in &migration.rollback.conditions {
        let holds = format!("SELECT CASE WHEN ({}) THEN 'yes' END", condition.holds);
        if value(target, &holds).await?.as_deref() != Some("yes") {
            return Err(ApplyError::Refused(Refusal::Condition {
                id: migration.id.clone(),
                message: condition.message.clone(),
            }));
        }
    }
    Ok(())
}

/// The first value of a query as text; `None` for NULL and for no row.
pub(crate) async fn value<T: Target>(
    target: &T,
    query: &str,
) -> Result<Option<String>, ApplyError> {
    let rows = target.rows(query).await?;
    Ok(rows
        .into_iter()
        .next()
        .and_then(|row| row.into_iter().next()?))
}
