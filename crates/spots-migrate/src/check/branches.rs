//! Two sides of a merge: what one released or changes while the other does too.

use std::collections::{BTreeMap, BTreeSet};

use spots_findings::{Finding, Level, Place};

use super::CheckOptions;
use crate::infer::{Shown, read_up};
use crate::layout::load;
use crate::set::Files;
use crate::{Action, Dialect, Fact, Layout, Migration, Object, Space};

/// The files of a set on both sides of a merge and where they parted.
#[derive(Debug)]
pub struct Sides<'a> {
    /// What the other side is called, for people.
    pub name: &'a str,
    /// The other side, which this one will be merged into.
    pub base: &'a Files,
    /// This side.
    pub ours: &'a Files,
    /// Their last common state.
    pub ancestor: &'a Files,
}

pub(super) fn compare(
    sides: &Sides<'_>,
    options: &CheckOptions<'_>,
    dialects: &[Dialect],
) -> Vec<Finding> {
    let layout = options.layout.unwrap_or_else(|| Layout::detect(sides.ours));
    let read = |files: &Files| load(files, layout).migrations;
    let (base, ours, ancestor) = (read(sides.base), read(sides.ours), read(sides.ancestor));
    let mut out = released(sides.name, &base, &ours);
    out.extend(removed(sides.name, added(&ancestor, &ours), &base));
    out.extend(numbers(sides.name, layout, &base, &ours));
    let of_ours = added(&ours, &ancestor)
        .into_iter()
        .filter(|migration| !base.iter().any(|other| other.id == migration.id))
        .collect::<Vec<_>>();
    let of_theirs = added(&base, &ancestor)
        .into_iter()
        .filter(|migration| !ours.iter().any(|other| other.id == migration.id))
        .collect::<Vec<_>>();
    for dialect in dialects {
        out.extend(touching(sides.name, &of_ours, &of_theirs, *dialect));
    }
    out
}

fn added<'a>(side: &'a [Migration], ancestor: &[Migration]) -> Vec<&'a Migration> {
    let known = ancestor
        .iter()
        .map(|migration| migration.id.as_str())
        .collect::<BTreeSet<_>>();
    side.iter()
        .filter(|migration| !known.contains(migration.id.as_str()))
        .collect()
}

/// What the other side has released may be neither edited, removed nor overtaken.
fn released(name: &str, base: &[Migration], ours: &[Migration]) -> Vec<Finding> {
    let mut out = Vec::new();
    let here = ours
        .iter()
        .enumerate()
        .map(|(position, migration)| (migration.id.as_str(), (position, migration)))
        .collect::<BTreeMap<_, _>>();
    let mut last = None;
    for migration in base {
        let Some((position, mine)) = here.get(migration.id.as_str()) else {
            continue;
        };
        if edited(migration, mine) {
            let message = format!("{} was edited after {name} released it.", mine.id);
            out.push(
                Finding::new("edited-after-release", Level::Error, &mine.id, message)
                    .at(Place::file(up_path(mine)))
                    .fix("Restore it and write the change as a new migration."),
            );
        }
        if let Some((before_position, before)) = last
            && *position < before_position
        {
            let before: &Migration = before;
            let message = format!(
                "{} now comes before {}, and {name} has them the other way round.",
                mine.id, before.id
            );
            out.push(
                Finding::new("order-changed", Level::Error, &mine.id, message)
                    .at(Place::file(&mine.path))
                    .related(Place::file(&before.path), "came first when released")
                    .fix("Restore the order; databases have applied it so."),
            );
        }
        last = Some((*position, *mine));
    }
    out
}

/// Gone on this side since both parted, and still on the other.
fn removed(name: &str, gone: Vec<&Migration>, base: &[Migration]) -> Vec<Finding> {
    let released = |gone: &&Migration| base.iter().any(|there| there.id == gone.id);
    let gone = gone.into_iter().filter(released);
    gone.map(|gone| {
        let message = format!("{} was removed after {name} released it.", gone.id);
        Finding::new("removed-after-release", Level::Error, &gone.id, message)
            .at(Place::file(up_path(gone)))
            .fix("Restore its files; take it back with a new migration.")
    })
    .collect()
}

fn edited(a: &Migration, b: &Migration) -> bool {
    [Dialect::Sqlite, Dialect::Postgres]
        .into_iter()
        .any(|dialect| a.checksum(dialect) != b.checksum(dialect))
}

fn up_path(migration: &Migration) -> &str {
    [Dialect::Postgres, Dialect::Sqlite]
        .into_iter()
        .find_map(|dialect| migration.script(crate::Direction::Up, dialect))
        .map_or(migration.path.as_str(), crate::Source::path)
}

