//! Dependencies in the code against those that the plan declares.

use std::collections::{BTreeMap, BTreeSet};

use spots_findings::{Level, Place};

use super::super::{Plan, Service, rules};
use super::Checked;
use crate::contract::graph::Dependencies;
use crate::contract::{Contract, Snapshot};
use crate::tree::Language;

/// More services than this that are not in the plan are counted, not listed.
const NAMED_MAX: usize = 5;

/// Pairs of services of the plan that the code shows.
type Actual = BTreeSet<(String, String)>;

pub(super) fn check(plan: &Plan, found: &Dependencies, now: &Snapshot, out: &mut Checked) {
    let actual = hidden(plan, found, out);
    phantom(plan, &actual, now, out);
    unplanned(plan, now, out);
}

fn hidden(plan: &Plan, found: &Dependencies, out: &mut Checked) -> Actual {
    let services = plan.services.iter();
    let by_symbol: BTreeMap<&str, &Service> = services
        .map(|service| (service.source.symbol.as_str(), service))
        .collect();
    let mut actual = Actual::new();
    for edge in &found.edges {
        let ends = (
            by_symbol.get(edge.from.as_str()),
            by_symbol.get(edge.to.as_str()),
        );
        let (Some(from), Some(to)) = ends else {
            continue;
        };
        let first = actual.insert((from.name.clone(), to.name.clone()));
        if !first || from.depends_on.contains(&to.name) {
            continue;
        }
        let identity = format!("{} → {}", from.name, to.name);
        let message = format!(
            "{} depends on {} ({}), which its plan does not say.",
            from.name, to.name, edge.kind
        );
        let fix = format!("Add {:?} to `depends_on` in {}.", to.name, from.place.path);
        let finding = rules::finding(rules::DEPENDENCY_HIDDEN, Level::Warning, &identity, message);
        out.findings.push(
            finding
                .at(Place::line(edge.file.clone(), edge.line))
                .fix(fix),
        );
    }
    actual
}

/// Only where the code shows dependencies at all: in Dart.
fn phantom(plan: &Plan, actual: &Actual, now: &Snapshot, out: &mut Checked) {
    for service in &plan.services {
        let source = now
            .services
            .iter()
            .find(|contract| contract.decl.name == service.source.symbol);
        let readable = source
            .is_some_and(|contract| Language::of_path(&contract.file) == Some(Language::Dart));
        for on in service.depends_on.iter().filter(|_| readable) {
            if actual.contains(&(service.name.clone(), on.clone())) {
                continue;
            }
            let identity = format!("{} → {on}", service.name);
            let message = format!(
                "{} is said to depend on {on}, and the code shows no such thing.",
                service.name
            );
            let finding = rules::finding(
                rules::DEPENDENCY_PHANTOM,
                Level::Warning,
                &identity,
                message,
            );
            out.findings.push(
                finding
                    .at(service.place.clone())
                    .fix("Take it out of `depends_on`."),
            );
        }
    }
}

/// Each by itself while they are few; a repository that begins has many.
fn unplanned(plan: &Plan, now: &Snapshot, out: &mut Checked) {
    let planned = |contract: &&Contract| {
        let name = &contract.decl.name;
        let mut services = plan.services.iter();
        services.any(|service| service.source.symbol == *name)
    };
    let all: Vec<&Contract> = now
        .services
        .iter()
        .filter(|contract| !planned(contract))
        .collect();
    if all.len() > NAMED_MAX {
        let names: Vec<&str> = all
            .iter()
            .take(NAMED_MAX)
            .map(|contract| contract.decl.name.as_str())
            .collect();
        let message = format!(
            "{} services are in the code and not in the plan: {} and {} more.",
            all.len(),
            names.join(", "),
            all.len() - NAMED_MAX
        );
        let finding = rules::finding(rules::SERVICE_UNPLANNED, Level::Note, "services", message);
        let fix = "Describe those that phases rest on in plan/services/.";
        out.findings
            .push(finding.at(Place::file("plan/services")).fix(fix));
        return;
    }
    for contract in all {
        let name = &contract.decl.name;
        let message = format!("{name} is in the code and not in the plan.");
        let place = Place::line(contract.file.clone(), contract.decl.line);
        let finding = rules::finding(rules::SERVICE_UNPLANNED, Level::Note, name, message);
        let fix = format!("Describe it in plan/services/{name}.toml.");
        out.findings.push(finding.at(place).fix(fix));
    }
}
