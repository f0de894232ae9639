//! May a service change in a phase, and if not, who stands in the way and until when.

use serde_json::{Value, json};

use super::locks::Reason;
use super::{Phase, Plan, Service, Status};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether it may.
    pub allowed: bool,
    /// Who stands in the way.
    pub blocked_by: Vec<Reason>,
    /// What must come with the change.
    pub conditions: Vec<String>,
    /// The first phase in which it becomes possible, when it is not now.
    pub first_possible_in: Option<String>,
}

/// Asks the plan whether `service` may change (or break) in `phase`.
pub fn ask(plan: &Plan, service: &Service, phase: &Phase, breaks: bool) -> Answer {
    let blocked_by = blockers(plan, service, phase, breaks);
    let first_possible_in = (!blocked_by.is_empty())
        .then(|| later(plan, phase))
        .into_iter()
        .flatten()
        .find(|later| blockers(plan, service, later, breaks).is_empty())
        .map(|phase| phase.id.clone());
    let conditions = if !blocked_by.is_empty() {
        Vec::new()
    } else if breaks {
        vec![
            "raise the major version".to_owned(),
            "write the migration guide and name it in the service's `guide`".to_owned(),
        ]
    } else {
        vec!["stay compatible; new members raise the minor version".to_owned()]
    };
    Answer {
        allowed: blocked_by.is_empty(),
        blocked_by,
        conditions,
        first_possible_in,
    }
}

/// Phases whose work is not done while `phase` runs, and that lock the service.
fn blockers(plan: &Plan, service: &Service, phase: &Phase, breaks: bool) -> Vec<Reason> {
    let own = service.modifies.contains(&phase.id) || service.creates.contains(&phase.id);
    let beside = |other: &Phase| other.id != phase.id && runs_beside(plan, other, phase);
    let mut reasons = plan.locks_during(service, &beside);
    if own {
        // Its own phase may change a core service, with a way for the callers.
        reasons.retain(|reason| *reason != Reason::Core);
    } else {
        let also = plan.locks_during(service, &|other| other.id == phase.id);
        reasons.extend(
            also.into_iter()
                .filter(|reason| !matches!(reason, Reason::Core)),
        );
    }
    if !breaks && own {
        // Compatible work of the modifying phase disturbs nobody.
        reasons.clear();
    }
    reasons.sort();
    reasons.dedup();
    reasons
}

/// Whether a phase is in progress while another is: it is active now and no wait orders the two.
fn runs_beside(plan: &Plan, other: &Phase, phase: &Phase) -> bool {
    other.status == Status::Active
        && !waits_for(plan, phase, &other.id)
        && !waits_for(plan, other, &phase.id)
}

/// Whether a phase starts after another, near or far.
fn waits_for(plan: &Plan, phase: &Phase, id: &str) -> bool {
    let mut next: Vec<&str> = phase.after.iter().map(String::as_str).collect();
    let mut seen = std::collections::BTreeSet::new();
    while let Some(before) = next.pop() {
        if before == id {
            return true;
        }
        if seen.insert(before) {
            let phase = plan.phase(before);
            next.extend(
                phase
                    .iter()
                    .flat_map(|phase| phase.after.iter().map(String::as_str)),
            );
        }
    }
    false
}

fn later<'a>(plan: &'a Plan, phase: &Phase) -> Vec<&'a Phase> {
    let order = plan.order();
    let at = order
        .iter()
        .position(|id| *id == phase.id)
        .map_or(0, |at| at + 1);
    let ids = order.get(at..).unwrap_or_default();
    ids.iter().filter_map(|id| plan.phase(id)).collect()
}

/// For people.
pub fn text(service: &Service, phase: &Phase, breaks: bool, answer: &Answer) -> String {
    let what = if breaks { "break" } else { "change" };
    let mut out = if answer.allowed {
        format!("yes: {} may {what} in phase {}\n", service.name, phase.id)
    } else {
        format!(
            "no: {} may not {what} in phase {}\n",
            service.name, phase.id
        )
    };
    for reason in &answer.blocked_by {
        out.extend([format!("  because {}\n", reason.shown())]);
    }
    for condition in &answer.conditions {
        out.extend([format!("  {condition}\n")]);
    }
    if !answer.allowed {
        out.extend([match &answer.first_possible_in {
            Some(phase) => format!("  first possible in phase {phase}\n"),
            None => "  in no later phase of the plan: plan one that modifies it\n".to_owned(),
        }]);
    }
    out
}

/// For scripts.
pub fn json(service: &Service, phase: &Phase, breaks: bool, answer: &Answer) -> Value {
    json!({
        "service": service.name,
        "phase": phase.id,
        "break": breaks,
        "allowed": answer.allowed,
        "blockedBy": answer.blocked_by.iter().map(Reason::shown).collect::<Vec<_>>(),
        "conditions": answer.conditions,
        "firstPossibleIn": answer.first_possible_in,
    })
}
