//! Every rule on every example.

use spots_findings::Level;
use spots_plan::contract::rules::{self, DiffRule};

use super::diff_in;

#[test]
fn every_rule_reports_its_bad_example_and_nothing_unexplained() {
    let mut wrong = Vec::new();
    for rule in rules::all() {
        let found = diff_in(&rule.language, &rule.bad.old, &rule.bad.new);
        let ids: Vec<(&str, Level)> = found
            .findings
            .iter()
            .map(|finding| (finding.rule.as_str(), finding.level))
            .collect();
        let own = ids
            .iter()
            .filter(|(id, level)| *id == rule.id && *level == rule.level());
        let other = ids
            .iter()
            .filter(|(id, level)| *id != rule.id && *level == Level::Error);
        if own.count() != 1 || other.count() > 0 || !found.unreadable.is_empty() {
            wrong.push(format!("{}: {ids:?} {:?}", rule.id, found.unreadable));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_rule_reports_an_error_on_any_good_example() {
    let mut wrong = Vec::new();
    for rule in rules::all() {
        for finding in diff_in(&rule.language, &rule.good.old, &rule.good.new).findings {
            if finding.rule == rule.id || finding.level == Level::Error {
                wrong.push(format!("{}: {finding:?}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_found_where_nothing_changed() {
    let texts = |rule: &'static DiffRule| {
        let texts = [&rule.bad, &rule.good].map(|example| [&example.old, &example.new]);
        texts
            .into_iter()
            .flatten()
            .map(|text| (&rule.language, text))
    };
    for (language, text) in rules::all().iter().flat_map(texts) {
        let found = diff_in(language, text, text);
        assert!(found.findings.is_empty(), "{:?}\n{text}", found.findings);
    }
}

#[test]
fn rules_are_distinct_and_say_why() {
    let mut ids: Vec<&str> = rules::all().iter().map(|rule| rule.id.as_str()).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count);
    for rule in rules::all() {
        assert!(
            rule.why.ends_with('.') && rule.fix.ends_with('.'),
            "{}",
            rule.id
        );
    }
}
