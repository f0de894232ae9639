//! What SARIF 2.1.0 asks of the objects that we write (OASIS, section 3), for every command that
//! writes it: required properties, no others than those we mean, values from their lists.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Repository;

/// An object with all of the first properties, and none beyond them and the second ones.
fn object(value: &Value, required: &[&str], optional: &[&str]) {
    let object = value.as_object().expect("an object");
    for name in required {
        assert!(object.contains_key(*name), "{name} is missing: {value}");
    }
    for name in object.keys() {
        let known = required.contains(&name.as_str()) || optional.contains(&name.as_str());
        assert!(known, "{name} is not known: {value}");
    }
}

fn message(value: &Value) {
    object(value, &["text"], &[]);
    assert!(!value["text"].as_str().unwrap().is_empty());
}

fn location(value: &Value) {
    object(value, &["physicalLocation"], &["message"]);
    let physical = &value["physicalLocation"];
    object(physical, &["artifactLocation", "region"], &[]);
    let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
    assert!(
        uri.bytes().all(|byte| byte.is_ascii_graphic()) && !uri.starts_with('/'),
        "{uri} is no relative URI"
    );
    let region = &physical["region"];
    object(region, &["startLine"], &["startColumn"]);
    assert!(region["startLine"].as_u64().unwrap() >= 1, "{value}");
    assert!(region["startColumn"].as_u64().unwrap() >= 1, "{value}");
}

/// How many results there are.
fn assert_valid(log: &Value) -> usize {
    object(log, &["$schema", "version", "runs"], &[]);
    assert_eq!(log["version"], "2.1.0");
    let [run] = log["runs"].as_array().unwrap().as_slice() else {
        panic!("one run: {log}");
    };
    object(run, &["tool"], &["results", "invocations", "columnKind"]);
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    object(&run["tool"], &["driver"], &[]);
    let driver = &run["tool"]["driver"];
    object(driver, &["name"], &["version", "rules"]);
    let mut rules = BTreeSet::new();
    for rule in driver["rules"].as_array().unwrap() {
        object(
            rule,
            &["id"],
            &["shortDescription", "fullDescription", "help"],
        );
        message(&rule["shortDescription"]);
        message(&rule["help"]);
        let id = rule["id"].as_str().unwrap();
        assert!(rules.insert(id), "rule {id} is there twice");
    }
    let results = run["results"].as_array().unwrap();
    for result in results {
        object(
            result,
            &["message", "ruleId", "partialFingerprints"],
            &["level", "locations", "relatedLocations", "properties"],
        );
        message(&result["message"]);
        let level = result["level"].as_str().unwrap();
        assert!(["none", "note", "warning", "error"].contains(&level));
        let rule = result["ruleId"].as_str().unwrap();
        assert!(rules.contains(rule), "nothing describes {rule}");
        let places = result["locations"].as_array().unwrap();
        let related = result["relatedLocations"].as_array().unwrap();
        places.iter().chain(related).for_each(location);
        let mut fingerprints = result["partialFingerprints"].as_object().unwrap().values();
        assert!(fingerprints.all(|value| value.as_str().is_some_and(|text| !text.is_empty())));
    }
    for invocation in run["invocations"].as_array().unwrap() {
        object(
            invocation,
            &["executionSuccessful"],
            &["toolExecutionNotifications"],
        );
        assert!(invocation["executionSuccessful"].is_boolean());
        let said = invocation["toolExecutionNotifications"].as_array().unwrap();
        for notification in said {
            object(notification, &["message"], &["level", "locations"]);
            message(&notification["message"]);
        }
    }
    results.len()
}

#[test]
fn every_command_that_judges_writes_valid_sarif() {
    let repository = Repository::planned();
    repository.second_version();
    repository.write("lib/binary_service.dart", [0x00, 0xff]);
    repository.write("lib/name with blank.dart", "final at = DateTime.now();\n");
    repository.write("migrations/001_a.sql", "CREATE TABLE a (id int);\n");
    repository.write("migrations/001_b.sql", "ALTER TABLE c ADD x int;\n");
    for command in [
        "plan check",
        "plan check --base main",
        "contract diff --repo . main",
        "contract diff plan/contracts .",
        "clock audit --mentions",
        "clock check",
        "migrate check --dir migrations",
    ] {
        let mut arguments: Vec<&str> = command.split(' ').collect();
        arguments.extend(["--format", "sarif"]);
        let (said, _) = repository.spots(&arguments);
        let log = said.get(..=said.rfind('}').unwrap()).unwrap();
        let log = serde_json::from_str(log).unwrap_or_else(|error| panic!("{error}: {said}"));
        assert!(assert_valid(&log) > 0, "{command} found nothing");
    }
}
