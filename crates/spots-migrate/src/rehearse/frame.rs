//! How a rehearsal goes, the same on every database.

use std::collections::BTreeSet;

use super::generate::generate;
use super::sanitise::sanitise;
use super::{
    PAIRS_MAX, Pair, Rehearsal, RehearseOptions, RehearsedStep, Scratch, Snapshot, changed,
    differences, has_way_back, problems_again, problems_down, problems_up,
};
use crate::engine::gate::{self, Entry};
use crate::engine::{frame, target::Target};
use crate::{
    ApplyError, Backfills, Certificate, DataOnRollback, Direction, Environment, Graph, Migration,
    MigrationSet, RollBack, Run, Silent, Source, State,
};

/// Rehearses what is pending on a scratch database, stage by stage.
pub(crate) async fn rehearse<T: Scratch>(
    target: &mut T,
    set: &MigrationSet,
    backfills: &Backfills<T::Backfill>,
    options: &RehearseOptions,
) -> Result<Rehearsal, ApplyError> {
    let records = target.records().await?;
    let mut rehearsal = Rehearsal {
        certificate: Certificate::of(set, T::DIALECT, &records),
        ..Rehearsal::default()
    };
    set_free(target).await?;
    if options.sanitise {
        rehearsal.not_sanitised = sanitise(target).await?;
    }
    let around = target.surroundings().await?;
    let done = records.iter().filter(|one| one.state == State::Applied);
    let done = done.map(|one| one.id.as_str()).collect::<BTreeSet<_>>();
    let graph = Graph::of(set, T::DIALECT);
    let stages = graph.stages.iter().map(|stage| {
        let left = stage.iter().filter(|id| !done.contains(id.as_str()));
        left.filter_map(|id| set.find(id)).collect::<Vec<_>>()
    });
    let stages = stages.collect::<Vec<_>>();
    // Applying "up to" one means this order here.
    let order = graph.stages.iter().flatten();
    let order = order.filter_map(|id| set.find(id).cloned()).collect();
    let set = MigrationSet::ordered(order, set.gates().clone());
    for stage in &stages {
        if let Err(error) =
            whole_stage(target, (&set, stage), backfills, options, &mut rehearsal).await
        {
            rehearsal.problems.push(error.to_string());
            break;
        }
    }
    let escaped = target.surroundings().await?;
    rehearsal.problems.extend(differences(&around, &escaped).map(|line| {
        format!("the rehearsal reached outside its scratch database, into what the whole server shares: {line}")
    }));
    Ok(rehearsal)
}

/// A copy carries what its source is for; here everything may start.
async fn set_free<T: Scratch>(target: &mut T) -> Result<(), ApplyError> {
    let mut silent = Silent;
    let mut run = Run::by("rehearsal", &mut silent);
    gate::write(
        target,
        &Entry::Environment(Environment::Development),
        &mut run,
    )
    .await?;
    target
        .execute(&format!("DELETE FROM {}", T::table("testing")))
        .await
}

async fn whole_stage<T: Scratch>(
    target: &mut T,
    (set, stage): (&MigrationSet, &[&Migration]),
    backfills: &Backfills<T::Backfill>,
    options: &RehearseOptions,
    rehearsal: &mut Rehearsal,
) -> Result<(), ApplyError> {
    for (number, migration) in stage.iter().enumerate() {
        if let Some(rows) = options.rows {
            let made = generate(target, (options.seed, rows)).await?;
            rehearsal.generated.extend(made);
        }
        if number == 0 {
            pairs(target, stage, rehearsal).await?;
        }
        one(target, (set, migration), backfills, options, rehearsal).await?;
    }
    Ok(())
}

/// Applies every two of a stage in both orders, and takes both back.
async fn pairs<T: Scratch>(
    target: &mut T,
    stage: &[&Migration],
    rehearsal: &mut Rehearsal,
) -> Result<(), ApplyError> {
    // What runs in steps, or is done by the program, cannot be taken back with a transaction.
    let script = |one: &Migration| {
        let whole = one.transactional && one.backfill.is_none();
        one.script(Direction::Up, T::DIALECT)
            .filter(|_| whole)
            .cloned()
    };
    let scripts = stage
        .iter()
        .filter_map(|one| Some((one.id.as_str(), script(one)?)))
        .collect::<Vec<_>>();
    for (number, (first, one)) in scripts.iter().enumerate() {
        for (second, other) in scripts.iter().skip(number + 1) {
            if rehearsal.pairs.len() >= PAIRS_MAX {
                rehearsal.pairs_left += 1;
                continue;
            }
            let forwards = target.in_order(&[one, other]).await?;
            let backwards = target.in_order(&[other, one]).await?;
            let what = match (forwards, backwards) {
                (Ok(a), Ok(b)) => differences(&a, &b).collect::<Vec<_>>(),
                // Both orders fail alike where a script cannot run here at all; its own step says so.
                (Err(_), Err(_)) => continue,
                (Err(reason), _) | (_, Err(reason)) => vec![reason],
            };
            rehearsal.problems.extend(what.iter().map(|line| {
                format!("{first} and {second} are said to be independent, but their order matters: {line}")
            }));
            rehearsal.pairs.push(Pair {
                first: (*first).to_owned(),
                second: (*second).to_owned(),
                commute: what.is_empty(),
            });
        }
    }
    Ok(())
}

