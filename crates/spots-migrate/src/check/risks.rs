//! Unsafe changes, judged in the context of the whole set.

use std::collections::BTreeSet;

use spots_findings::{Finding, Level, Place};

use crate::infer::{Risk, Shown};
use crate::{Action, Fact, Migration, Object, Space};

/// Findings on changes to tables that an earlier migration created, or none of the set.
///
/// A table that the same migration creates has no rows and no readers yet: there all is harmless.
pub(super) fn in_context(migrations: &[(&Migration, &Shown)]) -> Vec<Finding> {
    let mut out = Vec::new();
    for (migration, shown) in migrations {
        let new = shown
            .facts
            .iter()
            .filter(|fact| fact.action == Action::Create && fact.object.space == Space::Relation)
            .map(|fact| &fact.object)
            .collect::<BTreeSet<_>>();
        let old = |object: &Object| !new.contains(object);
        out.extend(
            shown
                .risks
                .iter()
                .filter(|risk| old(&risk.table))
                .filter_map(risky),
        );
        if !migration.breaking {
            out.extend(
                shown
                    .facts
                    .iter()
                    .filter(|fact| !fact.guarded && old(&fact.object.whole()))
                    .filter_map(breaks),
            );
        }
    }
    out
}

fn risky(risk: &Risk) -> Option<Finding> {
    let table = risk.table.shown();
    let column = &risk.detail;
    let (message, fix) = match risk.rule {
        "index-blocks-writes" => (
            format!("Building this index blocks writes to {table} until it is done."),
            "Write CREATE INDEX CONCURRENTLY, with `transactional = false`.",
        ),
        "not-null-without-default" => (
            format!("Adding {table}.{column} fails as soon as {table} has a row."),
            "Add a default, or add the column without NOT NULL, fill it, then set NOT NULL.",
        ),
        "type-change-rewrites" => (
            format!(
                "Changing the type of {table}.{column} may rewrite {table} while nobody can read it."
            ),
            "Add a column of the new type, fill it in batches, switch over, drop the old one.",
        ),
        "not-null-scans" => (
            format!(
                "SET NOT NULL on {table}.{column} reads all of {table} while nobody can write it."
            ),
            "Add a CHECK (… IS NOT NULL) NOT VALID, validate it in a later migration, then set NOT NULL.",
        ),
        "constraint-scans" => (
            format!("Adding this constraint reads all of {table} while nobody can write it."),
            "Add it NOT VALID and VALIDATE CONSTRAINT in a later migration.",
        ),
        _ => return None,
    };
    let identity = format!("{} {table} {column}", risk.file);
    Some(
        Finding::new(risk.rule, Level::Warning, identity, message)
            .at(Place::line(&risk.file, risk.line))
            .fix(fix),
    )
}

/// A drop or rename breaks code that is still running.
fn breaks(fact: &Fact) -> Option<Finding> {
    let watched = matches!(fact.object.space, Space::Relation | Space::Column);
    let word = match &fact.action {
        Action::Drop => "Dropping",
        Action::Rename(_) => "Renaming",
        _ => return None,
    };
    let what = fact.object.shown();
    let message = format!("{word} {what} breaks programs that still use it.");
    let identity = format!("{} {what}", fact.file);
    watched.then(|| {
        Finding::new("breaking-change", Level::Warning, identity, message)
            .at(Place::line(&fact.file, fact.line))
            .fix("Set `breaking = true` once no running release uses it.")
    })
}
