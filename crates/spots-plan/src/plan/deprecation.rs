//! The deprecation calendar, counted in phases.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};
use spots_findings::{Finding, Level};

use super::{Deprecation, Plan, Service, Status, rules};
use crate::contract::{Contract, diff::Compared};

/// How many phases what is deprecated stays.
pub const PHASES_KEPT: usize = 2;

impl Plan {
    /// The phase from which a deprecation may be acted on: stated, or two later; `None` when the
    /// plan ends before.
    pub fn removable_from(&self, deprecation: &Deprecation) -> Option<&str> {
        if let Some(stated) = &deprecation.removable_from {
            return self.phase(stated).map(|phase| phase.id.as_str());
        }
        let at = self.position(&deprecation.announced_in)?;
        self.order().get(at + PHASES_KEPT).copied()
    }

    /// Whether the time has come: the phase from which it may go is in progress or done.
    pub fn is_removable(&self, deprecation: &Deprecation) -> bool {
        let phase = self
            .removable_from(deprecation)
            .and_then(|id| self.phase(id));
        phase.is_some_and(|phase| phase.status != Status::Planned)
    }
}

/// The calendar as Markdown.
pub fn calendar(plan: &Plan) -> String {
    let mut out = String::from(
        "| service | what | announced in | removable from | replacement | guide |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    let mut any = false;
    for service in &plan.services {
        for deprecation in &service.deprecations {
            any = true;
            let from = plan
                .removable_from(deprecation)
                .unwrap_or("after the plan's last phase");
            let shown = |words: &Option<String>| words.clone().unwrap_or_else(|| "–".to_owned());
            writeln!(
                out,
                "| {} | {} | {} | {from}{} | {} | {} |",
                service.name,
                deprecation.member.as_deref().unwrap_or("the whole service"),
                deprecation.announced_in,
                if plan.is_removable(deprecation) {
                    " (now)"
                } else {
                    ""
                },
                shown(&deprecation.replacement),
                shown(&deprecation.guide),
            )
            .expect("writing to a string cannot fail");
        }
    }
    if any {
        out
    } else {
        "Nothing is deprecated.\n".to_owned()
    }
}

/// The calendar for scripts.
pub fn json(plan: &Plan) -> Value {
    let all = plan.services.iter().flat_map(|service| {
        let deprecations = service.deprecations.iter();
        deprecations.map(move |deprecation| (service, deprecation))
    });
    let rows = all.map(|(service, deprecation)| {
        json!({
            "service": service.name,
            "member": deprecation.member,
            "announcedIn": deprecation.announced_in,
            "removableFrom": plan.removable_from(deprecation),
            "due": plan.is_removable(deprecation),
            "replacement": deprecation.replacement,
            "guide": deprecation.guide,
        })
    });
    json!({ "deprecations": rows.collect::<Vec<_>>() })
}

/// What the calendar says about the code: `now` is the service as it is, `None` when it is gone.
pub(super) fn check(
    plan: &Plan,
    service: &Service,
    now: Option<&Contract>,
    compared: Option<&Compared>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for deprecation in &service.deprecations {
        findings.extend(one(plan, service, deprecation, now));
    }
    let whole = service
        .deprecations
        .iter()
        .any(|deprecation| deprecation.member.is_none());
    let grew = compared.is_some_and(|compared| {
        let mut found = compared.findings.iter();
        found.any(|finding| {
            ["member-added", "abstract-member-added", "operation-added"]
                .contains(&finding.rule.as_str())
        })
    });
    if whole && grew {
        let message = format!("{} is deprecated and grew.", service.name);
        let finding = rules::finding(
            rules::DEPRECATED_GREW,
            Level::Warning,
            &service.name,
            message,
        );
        findings.push(
            finding
                .at(service.place.clone())
                .fix("Put the new member into the replacement."),
        );
    }
    findings.extend(now.into_iter().flat_map(|now| unplanned(service, now)));
    findings
}

fn one(
    plan: &Plan,
    service: &Service,
    deprecation: &Deprecation,
    now: Option<&Contract>,
) -> Option<Finding> {
    let gone = match (&deprecation.member, now) {
        (_, None) => true,
        (Some(member), Some(now)) => now.members().all(|own| own.name != *member),
        (None, Some(_)) => false,
    };
    let what = match &deprecation.member {
        Some(member) => format!("{}.{member}", service.name),
        None => service.name.clone(),
    };
    let from = plan
        .removable_from(deprecation)
        .unwrap_or("a phase after the plan's last");
    let due = plan.is_removable(deprecation);
    let finding = match (gone, due) {
        (true, false) => {
            let message = format!("{what} is gone before phase {from}.");
            rules::finding(rules::REMOVED_EARLY, Level::Error, &what, message)
                .fix("Restore it until then.")
        }
        (false, true) => {
            let message = format!("{what} was to go from phase {from} on and is still there.");
            rules::finding(rules::DEPRECATION_OVERDUE, Level::Warning, &what, message)
                .fix("Remove it with a major version, or move `removable_from`.")
        }
        _ => return None,
    };
    Some(finding.at(service.place.clone()))
}

/// Marks in the code that the plan does not list.
fn unplanned(service: &Service, now: &Contract) -> Vec<Finding> {
    let planned: BTreeSet<Option<&str>> = service
        .deprecations
        .iter()
        .map(|deprecation| deprecation.member.as_deref())
        .collect();
    let own = now
        .decl
        .deprecated
        .is_some()
        .then_some((None, now.decl.line));
    let members = now
        .decl
        .members
        .iter()
        .filter(|member| member.deprecated.is_some());
    let marked = own
        .into_iter()
        .chain(members.map(|member| (Some(member.name.as_str()), member.line)));
    marked
        .filter(|(member, _)| !planned.contains(member) && !planned.contains(&None))
        .map(|(member, line)| {
            let what = member.map_or(service.name.clone(), |member| {
                format!("{}.{member}", service.name)
            });
            let message =
                format!("{what} is marked as deprecated, and the plan does not say until when.");
            rules::finding(rules::DEPRECATION_UNPLANNED, Level::Warning, &what, message)
                .at(spots_findings::Place::line(now.file.clone(), line))
                .fix("Add a [[deprecation]] with `announced_in` to the service's file.")
        })
        .collect()
}