/// Numbers that both sides gave to different migrations, and new ones below released ones.
fn numbers(name: &str, layout: Layout, base: &[Migration], ours: &[Migration]) -> Vec<Finding> {
    let number = |migration: &Migration| {
        let id = migration.id.split("__").next().unwrap_or_default();
        let head = id.split(['-', '_']).next().unwrap_or_default();
        if layout == Layout::Flyway {
            id.to_owned()
        } else {
            head.to_owned()
        }
    };
    let there = base.iter().map(|migration| migration.id.as_str());
    let there = there.collect::<BTreeSet<_>>();
    let mut taken = BTreeMap::new();
    for migration in base {
        taken.insert(number(migration), migration);
    }
    let position = |id: &str| ours.iter().position(|migration| migration.id == id);
    let highest = base
        .iter()
        .filter_map(|migration| Some((position(&migration.id)?, migration)))
        .max_by_key(|(position, _)| *position);
    let mut out = Vec::new();
    for (at, mine) in ours.iter().enumerate() {
        if there.contains(mine.id.as_str()) {
            continue;
        }
        if let Some(other) = taken.get(&number(mine))
            && number(mine).bytes().any(|byte| byte.is_ascii_digit())
        {
            let message = format!("{} has the number of {} on {name}.", mine.id, other.id);
            out.push(
                Finding::new("duplicate-number", Level::Error, &mine.id, message)
                    .at(Place::file(&mine.path))
                    .fix("Give it a number of its own, after every other."),
            );
        } else if let Some((released, last)) = highest
            && at < released
        {
            let message = format!(
                "{} comes before {}, which {name} has released.",
                mine.id, last.id
            );
            out.push(
                Finding::new("overtakes-release", Level::Warning, &mine.id, message)
                    .at(Place::file(&mine.path))
                    .related(Place::file(&last.path), "already released")
                    .fix("Give it a number after every released one: databases there are past it."),
            );
        }
    }
    out
}

/// Objects that new migrations on both sides touch, one at least by changing them.
fn touching(
    name: &str,
    here: &[&Migration],
    there: &[&Migration],
    dialect: Dialect,
) -> Vec<Finding> {
    let theirs = touched(there, dialect);
    let mut out = BTreeMap::new();
    for (object, mine) in touched(here, dialect) {
        let Some(other) = theirs.get(&object) else {
            continue;
        };
        let Some((a, b)) = worst(&mine, other) else {
            continue;
        };
        let both = a.fact.action.is_write() && b.fact.action.is_write();
        // A pair of facts on a column says more than the same pair on its table.
        let level = if both || b.fact.action == Action::Drop {
            Level::Error
        } else {
            Level::Warning
        };
        let message = format!(
            "{} {} {object}, and on {name} {} {} it too.",
            a.id,
            a.fact.action.as_str(),
            b.id,
            b.fact.action.as_str()
        );
        let finding = Finding::new(
            if both {
                "branches-write-same"
            } else {
                "branches-touch-same"
            },
            level,
            format!("{} {} {}", a.id, b.id, object.shown()),
            message,
        )
        .at(Place::line(&a.fact.file, a.fact.line))
        .related(Place::line(&b.fact.file, b.fact.line), format!("on {name}"))
        .fix(format!(
            "Merge {name}, then let {} come after {}.",
            a.id, b.id
        ));
        out.insert(object, finding);
    }
    out.into_values().collect()
}

#[derive(Clone)]
struct Touch {
    id: String,
    fact: Fact,
}

fn touched(migrations: &[&Migration], dialect: Dialect) -> BTreeMap<Object, Vec<Touch>> {
    let mut out = BTreeMap::<Object, Vec<Touch>>::new();
    for migration in migrations {
        let Shown { facts, .. } = read_up(migration, dialect);
        for fact in facts {
            let watched = !matches!(fact.object.space, Space::Schema | Space::Extension);
            if watched {
                let object = fact.object.clone();
                let id = migration.id.clone();
                out.entry(object).or_default().push(Touch { id, fact });
            }
        }
    }
    out
}

/// The pair that matters most: both change it, else one does; none when both only read.
fn worst<'a>(mine: &'a [Touch], theirs: &'a [Touch]) -> Option<(&'a Touch, &'a Touch)> {
    let first_write = |list: &'a [Touch]| list.iter().find(|touch| touch.fact.action.is_write());
    match (first_write(mine), first_write(theirs)) {
        (Some(a), Some(b)) => Some((a, b)),
        (Some(a), None) => Some((a, theirs.first()?)),
        (None, Some(b)) => Some((mine.first()?, b)),
        (None, None) => None,
    }
}
