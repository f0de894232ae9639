//! What the gate judges beside contracts: clock reads and migrations.

use std::path::Path;

use anyhow::Context as _;
use spots_findings::{Finding, Level, Place, Report};
use spots_migrate::{CheckOptions, check, read_folder};
use spots_plan::audit::baseline::{BASELINE_PATH, Baseline};
use spots_plan::audit::check::check as judge;
use spots_plan::audit::config::Config;
use spots_plan::audit::scan::Scanner;
use spots_plan::audit::{Audit, Document, audit, documents as render};
use spots_plan::plan::rules;
use spots_plan::tree::Tree;

/// Folder of the migrations that the gate judges, in the repository.
const MIGRATIONS: &str = "migrations";

/// Findings of the clock audit and of the migrations.
pub(crate) fn findings(root: &Path, report: &mut Report) -> anyhow::Result<Vec<Finding>> {
    let mut found = clock(root, report)?;
    found.extend(migrations(root, report));
    Ok(found)
}

/// Conflicts of the migrations, where there are any.
fn migrations(root: &Path, report: &mut Report) -> Vec<Finding> {
    let folder = root.join(MIGRATIONS);
    if !folder.is_dir() {
        return Vec::new();
    }
    let (files, unread) = read_folder(&folder);
    let found = check(&files, unread, &CheckOptions::default()).beneath(&format!("{MIGRATIONS}/"));
    report.rules.extend(found.rules.iter().copied());
    for one in found.unreadable() {
        report.add_unreadable(one.path.clone(), one.reason.clone());
    }
    found.findings().to_vec()
}

/// Findings of the clock audit; what could not be read and the rules go into the report.
fn clock(root: &Path, report: &mut Report) -> anyhow::Result<Vec<Finding>> {
    let (config, found) = read_clock(root)?;
    let Some(baseline) = baseline(root)? else {
        return Ok(undecided(found.reads.len()));
    };
    let gate = judge(&found, &baseline.compare(&found), &config, root);
    report.rules.extend(gate.report.rules.iter().copied());
    for one in gate.report.unreadable() {
        if !report.unreadable().contains(one) {
            report.add_unreadable(one.path.clone(), one.reason.clone());
        }
    }
    Ok(gate.report.findings().to_vec())
}

/// The documents of the clock mandate: its text, checklist, migration, integration points, inventory.
pub(crate) fn clock_documents(root: &Path) -> anyhow::Result<Vec<Document>> {
    let (config, found) = read_clock(root)?;
    let baseline = baseline(root)?.unwrap_or_default();
    let gate = judge(&found, &baseline.compare(&found), &config, root);
    Ok(render(&found, &config, &gate.mandatory))
}

fn read_clock(root: &Path) -> anyhow::Result<(Config, Audit)> {
    let config = Config::load(root)?;
    let tree = Tree::walk(root, &Scanner::new(&config.patterns).languages())?;
    let found = audit(&tree, &config);
    Ok((config, found))
}

fn baseline(root: &Path) -> anyhow::Result<Option<Baseline>> {
    let path = root.join(BASELINE_PATH);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(Baseline::parse(&text)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read {}", path.display())),
    }
}

/// Nobody has said yet whether reads of the clock are forbidden here.
fn undecided(reads: usize) -> Vec<Finding> {
    if reads == 0 {
        return Vec::new();
    }
    let message = format!(
        "the code reads the wall clock in {reads} places, and no baseline says which may stay."
    );
    let finding = Finding::new(
        rules::DECISION_NEEDED.id,
        Level::Note,
        "clock baseline",
        message,
    )
    .at(Place::file(BASELINE_PATH))
    .fix("Run `spots clock baseline` to let no further read in.");
    vec![finding]
}
