//! Everything that can be said about a set before any database is touched.

mod branches;
mod moves;
mod phases;
mod risks;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use spots_findings::{Finding, Level, Place, Report, Tool};

pub use self::branches::Sides;
pub use self::rules::RULES;
use crate::infer::{Shown, judge_up};
use crate::layout::load;
use crate::set::{Files, Loaded, script_findings, without_echoes};
use crate::{Dialect, Direction, Graph, Layout, MigrationSet, SyntaxIssue, timeline};

/// What to check and how.
#[derive(Debug, Default)]
pub struct CheckOptions<'a> {
    /// How the folder is laid out; found out from its files unless told.
    pub layout: Option<Layout>,
    /// Which database the scripts are for; found out by reading them unless told.
    pub dialect: Option<Dialect>,
    /// Two sides of a merge to compare as well.
    pub sides: Option<Sides<'a>>,
}

/// Checks the files of a set, by path relative to it.
pub fn check(
    files: &BTreeMap<String, Vec<u8>>,
    unread: Vec<Finding>,
    options: &CheckOptions<'_>,
) -> Report {
    let tool = Tool {
        name: "spots migrate check",
        version: env!("CARGO_PKG_VERSION"),
    };
    let mut report = Report::new(tool, RULES.to_vec());
    // What cannot be read is no finding: nothing can be said about it.
    let (unreadable, mut findings): (Vec<_>, Vec<_>) = unread
        .into_iter()
        .partition(|finding| finding.rule == "unreadable-file");
    let mut loaded = load(
        files,
        options.layout.unwrap_or_else(|| Layout::detect(files)),
    );
    findings.append(&mut loaded.findings);
    without_echoes(&mut findings, &unreadable);
    for finding in unreadable {
        let path = finding.place.map(|place| place.path).unwrap_or_default();
        report.add_unreadable(path, finding.message);
    }
    let (set, dialects) = checked(loaded, options, &mut findings);
    if set.migrations().is_empty() && findings.is_empty() && report.unreadable().is_empty() {
        report.add_unreadable(".", "there is no migration here");
    }
    if let Some(sides) = &options.sides {
        findings.extend(branches::compare(sides, options, &dialects));
    }
    // Both databases may say the same of one script.
    let mut seen = BTreeSet::new();
    findings.retain(|finding| {
        seen.insert((
            finding.rule.clone(),
            finding.identity.clone(),
            finding.place.clone(),
        ))
    });
    report.add(findings);
    report
}

fn checked(
    loaded: Loaded,
    options: &CheckOptions<'_>,
    findings: &mut Vec<Finding>,
) -> (MigrationSet, Vec<Dialect>) {
    let set = MigrationSet::ordered(loaded.migrations, loaded.gates);
    let dialects = dialects(&set, options.dialect);
    for (dialect, shown) in &dialects {
        findings.extend(on_database(&set, *dialect, shown));
    }
    let dialects = dialects.into_iter().map(|(dialect, _)| dialect).collect();
    (set, dialects)
}

fn on_database(set: &MigrationSet, dialect: Dialect, shown: &[Shown]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let pairs = set.migrations().iter().zip(shown).collect::<Vec<_>>();
    for (migration, shown) in &pairs {
        let scripts = script_findings(migration, dialect);
        let readable = !scripts
            .iter()
            .any(|finding| finding.rule == "unreadable-sql");
        findings.extend(scripts);
        if readable {
            findings.extend(shown.issues.iter().map(|issue| syntax(issue, dialect)));
        }
    }
    let timeline = timeline::walk(&pairs);
    let graph = Graph::from_edges(set, timeline.edges);
    findings.extend(timeline.findings);
    findings.extend(moves::smallest(set, &graph, &timeline.backward));
    findings.extend(phases::conflicts(set, &graph, &pairs));
    findings.extend(risks::in_context(&pairs));
    findings
}

/// Databases that the set is for, each with what its scripts show.
///
/// Told, or: each for which some script has a variant; plain scripts count for a database whose
/// parser reads them all, PostgreSQL first.
pub(crate) fn dialects(set: &MigrationSet, told: Option<Dialect>) -> Vec<(Dialect, Vec<Shown>)> {
    let read = |dialect| {
        let shown = set
            .migrations()
            .iter()
            .map(|migration| judge_up(migration, dialect))
            .collect::<Vec<_>>();
        (dialect, shown)
    };
    if let Some(dialect) = told {
        return vec![read(dialect)];
    }
    let has_variant = |dialect| {
        set.migrations()
            .iter()
            .any(|migration| migration.has_variant(Direction::Up, dialect))
    };
    let clean = |shown: &[Shown]| shown.iter().all(|shown| shown.issues.is_empty());
    let postgres = read(Dialect::Postgres);
    let variants = (has_variant(Dialect::Postgres), has_variant(Dialect::Sqlite));
    if variants == (false, false) && clean(&postgres.1) {
        return vec![postgres];
    }
    let sqlite = read(Dialect::Sqlite);
    match variants {
        (true, true) => vec![postgres, sqlite],
        (_, true) if clean(&postgres.1) => vec![postgres, sqlite],
        (_, true) => vec![sqlite],
        (true, false) if clean(&sqlite.1) => vec![postgres, sqlite],
        (false, false) if clean(&sqlite.1) => vec![sqlite],
        _ => vec![postgres],
    }
}

fn syntax(issue: &SyntaxIssue, dialect: Dialect) -> Finding {
    let SyntaxIssue { file, line, what } = issue;
    let message = format!("{file} is not SQL for {dialect} here: {what}.");
    Finding::new(
        "syntax-error",
        Level::Error,
        format!("{file}:{line}"),
        message,
    )
    .at(Place::line(file, *line))
    .fix("Mend the statement.")
}

/// Reads a folder's files for [`check`]; what cannot be read comes as findings.
pub fn read_folder(dir: &std::path::Path) -> (Files, Vec<Finding>) {
    let mut findings = Vec::new();
    let files = crate::set::read_tree(dir, &mut findings);
    (files, findings)
}
