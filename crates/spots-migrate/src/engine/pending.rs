//! What may run next, decided from the set and the record alone.

use std::collections::{BTreeMap, BTreeSet};

use super::{Record, Refusal, RollBack, State};
use crate::infer::{DEFAULT_SCHEMA, read};
use crate::{Action, Dialect, Direction, Graph, Migration, MigrationSet, Source, Space, quoted};

/// What is left to do, in order; the first may have been begun.
///
/// # Errors
/// The refusal that an operator must see before anything runs.
pub(crate) fn pending<'a>(
    set: &'a MigrationSet,
    dialect: Dialect,
    records: &[Record],
    to: Option<&str>,
) -> Result<Vec<&'a Migration>, Refusal> {
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
    refuse_late(set, dialect, &recorded, &left)?;
    // What was begun is finished first.
    left.sort_by_key(|migration| {
        !recorded
            .get(migration.id.as_str())
            .is_some_and(|record| record.state == State::Running)
    });
    Ok(left)
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
    let edited = set
        .migrations()
        .iter()
        .filter(|migration| {
            recorded.get(migration.id.as_str()).is_some_and(|record| {
                matches!(record.state, State::Applied | State::Running)
                    && record.checksum != migration.checksum(dialect)
            })
        })
        .collect::<Vec<_>>();
    if edited.is_empty() {
        return Ok(());
    }
    let path = |migration: &&Migration| {
        let up = migration.script(Direction::Up, dialect);
        up.map_or(&*migration.path, Source::path).to_owned()
    };
    Err(Refusal::Edited {
        ids: edited.iter().map(|one| one.id.clone()).collect(),
        paths: edited.iter().map(path).collect(),
    })
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

/// A migration that waits although something that comes after it is applied.
///
/// Mere numbers do not matter: what counts is what is declared and what the SQL shows.
fn refuse_late(
    set: &MigrationSet,
    dialect: Dialect,
    recorded: &BTreeMap<&str, &Record>,
    left: &[&Migration],
) -> Result<(), Refusal> {
    let waiting = left
        .iter()
        .map(|migration| migration.id.as_str())
        .collect::<BTreeSet<_>>();
    let applied = |id: &str| {
        recorded
            .get(id)
            .is_some_and(|record| record.state == State::Applied)
    };
    let mut after_waiting = set
        .migrations()
        .iter()
        .skip_while(|migration| !waiting.contains(migration.id.as_str()));
    if !after_waiting.any(|migration| applied(&migration.id)) {
        return Ok(());
    }
    let late = Graph::of(set, dialect)
        .edges
        .into_iter()
        .find(|edge| waiting.contains(edge.from.as_str()) && applied(&edge.to));
    late.map_or(Ok(()), |edge| {
        Err(Refusal::TooLate {
            id: edge.from,
            applied: edge.to,
        })
    })
}

/// What to take back, the last applied first, with everything that depends on it.
///
/// # Errors
/// Unknown ids, and whatever [`pending`] refuses about a record that does not fit the set.
pub(crate) fn way_back<'a>(
    set: &'a MigrationSet,
    dialect: Dialect,
    records: &[Record],
    target: &RollBack,
) -> Result<Vec<&'a Migration>, Refusal> {
    let mut applied = records
        .iter()
        .filter(|record| matches!(record.state, State::Applied | State::Running))
        .collect::<Vec<_>>();
    applied.sort_by_key(|record| std::cmp::Reverse(record.position));
    let chosen = chosen(set, &applied, target)?;
    let chosen = Graph::of(set, dialect).dependants(&chosen);
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

/// Rows that a way back removes.
pub(crate) struct Loss {
    /// The table, or the column.
    pub(crate) shown: String,
    /// A query that counts the rows.
    pub(crate) rows: String,
    /// A query that names the columns of a whole table.
    pub(crate) columns: Option<String>,
}

/// What the way back drops and does not put back: a rebuilt table is none.
pub(crate) fn losses(migration: &Migration, dialect: Dialect) -> Vec<Loss> {
    let Some(down) = migration.script(Direction::Down, dialect) else {
        return Vec::new();
    };
    let facts = read(down, dialect).facts;
    let again = facts
        .iter()
        .filter_map(|fact| match &fact.action {
            Action::Rename(to) => Some((to, fact.statement)),
            Action::Create => Some((&fact.object, fact.statement)),
            _ => None,
        })
        .collect::<Vec<_>>();
    facts
        .iter()
        .filter(|fact| fact.action == Action::Drop)
        .filter(|fact| {
            let put_back = |(object, at): &(_, _)| *object == &fact.object && *at > fact.statement;
            !again.iter().any(put_back)
        })
        .filter_map(|fact| {
            let object = &fact.object;
            let table = if object.schema == DEFAULT_SCHEMA {
                quoted(&object.name)
            } else {
                format!("{}.{}", quoted(&object.schema), quoted(&object.name))
            };
            let (counts, columns) = match object.space {
                Space::Relation if fact.what == "table" => {
                    ("count(*)".to_owned(), Some(columns(&table, dialect)))
                }
                Space::Column => (format!("count({})", quoted(&object.part)), None),
                _ => return None,
            };
            Some(Loss {
                shown: object.shown(),
                rows: format!("SELECT {counts} FROM {table}"),
                columns,
            })
        })
        .collect()
}

fn columns(table: &str, dialect: Dialect) -> String {
    let table = table.replace('\'', "''");
    match dialect {
        Dialect::Sqlite => {
            format!(
                "SELECT name FROM pragma_table_info('{}')",
                table.trim_matches('"')
            )
        }
        Dialect::Postgres => format!(
            "SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass
             AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        ),
    }
}
