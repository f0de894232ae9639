//! Findings against their published schema, as far as that schema goes.

use serde_json::Value;

/// Panics where a report is not as `docs/findings.schema.json` says.
pub(super) fn assert_valid(report: &Value) {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/findings.schema.json"
    );
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut wrong = Vec::new();
    check(&schema, &schema, report, "$", &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let entries = schema.as_object().unwrap();
    for (word, rule) in entries {
        let fine = match word.as_str() {
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                check(root, root.pointer(pointer).unwrap(), value, at, wrong);
                true
            }
            "type" => is(rule.as_str().unwrap(), value),
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_i64().unwrap() >= rule.as_i64().unwrap(),
            "pattern" => fits(rule.as_str().unwrap(), value.as_str().unwrap()),
            "required" => rule
                .as_array()
                .unwrap()
                .iter()
                .all(|name| value.get(name.as_str().unwrap()).is_some()),
            "properties" => {
                for (name, rule) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(root, rule, value, &format!("{at}.{name}"), wrong);
                    }
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(*rule, Value::Bool(false));
                let known = &schema["properties"];
                let mut names = value.as_object().unwrap().keys();
                names.all(|name| known.get(name).is_some())
            }
            "items" => {
                for (number, item) in value.as_array().unwrap().iter().enumerate() {
                    check(root, rule, item, &format!("{at}[{number}]"), wrong);
                }
                true
            }
            "$schema" | "$id" | "title" | "description" | "$defs" => true,
            other => panic!("the schema says {other}, which this test does not know"),
        };
        if !fine {
            wrong.push(format!("{at} is not as {word} says: {value}"));
        }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("unknown type {other}"),
    }
}

/// The two patterns of the schema.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern {
        "^[a-z0-9-]+$" => {
            !text.is_empty()
                && text
                    .chars()
                    .all(|letter| matches!(letter, 'a'..='z' | '0'..='9' | '-'))
        }
        "^[0-9a-f]{32}$" => {
            text.len() == 32
                && text
                    .chars()
                    .all(|letter| matches!(letter, '0'..='9' | 'a'..='f'))
        }
        other => panic!("unknown pattern {other}"),
    }
}
