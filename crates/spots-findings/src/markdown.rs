//! Reports as a comment for a merge request.

use std::fmt::Write as _;

use crate::{Finding, Level, Report, Verdict};

/// More findings than this are counted, not listed: hosts cut comments off.
const FINDINGS_MAX: usize = 100;

/// Renders a report as Markdown: the verdict first, then a table, then what could not be read.
pub fn render(report: &Report, strict: bool) -> String {
    let mut out = String::new();
    let verdict = match report.verdict(strict) {
        Verdict::Clean => "✅ nothing stands in the way",
        Verdict::Findings => "❌ this would break somebody",
        Verdict::CouldNotTell => "❔ not everything could be read",
    };
    line(
        &mut out,
        format_args!("### `{}`: {verdict}\n", report.tool.name),
    );
    let findings = report.findings();
    if !findings.is_empty() {
        line(
            &mut out,
            format_args!("| | where | what | how to mend it |\n| --- | --- | --- | --- |"),
        );
    }
    for finding in findings.iter().take(FINDINGS_MAX) {
        row(&mut out, finding);
    }
    if findings.len() > FINDINGS_MAX {
        line(
            &mut out,
            format_args!("\n… and {} more.", findings.len() - FINDINGS_MAX),
        );
    }
    if !report.unreadable().is_empty() {
        line(&mut out, format_args!("\nCould not be read:\n"));
    }
    for unreadable in report.unreadable() {
        line(
            &mut out,
            format_args!("- `{}`: {}", unreadable.path, cell(&unreadable.reason)),
        );
    }
    out
}

fn row(out: &mut String, finding: &Finding) {
    let sign = match finding.level {
        Level::Error => "❌",
        Level::Warning => "⚠️",
        Level::Note => "ℹ️",
    };
    let place = finding.place.as_ref().map_or(String::new(), |place| {
        format!("`{}:{}`", place.path, place.line)
    });
    let fix = finding.fix.as_ref().map_or("", |fix| &fix.text);
    line(
        out,
        format_args!(
            "| {sign} | {place} | {} <sub>{}</sub> | {} |",
            cell(&finding.message),
            finding.rule,
            cell(fix),
        ),
    );
}

/// Text that cannot break out of its cell or become markup.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('\n', " ")
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string cannot fail");
}
