//! What may run next, decided from the set and the record alone.

use std::collections::{BTreeMap, BTreeSet};

use super::{Record, Refusal, RollBack, State};
use crate::{Dialect, Migration, MigrationSet};

/// What is left to do.
#[derive(Debug)]
pub(crate) struct Pending<'a> {
    /// In order; the first may have been begun.
    pub(crate) migrations: Vec<&'a Migration>,
}

/// Compares the record with the set.
///
/// # Errors
/// The refusal that an operator must see before anything runs.
pub(crate) fn pending<'a>(
    set: &'a MigrationSet,
    dialect: Dialect,
    records: &[Record],
    to: Option<&str>,
) -> Result<Pending<'a>, Refusal> {
    let recorded = records
        .iter()
        .filter(|record| record.state != State::RolledBack)
        .map(|record| (record.id.as_str(), record))
        .collect::<BTreeMap<_, _>>();
    refuse_unknown(set, &recorded)?;
    refuse_edited(set, dialect, &recorded)?;
    let mut left = Vec::new();
    for migration in set.migrations() {
        match recorded.get(migration.id.as_str()) {
            Some(record) if record.state == State::Applied => {}
            Some(record) if record.state == State::Failed => {
                refuse_not_mended(migration, dialect, record)?;
                left.push(migration);
            }
            _ => left.push(migration),
        }
        if to == Some(migration.id.as_str()) {
            break;
        }
    }
    if let Some(to) = to
        && set.find(to).is_none()
    {
        return Err(Refusal::Unknown {
            what: to.to_owned(),
        });
    }
    refuse_late(set, &recorded, &left)?;
    // What was begun is finished first.
    left.sort_by_key(|migration| {
        !recorded
            .get(migration.id.as_str())
            .is_some_and(|record| record.state == State::Running)
    });
    Ok(Pending { migrations: left })
}

fn refuse_unknown(set: &MigrationSet, recorded: &BTreeMap<&str, &Record>) -> Result<(), Refusal> {
    let known = set
        .migrations()
        .iter()
        .map(|migration| migration.id.as_str())
        .collect::<BTreeSet<_>>();
    let unknown = recorded
        .values()
        .filter(|record| !known.contains(record.id.as_str()))
        .collect::<Vec<_>>();
    if unknown.is_empty() {
        return Ok(());
    }
    let ids = unknown.iter().map(|record| record.id.clone()).collect();
    let last_known = recorded
        .values()
        .filter(|record| known.contains(record.id.as_str()))
        .map(|record| record.position)
        .max();
    let all_later = unknown
        .iter()
        .all(|record| Some(record.position) > last_known);
    let all_here = set
        .migrations()
        .iter()
        .all(|migration| recorded.contains_key(migration.id.as_str()));
    Err(if all_later && all_here {
        Refusal::Newer { ids }
    } else {
        Refusal::Removed { ids }
    })
}

fn refuse_edited(
    set: &MigrationSet,
    dialect: Dialect,
    recorded: &BTreeMap<&str, &Record>,
) -> Result<(), Refusal> {
    let ids = set
        .migrations()
        .iter()
        .filter(|migration| {
            recorded.get(migration.id.as_str()).is_some_and(|record| {
                matches!(record.state, State::Applied | State::Running)
                    && record.checksum != migration.checksum(dialect)
            })
        })
        .map(|migration| migration.id.clone())
        .collect::<Vec<_>>();
    if ids.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Edited { ids })
    }
}

fn refuse_not_mended(
    migration: &Migration,
    dialect: Dialect,
    record: &Record,
) -> Result<(), Refusal> {
    match &record.failure {
        Some(failure) if record.checksum == migration.checksum(dialect) => {
            Err(Refusal::FailedBefore {
                failure: failure.clone(),
            })
        }
        _ => Ok(()),
    }
}

fn refuse_late(
    set: &MigrationSet,
    recorded: &BTreeMap<&str, &Record>,
    left: &[&Migration],
) -> Result<(), Refusal> {
    let waiting = left
        .iter()
        .map(|migration| migration.id.as_str())
        .collect::<BTreeSet<_>>();
    for migration in set.migrations() {
        let applied = recorded
            .get(migration.id.as_str())
            .is_some_and(|record| record.state == State::Applied);
        let late = migration
            .after
            .iter()
            .find(|before| waiting.contains(before.as_str()));
        if let (true, Some(late)) = (applied, late) {
            return Err(Refusal::TooLate {
                id: late.clone(),
                applied: migration.id.clone(),
            });
        }
    }
    Ok(())
}

/// What to take back, the last applied first, with everything that depends on it.
///
/// # Errors
/// Unknown ids, and whatever [`pending`] refuses about a record that does not fit the set.
pub(crate) fn way_back<'a>(
    set: &'a MigrationSet,
    records: &[Record],
    target: &RollBack,
) -> Result<Vec<&'a Migration>, Refusal> {
    let mut applied = records
        .iter()
        .filter(|record| matches!(record.state, State::Applied | State::Running))
        .collect::<Vec<_>>();
    applied.sort_by_key(|record| std::cmp::Reverse(record.position));
    let mut chosen = chosen(set, &applied, target)?;
    // Dependants, to the end of the chain.
    loop {
        let more = applied
            .iter()
            .filter_map(|record| set.find(&record.id))
            .filter(|migration| !chosen.contains(&migration.id))
            .filter(|migration| migration.after.iter().any(|id| chosen.contains(id)))
            .map(|migration| migration.id.clone())
            .collect::<Vec<_>>();
        if more.is_empty() {
            break;
        }
        chosen.extend(more);
    }
    applied
        .iter()
        .filter(|record| chosen.contains(&record.id))
        .map(|record| {
            set.find(&record.id).ok_or_else(|| Refusal::Removed {
                ids: vec![record.id.clone()],
            })
        })
        .collect()
}

fn chosen(
    set: &MigrationSet,
    applied: &[&Record],
    target: &RollBack,
) -> Result<BTreeSet<String>, Refusal> {
    let position = |id: &str| {
        applied
            .iter()
            .find(|record| record.id == id)
            .map(|record| record.position)
            .ok_or_else(|| Refusal::Unknown {
                what: id.to_owned(),
            })
    };
    let of = |keep: &dyn Fn(&Record) -> bool| {
        applied
            .iter()
            .filter(|record| keep(record))
            .map(|record| record.id.clone())
            .collect::<BTreeSet<_>>()
    };
    Ok(match target {
        RollBack::Id(id) => {
            position(id)?;
            BTreeSet::from([id.clone()])
        }
        RollBack::Phase(phase) => {
            let found = of(&|record| {
                set.find(&record.id)
                    .is_some_and(|migration| migration.phase.as_ref() == Some(phase))
            });
            if found.is_empty() {
                return Err(Refusal::Unknown {
                    what: format!("phase {phase}"),
                });
            }
            found
        }
        RollBack::To(id) => {
            let last = position(id)?;
            of(&|record| record.position > last)
        }
        RollBack::All => of(&|_| true),
    })
}
