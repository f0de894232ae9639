//! The documents of the mandate, rendered from the data so that they cannot go stale.

use std::fmt::Write as _;

use super::Audit;
use super::check::{CHECKS, Mandatory};
use super::config::{CONFIG_PATH, Config, Integration};
use super::report::{Mentions, markdown};

/// Where the documents come from, as the first line of each.
const HEAD: &str =
    "<!-- Rendered by `spots plan docs`. Change plan/clock.toml, not this file. -->\n\n";

/// A rendered document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its file name.
    pub name: &'static str,
    /// Markdown.
    pub text: String,
}

/// Mandate, checklist, migration process, integration points and inventory.
pub fn documents(audit: &Audit, config: &Config, mandatory: &[Mandatory; 4]) -> Vec<Document> {
    let document = |name, text: String| Document {
        name,
        text: format!("{HEAD}{text}"),
    };
    vec![
        document("clock-mandate.md", mandate(audit, config)),
        document("clock-checklist.md", checklist(mandatory)),
        document("clock-migration.md", migration(audit, config)),
        document("clock-integration.md", integration(config)),
        document("clock-inventory.md", markdown(audit, Mentions::Counted)),
    ]
}

fn mandate(audit: &Audit, config: &Config) -> String {
    let summary = audit.summary();
    let mut out = format!(
        "# The clock mandate\n\n\
         - All new features that need timestamps MUST use AtomicClockService.\n\
         - New code MUST NOT read the wall clock directly (`DateTime.now()` and what else \
         `{CONFIG_PATH}` lists).\n\
         - Existing direct reads are migrated gradually, by priority.\n\n\
         Today {} direct reads are left, {} of them allowed by an exception.\n\n",
        summary.total, summary.excepted,
    );
    out.push_str("## What counts as a read\n\n| rule | read | languages |\n| --- | --- | --- |\n");
    for pattern in &config.patterns {
        let languages = pattern.languages.iter().map(|language| language.as_str());
        let languages = languages.collect::<Vec<_>>().join(", ");
        push(
            &mut out,
            &format!("| `{}` | `{}` | {languages} |\n", pattern.id, pattern.read),
        );
    }
    if !config.exceptions.is_empty() {
        out.push_str("\n## Exceptions\n\n| where | why |\n| --- | --- |\n");
    }
    for exception in &config.exceptions {
        let globs = exception.globs.iter().map(|glob| format!("`{glob}`"));
        let globs = globs.collect::<Vec<_>>().join(", ");
        push(&mut out, &format!("| {globs} | {} |\n", exception.reason));
    }
    out
}

fn checklist(mandatory: &[Mandatory; 4]) -> String {
    let proofs = [
        "`spots clock check --base main` names every read that the change adds.",
        "the same command; its verdict counts stored timestamps apart.",
        "each integration point declares its precision in `plan/clock.toml`; code that keeps less \
         is a finding.",
        "each queue names its test in `plan/clock.toml`; a test that is not there is a finding.",
    ];
    let mut out = String::from(
        "# Review checklist\n\nEach line has a verdict by `spots clock check`; a reviewer looks at \
         what it cannot see.\n\n",
    );
    for ((check, proof), state) in CHECKS.iter().zip(proofs).zip(mandatory) {
        let (verdict, reason) = (state.verdict.as_str(), &state.reason);
        push(
            &mut out,
            &format!("- [ ] **{check}**: {proof} Now: {verdict} ({reason}).\n"),
        );
    }
    out
}

fn migration(audit: &Audit, config: &Config) -> String {
    let summary = audit.summary();
    let mut out = String::from(
        "# Migration of existing reads\n\n\
         1. `spots clock baseline` writes what is there; from then on it only shrinks.\n\
         2. By priority, `spots clock fix` shows the replacement by \
         `AtomicClockService.getAtomicTimestamp()`; `--write` applies it.\n\
         3. Tests take the fake clock: nothing in them reads the wall.\n\
         4. `spots clock check` compares the precision that is kept with what each integration \
         point needs.\n\
         5. The test of each queue's order runs; then `spots clock baseline` drops what is fixed.\n\n\
         ## Priorities\n\n| priority | what | direct reads |\n| --- | --- | ---: |\n",
    );
    for (rank, count) in &summary.by_priority {
        let mut names = Vec::new();
        for rule in config.priorities.iter().filter(|rule| rule.rank == *rank) {
            if !names.contains(&rule.category.as_str()) {
                names.push(&rule.category);
            }
        }
        if *rank == 5 {
            names.push("other");
        }
        push(
            &mut out,
            &format!("| {rank} | {} | {count} |\n", names.join(", ")),
        );
    }
    out
}

fn integration(config: &Config) -> String {
    let mut out = String::from("# Integration points\n\nThe systems that need the atomic clock.\n");
    for point in &config.integrations {
        push(
            &mut out,
            &format!("\n## {}: {}\n\n", point.name, point.stamps),
        );
        for (title, text) in rows(point) {
            push(&mut out, &format!("- **{title}**: {text}\n"));
        }
    }
    out
}

fn rows(point: &Integration) -> Vec<(&'static str, String)> {
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "not said yet".to_owned());
    let precision = point
        .precision
        .map_or("not declared yet", |precision| precision.as_str());
    let mut rows = vec![
        ("How to integrate", said(&point.integrate)),
        ("When to sync with the server", said(&point.sync)),
        ("Offline", said(&point.offline)),
        ("Conflicts", said(&point.conflicts)),
        ("Precision", precision.to_owned()),
    ];
    if point.queue {
        let test = point.ordering_test.as_ref().map(|test| format!("`{test}`"));
        rows.push((
            "Test of the queue's order",
            test.unwrap_or_else(|| "owed".to_owned()),
        ));
    }
    rows
}

fn push(out: &mut String, text: &str) {
    write!(out, "{text}").expect("writing to a string cannot fail");
}
