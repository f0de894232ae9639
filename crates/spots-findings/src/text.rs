//! Reports for people at a terminal.

use std::fmt::Write as _;

use crate::{Finding, Level, Report};

/// Renders a report as text; `colour` adds ANSI colours.
pub fn render(report: &Report, colour: bool) -> String {
    let mut out = String::new();
    for finding in report.findings() {
        render_finding(&mut out, finding, colour);
    }
    for unreadable in report.unreadable() {
        push(
            &mut out,
            &format!(
                "{}: could not read: {}\n",
                unreadable.path, unreadable.reason
            ),
        );
    }
    push(&mut out, &summary(report));
    out
}

fn render_finding(out: &mut String, finding: &Finding, colour: bool) {
    if let Some(place) = &finding.place {
        push(
            out,
            &format!("{}:{}:{}: ", place.path, place.line, place.column),
        );
    }
    let (on, off) = if colour {
        (ansi(finding.level), "\x1b[0m")
    } else {
        ("", "")
    };
    let level = finding.level.as_str();
    push(
        out,
        &format!("{on}{level}{off}: {} [{}]\n", finding.message, finding.rule),
    );
    for related in &finding.related {
        let place = &related.place;
        push(
            out,
            &format!("  at {}:{}: {}\n", place.path, place.line, related.message),
        );
    }
    if let Some(fix) = &finding.fix {
        push(out, &format!("  fix: {}\n", fix.text));
    }
}

fn summary(report: &Report) -> String {
    let counted = [Level::Error, Level::Warning, Level::Note]
        .into_iter()
        .map(|level| (report.count(level), level.as_str()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
        .collect::<Vec<_>>();
    let found = if counted.is_empty() {
        "no findings".to_owned()
    } else {
        counted.join(", ")
    };
    match report.unreadable().len() {
        0 => format!("{}: {found}\n", report.tool.name),
        count => format!("{}: {found}, {count} could not be read\n", report.tool.name),
    }
}

fn ansi(level: Level) -> &'static str {
    match level {
        Level::Error => "\x1b[1;31m",
        Level::Warning => "\x1b[1;33m",
        Level::Note => "\x1b[1;36m",
    }
}

fn push(out: &mut String, text: &str) {
    write!(out, "{text}").expect("writing to a string cannot fail");
}
