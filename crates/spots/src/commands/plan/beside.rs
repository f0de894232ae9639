//! What the gate judges beside contracts: clock reads and migrations.

use std::path::Path;

use anyhow::Context as _;
use spots_findings::{Finding, Level, Place, Report, Rule, Unreadable};
use spots_migrate::{CheckOptions, Sides, check, read_folder};
use spots_plan::audit::baseline::{BASELINE_PATH, Baseline};
use spots_plan::audit::check::check as judge;
use spots_plan::audit::config::Config;
use spots_plan::audit::scan::Scanner;
use spots_plan::audit::{Audit, FileFacts, audit_with};
use spots_plan::cache::Cache;
use spots_plan::plan::files::Files;
use spots_plan::plan::rules;
use spots_plan::tree::Tree;

use crate::commands::contract::reading::CacheArgs;
use crate::commands::migrate::blobs;

/// Folders of migrations that the gate judges, in the repository.
pub(crate) const MIGRATIONS: [&str; 3] = ["migrations", "supabase/migrations", "db/migrations"];

/// The base revision: its name, and the files of its plan.
#[derive(Clone, Copy)]
pub(crate) struct Base<'a> {
    pub(crate) revision: &'a str,
    pub(crate) files: &'a Files,
}

/// Findings with what a report must know to show them.
#[derive(Default)]
pub(crate) struct Judged {
    findings: Vec<Finding>,
    rules: Vec<Rule>,
    unreadable: Vec<Unreadable>,
}

impl Judged {
    fn of(report: &Report) -> Self {
        Self {
            findings: report.findings().to_vec(),
            rules: report.rules.clone(),
            unreadable: report.unreadable().to_vec(),
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.findings.extend(other.findings);
        self.rules.extend(other.rules);
        self.unreadable.extend(other.unreadable);
        self
    }

    /// Tells the report what is needed beside the findings, and gives them.
    pub(crate) fn add_to(self, report: &mut Report) -> Vec<Finding> {
        report.rules.extend(self.rules);
        for one in self.unreadable {
            report.add_unreadable(one.path, one.reason);
        }
        self.findings
    }
}

/// Findings of the clock audit and of the migrations.
pub(crate) fn findings(
    tree: &Tree,
    base: Option<Base<'_>>,
    cache: &CacheArgs,
) -> anyhow::Result<Judged> {
    let root = tree.root();
    let known = cache.of(root);
    let mut found = clock(tree, base, &known)?;
    known.save();
    for folder in MIGRATIONS {
        let revision = base.map(|base| base.revision);
        found = found.and(migrations(root, folder, revision)?);
    }
    Ok(found)
}

/// Conflicts of the migrations, where there are any, with those that the base has alone.
fn migrations(root: &Path, folder: &str, base: Option<&str>) -> anyhow::Result<Judged> {
    let path = root.join(folder);
    if !path.is_dir() {
        return Ok(Judged::default());
    }
    let (files, unread) = read_folder(&path);
    let trees = base
        .map(|base| blobs::trees(&path, base))
        .transpose()
        .context("failed to compare the migrations with the base")?;
    let sides = trees.as_ref().map(|trees| Sides {
        name: base.unwrap_or_default(),
        base: &trees.base,
        ours: &trees.ours,
        ancestor: &trees.ancestor,
    });
    let options = CheckOptions {
        sides,
        ..CheckOptions::default()
    };
    let found = check(&files, unread, &options).beneath(&format!("{folder}/"));
    Ok(Judged::of(&found))
}

/// Findings of the clock audit.
fn clock(tree: &Tree, base: Option<Base<'_>>, known: &Cache<FileFacts>) -> anyhow::Result<Judged> {
    let root = tree.root();
    let config = Config::load(root)?;
    let languages = Scanner::new(&config.patterns).languages();
    let found = audit_with(&tree.only(&languages), &config, known);
    let path = root.join(BASELINE_PATH);
    let own = match std::fs::read_to_string(&path) {
        Ok(text) => Some(Baseline::parse(&text)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(error).with_context(|| format!("failed to read {}", path.display()));
        }
    };
    let before = base
        .map(|base| {
            before(base, || {
                let tree = Tree::at_revision(root, base.revision, &languages)?;
                Ok(audit_with(&tree, &config, known))
            })
        })
        .transpose()?;
    let mut allowed = match (&own, &before) {
        (None, None) => return Ok(undecided(&found)),
        (Some(own), None) => own.clone(),
        (None, Some(before)) => before.clone(),
        (Some(own), Some(before)) => no_wider(own, before),
    };
    if own.is_none() {
        // Nobody keeps a list here: what is gone is no stale entry of one.
        let now = Baseline::of(&found);
        allowed.entries.retain(|read, entry| {
            let left = now.entries.get(read).map_or(0, |entry| entry.count);
            entry.count = entry.count.min(left);
            left > 0
        });
    }
    let gate = judge(&found, &allowed.compare(&found), &config, root);
    Ok(Judged::of(&gate.report))
}

/// What the base allows: its baseline, or the reads that it has.
fn before(
    base: Base<'_>,
    read: impl FnOnce() -> anyhow::Result<Audit>,
) -> anyhow::Result<Baseline> {
    match base.files.text(BASELINE_PATH) {
        Some(Ok(text)) => Baseline::parse(text).context("failed to read the base's baseline"),
        Some(Err(reason)) => {
            anyhow::bail!("failed to read {BASELINE_PATH} at the base: {reason}")
        }
        None => Ok(Baseline::of(&read()?)),
    }
}

/// A baseline that allows no more than the base's, but for what was accepted with a reason.
fn no_wider(own: &Baseline, before: &Baseline) -> Baseline {
    let mut allowed = own.clone();
    allowed.entries.retain(|read, entry| {
        if entry.reason.is_none() {
            let known = before.entries.get(read).map_or(0, |entry| entry.count);
            entry.count = entry.count.min(known);
        }
        entry.count > 0
    });
    allowed
}

/// Nobody has said yet whether reads of the clock are forbidden here.
fn undecided(found: &Audit) -> Judged {
    let mut judged = Judged {
        unreadable: found.unreadable.clone(),
        ..Judged::default()
    };
    let reads = found.reads.len();
    if reads == 0 {
        return judged;
    }
    let places = if reads == 1 { "place" } else { "places" };
    let message = format!(
        "the code reads the wall clock in {reads} {places}, and no baseline says which may stay."
    );
    let finding = Finding::new(
        rules::DECISION_NEEDED.id,
        Level::Note,
        "clock baseline",
        message,
    )
    .at(Place::file(BASELINE_PATH))
    .fix("Run `spots clock baseline` to let no further read in.");
    judged.findings.push(finding);
    judged
}
