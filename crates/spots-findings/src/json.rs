//! Reports for scripts: one JSON object a run.

use serde_json::{Map, Value, json};

use crate::{Finding, Level, Place, Report};

/// The JSON schema of what [`render`] makes.
pub const SCHEMA: &str = include_str!("../../../docs/findings.schema.json");

/// Renders a report as JSON: `tool`, `version`, `verdict`, `summary`, `findings`, `unreadable`.
pub fn render(report: &Report, strict: bool) -> Value {
    json!({
        "tool": report.tool.name,
        "version": report.tool.version,
        "verdict": match report.verdict(strict) {
            crate::Verdict::Clean => "clean",
            crate::Verdict::Findings => "findings",
            crate::Verdict::CouldNotTell => "could-not-tell",
        },
        "summary": {
            "errors": report.count(Level::Error),
            "warnings": report.count(Level::Warning),
            "notes": report.count(Level::Note),
            "unreadable": report.unreadable().len(),
        },
        "findings": report.findings().iter().map(finding).collect::<Vec<_>>(),
        "unreadable": report.unreadable().iter().map(|unreadable| json!({
            "path": unreadable.path,
            "reason": unreadable.reason,
        })).collect::<Vec<_>>(),
    })
}

/// One finding as JSON; `path`, `line` and `column` are absent when no file is at fault.
pub fn finding(finding: &Finding) -> Value {
    let mut value = json!({
        "rule": finding.rule,
        "level": finding.level.as_str(),
        "message": finding.message,
        "identity": finding.identity,
        "fingerprint": finding.fingerprint(),
        "related": finding.related.iter().map(|related| {
            let mut value = place(&related.place);
            value.insert("message".to_owned(), json!(related.message));
            value
        }).collect::<Vec<_>>(),
    });
    if let Value::Object(object) = &mut value {
        let facts = finding.facts.iter();
        object.extend(facts.map(|(name, value)| ((*name).to_owned(), json!(value))));
        object.extend(finding.place.iter().flat_map(place));
        object.extend(
            finding
                .fix
                .iter()
                .map(|fix| ("fix".to_owned(), json!(fix.text))),
        );
    }
    value
}

fn place(place: &Place) -> Map<String, Value> {
    Map::from_iter([
        ("path".to_owned(), json!(place.path)),
        ("line".to_owned(), json!(place.line)),
        ("column".to_owned(), json!(place.column)),
    ])
}
