//! One service: its code against its frozen contract, its locks and its version.

use spots_findings::{Finding, Level, Place};

use super::super::locks::Reason;
use super::super::{Plan, Service, Step, Version, deprecation, rules};
use super::{Checked, Judge, needed_step};
use crate::contract::diff::{Compared, DiffOptions, compare};
use crate::contract::{Contract, Mark, Snapshot};
use crate::tree::path_fits;

impl Judge<'_> {
    pub(super) fn service(&self, service: &Service, out: &mut Checked) {
        let Some(contract) = self.located(service, out) else {
            return;
        };
        self.silent(service, contract, out);
        let before = self.before(service, out);
        let compared = before.map(|(version, before)| {
            let after = Snapshot {
                services: vec![contract.clone()],
                types: self
                    .now
                    .types
                    .iter()
                    .chain(&self.now.services)
                    .cloned()
                    .collect(),
            };
            let options = DiffOptions {
                protected: self.plan.protected.clone(),
            };
            (version, compare(&before, &after, &options))
        });
        if let Some((version, compared)) = &compared {
            out.unreadable.extend(compared.unreadable.iter().cloned());
            self.verdict(service, *version, compared, out);
        }
        let compared = compared.as_ref().map(|(_, compared)| compared);
        let found = deprecation::check(self.plan, service, Some(contract), compared);
        out.findings.extend(found);
    }

    /// The one contract that a service's source names; otherwise says what is wrong.
    fn located(&self, service: &Service, out: &mut Checked) -> Option<&Contract> {
        let all = self.now.services.iter();
        let found: Vec<&Contract> = all
            .filter(|contract| contract.decl.name == service.source.symbol)
            .filter(|contract| path_fits(&service.source.path, &contract.file))
            .collect();
        let (message, fix) = match found.as_slice() {
            [one] => return Some(*one),
            [] => {
                let gone = deprecation::check(self.plan, service, None, None);
                out.findings.extend(gone);
                if service
                    .deprecations
                    .iter()
                    .any(|deprecation| deprecation.member.is_none())
                {
                    return None;
                }
                let Service { name, source, .. } = service;
                (
                    format!(
                        "{name} is not found: no {} in {}.",
                        source.symbol, source.path
                    ),
                    "Mend `source`, or deprecate the service before it goes.",
                )
            }
            several => {
                let files: Vec<&str> = several
                    .iter()
                    .map(|contract| contract.file.as_str())
                    .collect();
                (
                    format!(
                        "{} is ambiguous: it is in {}.",
                        service.name,
                        files.join(" and in ")
                    ),
                    "Make `source.path` name one of the files.",
                )
            }
        };
        let finding = rules::finding(
            rules::SERVICE_NOT_FOUND,
            Level::Error,
            &service.name,
            message,
        );
        out.findings
            .push(finding.at(service.place.clone()).fix(fix));
        None
    }

    /// What the service promised: its newest frozen contract, else the base revision.
    fn before(&self, service: &Service, out: &mut Checked) -> Option<(Option<Version>, Snapshot)> {
        if let Some((version, frozen)) = self.frozen.get(&service.source.symbol) {
            let before = Snapshot {
                services: vec![frozen.service.clone()],
                types: frozen.types.clone(),
            };
            return Some((Some(*version), before));
        }
        let message = format!("{} has no frozen contract.", service.name);
        let finding = rules::finding(
            rules::CONTRACT_MISSING,
            Level::Warning,
            &service.name,
            message,
        );
        let finding = finding
            .at(service.place.clone())
            .fix("Run `spots contract freeze`.");
        out.findings.push(finding);
        let base = self.beside.base?;
        let services = base.services.iter();
        let services = services.filter(|old| old.decl.name == service.source.symbol);
        let before = Snapshot {
            services: services.cloned().collect(),
            types: base.types.clone(),
        };
        Some((None, before))
    }

    /// What the differences ask for, against what the plan allows and the version says.
    fn verdict(
        &self,
        service: &Service,
        frozen: Option<Version>,
        compared: &Compared,
        out: &mut Checked,
    ) {
        let needed = needed_step(compared);
        let locks = self.plan.locks(service);
        let modified = !self.plan.modifying(service).is_empty();
        let taken = frozen.and_then(|frozen| service.version.step_from(frozen));
        let with_a_way = taken == Some(Step::Major) && has_guide(self.plan, service);
        // A phase that modifies the service does not lock it against itself.
        let others = |reason: &Reason| match reason {
            Reason::Core => false,
            Reason::UsedBy(phase) | Reason::ReachedBy(phase, _) => {
                !service.modifies.contains(phase) && !service.creates.contains(phase)
            }
        };
        let used = locks.iter().any(others);
        let locked = !locks.is_empty() && (used || !modified || !with_a_way);
        let relevant = compared
            .findings
            .iter()
            .filter(|finding| finding.level > Level::Note);
        match needed {
            Step::Major if locked => {
                out.findings.push(broken(service, &locks, compared));
                out.findings.extend(relevant.cloned());
            }
            Step::Major => {
                let accept = |finding: &Finding| {
                    let mut finding = finding.clone();
                    if with_a_way {
                        finding.level = Level::Note;
                    }
                    finding
                };
                out.findings.extend(relevant.map(accept));
                if !has_guide(self.plan, service) {
                    let message = format!("{} breaks without a migration guide.", service.name);
                    let finding =
                        rules::finding(rules::GUIDE_MISSING, Level::Error, &service.name, message);
                    let finding = finding.fix("Write it, and name its path in `guide`.");
                    out.findings.push(finding.at(service.place.clone()));
                }
            }
            _ => out.findings.extend(relevant.cloned()),
        }
        if needed == Step::Minor && !locks.is_empty() && !modified {
            out.findings.push(grew(service, &locks, compared));
        }
        if let Some(frozen) = frozen {
            out.findings.extend(step(service, frozen, needed));
        }
    }

    /// A core or locked service says how it fails and what it touches.
    fn silent(&self, service: &Service, contract: &Contract, out: &mut Checked) {
        let locked = service.core || !self.plan.locks(service).is_empty();
        let says = contract.members().any(|member| {
            member.is(Mark::Documented) || !member.throws.is_empty() || !member.effects.is_empty()
        });
        if !locked || says || contract.members().next().is_none() {
            return;
        }
        let message = format!(
            "{} is locked, and no member says how it fails or what it touches.",
            service.name
        );
        let finding = rules::finding(
            rules::CONTRACT_SILENT,
            Level::Warning,
            &service.name,
            message,
        );
        let place = Place::line(contract.file.clone(), contract.decl.line);
        out.findings.push(
            finding
                .at(place)
                .fix("Document what is thrown and what is touched."),
        );
    }
}