async fn one<T: Scratch>(
    target: &mut T,
    (set, migration): (&MigrationSet, &Migration),
    backfills: &Backfills<T::Backfill>,
    options: &RehearseOptions,
    rehearsal: &mut Rehearsal,
) -> Result<(), ApplyError> {
    let before = target.snapshot().await?;
    let facts = invariants(target, migration, false).await?;
    let started = target.clock().await?;
    target.watch();
    to(target, set, backfills, migration).await?;
    let mut step = RehearsedStep {
        id: migration.id.clone(),
        up_seconds: target.clock().await? - started,
        locks: target.watched(&before),
        invariants: facts.len(),
        ..RehearsedStep::default()
    };
    let up = target.snapshot().await?;
    step.changed = changed(&before, &up);
    let problems = problems_up(migration, T::DIALECT, &before, &up);
    rehearsal.problems.extend(problems);
    hold(target, migration, (&facts, true), rehearsal).await?;
    if has_way_back(migration, T::DIALECT) {
        let there = fill_kept(target, migration, options, up, rehearsal).await?;
        let seconds = back(target, set, backfills, migration).await?;
        step.down_seconds = Some(seconds);
        let down = target.snapshot().await?;
        // Said before the second way up, which may fail for the same reason.
        let problems = problems_down(migration, T::DIALECT, &before, &down);
        rehearsal.problems.extend(problems);
        hold(target, migration, (&facts, false), rehearsal).await?;
        to(target, set, backfills, migration).await?;
        let again = target.snapshot().await?;
        let problems = problems_again(migration, &there, &again);
        rehearsal.problems.extend(problems);
        hold(target, migration, (&facts, true), rehearsal).await?;
    }
    rehearsal.steps.push(step);
    Ok(())
}

/// Puts rows into what a way up made, so that the way back has something to keep.
async fn fill_kept<T: Scratch>(
    target: &mut T,
    migration: &Migration,
    options: &RehearseOptions,
    up: Snapshot,
    rehearsal: &mut Rehearsal,
) -> Result<Snapshot, ApplyError> {
    match options.rows {
        Some(rows) if migration.rollback.data == DataOnRollback::Kept => {
            let made = generate(target, (options.seed, rows)).await?;
            rehearsal.generated.extend(made);
            target.snapshot().await
        }
        _ => Ok(up),
    }
}

/// Takes a migration back; says how many seconds that took.
async fn back<T: Scratch>(
    target: &mut T,
    set: &MigrationSet,
    backfills: &Backfills<T::Backfill>,
    migration: &Migration,
) -> Result<f64, ApplyError> {
    let started = target.clock().await?;
    let mut silent = Silent;
    let mut run = Run::by("rehearsal", &mut silent).accept_data_loss([migration.id.clone()]);
    let what = RollBack::Id(migration.id.clone());
    frame::roll_back(target, set, backfills, &what, &mut run).await?;
    Ok(target.clock().await? - started)
}

async fn to<T: Scratch>(
    target: &mut T,
    set: &MigrationSet,
    backfills: &Backfills<T::Backfill>,
    migration: &Migration,
) -> Result<(), ApplyError> {
    let mut silent = Silent;
    let mut run = Run::by("rehearsal", &mut silent).to(&migration.id);
    let targets = std::slice::from_mut(target);
    frame::apply(targets, set, backfills, &mut run)
        .await
        .map(drop)
}

/// What the declared invariants state now.
async fn invariants<T: Target>(
    target: &T,
    migration: &Migration,
    after: bool,
) -> Result<Vec<Option<String>>, ApplyError> {
    let mut out = Vec::new();
    for invariant in &migration.invariants {
        let query = if after {
            &invariant.after
        } else {
            &invariant.before
        };
        out.push(frame::value(target, query).await?);
    }
    Ok(out)
}

async fn hold<T: Target>(
    target: &T,
    migration: &Migration,
    (stated, after): (&[Option<String>], bool),
    rehearsal: &mut Rehearsal,
) -> Result<(), ApplyError> {
    let now = invariants(target, migration, after).await?;
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "NULL".to_owned());
    for ((invariant, was), is) in migration.invariants.iter().zip(stated).zip(&now) {
        if was != is {
            rehearsal.problems.push(format!(
                "{}: does not hold: {} ({} before, {} {})",
                migration.id,
                invariant.title,
                shown(was),
                shown(is),
                if after {
                    "after the way up"
                } else {
                    "after the way back"
                }
            ));
        }
    }
    Ok(())
}

/// The name of a script in a reason.
pub(crate) fn failed(source: &Source, reason: &str) -> String {
    format!("{}: {reason}", source.path())
}

impl Snapshot {
    /// Whether it had this table.
    pub(crate) fn has(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }
}
