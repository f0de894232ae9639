//! Reports as SARIF 2.1.0 (OASIS), for code hosts and editors.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{Finding, Place, Report};

/// Where the schema of SARIF 2.1.0 lives; a name, never fetched.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The key of our partial fingerprint; the version changes when the fingerprint's input does.
const FINGERPRINT: &str = "spotsIdentity/v1";

/// Renders a report as one SARIF log with one run.
pub fn render(report: &Report) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "rules": report.rules.iter().map(|rule| json!({
                    "id": rule.id,
                    "shortDescription": { "text": rule.title },
                    "fullDescription": { "text": rule.why },
                    "help": { "text": rule.why },
                })).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": report.findings().iter().map(result).collect::<Vec<_>>(),
            "invocations": [{
                "executionSuccessful": report.unreadable().is_empty(),
                "toolExecutionNotifications": report.unreadable().iter().map(|unreadable| json!({
                    "level": "error",
                    "message": { "text": format!("could not read: {}", unreadable.reason) },
                    "locations": [location(&Place::file(unreadable.path.clone()))],
                })).collect::<Vec<_>>(),
            }],
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let message = match &finding.fix {
        Some(fix) => format!("{} Fix: {}", finding.message, fix.text),
        None => finding.message.clone(),
    };
    json!({
        "ruleId": finding.rule,
        "level": finding.level.as_str(),
        "message": { "text": message },
        "locations": finding.place.iter().map(location).collect::<Vec<_>>(),
        "relatedLocations": finding.related.iter().map(|related| {
            let mut value = location(&related.place);
            if let Value::Object(object) = &mut value {
                object.insert("message".to_owned(), json!({ "text": related.message }));
            }
            value
        }).collect::<Vec<_>>(),
        "properties": finding.facts.iter().map(|(name, value)| {
            ((*name).to_owned(), json!(value))
        }).collect::<serde_json::Map<_, _>>(),
        "partialFingerprints": { FINGERPRINT: finding.fingerprint() },
    })
}

fn location(place: &Place) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&place.path) },
        "region": { "startLine": place.line, "startColumn": place.column },
    }})
}

/// Percent-encodes what RFC 3986 does not allow in a path.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=:@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Level, Tool};

    #[test]
    fn a_result_carries_level_place_and_fingerprint() {
        let mut report = Report::new(
            Tool {
                name: "spots test",
                version: "0",
            },
            Vec::new(),
        );
        report.add([
            Finding::new("rule-x", Level::Error, "A.b", "A.b is gone.").at(Place::at(
                "lib/a b.dart",
                3,
                7,
            )),
        ]);
        let sarif = render(&report);
        let result = &sarif["runs"][0]["results"][0];
        assert_eq!(result["level"], "error");
        let physical = &result["locations"][0]["physicalLocation"];
        assert_eq!(physical["artifactLocation"]["uri"], "lib/a%20b.dart");
        assert_eq!(physical["region"]["startColumn"], 7);
        assert_eq!(
            result["partialFingerprints"]["spotsIdentity/v1"],
            report.findings()[0].fingerprint()
        );
    }
}
