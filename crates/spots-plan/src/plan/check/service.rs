//! One service: its code against its frozen contract, its locks and its version.

use std::borrow::Cow;

use spots_findings::{Finding, Level, Place};

use super::super::locks::Reason;
use super::super::{Plan, Service, Step, Version, deprecation, rules};
use super::{Checked, FrozenByService, Judge, needed_step};
use crate::contract::diff::{Compared, DiffOptions, compare_with};
use crate::contract::{Contract, Mark, Snapshot};
use crate::tree::path_fits;

/// What a service promised, and as which version.
struct Promise<'a> {
    version: Option<Version>,
    before: Cow<'a, Snapshot>,
}

impl<'a> Promise<'a> {
    fn frozen((version, before): &'a (Version, Snapshot)) -> Self {
        Self {
            version: Some(*version),
            before: Cow::Borrowed(before),
        }
    }
}

impl Judge<'_> {
    pub(super) fn service(&self, service: &Service, out: &mut Checked) {
        let Some(contract) = self.located(service, out) else {
            return;
        };
        let locks = self.plan.locks(service);
        silent((service, &locks), contract, out);
        let options = DiffOptions {
            protected: self.plan.protected.clone(),
        };
        let mut first = None;
        for promise in self.promises(service, out) {
            let compared = compare_with(&promise.before, &[contract], self.types, &options);
            out.unreadable.extend(compared.unreadable.iter().cloned());
            let found = self.verdict((service, &locks), promise.version, &compared);
            out.findings.extend(found);
            first.get_or_insert(compared);
        }
        let found = deprecation::check(self.plan, service, Some(contract), first.as_ref());
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

    /// What the service promised: its newest frozen contracts, here and at the base; where there is
    /// none, its source at the base.
    fn promises(&self, service: &Service, out: &mut Checked) -> Vec<Promise<'_>> {
        let (here, there) = (
            self.own(self.frozen, service),
            self.own(self.promised, service),
        );
        let mut promises: Vec<Promise<'_>> = here.into_iter().map(Promise::frozen).collect();
        let moved = there.filter(|there| here.is_none_or(|here| here != *there));
        promises.extend(moved.map(Promise::frozen));
        if here.is_none() {
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
        }
        if promises.is_empty() {
            promises.extend(self.source_at_base(service));
        }
        promises
    }

    /// The newest frozen contract of a service; another's of the same name is none of its.
    fn own<'a>(
        &self,
        frozen: &'a FrozenByService,
        service: &Service,
    ) -> Option<&'a (Version, Snapshot)> {
        let symbol = &service.source.symbol;
        let found = frozen.get(symbol)?;
        let file = &found.1.services.first()?.file;
        let others = self
            .plan
            .services
            .iter()
            .filter(|other| other.name != service.name);
        let of_another = others
            .filter(|other| other.source.symbol == *symbol)
            .any(|other| path_fits(&other.source.path, file));
        let own = path_fits(&service.source.path, file) || !of_another;
        own.then_some(found)
    }

    fn source_at_base(&self, service: &Service) -> Option<Promise<'_>> {
        let base = self.base?;
        let services = base.snapshot.services.iter();
        let mut services: Vec<_> = services
            .filter(|old| old.decl.name == service.source.symbol)
            .collect();
        let planned = base.service(&service.name);
        // Of several with one name the one that the plan means, then or now.
        let source = planned.map_or(&service.source, |(_, planned)| &planned.source);
        if services
            .iter()
            .any(|old| path_fits(&source.path, &old.file))
        {
            services.retain(|old| path_fits(&source.path, &old.file));
        }
        let before = Snapshot {
            services: services.into_iter().cloned().collect(),
            types: base.snapshot.types.clone(),
            further: base.snapshot.further.clone(),
        };
        Some(Promise {
            version: planned.map(|(_, service)| service.version),
            before: Cow::Owned(before),
        })
    }

    /// What the differences ask for, against what the plan allows and the version says.
    fn verdict(
        &self,
        (service, locks): (&Service, &[Reason]),
        promised: Option<Version>,
        compared: &Compared,
    ) -> Vec<Finding> {
        let mut found = Vec::new();
        let needed = needed_step(compared);
        let modified = !self.plan.modifying(service).is_empty();
        let taken = promised.and_then(|promised| service.version.step_from(promised));
        let with_a_way = taken == Some(Step::Major) && has_guide(self.plan, service);
        let relevant = compared
            .findings
            .iter()
            .filter(|finding| finding.level > Level::Note);
        if needed < Step::Major {
            found.extend(relevant.cloned());
        } else if is_locked(self.plan, (service, locks), with_a_way) {
            found.push(broken(service, locks, compared));
            found.extend(relevant.cloned());
        } else {
            let accept = |finding: &Finding| {
                let mut finding = finding.clone();
                if with_a_way {
                    finding.level = Level::Note;
                }
                finding
            };
            found.extend(relevant.map(accept));
            found.extend(self.without_guide(service));
            found.extend(self.lifted(service, with_a_way));
        }
        if needed == Step::Minor && !locks.is_empty() && !modified {
            found.push(grew(service, locks, compared));
        }
        if let Some(promised) = promised {
            found.extend(step(service, promised, needed));
        }
        found
    }

    fn without_guide(&self, service: &Service) -> Option<Finding> {
        if has_guide(self.plan, service) {
            return None;
        }
        let message = format!("{} breaks without a migration guide.", service.name);
        let finding = rules::finding(rules::GUIDE_MISSING, Level::Error, &service.name, message);
        let finding = finding.fix("Write it, and name its path in `guide`.");
        Some(finding.at(service.place.clone()))
    }

    /// A break of what the base's plan still locks.
    fn lifted(&self, service: &Service, with_a_way: bool) -> Option<Finding> {
        let (plan, before) = self.base?.service(&service.name)?;
        let locks = plan.locks(before);
        if !is_locked(plan, (before, &locks), with_a_way) {
            return None;
        }
        let Service { name, place, .. } = service;
        let why = shown(&locks);
        let message = format!("{name} breaks, and the base's plan locks it, because {why}.");
        let finding = rules::finding(rules::LOCK_LIFTED, Level::Error, name, message);
        let fix = "Merge the change of the plan by itself, then the break.";
        Some(finding.at(place.clone()).fix(fix))
    }
}

/// A core or locked service says how it fails and what it touches.
fn silent((service, locks): (&Service, &[Reason]), contract: &Contract, out: &mut Checked) {
    let locked = service.core || !locks.is_empty();
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

/// Whether a plan forbids a break, with or without a way for the callers.
fn is_locked(plan: &Plan, (service, locks): (&Service, &[Reason]), with_a_way: bool) -> bool {
    let modified = !plan.modifying(service).is_empty();
    // A phase that modifies the service does not lock it against itself.
    let others = |reason: &Reason| match reason {
        Reason::Core => false,
        Reason::UsedBy(phase) | Reason::ReachedBy(phase, _) => {
            !service.modifies.contains(phase) && !service.creates.contains(phase)
        }
    };
    let used = locks.iter().any(others);
    !locks.is_empty() && (used || !modified || !with_a_way)
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
