//! The gate: everything that plan and code say about each other.

mod base;
mod dependencies;
mod service;

use std::collections::{BTreeMap, BTreeSet};

use spots_findings::{Finding, Level, Place, Unreadable};

use super::files::Files;
use super::owed::{self, Owed, Tests};
use super::{Plan, Step, Version, rules};
use crate::contract::cache::Cache;
use crate::contract::diff::{Compared, Side};
use crate::contract::frozen::Frozen;
use crate::contract::graph::Dependencies;
use crate::contract::{Snapshot, World};
use crate::parallel;

pub use base::Base;

/// What the gate came to.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Findings, unordered, before waivers.
    pub findings: Vec<Finding>,
    /// What could not be judged.
    pub unreadable: Vec<Unreadable>,
    /// Pairs that owe a test.
    pub owed: Vec<Owed>,
}

/// What the gate reads beside plan and code.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// The base revision.
    pub base: Option<&'a Base>,
    /// The text of a `JUnit` file.
    pub junit: Option<&'a str>,
}

/// Patterns and symbols of a plan's services, for [`World::read`].
pub fn patterns(plan: &Plan) -> Vec<String> {
    let symbols = plan
        .services
        .iter()
        .map(|service| service.source.symbol.clone());
    let mut patterns: Vec<String> = symbols.collect();
    patterns.push("*Service".to_owned());
    patterns.sort();
    patterns.dedup();
    patterns
}

/// Paths of the documents among a plan's services, for [`World::read`].
pub fn documents(plan: &Plan) -> Vec<String> {
    let openapi = plan.services.iter().map(|service| &service.source);
    openapi
        .filter(|source| source.language.as_deref() == Some("openapi"))
        .map(|source| source.path.clone())
        .collect()
}

/// Judges a tree by its plan.
pub fn check(
    plan: &Plan,
    world: &mut World,
    tests: &Tests,
    beside: Beside<'_>,
    cache: &Cache,
) -> Checked {
    let mut out = Checked {
        unreadable: world.unreadable().to_vec(),
        ..Checked::default()
    };
    let files = Files::on_disk(&plan.root);
    let frozen = latest_frozen(&files, &mut out.unreadable);
    let promised = match beside.base {
        Some(base) => base.frozen(&mut out.unreadable),
        None => FrozenByService::new(),
    };
    let mut names = world.mentioned();
    for (_, before) in frozen.values().chain(promised.values()) {
        names.extend(before.types.iter().map(|ty| ty.decl.name.clone()));
    }
    if let Some(base) = beside.base {
        let types = base.snapshot.types.iter().chain(&base.snapshot.services);
        names.extend(types.map(|contract| contract.decl.name.clone()));
        out.unreadable.extend(base.unreadable.iter().cloned());
    }
    let now = world.snapshot(&names, cache);
    let judge = Judge {
        plan,
        now: &now,
        // Every comparison needs every type: what they know of each other is put together once.
        types: &Side::new(now.types.iter().chain(&now.services)).with(&now.further),
        frozen: &frozen,
        promised: &promised,
        base: beside.base,
    };
    let judged = parallel::each(&plan.services, |service| {
        let mut part = Checked::default();
        judge.service(service, &mut part);
        part
    });
    // What several promises say alike is said once.
    let mut said = BTreeSet::new();
    for part in judged {
        let new = part.findings.into_iter();
        let new = new.filter(|one| said.insert((one.rule.clone(), one.identity.clone())));
        out.findings.extend(new);
        out.unreadable.extend(part.unreadable);
    }
    if let Some(base) = beside.base {
        base::check(plan, &files, base, &mut out);
    }
    phases(plan, &mut out);
    declared_locks(plan, &mut out);
    let found = Dependencies::among(&now.services);
    dependencies::check(plan, &found, &now, &mut out);
    cycles(&found, &mut out);
    out.owed = owed::owed(plan, &found, tests, beside.junit);
    out.findings.extend(owed::check(plan, &out.owed));
    out
}

/// What a service is judged by.
struct Judge<'a> {
    plan: &'a Plan,
    now: &'a Snapshot,
    types: &'a Side<'a>,
    frozen: &'a FrozenByService,
    /// Frozen at the base.
    promised: &'a FrozenByService,
    base: Option<&'a Base>,
}

/// What was frozen of each service, alone with its types, and at which version.
type FrozenByService = BTreeMap<String, (Version, Snapshot)>;

/// The newest frozen contract of each service.
fn latest_frozen(files: &Files, unreadable: &mut Vec<Unreadable>) -> FrozenByService {
    let mut latest = FrozenByService::new();
    let contracts = files.contracts(unreadable);
    let read = parallel::each(&contracts, |(_, text)| {
        Frozen::parse(text)
            .map_err(|error| error.to_string())
            .and_then(|frozen| Ok((frozen.version.parse::<Version>()?, frozen)))
    });
    for ((path, _), read) in contracts.into_iter().zip(read) {
        match read {
            Ok((version, frozen)) => {
                let service = frozen.service.decl.name.clone();
                let newer = latest
                    .get(&service)
                    .is_none_or(|(known, _)| *known < version);
                if newer {
                    latest.insert(service, (version, frozen.into()));
                }
            }
            Err(reason) => unreadable.push(Unreadable {
                path: path.to_owned(),
                reason,
            }),
        }
    }
    latest
}

