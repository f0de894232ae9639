//! The plan's documents, rendered from the data, so that they cannot go stale.

use std::fmt::Write as _;

use super::locks::Reason;
use super::owed::{self, Owed};
use super::{Plan, Status, deprecation, matrix};
use crate::contract::graph::Dependencies;
use crate::contract::{Contract, show};

const HEAD: &str = "<!-- Rendered by `spots plan docs`. Change plan/, not this file. -->\n\n";

/// Every document: file name and text.
pub fn render(
    plan: &Plan,
    contracts: &[Contract],
    found: &Dependencies,
    owed: &[Owed],
) -> Vec<(&'static str, String)> {
    let document = |title: &str, text: String| format!("{HEAD}# {title}\n\n{text}");
    vec![
        ("master-plan.md", document(&plan.title, master(plan))),
        (
            "locking-matrix.md",
            document("Locking matrix", locking(plan)),
        ),
        ("locking-matrix.svg", matrix::svg(plan)),
        (
            "contracts.md",
            document("Service contracts", interfaces(plan, contracts)),
        ),
        (
            "versioning.md",
            document("Versioning strategy", versions(plan)),
        ),
        (
            "deprecation.md",
            document("Deprecation process", deprecations(plan)),
        ),
        (
            "dependencies.md",
            document("Dependency graph", dependencies(plan, found)),
        ),
        ("dependencies.svg", declared(plan, found).to_svg()),
        (
            "integration-tests.md",
            document("Integration tests owed", tests(owed)),
        ),
    ]
}

fn master(plan: &Plan) -> String {
    let mut out = String::from("## Mandates\n\n");
    for mandate in &plan.mandates {
        line(&mut out, format_args!("- {mandate}"));
    }
    out.push_str("\n## Phases\n\n| phase | title | status | after | waits for |\n| --- | --- | --- | --- | --- |\n");
    let order = plan.order();
    let phases: Vec<_> = order.iter().filter_map(|id| plan.phase(id)).collect();
    for phase in &phases {
        line(
            &mut out,
            format_args!(
                "| {} | {} | {} | {} | {} |",
                phase.id,
                phase.title,
                phase.status.as_str(),
                or_dash(&phase.after),
                or_dash(&phase.waits_for)
            ),
        );
    }
    for phase in phases {
        line(
            &mut out,
            format_args!("\n## Phase {}: {}\n", phase.id, phase.title),
        );
        if !phase.page.is_empty() {
            line(&mut out, format_args!("{}\n", phase.page.trim()));
        }
        for (word, list) in services_of(plan, &phase.id) {
            if !list.is_empty() {
                line(&mut out, format_args!("- {word}: {}", list.join(", ")));
            }
        }
    }
    out
}

fn services_of<'a>(plan: &'a Plan, phase: &str) -> [(&'static str, Vec<&'a str>); 3] {
    let named = |of: fn(&super::Service) -> &Vec<String>| -> Vec<&'a str> {
        let services = plan.services.iter();
        let named = services.filter(|service| of(service).iter().any(|id| id == phase));
        named.map(|service| service.name.as_str()).collect()
    };
    [
        ("creates", named(|service| &service.creates)),
        ("modifies", named(|service| &service.modifies)),
        ("uses", named(|service| &service.uses)),
    ]
}

fn locking(plan: &Plan) -> String {
    let mut out = String::from(
        "A service is **locked** while an active phase uses it, while an active phase reaches it through \
         another service, and always when it is core. Locked means: fixes only; the interface is frozen. \
         The phase that modifies a service may extend it, and break it when no other phase in progress \
         rests on it, with a major version and a migration guide.\n\n![The matrix](locking-matrix.svg)\n\n",
    );
    out.push_str(&matrix::markdown(plan));
    out.push_str("\n## Locked now\n\n");
    for service in &plan.services {
        let why: Vec<String> = plan.locks(service).iter().map(Reason::shown).collect();
        if !why.is_empty() {
            line(
                &mut out,
                format_args!("- {}: {}", service.name, why.join("; ")),
            );
        }
    }
    out
}