fn broken(service: &Service, locks: &[Reason], compared: &Compared) -> Finding {
    let name = &service.name;
    let message = format!(
        "{name} breaks while it is locked, because {}: {}",
        shown(locks),
        worst(compared)
    );
    rules::finding(rules::LOCKED_BROKEN, Level::Error, name, message)
        .at(service.place.clone())
        .fix("Keep the old form beside the new one; `spots plan can-i-change` says until when.")
}

fn grew(service: &Service, locks: &[Reason], compared: &Compared) -> Finding {
    let name = &service.name;
    let message = format!(
        "{name} grows while it is locked, because {}: {}",
        shown(locks),
        worst(compared)
    );
    rules::finding(rules::LOCKED_GREW, Level::Error, name, message)
        .at(service.place.clone())
        .fix("Move the new member to the phase that modifies the service.")
}

fn shown(locks: &[Reason]) -> String {
    let why: Vec<String> = locks.iter().map(Reason::shown).collect();
    why.join(" and ")
}

fn worst(compared: &Compared) -> String {
    let worst = compared.findings.iter().max_by_key(|finding| finding.level);
    worst.map_or(String::new(), |finding| finding.message.clone())
}

fn step(service: &Service, frozen: Version, needed: Step) -> Option<Finding> {
    let Service { name, version, .. } = service;
    let message = match version.step_from(frozen) {
        None => format!(
            "{name} is at {version} in the plan and was frozen at {frozen}: versions do not go back."
        ),
        Some(taken) if taken < needed => {
            let taken = if taken == Step::None {
                "none"
            } else {
                taken.as_str()
            };
            format!(
                "{name} needs a {} step from {frozen} and took {taken} ({version}).",
                needed.as_str()
            )
        }
        Some(_) => return None,
    };
    let next = frozen.after(needed);
    let fix = format!(
        "Set version = \"{next}\" and run `spots contract freeze`, or take the change back."
    );
    let finding = rules::finding(rules::STEP_TOO_SMALL, Level::Error, name, message);
    Some(finding.at(service.place.clone()).fix(fix))
}

fn has_guide(plan: &Plan, service: &Service) -> bool {
    let guide = service.guide.as_ref();
    guide.is_some_and(|guide| plan.root.join(guide).is_file())
}