/// The step that the differences ask for.
pub fn needed_step(compared: &Compared) -> Step {
    const MEANING_ONLY: [&str; 4] = [
        "default-changed",
        "deprecated",
        "throws-grew",
        "effects-grew",
    ];
    let step = |finding: &Finding| match finding.level {
        Level::Error => Step::Major,
        _ if MEANING_ONLY.contains(&finding.rule.as_str()) => Step::Patch,
        _ => Step::Minor,
    };
    compared
        .findings
        .iter()
        .map(step)
        .max()
        .unwrap_or(Step::None)
}

fn phases(plan: &Plan, out: &mut Checked) {
    for service in &plan.services {
        let modifying = plan.modifying(service);
        if modifying.len() > 1 {
            let ids: Vec<&str> = modifying.iter().map(|phase| phase.id.as_str()).collect();
            let message = format!(
                "phases {} are in progress and all modify {}.",
                ids.join(" and "),
                service.name
            );
            let finding =
                rules::finding(rules::PHASES_COLLIDE, Level::Error, &service.name, message);
            let fix =
                "Let one phase wait for the other (`after`), or move the change to one of them.";
            out.findings
                .push(finding.at(service.place.clone()).fix(fix));
        }
    }
    for phase in plan
        .phases
        .iter()
        .filter(|phase| phase.status != super::Status::Planned)
    {
        let early = phase.after.iter().filter_map(|id| plan.phase(id));
        for before in early.filter(|before| before.status != super::Status::Complete) {
            let message = format!(
                "phase {} is {}, and phase {} before it is {}.",
                phase.id,
                phase.status.as_str(),
                before.id,
                before.status.as_str()
            );
            let identity = format!("{} after {}", phase.id, before.id);
            let finding = rules::finding(rules::PHASE_TOO_EARLY, Level::Error, &identity, message);
            out.findings.push(
                finding
                    .at(phase.place.clone())
                    .fix("Finish the earlier phase, or mend `after`."),
            );
        }
    }
}

fn declared_locks(plan: &Plan, out: &mut Checked) {
    for service in &plan.services {
        for (id, state) in &service.declared {
            let Some(phase) = plan.phase(id) else {
                continue;
            };
            let derived = if plan.cell(service, phase).locked {
                "locked"
            } else {
                "unlocked"
            };
            if derived != state {
                let message = format!(
                    "{} is declared {state} in phase {id}, and the phases make it {derived}.",
                    service.name
                );
                let identity = format!("{} in {id}", service.name);
                let finding =
                    rules::finding(rules::LOCK_CONTRADICTS, Level::Error, &identity, message);
                out.findings.push(
                    finding
                        .at(service.place.clone())
                        .fix("Take the declaration out: the matrix is derived."),
                );
            }
        }
    }
}

/// Circles of services, named once.
pub fn cycles(found: &Dependencies, out: &mut Checked) {
    for cycle in found.graph("").cycles() {
        let shown = format!(
            "{} → {}",
            cycle.join(" → "),
            cycle.first().map_or("", String::as_str)
        );
        let message = format!("services depend on each other in a circle: {shown}.");
        let edge = found
            .edges
            .iter()
            .find(|edge| cycle.contains(&edge.from) && cycle.contains(&edge.to));
        let finding = rules::finding(rules::DEPENDENCY_CYCLE, Level::Warning, &shown, message);
        let finding =
            finding.fix("Turn one dependency around, or move what both need into a third.");
        out.findings.push(match edge {
            Some(edge) => finding.at(Place::line(edge.file.clone(), edge.line)),
            None => finding,
        });
    }
}

/// Takes out what waivers cover, and adds what is wrong with the waivers.
pub fn waive(plan: &Plan, findings: Vec<Finding>) -> Vec<Finding> {
    let mut used = BTreeSet::new();
    let mut kept: Vec<Finding> = findings
        .into_iter()
        .filter(|finding| {
            let fingerprint = finding.fingerprint();
            let waiver = plan
                .waivers
                .iter()
                .find(|waiver| waiver.fingerprint == fingerprint);
            let live = waiver.is_some_and(|waiver| {
                used.insert(waiver.fingerprint.clone());
                let phase = plan.phase(&waiver.until_phase);
                phase.is_some_and(|phase| phase.status != super::Status::Complete)
            });
            !live
        })
        .collect();
    for waiver in &plan.waivers {
        let expired = plan
            .phase(&waiver.until_phase)
            .is_some_and(|phase| phase.status == super::Status::Complete);
        let (rule, message) = if expired {
            (
                rules::WAIVER_EXPIRED,
                format!(
                    "the waiver of {} ended with phase {}.",
                    waiver.owner, waiver.until_phase
                ),
            )
        } else if used.contains(&waiver.fingerprint) {
            continue;
        } else {
            (
                rules::WAIVER_UNUSED,
                format!("the waiver of {} covers no finding.", waiver.owner),
            )
        };
        let finding = rules::finding(rule, Level::Error, &waiver.fingerprint, message);
        kept.push(
            finding
                .at(waiver.place.clone())
                .fix("Take the waiver out of plan/plan.toml."),
        );
    }
    kept
}
