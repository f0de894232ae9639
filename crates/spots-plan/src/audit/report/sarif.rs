//! For code hosts and editors, through the common report.

use std::collections::BTreeMap;

use serde_json::Value;
use spots_findings::{Finding, Level, Place, Report, Rule, Tool};

use super::{Mentions, advice, listed};
use crate::audit::rules::HELP;
use crate::audit::{Audit, Kind, Read};

/// One rule a kind: patterns are data of the team, rules are ours.
const RULES: [Rule; 7] = [
    rule("clock-call", "The wall clock is read directly."),
    rule(
        "clock-elapsed",
        "A duration is measured with the wall clock.",
    ),
    rule(
        "clock-tear-off",
        "A function that reads the wall clock is handed on.",
    ),
    rule(
        "clock-injected-default",
        "The wall clock is the default of an injected clock.",
    ),
    rule(
        "clock-indirect",
        "A function that reads the wall clock is called.",
    ),
    rule("clock-comment", "A comment mentions a read of the clock."),
    rule("clock-string", "A string mentions a read of the clock."),
];

const fn rule(id: &'static str, title: &'static str) -> Rule {
    Rule {
        id,
        title,
        why: HELP,
    }
}

/// Renders a SARIF 2.1.0 log with partial fingerprints.
pub fn sarif(audit: &Audit, mentions: Mentions) -> Value {
    let tool = Tool {
        name: "spots clock audit",
        version: env!("CARGO_PKG_VERSION"),
    };
    let mut report = Report::new(tool, RULES.to_vec());
    let mut seen = BTreeMap::<String, usize>::new();
    let findings = listed(audit, mentions).map(|read| {
        let identity = read.identity();
        let times = seen.entry(identity.clone()).or_default();
        *times += 1;
        // Two identical reads in one member are two findings.
        finding(read, &format!("{identity}\t{times}"))
    });
    report.add(findings.collect::<Vec<_>>());
    for unreadable in &audit.unreadable {
        report.add_unreadable(unreadable.path.clone(), unreadable.reason.clone());
    }
    spots_findings::sarif::render(&report)
}

fn finding(read: &Read, identity: &str) -> Finding {
    let level = match read.kind {
        Kind::Call | Kind::TearOff | Kind::Indirect if read.exception.is_none() => Level::Warning,
        _ => Level::Note,
    };
    let message = format!(
        "{} in {} (priority {}, {}): {}.",
        read.kind.as_str(),
        read.scope(),
        read.priority,
        read.category,
        read.place.usage.as_str(),
    );
    Finding::new(
        format!("clock-{}", read.kind.as_str()),
        level,
        identity,
        message,
    )
    .at(Place::at(read.path.clone(), read.line, read.column))
    .fix(advice(read))
}
