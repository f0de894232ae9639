//! Which pairs of services owe an integration test, and which test covers them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use spots_findings::{Finding, Level, Place};

use super::{Plan, Status, rules};
use crate::contract::dart;
use crate::contract::graph::Dependencies;
use crate::tree::{Language, Tree};

/// One pair that must be tested together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The service that depends.
    pub dependent: String,
    /// The service that a phase modifies.
    pub modified: String,
    /// When: `after phase 7`, `before phase 9`, `on every commit`.
    pub when: Vec<String>,
    /// Whether a phase in progress or done makes it due.
    pub due: bool,
    /// Test files that construct or call both.
    pub tests: Vec<String>,
    /// Tests of those files that failed, were skipped, or did not run; `None` without a `JUnit` file.
    pub not_passed: Option<Vec<String>>,
}

/// Names that each test file constructs or calls.
#[derive(Clone, Debug, Default)]
pub struct Tests(BTreeMap<String, BTreeSet<String>>);

impl Tests {
    /// Reads the test files of a tree: those in a `test` folder, or that end like tests.
    pub fn read(mut tree: Tree) -> Self {
        tree.retain(|file| is_test(&file.path));
        let visited = tree.visit(|file, text| match file.language {
            Language::Dart => dart::reached(text),
            // Other languages name a type where they use it; comments are left out.
            _ => code_words(text),
        });
        let items = visited.items.into_iter();
        Self(items.map(|(file, names)| (file.path, names)).collect())
    }

    fn covering(&self, a: &str, b: &str) -> Vec<String> {
        let both = self
            .0
            .iter()
            .filter(|(_, names)| names.contains(a) && names.contains(b));
        both.map(|(path, _)| path.clone()).collect()
    }
}

fn is_test(path: &str) -> bool {
    let folder =
        |name: &str| path.starts_with(&format!("{name}/")) || path.contains(&format!("/{name}/"));
    ["test", "tests", "integration_test", "__tests__"]
        .into_iter()
        .any(folder)
        || ["_test.dart", ".test.ts", ".spec.ts"]
            .into_iter()
            .any(|end| path.ends_with(end))
}

fn code_words(text: &str) -> BTreeSet<String> {
    let lines = text.lines().map(str::trim_start);
    let code = lines.filter(|line| {
        !["//", "*", "use ", "import ", "/*"]
            .into_iter()
            .any(|start| line.starts_with(start))
    });
    code.flat_map(crate::contract::type_names).collect()
}

/// What the plan and the code owe.
pub fn owed(plan: &Plan, found: &Dependencies, tests: &Tests, junit: Option<&str>) -> Vec<Owed> {
    // The code names types, the plan services.
    let of_symbol = |symbol: &str| {
        let mut services = plan.services.iter();
        let service = services.find(|service| service.source.symbol == symbol)?;
        Some(service.name.clone())
    };
    let edges: BTreeSet<(String, String)> = found
        .edges
        .iter()
        .filter_map(|edge| of_symbol(&edge.from).zip(of_symbol(&edge.to)))
        .chain(plan.services.iter().flat_map(|service| {
            service
                .depends_on
                .iter()
                .map(|on| (service.name.clone(), on.clone()))
        }))
        .collect();
    let mut owed = Vec::new();
    for (dependent, modified) in edges {
        let (Some(service), Some(other)) = (plan.service(&modified), plan.service(&dependent))
        else {
            continue;
        };
        let mut when = Vec::new();
        let mut due = false;
        for id in service.modifies.iter().chain(&service.creates) {
            when.push(format!("after phase {id}"));
            due |= plan
                .phase(id)
                .is_some_and(|phase| phase.status != Status::Planned);
        }
        if when.is_empty() {
            continue;
        }
        when.extend(
            other
                .uses
                .iter()
                .chain(&other.modifies)
                .map(|id| format!("before phase {id}")),
        );
        if !plan.locks(service).is_empty() && !plan.locks(other).is_empty() {
            when.push("on every commit".to_owned());
        }
        when.dedup();
        let tests = tests.covering(&other.source.symbol, &service.source.symbol);
        let not_passed = junit.map(|junit| not_passed(junit, &tests));
        owed.push(Owed {
            dependent,
            modified,
            when,
            due,
            tests,
            not_passed,
        });
    }
    owed
}

/// Test files without any passed test case in a `JUnit` file, or with one that did not pass.
fn not_passed(junit: &str, tests: &[String]) -> Vec<String> {
    let cases: Vec<(&str, bool)> = junit
        .split("<testcase")
        .skip(1)
        .map(|case| {
            let body = case.split("</testcase>").next().unwrap_or(case);
            let head = body.split('>').next().unwrap_or(body);
            let bad = ["<failure", "<error", "<skipped"]
                .into_iter()
                .any(|word| body.contains(word));
            (head, !bad || head.ends_with('/'))
        })
        .collect();
    let failed = |test: &&String| {
        let stem = test
            .rsplit_once('.')
            .map_or(test.as_str(), |(stem, _)| stem);
        let dotted = stem.replace('/', ".");
        let mut own = cases.iter().filter(|(head, _)| {
            head.contains(test.as_str()) || head.contains(&dotted) || head.contains(stem)
        });
        let first = own.next();
        first.is_none_or(|(_, passed)| !passed) || own.any(|(_, passed)| !passed)
    };
    tests.iter().filter(failed).cloned().collect()
}

/// The list as Markdown.
pub fn markdown(owed: &[Owed]) -> String {
    if owed.is_empty() {
        return "No pair owes an integration test: no phase modifies a service that others depend on.\n".to_owned();
    }
    let mut out = String::from("| pair | when | covered by |\n| --- | --- | --- |\n");
    for pair in owed {
        let tests = if pair.tests.is_empty() {
            "**nothing**".to_owned()
        } else {
            pair.tests.join(", ")
        };
        writeln!(
            out,
            "| {} → {} | {} | {tests} |",
            pair.dependent,
            pair.modified,
            pair.when.join(", ")
        )
        .expect("writing to a string cannot fail");
    }
    out
}

pub(super) fn check(plan: &Plan, owed: &[Owed]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pair in owed.iter().filter(|pair| pair.due) {
        let identity = format!("{} with {}", pair.dependent, pair.modified);
        let place = plan
            .service(&pair.modified)
            .map(|service| service.place.clone());
        let place = place.unwrap_or_else(|| Place::file("plan/plan.toml"));
        if pair.tests.is_empty() {
            let message = format!(
                "{identity} owes an integration test, {}.",
                pair.when.join(", ")
            );
            let finding = rules::finding(rules::TEST_OWED, Level::Warning, &identity, message);
            findings.push(
                finding
                    .at(place)
                    .fix("Write a test that constructs or calls both."),
            );
        } else if let Some(test) = pair.not_passed.iter().flatten().next() {
            let message = format!("{test}, which covers {identity}, did not run or did not pass.");
            let finding = rules::finding(rules::TEST_NOT_PASSED, Level::Error, &identity, message);
            findings.push(finding.at(place).fix("Run it and mend what it shows."));
        }
    }
    findings
}
