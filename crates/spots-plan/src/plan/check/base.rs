//! What the base revision promised: its frozen contracts, its services, its locks.

use std::collections::BTreeMap;
use std::path::Path;

use spots_findings::{Level, Place, Unreadable};

use super::super::files::Files;
use super::super::{Phase, Plan, Service, Status, rules};
use super::{Checked, FrozenByService, latest_frozen};
use crate::contract::Snapshot;

/// The base revision, read from git's objects.
#[derive(Clone, Debug, Default)]
pub struct Base {
    /// Its services and the types that they mention.
    pub snapshot: Snapshot,
    /// Its plan, where it has one that can be read.
    pub plan: Option<Plan>,
    /// What could not be read of it.
    pub unreadable: Vec<Unreadable>,
    /// The files of its plan.
    pub files: Files,
}

impl Base {
    /// Puts together what was read.
    pub fn new(root: &Path, snapshot: Snapshot, files: Files) -> Self {
        let mut base = Self {
            snapshot,
            ..Self::default()
        };
        if files.has_plan() {
            match Plan::of_files(root, &files) {
                Ok(plan) => base.plan = Some(plan),
                Err(error) => base.unreadable.push(Unreadable {
                    path: "plan/plan.toml".to_owned(),
                    reason: format!(
                        "the base's plan does not hold together ({} problems), so its locks are \
                         unknown; merge the mended plan by itself first",
                        error.problems.len()
                    ),
                }),
            }
        }
        base.files = files;
        base
    }

    /// The newest frozen contract of each service.
    pub(super) fn frozen(&self, unreadable: &mut Vec<Unreadable>) -> FrozenByService {
        latest_frozen(&self.files, unreadable)
    }

    /// A service as the base's plan has it.
    pub(super) fn service(&self, name: &str) -> Option<(&Plan, &Service)> {
        let plan = self.plan.as_ref()?;
        Some((plan, plan.service(name)?))
    }
}

/// What only both sides together show.
pub(super) fn check(plan: &Plan, files: &Files, base: &Base, out: &mut Checked) {
    rewritten(plan, files, base, out);
    if let Some(before) = &base.plan {
        dropped(plan, before, out);
        collide(plan, before, out);
    }
}

/// A frozen contract is a promise: it is kept as it is, and a newer one is written beside it.
fn rewritten(plan: &Plan, files: &Files, base: &Base, out: &mut Checked) {
    let mut ignored = Vec::new();
    let now: BTreeMap<&str, &str> = files.contracts(&mut ignored).into_iter().collect();
    let planned = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or("");
        let mut services = plan.services.iter();
        services.any(|service| {
            let rest = name.strip_prefix(service.source.symbol.as_str());
            rest.is_some_and(|rest| rest.starts_with('-'))
        })
    };
    for (path, before) in base.files.contracts(&mut ignored) {
        let message = match now.get(path) {
            Some(after) if *after == before => continue,
            Some(_) => format!("{path} says something else than at the base."),
            None if planned(path) => format!("{path} is gone, and its service is not."),
            None => continue,
        };
        let finding = rules::finding(rules::CONTRACT_REWRITTEN, Level::Error, path, message);
        let fix = "Restore it; freeze the changed service at its next version.";
        out.findings.push(finding.at(Place::file(path)).fix(fix));
    }
}

/// A service leaves the plan through a deprecation.
fn dropped(plan: &Plan, before: &Plan, out: &mut Checked) {
    for service in &before.services {
        let kept = plan
            .services
            .iter()
            .any(|now| now.name == service.name || now.source.symbol == service.source.symbol);
        let mut whole = service.deprecations.iter();
        let due = whole.any(|one| one.member.is_none() && before.is_removable(one));
        if kept || due {
            continue;
        }
        let message = format!(
            "{} left the plan without a deprecation that is due.",
            service.name
        );
        let finding = rules::finding(rules::SERVICE_DROPPED, Level::Error, &service.name, message);
        let fix = format!(
            "Restore {} and deprecate the service there.",
            service.place.path
        );
        out.findings
            .push(finding.at(Place::file("plan/plan.toml")).fix(fix));
    }
}

/// Two active phases that modify one service, one of them known to each side alone.
fn collide(plan: &Plan, before: &Plan, out: &mut Checked) {
    let modifies = |service: &Service, phase: &Phase| {
        service.modifies.contains(&phase.id) || service.creates.contains(&phase.id)
    };
    for service in &plan.services {
        let Some(theirs) = before.service(&service.name) else {
            continue;
        };
        let ours: Vec<&str> = plan
            .modifying(service)
            .into_iter()
            .map(|phase| phase.id.as_str())
            .collect();
        // What this side says of a phase that both know is newer.
        let further = before.phases.iter().filter(|phase| {
            let status = plan.phase(&phase.id).map_or(phase.status, |own| own.status);
            status == Status::Active
                && modifies(theirs, phase)
                && !ours.contains(&phase.id.as_str())
        });
        let further: Vec<&str> = further.map(|phase| phase.id.as_str()).collect();
        if ours.is_empty() || further.is_empty() {
            continue;
        }
        let name = &service.name;
        let message = format!(
            "phase {} modifies {name} here, and phase {} at the base.",
            ours.join(" and "),
            further.join(" and ")
        );
        let finding = rules::finding(rules::PHASES_COLLIDE, Level::Error, name, message);
        let fix = "Merge the base first, and let one phase wait for the other (`after`).";
        out.findings
            .push(finding.at(service.place.clone()).fix(fix));
    }
}
