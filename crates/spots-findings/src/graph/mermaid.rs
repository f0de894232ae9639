//! Graphs for Mermaid.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Graph, Node};

const ARROWS: [&str; 3] = ["-->", "-.->", "==>"];

pub(super) fn render(graph: &Graph) -> String {
    // Mermaid reserves words such as `end`; numbered ids never collide with them.
    let ids: BTreeMap<&str, String> = graph
        .nodes()
        .iter()
        .enumerate()
        .map(|(number, node)| (node.id.as_str(), format!("n{number}")))
        .collect();
    let id = |name: &str| ids.get(name).map_or("", String::as_str);
    let mut out = format!("---\ntitle: {}\n---\nflowchart LR\n", quote(graph.title()));
    for (number, group) in graph.groups().into_iter().enumerate() {
        line(
            &mut out,
            format_args!("  subgraph g{number} [{}]", quote(group)),
        );
        for node in graph
            .nodes()
            .iter()
            .filter(|node| node.group.as_deref() == Some(group))
        {
            line(
                &mut out,
                format_args!("    {}[{}]", id(&node.id), label(node)),
            );
        }
        out.push_str("  end\n");
    }
    for node in graph.nodes().iter().filter(|node| node.group.is_none()) {
        line(
            &mut out,
            format_args!("  {}[{}]", id(&node.id), label(node)),
        );
    }
    let kinds = graph.kinds();
    for edge in graph.edges() {
        let kind = kinds
            .iter()
            .position(|kind| *kind == edge.kind)
            .unwrap_or(0);
        let arrow = ARROWS.get(kind % ARROWS.len()).unwrap_or(&"-->");
        let words = edge
            .label
            .as_ref()
            .map_or(String::new(), |label| format!("|{}|", quote(label)));
        line(
            &mut out,
            format_args!("  {} {arrow}{words} {}", id(&edge.from), id(&edge.to)),
        );
    }
    out
}

fn label(node: &Node) -> String {
    quote(&match &node.note {
        Some(second) => format!("{}\n{second}", node.label),
        None => node.label.clone(),
    })
}

/// Mermaid knows entities by number after `#`, and no backslashes.
fn quote(text: &str) -> String {
    let escaped = text
        .replace('#', "#35;")
        .replace('"', "#34;")
        .replace('<', "#lt;")
        .replace('>', "#gt;")
        .replace('\n', "<br>");
    format!("\"{escaped}\"")
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string cannot fail");
}