fn interfaces(plan: &Plan, contracts: &[Contract]) -> String {
    let mut out = String::new();
    for service in &plan.services {
        let mut found = contracts.iter().filter(|contract| {
            contract.decl.name == service.source.symbol
                && crate::tree::path_fits(&service.source.path, &contract.file)
        });
        line(
            &mut out,
            format_args!("## {} {}\n", service.name, service.version),
        );
        let Some(contract) = found.next() else {
            line(
                &mut out,
                format_args!("Not found at `{}`.\n", service.source.path),
            );
            continue;
        };
        line(&mut out, format_args!("`{}`\n\n```", contract.file));
        for member in contract.members() {
            line(&mut out, format_args!("{}", show::signature(member)));
        }
        line(&mut out, format_args!("```\n"));
        for member in contract.members() {
            let says = |word: &str, list: &std::collections::BTreeSet<String>| {
                let list: Vec<&str> = list.iter().map(String::as_str).collect();
                format!("{word} {}", list.join(", "))
            };
            if !member.throws.is_empty() {
                line(
                    &mut out,
                    format_args!("- `{}` {}", member.name, says("throws", &member.throws)),
                );
            }
            if !member.effects.is_empty() {
                line(
                    &mut out,
                    format_args!("- `{}` {}", member.name, says("touches", &member.effects)),
                );
            }
        }
        out.push('\n');
    }
    out
}

fn versions(plan: &Plan) -> String {
    let mut out = String::from(
        "MAJOR.MINOR.PATCH. A break needs a major step and a migration guide, anything new a minor step, a \
         fix a patch. The step that a change needs is computed from the contracts and compared with the step \
         taken; `spots plan check` fails when it is too small.\n\n\
         | service | version | guide |\n| --- | --- | --- |\n",
    );
    for service in &plan.services {
        let guide = service.guide.as_deref().unwrap_or("–");
        line(
            &mut out,
            format_args!("| {} | {} | {guide} |", service.name, service.version),
        );
    }
    out
}

fn deprecations(plan: &Plan) -> String {
    format!(
        "A deprecation is announced in a phase, with a replacement and a guide, and stays for {} phases. \
         Removed earlier, the gate fails; left longer, it warns; a deprecated service that grows warns; a \
         mark in the code that is not in the plan warns.\n\n{}",
        deprecation::PHASES_KEPT,
        deprecation::calendar(plan)
    )
}

/// The graph of the code with what the plan declares beside it.
pub fn declared(plan: &Plan, found: &Dependencies) -> spots_findings::graph::Graph {
    use spots_findings::graph::{Edge, Graph, Node};
    let nodes = plan.services.iter().map(|service| {
        let locked = if plan.locks(service).is_empty() {
            "open"
        } else {
            "locked"
        };
        Node::new(&*service.name)
            .group(if service.core { "core" } else { locked })
            .note(format!("{} · {locked}", service.version))
    });
    let of_symbol = |symbol: &str| {
        let mut services = plan.services.iter();
        let service = services.find(|service| service.source.symbol == symbol);
        service.map(|service| service.name.clone())
    };
    let mut shown = std::collections::BTreeSet::new();
    for edge in &found.edges {
        if let (Some(from), Some(to)) = (of_symbol(&edge.from), of_symbol(&edge.to)) {
            shown.insert((from, to, edge.kind));
        }
    }
    for service in &plan.services {
        for on in &service.depends_on {
            let known = shown
                .iter()
                .any(|(from, to, _)| *from == service.name && to == on);
            if !known {
                shown.insert((service.name.clone(), on.clone(), "declared"));
            }
        }
    }
    let edges = shown
        .into_iter()
        .map(|(from, to, kind)| Edge::new(from, to, kind));
    Graph::new("Services and what they depend on", nodes, edges)
}

fn dependencies(plan: &Plan, found: &Dependencies) -> String {
    let mut out = String::from("![Services](dependencies.svg)\n\n```mermaid\n");
    out.push_str(&declared(plan, found).to_mermaid());
    out.push_str("```\n\n| service | depends on | phases in progress that rest on it |\n| --- | --- | --- |\n");
    for service in &plan.services {
        let active = plan.phases.iter().filter(|phase| {
            phase.status == Status::Active && plan.cell(service, phase).locked && !service.core
        });
        let active: Vec<String> = active.map(|phase| phase.id.clone()).collect();
        line(
            &mut out,
            format_args!(
                "| {} | {} | {} |",
                service.name,
                or_dash(&service.depends_on),
                or_dash(&active)
            ),
        );
    }
    out
}

fn tests(owed: &[Owed]) -> String {
    format!(
        "A pair of services owes a test that constructs or calls both: after each phase that modifies the \
         one, before each phase that uses the other, and on every commit while both are locked.\n\n{}",
        owed::markdown(owed)
    )
}

fn or_dash(list: &[String]) -> String {
    if list.is_empty() {
        "–".to_owned()
    } else {
        list.join(", ")
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string cannot fail");
}
